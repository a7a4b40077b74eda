"""The values of host configuration: a host, our entry in it, an edit, and the report of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

from mimir_py.errors import MimirError

ENTRY_NAME: Final = "mimir"


class HostConfigError(MimirError):
    """A host's configuration cannot be used as it is, or not written; it was left untouched."""

    code: ClassVar[str] = "host_config"

    def __init__(self, problem: str, *, path: Path | None = None, line: int | None = None) -> None:
        place = [] if path is None else [str(path)]
        place += [] if line is None else [f"line {line}"]
        super().__init__(": ".join(([", ".join(place)] if place else []) + [problem]))
        self.path = path
        self.line = line


class EditError(Exception):
    """An editor cannot work on a text; `install` adds which file it was."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


class Action(StrEnum):
    """What a run did to the configuration file, or would do."""

    CREATED = "created"
    ADDED = "added"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    RESTORED = "restored"
    DELETED = "deleted"
    REMOVED = "removed"
    NOT_CONNECTED = "not connected"


@dataclass(frozen=True, slots=True)
class Splice:
    """Replace `text[start:end]`; several splices of one text never overlap."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Outline:
    """A configuration seen from our entry.

    `others` is everything but the entry, as one comparable value; a container that holds nothing
    else counts as absent, so that it compares equal with and without us.
    """

    others: object
    has_container: bool
    has_entry: bool
    entry: Mapping[str, Any] = field(default_factory=dict)


class Editor(Protocol):
    """One configuration format. Only the returned splices change a text, so all else is kept.

    Each function raises `EditError` for a text that is broken or of an unexpected shape.
    """

    def outline(self, text: str, container: str, name: str) -> Outline:
        """Parse the whole text and say what it holds."""

    def put(
        self, text: str, container: str, name: str, fields: Mapping[str, Any]
    ) -> Sequence[Splice]:
        """Insert the entry, or replace it where it stands."""

    def drop(self, text: str, container: str, name: str) -> Sequence[Splice]:
        """Take out an entry that is there."""

    def prune(self, text: str, container: str, /) -> Sequence[Splice]:
        """Take out the container if nothing is left in it, not even a comment."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a host looks for its configuration, below the home or the project folder.

    `if_present` is a second location that wins when a folder matches the pattern: the pattern
    and the path below that folder.
    """

    path: str
    if_present: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """An agent host: which file it reads, and how an MCP server is written there."""

    name: str
    title: str
    editor: Editor
    container: str
    in_project: bool
    linux: Place
    macos: Place
    windows: Place
    next_step: str
    transport: Mapping[str, str] = field(default_factory=dict)
    lists_every_tool: bool = True

    def fields(self, entry: "Entry") -> dict[str, Any]:
        """The entry as this host writes it."""
        tools = ["--tools", "lean"] if self.lists_every_tool else []
        arguments = [*entry.arguments, *tools]
        return {**self.transport, "command": entry.command, "args": arguments}


@dataclass(frozen=True, slots=True)
class Entry:
    """How to start the server, whatever the host; `key` is the option that opens a sealed store."""

    command: str
    db: Path | None = None
    key: tuple[str, ...] = ()

    @property
    def arguments(self) -> list[str]:
        """The arguments every host gets, in order."""
        database = [] if self.db is None else ["--db", str(self.db)]
        return ["serve", "--workspace", "auto", *database, *self.key]


@dataclass(frozen=True, slots=True)
class Report:
    """What was done, or with `dry_run` what would be.

    `path` is the file the host reads (a link is not resolved). `text` is what it holds afterwards,
    `None` when there is no file. `diff` is unified, empty when nothing changes. `backup` is the
    copy `connect` made, or the one `disconnect` left in place because the file was edited since.
    `kept` names fields of an earlier entry that were carried over, such as `env`. `next_step` is
    what the user does in the host to make it take effect, empty when nothing changed.
    """

    host: str
    action: Action
    path: Path
    text: str | None
    diff: str = ""
    backup: Path | None = None
    kept: tuple[str, ...] = ()
    next_step: str = ""
    dry_run: bool = False

    @property
    def changed(self) -> bool:
        """Whether the file is, or would be, different."""
        return self.action not in (Action.UNCHANGED, Action.NOT_CONNECTED)
