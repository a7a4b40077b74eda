"""The shape of a found memory on the wire, and making a page of them fit."""

import json
from collections.abc import Sequence
from typing import Any, Final

from mimir_py.recall.models import Explanation, Found, Hit
from mimir_py.tooling.answer import size

_OWN_FIELDS: Final = frozenset(
    """
    id category key body_json status type tags decay_score retrieval_count layer topic_path archived
    archive_reason links verified source always_on certainty workspace_hash agent_id visibility
    created_at_unix_ms last_accessed_unix_ms valid_from_unix_ms valid_to_unix_ms follow_count
    miss_count follow_rate efficacy_status score relevance explanation alias_of
    passage passage_offset truncated confidence
    """.split()
)
NOTHING_RELEVANT: Final = "nothing relevant is stored"
_SHORTEST_BODY: Final = 200
_PAGE_NOTES_BYTES: Final = 300


def page(
    found: Found,
    *,
    offset: int,
    cap: int,
    preview_cap: int | None,
    with_confidence: bool,
    with_explanation: bool = False,
) -> dict[str, Any]:
    """The answer of a recall, within `cap` bytes (0: no limit).

    Long bodies give way first, to the passage that answers; then the last items do, and the answer
    says where to go on.
    """
    items = [item(hit) for hit in found.hits]
    if preview_cap is not None:
        items = [preview(entry, preview_cap) for entry in items]
    if with_confidence:
        for rank, (entry, hit) in enumerate(zip(items, found.hits, strict=True)):
            entry["confidence"] = confidence(hit, rank, len(items))
    if with_explanation:
        for entry, hit in zip(items, found.hits, strict=True):
            entry["explanation"] = explanation(hit.explanation)
    answer: dict[str, Any] = {"items": items, "total": len(items)}
    if found.variants:
        answer["variants"] = list(found.variants)
    if not items and found.asked:
        answer["note"] = NOTHING_RELEVANT
    if cap and size(answer) > cap:
        _fit(answer, cap - _PAGE_NOTES_BYTES, offset)
    return answer


def item(hit: Hit) -> dict[str, Any]:
    """A memory with all its fields, then those of its body that shadow none of them."""
    entity = hit.entity
    entry: dict[str, Any] = {
        "id": entity.id,
        "category": entity.category,
        "key": hit.key,
        "body_json": entity.body_json,
        "status": entity.status,
        "type": entity.type,
        "tags": list(entity.tags),
        "decay_score": entity.decay_score,
        "retrieval_count": entity.retrieval_count,
        "layer": entity.layer,
        "topic_path": entity.topic_path,
        "archived": entity.archived,
        "archive_reason": entity.archive_reason,
        "links": [link.as_json() for link in entity.links],
        "verified": entity.verified,
        "source": entity.source,
        "always_on": entity.always_on,
        "certainty": entity.certainty,
        "workspace_hash": entity.workspace_hash,
        "agent_id": entity.agent_id,
        "visibility": entity.visibility,
        "created_at_unix_ms": entity.created_at_unix_ms,
        "last_accessed_unix_ms": entity.last_accessed_unix_ms,
        "valid_from_unix_ms": entity.valid_from_unix_ms,
        "valid_to_unix_ms": entity.valid_to_unix_ms,
        "follow_count": entity.follow_count,
        "miss_count": entity.miss_count,
        "follow_rate": entity.follow_rate,
        "efficacy_status": entity.efficacy_status,
        "score": hit.score,
    }
    if hit.relevance is not None:
        entry["relevance"] = hit.relevance
    if hit.key != entity.key:
        entry["alias_of"] = entity.key
    if hit.passage is not None:
        entry["passage"] = hit.passage.text
        entry["passage_offset"] = hit.passage.offset
    body = json.loads(entity.body_json)
    if isinstance(body, dict):
        entry |= {name: value for name, value in body.items() if name not in _OWN_FIELDS}
    return entry


def explanation(why: Explanation) -> dict[str, Any]:
    """What found a memory and what its place is made of, the weightiest feature first."""
    features = sorted(why.contributions.items(), key=lambda entry: -abs(entry[1][1]))
    return {
        "keyword_rank": why.keyword_rank,
        "dense_rank": why.dense_rank,
        "is_named": why.is_named,
        "is_linked": why.is_linked,
        "raw_score": why.raw_score,
        "features": [
            {"feature": name, "value": value, "adds": adds}
            for name, (value, adds) in features
            if adds
        ],
    }


def preview(entry: dict[str, Any], most_bytes: int) -> dict[str, Any]:
    """The item with a body over `most_bytes` cut there, between characters, and marked."""
    body: str = entry["body_json"]
    encoded = body.encode()
    if len(encoded) <= most_bytes:
        return entry
    kept = encoded[:most_bytes].decode(errors="ignore")
    note = (
        f"\n--truncated ({len(body) - len(kept)} more chars)-- the whole text: "
        f"mimir_get_entity id={entry['id']}"
    )
    # Fields flattened out of the body would bring the whole of it along.
    cut = {name: value for name, value in entry.items() if name in _OWN_FIELDS}
    cut["body_json"] = kept + note
    cut["truncated"] = True
    return cut


def confidence(hit: Hit, rank: int, count: int) -> float:
    """How far to rely on an item, 0..1: half its rank, then trust, then freshness."""
    relevance = 1.0 if count <= 1 else (count - rank) / count
    trust = 1.0 if hit.entity.verified else hit.entity.certainty
    value = 0.5 * relevance + 0.3 * trust + 0.2 * hit.entity.decay_score
    return round(min(1.0, max(0.0, value)), 3)


def _fit(answer: dict[str, Any], cap: int, offset: int) -> None:
    answer.pop("variants", None)
    whole: Sequence[dict[str, Any]] = answer["items"]
    low, high = _SHORTEST_BODY, max(len(entry["body_json"].encode()) for entry in whole)
    while low < high:
        middle = (low + high + 1) // 2
        answer["items"] = [_shortened(entry, middle) for entry in whole]
        low, high = (middle, high) if size(answer) <= cap else (low, middle - 1)
    answer["items"] = [_shortened(entry, low) for entry in whole]
    while len(answer["items"]) > 1 and size(answer) > cap:
        answer["items"].pop()
    if size(answer) > cap:
        answer["items"] = [_bare(answer["items"][0], cap)]
    answer["total"] = len(answer["items"])
    if len(answer["items"]) < len(whole):
        answer["next_offset"] = offset + len(answer["items"])
        answer["note"] = "the answer was cut to its size limit: go on at next_offset"


def _bare(entry: dict[str, Any], cap: int) -> dict[str, Any]:
    """What names an item whose tags, links and the like alone pass the cap."""
    share = cap // 8
    bare = {
        name: entry[name].encode()[:share].decode(errors="ignore")
        for name in ("id", "category", "key", "body_json")
    }
    return {**bare, "score": entry["score"], "truncated": True}


def _shortened(entry: dict[str, Any], most_bytes: int) -> dict[str, Any]:
    cut = preview(entry, most_bytes)
    passage = cut.get("passage")
    if cut is not entry and isinstance(passage, str) and len(passage.encode()) > most_bytes:
        cut["passage"] = passage.encode()[:most_bytes].decode(errors="ignore")
    return cut
