"""What undoing a change takes, read from its journal entry: pure rules."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

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


_OPPOSITES: Final[Mapping[str, Step]] = {
    Step.ARCHIVE: Step.REVIVE,
    Step.RESTORE: Step.RESTORE,
    Step.REVIVE: Step.RESTORE,
}
# What an entry tells of that is not undone, and what to do instead.
_LEFT: Final[Mapping[str, str]] = {
    "score": "a score is not undone: score the memory again",
    "rename": "a renamed file is not undone: rename it back",
    MERGE: "it does not tell what it archived: undo that, and forget what it made",
    "link": "a link is not undone: unlink the two",
}
_LEFT_KEY: Final = "a dropped key is not undone: remember the memory under it again"
_CHANGES: Final = frozenset({"remember", "forget", "supersede", "rename", MERGE, UNDO})


@dataclass(frozen=True)
class Change:
    """A change of one memory as the journal tells it.

    `reverse` is what undoes it; `history_id` the version before it, if it made one; `source` who
    made it, "" if the entry does not say. An entry may tell of changes of many memories.

    Changes of other memories that belong to it are undone with it: `parts` are these memories,
    whose entries name the one they are `part_of`.
    """

    entry: Recorded
    entity_id: str
    reverse: Step
    history_id: str
    source: str
    parts: tuple[str, ...] = ()
    part_of: str = ""


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
    )


def _reverse(kind: str, acted: Mapping[str, Any]) -> Step | None:
    """What undoes what an entry of a kind tells of, if anything does."""
    if kind == UNDO:
        return _OPPOSITES.get(acted.get("action", ""))
    if kind in ("remember", "supersede") and acted.get("history_id"):
        return Step.RESTORE
    if kind == "forget" and "key" not in acted:
        return Step.REVIVE
    is_made = acted.get("action") == "created" if kind == "remember" else "source" in acted
    return Step.ARCHIVE if kind in ("remember", MERGE) and is_made else None


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


def is_change(entry: Recorded) -> bool:
    """Whether an entry tells of a change of what its memory says, or of whether it is live."""
    if entry.entry.kind != AUDIT or entry.entry.event_type not in _CHANGES:
        return False
    acted = _acted(entry)
    return acted.get("action") != "deduped" and "key" not in acted


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
