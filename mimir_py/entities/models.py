"""What a memory is, what a caller says about one, and what comes of saying it."""

import json
import zlib
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from mimir_py.errors import DamagedStore
from mimir_py.security import Trust
from mimir_py.storage.database import Row
from mimir_py.values import UnixMs, clean_text

LAYER_ALIASES = {"world": "core", "episodic": "buffer", "semantic": "working"}


def canonical_layer(layer: str) -> str:
    """The stored name of a layer; names outside the vocabulary pass through."""
    return LAYER_ALIASES.get(layer, layer)


@dataclass(frozen=True)
class Link:
    """A directed edge to another memory, which need not be there; weight in 0..1."""

    target_id: str
    relationship: str
    weight: float = 0.5
    note: str = ""
    created_at_unix_ms: UnixMs = 0

    def as_json(self) -> dict[str, Any]:
        """The fields of the link, an empty note left out."""
        values = dict(vars(self))
        if not self.note:
            del values["note"]
        return values


class Worth(NamedTuple):
    """What a memory is judged to be worth: how fresh it is and the least it fades to, in 0..1."""

    decay_score: float
    importance: float
    verified: bool


@dataclass(frozen=True)
class Entity:
    """A memory as stored. Times are Unix milliseconds, scores are in 0..1."""

    row_id: int
    id: str
    category: str
    key: str
    workspace_hash: str
    agent_id: str
    type: str
    status: str
    layer: str
    topic_path: str
    archived: bool
    archive_reason: str
    always_on: bool
    verified: bool
    trust: Trust
    decay_score: float
    certainty: float
    importance: float
    visibility: str
    source: str
    retrieval_count: int
    created_at_unix_ms: UnixMs
    last_accessed_unix_ms: UnixMs
    recorded_at_unix_ms: UnixMs
    invalidated_at_unix_ms: UnixMs | None
    valid_from_unix_ms: UnixMs | None
    valid_to_unix_ms: UnixMs | None
    supersedes: str
    superseded_by: str
    follow_count: int
    miss_count: int
    follow_rate: float
    efficacy_status: str
    tags: tuple[str, ...]
    links: tuple[Link, ...]
    body_json: str
    # Whether the body is the one that was stored; a disk may have changed it since.
    is_sound: bool = True

    @property
    def worth(self) -> Worth:
        return Worth(self.decay_score, self.importance, self.verified)

    @property
    def believed_until(self) -> UnixMs | None:
        """When it stopped being believed: at the version after it, or by being forgotten."""
        if not self.archived:
            return self.invalidated_at_unix_ms
        # A record from elsewhere may not say when it was forgotten.
        ended = self.invalidated_at_unix_ms
        ended = self.last_accessed_unix_ms if ended is None else ended
        return max(ended, self.recorded_at_unix_ms + 1)


_OF_THE_ROW = frozenset({"row_id", "id", "is_sound"})
ATTRIBUTES = tuple(field.name for field in fields(Entity) if field.name not in _OF_THE_ROW)
# Links are rows of their own; a version keeps those that its memory had.
COLUMNS = tuple(name for name in ATTRIBUTES if name != "links")
_FLAGS = frozenset({"archived", "always_on", "verified"})


def from_row(row: Row) -> Entity:
    """The memory in a row of `entities`, with its links, or of `entity_history` (`row_id` is 0).

    Raises:
        DamagedStore: its tags or links are no longer what this program writes.
    """
    # A row goes through all of its names for each that it is asked for.
    whole: dict[str, Any] = dict(zip(row.keys(), tuple(row), strict=True))
    values = {name: whole[name] for name in ATTRIBUTES}
    for flag in _FLAGS:
        values[flag] = bool(values[flag])
    try:
        values["trust"] = Trust(values["trust"])
        tags = json.loads(values["tags"]) if values["tags"] != "[]" else ()
        values["tags"] = tuple(map(clean_text, tags))
        links = json.loads(values["links"]) if values["links"] != "[]" else ()
        values["links"] = tuple(Link(**{**link, "weight": float(link["weight"])}) for link in links)
    except (ValueError, TypeError, KeyError):
        raise _damaged(whole["id"], "tags, links or trust") from None
    values["is_sound"] = is_stored(values["body_json"], whole["body_sum"])
    return Entity(row_id=whole.get("row_id", 0), id=whole["id"], **values)


