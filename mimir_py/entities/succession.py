"""One memory taking the place of another: the old one is closed, both know of each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from mimir_py.entities import store, versioning
from mimir_py.entities.models import Draft, Entity, Identity
from mimir_py.entities.writing import Rows
from mimir_py.errors import InvalidInput, NotFound
from mimir_py.storage.database import Reader, Writer
from mimir_py.values import GLOBAL_WORKSPACE, UnixMs

SUPERSEDES = "supersedes"
SUPERSEDED_BY = "superseded_by"

Name = tuple[str, str]
Pair = tuple[Entity, Entity]


class Closed(NamedTuple):
    """The old memory as it is, and whether it was otherwise before."""

    old: Entity
    is_changed: bool


@dataclass(frozen=True)
class Succession:
    """Why, under which relationship, and since when (`None`: now) the old memory gives way."""

    reason: str = ""
    relationship: str = SUPERSEDES
    valid_to: UnixMs | None = None


def pair(reader: Reader, old: Name, new: Name, workspaces: Sequence[str] | None) -> Pair:
    """The live memories of two names as (category, key): of one workspace if there are such.

    Raises:
        NotFound: there is no live memory of one of the names.
    """
    olds = _live("From", reader, old, workspaces)
    news = _live("To", reader, new, workspaces)
    return min(product(olds, news), key=lambda two: two[0].workspace_hash != two[1].workspace_hash)


def supersede(
    tx: Writer, rows: Rows, old: Entity, new: Entity, how: Succession, now: UnixMs
) -> Closed:
    """Close `old` in favour of `new` and link both ways.

    Doing it again changes nothing.

    Raises:
        InvalidInput: the two are one memory, `new` itself gave way to `old`, or the end does not
            shorten the old one's period.
    """
    if old.id == new.id:
        raise InvalidInput("to_key", "names the same memory as from_key")
    if how.valid_to is not None:
        versioning.check_close(old, how.valid_to)
    return _close(tx, rows, old, new, how, now if how.valid_to is None else how.valid_to, now)


def supersede_by_draft(tx: Writer, rows: Rows, draft: Draft, new: Entity, now: UnixMs) -> Closed:
    """Close what a draft supersedes in favour of the memory it became.

    The old one is true until the draft says the new one is.

    Raises:
        NotFound: there is no such live memory.
        InvalidInput: it is the memory itself, or gave way to it.
    """
    old = _named_by(tx, rows, draft)
    if old.id == new.id:
        raise InvalidInput("supersedes", "is the memory itself, which remembering replaces anyway")
    since = draft.valid_from_unix_ms
    return _close(tx, rows, old, new, Succession(), now if since is None else since, now)


def own_row(tx: Writer, rows: Rows, name: Name, found: Entity) -> Entity:
    """`found` itself, or the memory that its other key becomes when it goes a way of its own."""
    if name == (found.category, found.key):
        return found
    rows.settle_aliases(tx, found)
    own = store.by_identity(tx, Identity(*name, found.workspace_hash))
    assert own is not None
    return own


def _live(end: str, reader: Reader, name: Name, workspaces: Sequence[str] | None) -> list[Entity]:
    found = store.named(reader, *name, workspaces)
    if not found:
        raise NotFound(f"'{end}' entity not found: {'/'.join(name)}")
    return found


def _named_by(tx: Writer, rows: Rows, draft: Draft) -> Entity:
    """The live memory of the id or, in the draft's category, key that a draft supersedes.

    It is looked for in the draft's workspace, then in the global one.
    """
    wanted, own = draft.supersedes or "", draft.identity
    places = tuple(dict.fromkeys((own.workspace_hash, GLOBAL_WORKSPACE)))
    found = store.by_id(tx, wanted)
    if found is not None and not found.archived and found.workspace_hash in places:
        return found
    named = store.named(tx, own.category, wanted, places)
    if not named:
        raise NotFound(f"supersedes: no live memory has the id or the key {wanted}")
    return own_row(tx, rows, (own.category, wanted), named[0])


def _close(
    tx: Writer, rows: Rows, old: Entity, new: Entity, how: Succession, at: UnixMs, now: UnixMs
) -> Closed:
    _refuse_circle(tx, old, new)

    def close(history_id: str) -> Entity:
        return versioning.superseded(old, new.id, at, how.reason, now, history_id)

    closed = rows.amend(tx, old, close)
    rows.link(tx, new, old.id, how.relationship, now)
    rows.link(tx, closed, new.id, SUPERSEDED_BY, now)
    return Closed(closed, closed is not old)


def _refuse_circle(reader: Reader, old: Entity, new: Entity) -> None:
    seen: set[str] = set()
    later: Entity | None = new
    while later is not None and later.superseded_by and later.id not in seen:
        if later.superseded_by == old.id:
            raise InvalidInput(
                "supersedes",
                f"{new.category}/{new.key} gave way to {old.category}/{old.key} before; remember "
                'it with a new text or status "active" first',
            )
        seen.add(later.id)
        later = store.by_id(reader, later.superseded_by)
