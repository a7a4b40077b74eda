"""What undoing a change takes, read from its journal entry: pure rules."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from mimir_py.entities.models import Identity, Link, Worth
from mimir_py.journal.models import AUDIT, Recorded

UNDO: Final = "undo"
IMPORT: Final = "import"
MERGE: Final = "consolidate"
SOURCE: Final = "mimir_undo"


# The first and the last of rows that were stored one after the other.
Span = tuple[int, int]
NOTHING: Final[Span] = (1, 0)


class Step(StrEnum):
    """What is done to a memory."""

    ARCHIVE = "archived"
    RESTORE = "restored"
    REVIVE = "revived"
    SCORE = "scored"
    RENAME = "renamed"
    LINK = "linked"
    UNLINK = "unlinked"
    NAME = "named"
    UNNAME = "unnamed"


_OPPOSITES: Final[Mapping[str, Step]] = {
    Step.ARCHIVE: Step.REVIVE,
    Step.RESTORE: Step.RESTORE,
    Step.REVIVE: Step.RESTORE,
    Step.SCORE: Step.SCORE,
    Step.RENAME: Step.RENAME,
    Step.NAME: Step.UNNAME,
    Step.UNNAME: Step.NAME,
}
# Why an entry that tells too little is not undone, and what to do instead.
_LEFT: Final[Mapping[str, str]] = {
    "score": "it does not tell what was before: score the memory again",
    MERGE: "it does not tell what it archived: undo that, and forget what it made",
    "link": "words of links are not in the journal: unlink the two, or link them again",
    "unlink": "words of links are not in the journal: link the two again",
}
_LEFT_KEY: Final = "it does not tell which key was dropped: remember the memory under it again"
_OF_TEXT: Final = frozenset({Step.ARCHIVE, Step.RESTORE, Step.REVIVE})


class Relink(NamedTuple):
    """A link before and after a change; `None` is no link."""

    before: Link | None
    after: Link | None

    @property
    def end(self) -> Link:
        """One of the two: both lead to the same memory in the same way."""
        end = self.before or self.after
        assert end is not None
        return end


@dataclass(frozen=True)
class Change:
    """A change of one memory as the journal tells it; an entry may tell of those of many.

    `reverse` is what undoes it. `history_id` is the version before it if it made one, of a score
    the one before what was scored. `source` is who made it, "" if the entry does not say. `worth`
    and `name` are what the memory was worth and its key until then, `link` a link before and after,
    if that is what changed. `keys` are other keys (category, key, workspace) that ended with it, or
    came with its undoing.

    `undid` are entries that it undid itself. Changes of other memories that belong to it are undone
    with it: `parts` are these memories, whose entries name the one they are `part_of`.
    """

    entry: Recorded
    entity_id: str
    reverse: Step
    history_id: str
    source: str
    parts: tuple[str, ...] = ()
    part_of: str = ""
    undid: tuple[str, ...] = ()
    worth: Worth | None = None
    name: str = ""
    link: Relink | None = None
    keys: tuple[Identity, ...] = ()

    @property
    def is_of_text(self) -> bool:
        """Whether it is of what a memory says, or of whether it is live."""
        return self.reverse in _OF_TEXT

    @property
    def about(self) -> Link | Identity | None:
        """The link, or other key, that it is about alone; `None`: the memory."""
        if self.link is not None:
            return Link(self.link.end.target_id, self.link.end.relationship)
        return self.keys[0] if self.reverse in (Step.NAME, Step.UNNAME) else None

    def rests_on(self, later: "Change") -> bool:
        """Whether a later change of the memory is to be undone first."""
        # Another key finds what the memory says.
        is_key = isinstance(self.about, Identity)
        return later.about == self.about or (is_key and later.about is None)


def change(entry: Recorded) -> Change | None:
    """The change an entry tells of; `None` if it tells of none that can be undone."""
    # Callers may record anything; only what Mimir itself did can be undone.
    if entry.entry.kind != AUDIT or not entry.entry.entity_id:
        return None
    kind, acted = entry.entry.event_type, _acted(entry)
    reverse = _REVERSES[kind](acted) if kind in _REVERSES else None
    if reverse is None:
        return None
    return Change(
        entry,
        entry.entry.entity_id,
        reverse,
        history_id=acted.get("history_id", ""),
        source=acted.get("source", ""),
        parts=tuple(acted.get("archived" if kind == MERGE else "parts", ())),
        part_of=acted.get("part_of", ""),
        undid=tuple(acted.get("undid", ())) if kind == UNDO else (),
        worth=Worth(**acted["before"]) if reverse is Step.SCORE else None,
        name=acted["from"] if reverse is Step.RENAME else "",
        link=_relink(acted) if reverse in (Step.LINK, Step.UNLINK) else None,
        keys=_keys(entry, acted),
    )


def _of_text(acted: Mapping[str, Any]) -> Step | None:
    if acted.get("history_id"):
        return Step.RESTORE
    return Step.ARCHIVE if acted.get("action") == "created" else None


def _of_forgetting(acted: Mapping[str, Any]) -> Step | None:
    if "key" not in acted:
        return Step.REVIVE
    return Step.NAME if "category" in acted else None


def _of_link(acted: Mapping[str, Any]) -> Step | None:
    if "after" not in acted:
        return None
    return Step.UNLINK if acted["before"] is None else Step.LINK


def _of_undoing(acted: Mapping[str, Any]) -> Step | None:
    return _of_link(acted) or _OPPOSITES.get(acted.get("action", ""))


# What undoes what an entry of a kind tells of, if it tells enough.
_REVERSES: Final[Mapping[str, Callable[[Mapping[str, Any]], Step | None]]] = {
    "remember": _of_text,
    "supersede": _of_text,
    "forget": _of_forgetting,
    "score": lambda acted: Step.SCORE if "before" in acted else None,
    "rename": lambda _: Step.RENAME,
    "link": _of_link,
    "unlink": _of_link,
    MERGE: lambda acted: Step.ARCHIVE if "source" in acted else None,
    UNDO: _of_undoing,
}


def _relink(acted: Mapping[str, Any]) -> Relink:
    before, after = (Link(**acted[when]) if acted[when] else None for when in ("before", "after"))
    return Relink(before, after)


def _keys(entry: Recorded, acted: Mapping[str, Any]) -> tuple[Identity, ...]:
    if "key" in acted and "category" in acted:
        return (Identity(acted["category"], acted["key"], entry.entry.workspace_hash),)
    return tuple(Identity(*key) for key in acted.get("keys", ()))


def is_import(source: str) -> bool:
    """Whether a source is another program, whose memories were imported."""
    return source.startswith(f"{IMPORT}:")


def brought(entry: Recorded, source: str) -> tuple[Span, Span] | None:
    """What an entry tells that an import from a program stored: memories and versions before.

    `None` if it tells of no import from there.
    """
    acted = _acted(entry)
    if entry.entry.kind != AUDIT or entry.entry.event_type != IMPORT:
        return None
    if acted.get("from") != source:
        return None
    return _span(acted.get("rows")), _span(acted.get("versions"))


def left(entry: Recorded) -> str | None:
    """Why an entry of something that Mimir did is not undone, and what to do instead.

    `None` if it can be undone, or tells of nothing that changed a memory.
    """
    kind, acted = entry.entry.event_type, _acted(entry)
    if entry.entry.kind != AUDIT or not entry.entry.entity_id:
        return None
    if kind == "forget" and "key" in acted:
        return _LEFT_KEY
    return _LEFT.get(kind)


def each_thing(run: Sequence[Change]) -> list[list[Change]]:
    """The changes of a memory's text, of its worth and each of its name, of all given newest first.

    It is enough to undo the oldest of each; of these the newer one goes first. What was forgotten
    says again what it said then, which changes since may have to be undone for.
    """
    of_text = [found for found in run if found.is_of_text]
    of_worth = [found for found in run if found.reverse is Step.SCORE]
    of_name = [[found] for found in run if found.reverse is Step.RENAME]
    is_forgotten = bool(of_text) and of_text[-1].reverse is Step.REVIVE
    parted = [of_text[:-1], of_text[-1:]] if is_forgotten else [of_text]
    things = [thing for thing in (*parted, of_worth, *of_name) if thing]
    return sorted(things, key=lambda thing: -thing[-1].entry.seq)


def in_force(changes: Iterable[Change]) -> tuple[list[Change], set[str]]:
    """The changes that still count, of some given newest first; and the entries that were undone.

    What was undone does not count, nor does the undoing: together they come to nothing.
    """
    left: list[Change] = []
    undone: set[str] = set()
    for found in changes:
        if found.entry.id not in undone:
            undone.update(found.undid)
            left += () if found.undid else (found,)
    return left, undone


def run_of(changes: Sequence[Change], source: str) -> Sequence[Change]:
    """The latest changes of a memory that are all by one source, given newest first."""
    for number, found in enumerate(changes):
        if found.source != source:
            return changes[:number]
    return changes


def _span(told: Any) -> Span:
    return (told[0], told[1]) if isinstance(told, list) else NOTHING


def _acted(entry: Recorded) -> Mapping[str, Any]:
    acted = json.loads(entry.entry.acted_json)
    return acted if isinstance(acted, dict) else {}
