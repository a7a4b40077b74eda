"""What remembering does to a memory: pure rules, no storage.

Times are half-open: a version was believed in [recorded_at, invalidated_at), a fact held in
[valid_from, valid_to) with an open end while `valid_to` is `None`. Being forgotten ends the belief
too: a gap lies between that and being remembered again.
"""

from dataclasses import replace
from typing import TypeVar

from mimir_py.entities.models import Draft, Entity, canonical_layer
from mimir_py.entities.retention import REINFORCEMENT
from mimir_py.entities.similarity import SAME_WORDS, trigram_similarity
from mimir_py.errors import InvalidInput
from mimir_py.security import Trust
from mimir_py.values import UnixMs

T = TypeVar("T")

DEFAULT_IMPORTANCE = 0.5
DEFAULT_STATUS = "active"
SUPERSEDED_STATUS = "deprecated"


def new_entity(draft: Draft, entity_id: str, now: UnixMs) -> Entity:
    """The memory a draft makes where there was none.

    Raises:
        InvalidInput: the period of validity is empty.
    """
    valid_from = now if draft.valid_from_unix_ms is None else draft.valid_from_unix_ms
    _check_period(valid_from, draft.valid_to_unix_ms)
    return Entity(
        row_id=0,
        id=entity_id,
        category=draft.identity.category,
        key=draft.identity.key,
        workspace_hash=draft.identity.workspace_hash,
        agent_id=_or(draft.agent_id, ""),
        type=_or(draft.type, "insight"),
        status=_or(draft.status, DEFAULT_STATUS),
        layer=canonical_layer(_or(draft.layer, "buffer")),
        topic_path=_or(draft.topic_path, ""),
        archived=False,
        archive_reason="",
        always_on=_or(draft.always_on, False),
        verified=False,
        trust=draft.trust,
        decay_score=_or(draft.importance, DEFAULT_IMPORTANCE),
        certainty=_or(draft.certainty, 0.5),
        importance=_or(draft.importance, 0.0),
        visibility=_or(draft.visibility, "workspace"),
        source=draft.source,
        retrieval_count=0,
        created_at_unix_ms=now,
        last_accessed_unix_ms=now,
        recorded_at_unix_ms=now,
        invalidated_at_unix_ms=None,
        valid_from_unix_ms=valid_from,
        valid_to_unix_ms=draft.valid_to_unix_ms,
        supersedes="",
        superseded_by="",
        follow_count=0,
        miss_count=0,
        follow_rate=0.0,
        efficacy_status="unverified",
        tags=_or(draft.tags, ()),
        links=(),
        body_json=draft.body_json,
    )


def revised(stored: Entity, draft: Draft, now: UnixMs, history_id: str) -> Entity:
    """`stored` with the draft laid over it, reinforced, and live again if it was archived.

    Only a change of content or attributes makes a version, or its return: then
    `recorded_at_unix_ms` moves on and `supersedes` is `history_id`.

    Arguments left out keep the stored attribute. New content starts a new period of validity;
    the same content keeps its period unless the draft gives bounds.

    Raises:
        InvalidInput: the period of validity would be empty.
    """
    new_content = draft.body_json != stored.body_json
    # Two overwrites within a millisecond still leave the first a window that is not empty.
    recorded = max(now, stored.recorded_at_unix_ms + 1, stored.believed_until or 0)
    valid_from: UnixMs | None
    if new_content:
        valid_from = _or(draft.valid_from_unix_ms, recorded)
        valid_to = draft.valid_to_unix_ms
    else:
        valid_from = draft.valid_from_unix_ms
        if valid_from is None:
            valid_from = stored.valid_from_unix_ms
        valid_to = _or(draft.valid_to_unix_ms, stored.valid_to_unix_ms)
    _check_period(recorded if valid_from is None else valid_from, valid_to)
    touched = replace(
        reinforced(stored, now),
        archived=False,
        archive_reason="" if stored.archived else stored.archive_reason,
        invalidated_at_unix_ms=None,
    )
    status = stored.status
    is_reinstated = new_content or draft.status not in (None, SUPERSEDED_STATUS)
    if stored.superseded_by and is_reinstated:
        # What gave way was the old text, or is said to be in force again.
        touched = replace(touched, superseded_by="", archive_reason="")
        status = DEFAULT_STATUS
    changed = replace(
        touched,
        body_json=draft.body_json,
        is_sound=True,
        status=_or(draft.status, status),
        type=_or(draft.type, stored.type),
        tags=_or(draft.tags, stored.tags),
        topic_path=_or(draft.topic_path, stored.topic_path),
        agent_id=_or(draft.agent_id, stored.agent_id),
        always_on=_or(draft.always_on, stored.always_on),
        certainty=_or(draft.certainty, stored.certainty),
        importance=_or(draft.importance, stored.importance),
        visibility=_or(draft.visibility, stored.visibility),
        layer=stored.layer if draft.layer is None else canonical_layer(draft.layer),
        valid_from_unix_ms=valid_from,
        valid_to_unix_ms=valid_to,
    )
    changed = replace(changed, trust=_trust(stored, draft, is_changed=changed != touched))
    if changed == touched and not stored.archived:
        return touched
    return replace(changed, recorded_at_unix_ms=recorded, supersedes=history_id)


