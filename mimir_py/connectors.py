"""Connectors: the file that says where memories come from by themselves.

    connectors:
      file_watcher: {enabled: true, paths: ["~/notes"], extensions: [".md"], debounce_ms: 1500}

The form is that of the Rust program, whose connector `github` is read and not served.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mimir_py.errors import ConfigError

FILE_WATCHER: Final = "file_watcher"
UNSERVED: Final = ("github",)

_MOST_BYTES: Final = 65_536
_EXTENSIONS: Final = (".md", ".txt")
_LEAST_MS: Final = 50
_MOST_MS: Final = 3_600_000
_USUAL_MS: Final = 1_500


@dataclass(frozen=True)
class FileWatcher:
    """Folders of which files with some endings are remembered.

    That is done `debounce_ms` after the last change.
    """

    paths: tuple[Path, ...]
    extensions: tuple[str, ...] = _EXTENSIONS
    debounce_ms: int = _USUAL_MS


@dataclass(frozen=True)
class Connectors:
    """What is enabled: the watcher, and the names of connectors that this version does not have."""

    file_watcher: FileWatcher | None = None
    unserved: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.file_watcher is not None or bool(self.unserved)


def read_connectors(file: Path | None) -> Connectors:
    """What a connectors file enables; nothing without one.

    Raises:
        ConfigError: it cannot be read, or says what it must not; names the field.
    """
    if file is None:
        return Connectors()
    found = _parsed(file)
    unknown = sorted(set(found) - {FILE_WATCHER, *UNSERVED})
    if unknown:
        raise _wrong(file, unknown[0], f"is none of {FILE_WATCHER}, {', '.join(UNSERVED)}")
    enabled = {name: _section(file, name, value) for name, value in found.items()}
    enabled = {name: section for name, section in enabled.items() if section.get("enabled")}
    watcher = enabled.pop(FILE_WATCHER, None)
    return Connectors(None if watcher is None else _watcher(file, watcher), tuple(sorted(enabled)))


def _parsed(file: Path) -> Mapping[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.events import AliasEvent

    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ConfigError(f"{file}: is over {_MOST_BYTES} bytes")
        text = content.decode("utf-8-sig")
        # An alias may stand for more than memory holds.
        if any(isinstance(event, AliasEvent) for event in YAML(typ="safe", pure=True).parse(text)):
            raise ConfigError(f"{file}: aliases are not allowed")
        whole = YAML(typ="safe", pure=True).load(text)
    except (OSError, ValueError, RecursionError, YAMLError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise ConfigError(f"--connectors-config {file}: {reason}") from None
    found = whole.get("connectors") if isinstance(whole, dict) else None
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise _wrong(file, "connectors", "must be a map of connectors")
    return found


def _section(file: Path, name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("enabled", False), bool):
        raise _wrong(file, name, "must be a map, with `enabled` true or false")
    return value


def _watcher(file: Path, section: Mapping[str, Any]) -> FileWatcher:
    paths = _texts(file, section, "paths", ())
    if not paths:
        raise _wrong(file, f"{FILE_WATCHER}.paths", "names no folder")
    debounce = section.get("debounce_ms", _USUAL_MS)
    if not isinstance(debounce, int) or not _LEAST_MS <= debounce <= _MOST_MS:
        problem = f"must be a whole number from {_LEAST_MS} to {_MOST_MS}"
        raise _wrong(file, f"{FILE_WATCHER}.debounce_ms", problem)
    return FileWatcher(
        tuple(Path(path).expanduser().absolute() for path in paths),
        _texts(file, section, "extensions", _EXTENSIONS),
        debounce,
    )


def _texts(
    file: Path, section: Mapping[str, Any], name: str, usual: tuple[str, ...]
) -> tuple[str, ...]:
    value = section.get(name, usual)
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) and v for v in value):
        raise _wrong(file, f"{FILE_WATCHER}.{name}", "must be a list of texts")
    return tuple(value)


def _wrong(file: Path, field: str, problem: str) -> ConfigError:
    return ConfigError(f"--connectors-config {file}: {field} {problem}")
