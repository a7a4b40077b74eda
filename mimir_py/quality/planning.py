"""What undoing comes to: which memories are put back, how, and which are left. Only reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mimir_py.entities import Entity, links, undoing
from mimir_py.entities import store as entity_store
from mimir_py.errors import Conflict, InvalidInput, NotFound
from mimir_py.journal import store as journal_store
from mimir_py.journal.models import Filter, Recorded
from mimir_py.quality import store
from mimir_py.quality.placing import Places
from mimir_py.quality.reversal import (
    IMPORT,
    SOURCE,
    Change,
    Relink,
    Step,
    brought,
    change,
    each_thing,
    in_force,
    left,
    run_of,
)
from mimir_py.storage.database import Reader
from mimir_py.values import UnixMs

MOST_ENTRIES: Final = 10_000
_GONE: Final = "the memory is gone: it was erased, or another file took its name"

Workspaces = tuple[str, ...] | None


@dataclass(frozen=True)
class Undone:
    """What was, or would be, done to a memory, and the entries it undoes, newest first.

    `oldest` is the change that is undone, and with it those after it; `version` what the memory is
    to say again. `parts` are the memories of the steps that belong to this one and follow it.
    """

    memory: Entity
    oldest: Change
    journal_ids: tuple[str, ...]
    version: Entity | None
    parts: tuple[str, ...] = ()

    @property
    def step(self) -> Step:
        return self.oldest.reverse


@dataclass(frozen=True)
class Skipped:
    """A memory that is left as it is, or an entry of it that is, and why."""

    entity_id: str
    why: str
    journal_id: str | None = None


@dataclass(frozen=True)
class Plan:
    """What to undo, and what cannot be. `more` were undone, too, and are not listed."""

    steps: tuple[Undone, ...]
    skipped: tuple[Skipped, ...] = ()
    more: int = 0

    @property
    def total(self) -> int:
        return len(self.steps) + self.more


@dataclass(frozen=True)
class Since:
    """Everything that a source changed from a time on."""

    source: str
    at: UnixMs


def plan(reader: Reader, wanted: str | Since, workspaces: Workspaces) -> Plan:
    """What undoing an entry, or all that a source changed, comes to.

    Raises:
        NotFound, InvalidInput, Conflict: as `Undo.undo`.
    """
    return (
        _plan_one(reader, wanted, workspaces)
        if isinstance(wanted, str)
        else _plan_since(reader, wanted, workspaces)
    )


def _plan_one(reader: Reader, journal_id: str, workspaces: Workspaces) -> Plan:
    entry = journal_store.by_id(reader, journal_id)
    if entry is None or (workspaces is not None and entry.entry.workspace_hash not in workspaces):
        raise NotFound(f"Journal entry not found: {journal_id}")
    found = change(entry)
    if found is None:
        why = left(entry) or "that is no change to undo"
        raise InvalidInput("journal_id", f"is of a {entry.entry.event_type}: {why}")
    whole = _ordered(reader, [_reversed(reader, [found], found.source)])
    if whole.skipped:
        raise Conflict(f"journal_id: {whole.skipped[0].why}; nothing was changed")
    rest = _ordered(reader, [_part(reader, entity_id, entry) for entity_id in found.parts])
    head = replace(whole.steps[0], parts=tuple(part.memory.id for part in rest.steps))
    return Plan((head, *rest.steps), rest.skipped)


def _part(reader: Reader, entity_id: str, whole: Recorded) -> list[Undone] | Skipped:
    """What undoes a change of a memory that belongs to a change of another one."""
    later = [seq for seq in journal_store.about_entity(reader, entity_id) if seq > whole.seq]
    for entry in journal_store.by_seqs(reader, later):
        found = change(entry)
        if found is not None and found.part_of == whole.id:
            return _reversed(reader, [found], found.source)
    return Skipped(entity_id, _GONE)


def _plan_since(reader: Reader, since: Since, workspaces: Workspaces) -> Plan:
    wanted = Filter(from_ms=since.at, workspaces=workspaces, include_audit=True)
    by_thing: dict[tuple[str, object], list[Change]] = {}
    others: dict[str, list[Skipped]] = {}
    for entry in _entries(reader, wanted):
        found, entity_id = change(entry), entry.entry.entity_id
        if found is not None:
            by_thing.setdefault((entity_id, found.about), []).append(found)
        elif why := left(entry):
            others.setdefault(entity_id, []).append(Skipped(entity_id, why, entry.id))
    made: list[list[Undone] | Skipped] = []
    for (entity_id, _), told in by_thing.items():
        changes = _counting(told, since.source)
        if any(found.source == since.source for found in changes):
            made.append(_reversed(reader, changes, since.source))
            # Whoever did it, it stays: that is to be known of a memory that is put back.
            made += others.pop(entity_id, ())
    return _ordered(reader, made)


def imported(reader: Reader, since: Since) -> dict[str, list[Change]]:
    """What imports from a program changed since a time, by memory, the newest first.

    Raises:
        InvalidInput: there were too many.
    """
    wanted = Filter(from_ms=since.at, event_type=IMPORT, include_audit=True)
    changes: dict[str, list[Change]] = {}
    for entry in _entries(reader, wanted):
        spans = brought(entry, since.source)
        if spans is None:
            continue
        for id, history_id in store.replaced_in(reader, *spans[1]):
            found = Change(entry, id, Step.RESTORE, history_id, since.source)
            changes.setdefault(id, []).append(found)
        for id in store.stored_in(reader, *spans[0]):
            found = Change(entry, id, Step.ARCHIVE, "", since.source)
            changes.setdefault(id, []).append(found)
    return changes


def plan_imported(
    reader: Reader, changes: Mapping[str, Sequence[Change]], workspaces: Workspaces
) -> Plan:
    """What undoing what imports did to some memories comes to, those of other workspaces left."""
    made: list[list[Undone] | Skipped] = []
    for entity_id, own in changes.items():
        memory = entity_store.by_id(reader, entity_id)
        if memory is None or (workspaces is not None and memory.workspace_hash not in workspaces):
            continue
        about = journal_store.by_seqs(reader, journal_store.about_entity(reader, entity_id))
        others = (found for entry in about if (found := change(entry)) and not found.about)
        every = sorted((*own, *others), key=lambda found: -found.entry.seq)
        counting = _counting(every, own[0].source)
        if any(found.source == own[0].source for found in counting):
            made.append(_reversed(reader, counting, own[0].source))
    return _ordered(reader, made)


def _entries(reader: Reader, wanted: Filter) -> list[Recorded]:
    """The entries that are to be looked through, the last written first."""
    entries = journal_store.page(reader, wanted, MOST_ENTRIES + 1, 0)
    if len(entries) > MOST_ENTRIES:
        raise InvalidInput(
            "since_unix_ms", f"leaves more than {MOST_ENTRIES} journal entries; take a later time"
        )
    return sorted(entries, key=lambda entry: -entry.seq)


def _reversed(reader: Reader, changes: Sequence[Change], source: str) -> list[Undone] | Skipped:
    """What undoes the latest changes of a memory by a source, of all given newest first."""
    own = run_of(changes, source)
    if not own:
        return Skipped(changes[0].entity_id, "was changed by others since")
    entity_id = own[0].entity_id
    memory = entity_store.by_id(reader, entity_id)
    if memory is None:
        return Skipped(entity_id, _GONE)
    if why := _why_not(reader, memory, own[0]):
        return Skipped(entity_id, why)
    if own[0].about is not None:
        return _one_thing(reader, memory, own)
    steps, is_archived = list[Undone](), memory.archived
    for thing in each_thing(own):
        oldest, version = thing[-1], None
        if oldest.reverse is Step.RESTORE:
            version = undoing.version(reader, oldest.history_id)
            if version is None:
                return Skipped(entity_id, "the version before is no longer kept")
        # Nobody finds what is forgotten by its name.
        needless = (Step.ARCHIVE, Step.RENAME) if is_archived else (Step.REVIVE,)
        if oldest.reverse not in needless:
            ids = tuple(found.entry.id for found in thing)
            steps.append(Undone(memory, oldest, ids, version))
        if oldest.is_of_text:
            is_archived = oldest.reverse is Step.ARCHIVE if version is None else version.archived
    return steps or Skipped(entity_id, "the memory is so already")


def _one_thing(reader: Reader, memory: Entity, own: Sequence[Change]) -> list[Undone] | Skipped:
    """What undoes changes of a link or another key of a memory, given newest first."""
    oldest, why = own[-1], None
    if oldest.link is not None and own[0].link is not None:
        link = Relink(oldest.link.before, own[0].link.after)
        oldest, why = replace(oldest, link=link), _why_not_linked(reader, memory, link)
    elif oldest.reverse is Step.NAME and not undoing.is_free(reader, oldest.keys[0]):
        why = "the key is in use"
    elif oldest.reverse is Step.UNNAME and not undoing.is_held(reader, memory, oldest.keys[0]):
        why = "the key was dropped already"
    ids = tuple(found.entry.id for found in own)
    return Skipped(memory.id, why, ids[-1]) if why else [Undone(memory, oldest, ids, None)]


def _why_not_linked(reader: Reader, memory: Entity, link: Relink) -> str | None:
    """Why a link cannot be made what it was before."""
    if link.before == link.after:
        return "the link is so already"
    between = links.between(reader, memory.row_id, link.end.target_id).values()
    held = [one for one in between if one.relationship == link.end.relationship]
    if held != ([] if link.after is None else [link.after]):
        return "the link was changed since"
    if link.before is not None and entity_store.by_id(reader, link.before.target_id) is None:
        return "the memory it led to is gone"
    return None


def _ordered(reader: Reader, made: Sequence[list[Undone] | Skipped]) -> Plan:
    """What is to be undone from the newest on, as in that order files find their places free.

    A memory stays as it is from the first of its steps on that cannot be taken.
    """
    skipped = [one for one in made if isinstance(one, Skipped)]
    steps = [step for one in made if not isinstance(one, Skipped) for step in one]
    places, stuck, going = Places(reader), set[str](), list[Undone]()
    for step in sorted(steps, key=lambda step: -step.oldest.entry.seq):
        id = step.memory.id
        if id in stuck:
            continue
        if why := places.why_not(step.memory, step.step, step.oldest.name, step.version):
            stuck.add(id)
            skipped.append(Skipped(id, why, step.journal_ids[-1]))
        else:
            going.append(step)
    return Plan(tuple(going), tuple(skipped))


def _why_not(reader: Reader, memory: Entity, newest: Change) -> str | None:
    """Why a change cannot be undone: the memory is not as it left it."""
    later = [seq for seq in journal_store.about_entity(reader, memory.id) if seq > newest.entry.seq]
    entries = journal_store.by_seqs(reader, later)[::-1]
    told = [found for entry in entries if (found := change(entry)) and newest.rests_on(found)]
    left, undone = in_force(told)
    if newest.entry.id in undone:
        return "it was undone already"
    # What no entry of the memory tells of, such as an import, makes a version, too.
    last = told[0] if told else newest
    tells = not last.about and (last.history_id or last.reverse in (Step.ARCHIVE, Step.SCORE))
    if left or (tells and memory.supersedes != last.history_id):
        return "the memory was changed since; undo the later change first"
    return None


def _counting(changes: Sequence[Change], source: str) -> Sequence[Change]:
    """Of changes, newest first, those that may be undone as a source's.

    What was undone is in the way of nothing, unless it is the undoing that is to be undone.
    """
    return changes if source == SOURCE else in_force(changes)[0]


def is_same(one: Plan, other: Plan) -> bool:
    """Whether two plans do the same to the same states of memories."""

    def gist(plan: Plan) -> list[tuple[str, int, bool, Step]]:
        return [
            (s.memory.id, s.memory.recorded_at_unix_ms, s.memory.archived, s.step)
            for s in plan.steps
        ]

    return gist(one) == gist(other)