def check_close(stored: Entity, valid_to: UnixMs) -> None:
    """Refuse an end that is not within the stored period.

    Raises:
        InvalidInput: it is.
    """
    _check_period(_start(stored), valid_to)
    end = stored.valid_to_unix_ms
    if end is not None and valid_to > end:
        raise InvalidInput("valid_to_unix_ms", f"may only shorten the period, which ends at {end}")


def superseded(
    stored: Entity, by: str, at: UnixMs, reason: str, now: UnixMs, history_id: str
) -> Entity:
    """`stored`, which ceases to be true at a time, or did before: the memory `by` took its place.

    A period that began later is left with its first millisecond.
    """
    closed = max(at, _start(stored) + 1)
    if stored.valid_to_unix_ms is not None:
        closed = min(closed, stored.valid_to_unix_ms)
    changed = replace(
        stored,
        valid_to_unix_ms=closed,
        status=SUPERSEDED_STATUS,
        archive_reason=reason,
        superseded_by=by,
    )
    if changed == stored:
        return stored
    recorded = max(now, stored.recorded_at_unix_ms + 1)
    return replace(changed, recorded_at_unix_ms=recorded, supersedes=history_id)


def _trust(stored: Entity, draft: Draft, *, is_changed: bool) -> Trust:
    """The tier of `stored` after a draft: that of whoever wrote its words.

    Only the user raises the trust of words that stay, and saying them again is how.
    """
    if draft.trust is Trust.USER:
        return draft.trust
    if not is_changed:
        return stored.trust
    if draft.trust > stored.trust:
        alike = trigram_similarity(draft.body_json, stored.body_json)
        return stored.trust if alike >= SAME_WORDS else draft.trust
    return draft.trust


def reinforced(stored: Entity, now: UnixMs, by: float = REINFORCEMENT) -> Entity:
    """`stored` after one more use."""
    return replace(
        stored,
        retrieval_count=stored.retrieval_count + 1,
        last_accessed_unix_ms=max(now, stored.last_accessed_unix_ms),
        decay_score=min(1.0, stored.decay_score + by),
    )


def loses_nothing(stored: Entity, draft: Draft) -> bool:
    """Whether everything the draft says beside its text is already true of `stored`."""
    given = {
        "status": draft.status,
        "type": draft.type,
        "tags": draft.tags,
        "topic_path": draft.topic_path,
        "agent_id": draft.agent_id,
        "valid_from_unix_ms": draft.valid_from_unix_ms,
        "valid_to_unix_ms": draft.valid_to_unix_ms,
        "always_on": draft.always_on,
        "importance": draft.importance,
        "certainty": draft.certainty,
        "visibility": draft.visibility,
        "layer": None if draft.layer is None else canonical_layer(draft.layer),
    }
    kept = (value is None or value == getattr(stored, name) for name, value in given.items())
    return stored.is_sound and all(kept)


def _start(stored: Entity) -> UnixMs:
    start = stored.valid_from_unix_ms
    return stored.recorded_at_unix_ms if start is None else start


def _or(given: T | None, otherwise: T) -> T:
    return otherwise if given is None else given


def _check_period(valid_from: UnixMs, valid_to: UnixMs | None) -> None:
    if valid_to is not None and valid_to <= valid_from:
        raise InvalidInput(
            "valid_to_unix_ms", f"must be later than valid_from_unix_ms ({valid_from})"
        )
