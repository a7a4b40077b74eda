"""Which paths name a file: pure rules."""

from typing import Final
from urllib.parse import unquote

from mimir_py.errors import InvalidInput

ROOT: Final = "/memories"
_ROOT_NAME: Final = "memories"


def normalised(path: str, field: str = "path") -> str:
    """The path from the root on, without a slash at either end; "" is the root itself.

    Raises:
        InvalidInput: a part is empty, `.` or `..`, also when percent-encoded, or holds a control
            character.
    """
    plain = path.replace("\\", "/")
    if plain.startswith("/"):
        plain = plain[1:]
    if plain in (_ROOT_NAME, f"{_ROOT_NAME}/"):
        return ""
    plain = plain.removeprefix(f"{_ROOT_NAME}/").removesuffix("/")
    if plain and not all(_is_name(part) for part in plain.split("/")):
        raise InvalidInput(
            field, f'invalid path: {path!r}; no part may be empty, "." or "..", or hold a control'
        )
    return plain


def of_file(path: str, field: str = "path") -> str:
    """The path of a file or directory below the root.

    Raises:
        InvalidInput: as `normalised`, or it is the root.
    """
    plain = normalised(path, field)
    if not plain:
        raise InvalidInput(field, f"invalid path: {path!r}; name a file, such as {ROOT}/notes.md")
    return plain


def shown(path: str) -> str:
    """A path as agents know it."""
    return f"{ROOT}/{path}" if path else ROOT


def below(path: str, directory: str) -> bool:
    """Whether a path is that of something inside a directory."""
    return not directory or path.startswith(f"{directory}/")


def folders(path: str) -> list[str]:
    """The directories a path leads through, the outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _is_name(part: str) -> bool:
    decoded = part
    while (further := unquote(decoded)) != decoded:
        decoded = further
    safe = decoded.isprintable() and not {"/", "\\"} & set(decoded)
    return safe and decoded.strip() not in ("", ".", "..")
