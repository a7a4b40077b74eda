"""What undoing a change takes, read from its journal entry: pure rules."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from mimir_py.entities.models import Worth
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


_OPPOSITES: Final[Mapping[str, Step]] = {
    Step.ARCHIVE: Step.REVIVE,
    Step.RESTORE: Step.RESTORE,
    Step.REVIVE: Step.RESTORE,
    Step.SCORE: Step.SCORE,
    Step.RENAME: Step.RENAME,
}
# Entries of these kinds that do not name a source lack something to undo them.
_TOLD: Final[Mapping[str, Step]] = {MERGE: Step.ARCHIVE, "score": Step.SCORE}
# What an entry tells of that is not undone, and what to do instead.
_LEFT: Final[Mapping[str, str]] = {
    "score": "it does not tell what was before: score the memory again",
    MERGE: "it does not tell what it archived: undo that, and forget what it made",
    "link": "a link is not undone: unlink the two",
}
_LEFT_KEY: Final = "a dropped key is not undone: remember the memory under it again"


@dataclass(frozen=True)
class Change:
    """A change of one memory as the journal tells it; an entry may tell of those of many.

    `reverse` is what undoes it. `history_id` is the version before it if it made one, of a score
    the one before what was scored. `source` is who made it, "" if the entry does not say. `worth`
    and `name` are what the memory was worth and its key until then, if that is what changed.

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

    @property
    def is_of_text(self) -> bool:
        """Whether it is of what a memory says, or of whether it is live."""
        return self.reverse not in (Step.SCORE, Step.RENAME)


def change(entry: Recorded) -> Change | None:
    """The change an entry tells of; `None` if it tells of none that can be undone."""
    # Callers may record anything; only what Mimir itself did can be undone.
    if entry.entry.kind != AUDIT or not entry.entry.entity_id:
        return None
    kind, acted = entry.entry.event_type, _acted(entry)
    reverse = _reverse(kind, acted)
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
    )


def _reverse(kind: str, acted: Mapping[str, Any]) -> Step | None:
    """What undoes what an entry of a kind tells of, if anything does."""
    if kind == UNDO:
        return _OPPOSITES.get(acted.get("action", ""))
    if kind in ("remember", "supersede") and acted.get("history_id"):
        return Step.RESTORE
    if kind == "remember" and acted.get("action") == "created":
        return Step.ARCHIVE
    if kind == "forget" and "key" not in acted:
        return Step.REVIVE
    if kind == "rename":
        return Step.RENAME
    return _TOLD.get(kind) if "source" in acted else None


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
