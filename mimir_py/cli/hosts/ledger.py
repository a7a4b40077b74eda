"""Remembers what `connect` wrote, in `~/.mimir/connect.json`, so that it can be undone exactly.

One record for each configuration file, under its path with links resolved. A record is a promise
only as long as the file's hash is still `written_sha256`; after that it merely says whether the
container was ours.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

from mimir_py.cli.hosts import disk
from mimir_py.cli.hosts.models import HostConfigError

Before = Literal["missing", "file", "unknown"]
_VERSION: Final = 1
_FOLDER_MODE: Final = 0o700


@dataclass(frozen=True, slots=True)
class Record:
    """How to undo one connection.

    `before` says what was there: no file, a file (the first of `backups`), or unknown because the
    file had been edited between two runs of `connect`.
    """

    host: str
    written_sha256: str
    before: Before
    before_sha256: str = ""
    backups: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    made_container: bool = False

    def holds_for(self, data: bytes) -> bool:
        """Whether the file is byte for byte what `connect` wrote."""
        return self.written_sha256 == digest(data)

    def is_original(self, data: bytes) -> bool:
        """Whether `data` is what the file held before."""
        return self.before_sha256 == digest(data)

    def rewritten(self, data: bytes, after: bytes, backup: Path | None) -> "Record":
        """The record once `connect` has turned its own earlier work, `data`, into `after`."""
        return replace(
            self,
            written_sha256=digest(after),
            before=self.before if self.holds_for(data) else "unknown",
            backups=self.backups if backup is None else (*self.backups, str(backup)),
        )


def digest(data: bytes) -> str:
    """The SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def place(home: Path) -> Path:
    """Where the records are kept."""
    return home / ".mimir" / "connect.json"


def load(home: Path) -> dict[str, Record]:
    """All records by resolved path; empty if nothing was ever connected.

    Raises:
        HostConfigError: the file is not one that `save` wrote.
    """
    data = disk.read(place(home)).data
    if data is None:
        return {}
    try:
        return _parsed(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HostConfigError(
            "this list of connections cannot be read; move it away and run this again",
            path=place(home),
        ) from error


def save(home: Path, records: Mapping[str, Record]) -> None:
    """Replace all records; with none left, the file and an empty `~/.mimir` disappear."""
    path = place(home)
    if not records:
        path.unlink(missing_ok=True)
        disk.remove_folders([path.parent])
        return
    path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    files = {name: asdict(record) for name, record in sorted(records.items())}
    text = json.dumps({"version": _VERSION, "files": files}, indent=2)
    disk.write_private(path, f"{text}\n".encode())


def _parsed(data: bytes) -> dict[str, Record]:
    content = json.loads(data)
    if content["version"] != _VERSION:
        raise ValueError(content["version"])
    return {path: _record(raw) for path, raw in content["files"].items()}


def _record(raw: dict[str, Any]) -> Record:
    if raw["before"] not in get_args(Before):
        raise ValueError(raw["before"])
    return Record(
        host=str(raw["host"]),
        written_sha256=str(raw["written_sha256"]),
        before=raw["before"],
        before_sha256=str(raw["before_sha256"]),
        backups=tuple(map(str, raw["backups"])),
        folders=tuple(map(str, raw["folders"])),
        made_container=raw["made_container"] is True,
    )
