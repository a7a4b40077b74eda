"""What a reader finds, and the words all of them share."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mimir_py.entities.models import Draft, Entity, Identity, Link
from mimir_py.entities.versioning import new_entity
from mimir_py.errors import TransferError
from mimir_py.security import Trust
from mimir_py.storage.engine import Engine
from mimir_py.values import UnixMs

# A time in seconds stays below this for three thousand years; in milliseconds it is 1973.
_MS_FROM: Final = 100_000_000_000
_MOST_FILE_BYTES: Final = 64 * 1_048_576


@dataclass
class Source:
    """A file or folder to read. `problems` takes what cannot be read, by its place, and why."""

    path: Path
    engine: Engine
    problems: dict[str, str] = field(default_factory=dict)

    def text(self, path: Path | None = None) -> str:
        """The text of a file, by default the source itself.

        Raises:
            TransferError: it is no regular file, too long, or not UTF-8.
        """
        file = self.path if path is None else path
        if file.is_symlink() or not file.is_file():
            raise TransferError(f"{file} is no file")
        if file.stat().st_size > _MOST_FILE_BYTES:
            raise TransferError(f"{file} is over {_MOST_FILE_BYTES} bytes")
        try:
            return file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as fault:
            raise TransferError(f"{file} is not UTF-8 ({fault.reason})") from None
        except OSError as error:
            raise TransferError(f"{file} cannot be read: {error.strerror}") from None

    def objects(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The objects of a JSON Lines file, or of one JSON list, each with its place."""
        text = self.text()
        try:
            whole = json.loads(text)
        except (ValueError, RecursionError):
            yield from self._lines(text)
            return
        if isinstance(whole, dict):
            listed = next(
                (whole[n] for n in ("results", "memories", "data") if n in whole), [whole]
            )
        else:
            listed = whole
        if not isinstance(listed, list):
            raise TransferError(f"{self.path} is no list of memories")
        for number, item in enumerate(listed, start=1):
            yield from self._object(f"item {number}", item)

    def _lines(self, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            try:
                yield from self._object(f"line {number}", json.loads(line))
            except (ValueError, RecursionError) as error:
                self.problems[f"line {number}"] = f"is not JSON ({error})"

    def _object(self, place: str, item: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
        if isinstance(item, dict):
            yield place, item
        else:
            self.problems[place] = "is no JSON object"


@dataclass(frozen=True)
class Found:
    """A memory of another program. `source_id` is what it is called there: it decides the id here.

    `links` are (source id of the target, relationship, weight). `workspace` is where it belongs,
    `None` if the format does not say.
    """

    source_id: str
    category: str
    key: str
    body: Mapping[str, Any]
    type: str = "insight"
    tags: tuple[str, ...] = ()
    workspace: str | None = None
    agent_id: str = ""
    topic_path: str = ""
    created: UnixMs | None = None
    updated: UnixMs | None = None
    certainty: float = 0.5
    ended: UnixMs | None = None
    links: tuple[tuple[str, str, float], ...] = ()


def entity(found: Found, name: str, key: str, workspace: str, now: UnixMs) -> Entity:
    """A found memory as one of ours, marked with where it comes from."""
    created = next((t for t in (found.created, found.updated, now) if t is not None), now)
    draft = Draft(
        Identity(found.category or "general", key, workspace),
        json.dumps(found.body, ensure_ascii=False),
        type=found.type or "insight",
        tags=tuple(dict.fromkeys(tag for tag in found.tags if tag)),
        agent_id=found.agent_id,
        topic_path=found.topic_path,
        certainty=min(1.0, max(0.0, found.certainty)),
        source=f"import:{name}",
        trust=Trust.IMPORT,
    )
    links = {
        (target, relationship): Link(id_of(name, target), relationship, weight, "", created)
        for target, relationship, weight in found.links
    }
    made = new_entity(draft, id_of(name, found.source_id), created)
    recorded = max(created, found.updated if found.updated is not None else now)
    is_over = found.ended is not None and found.ended > created
    return replace(
        made,
        recorded_at_unix_ms=recorded,
        valid_to_unix_ms=found.ended if is_over else None,
        status="deprecated" if is_over else made.status,
        links=tuple(links.values()),
    )


def id_of(name: str, source_id: str) -> str:
    """The id here of what another program calls `source_id`: the same at every import."""
    # What cannot be stored has an id all the same: it is named by it.
    called = f"{name}\0{source_id}".encode(errors="surrogatepass")
    return "imp-" + hashlib.sha256(called).hexdigest()[:12]


def unix_ms(value: Any) -> UnixMs | None:
    """A time in seconds or milliseconds, or as ISO text (UTC unless it says); else `None`."""
    if isinstance(value, str):
        text = value.strip()
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            try:
                value = float(text)
            except ValueError:
                return None
        else:
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            return int(at.timestamp() * 1000)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124  # not a number
        return None
    if not -1e17 < value < 1e17:
        return None
    return int(value if abs(value) >= _MS_FROM else value * 1000)


def words(value: Any) -> tuple[str, ...]:
    """A list of words: JSON list, JSON text of one, or words between commas."""
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            try:
                return words(json.loads(value))
            except (ValueError, RecursionError):
                pass
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, list | tuple):
        return tuple(str(part).strip() for part in value if str(part).strip())
    return ()


def first(item: Mapping[str, Any], *names: str) -> Any:
    """The first of some fields that is there and not empty."""
    return next((item[name] for name in names if item.get(name) not in (None, "")), None)


def short(text: str, most: int = 80) -> str:
    """The beginning of a text, as a name."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most].rstrip()