def sound(entity: Entity) -> Entity:
    """The memory, if its body is the one that was stored.

    Raises:
        DamagedStore: it is not.
    """
    if not entity.is_sound:
        raise _damaged(entity.id, "text")
    return entity


def _damaged(entity_id: str, part: str) -> DamagedStore:
    return DamagedStore(
        f"memory {entity_id} is damaged: its {part} changed on the disk. Run: mimir doctor"
    )


def is_stored(body_json: str, body_sum: int | None) -> bool:
    """Whether a body is the one that was stored with this sum."""
    return body_sum == _body_sum(body_json)


def _body_sum(body_json: str) -> int:
    return zlib.crc32(body_json.encode())


def to_columns(entity: Entity) -> dict[str, Any]:
    """The columns of a memory, `row_id` and links apart."""
    values = {name: getattr(entity, name) for name in COLUMNS}
    values["id"] = entity.id
    for flag in _FLAGS:
        values[flag] = int(values[flag])
    values["tags"] = json.dumps(entity.tags, ensure_ascii=False) if entity.tags else "[]"
    values["body_sum"] = stored_sum(entity)
    return values


def stored_sum(entity: Entity) -> int | None:
    """The checksum to keep with a memory's body; a damaged one stays known as damaged."""
    return _body_sum(entity.body_json) if entity.is_sound else None


def links_json(links: tuple[Link, ...]) -> str:
    """Links as a version keeps them."""
    return json.dumps([link.as_json() for link in links], ensure_ascii=False) if links else "[]"


@dataclass(frozen=True)
class Identity:
    """What makes a memory the same memory when it is remembered again."""

    category: str
    key: str
    workspace_hash: str


@dataclass(frozen=True)
class Draft:
    """A wish to remember. `None` means not given: the stored value, or the default, stays.

    `supersedes` is the id, or the key in the same category, of a memory whose place it takes.
    `trust` is that of the channel the wish came through; for what is derived from memories, the
    lowest of theirs. A new memory gets `entity_id`, or one of `id_prefix`. One that `is_distinct`
    never becomes another key of a memory that says the same, and what says nearly the same is not
    looked for. All of the text of one to `embed_later` is queued for embedding.
    """

    identity: Identity
    body_json: str
    status: str | None = None
    type: str | None = None
    tags: tuple[str, ...] | None = None
    importance: float | None = None
    topic_path: str | None = None
    agent_id: str | None = None
    valid_from_unix_ms: UnixMs | None = None
    valid_to_unix_ms: UnixMs | None = None
    always_on: bool | None = None
    certainty: float | None = None
    visibility: str | None = None
    layer: str | None = None
    source: str = "agent"
    trust: Trust = Trust.AGENT
    id_prefix: str = "mem"
    entity_id: str | None = None
    swallow_near: bool = False
    is_distinct: bool = False
    embed_later: bool = False
    supersedes: str | None = None


@dataclass(frozen=True)
class NearDuplicate:
    """A stored memory that says almost the same; similarity in 0..1 (shared letter trigrams)."""

    id: str
    key: str
    similarity: float


@dataclass(frozen=True)
class Remembered:
    """What became of a draft.

    `action` is `created`, `updated` or `deduped (new key not created)`; `pending_chunks` counts
    the parts of a long body that are queued for embedding. `superseded` is the id of the memory
    whose place it took, `echo_of` of one shown of late that says the same, which the key now finds.
    """

    id: str
    action: str
    category: str
    key: str
    near_duplicates: tuple[NearDuplicate, ...] = ()
    pending_chunks: int = 0
    superseded: str = ""
    echo_of: str = ""


CREATED = "created"
UPDATED = "updated"
DEDUPED = "deduped (new key not created)"
