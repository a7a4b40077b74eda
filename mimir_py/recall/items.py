"""The shape of a found memory on the wire, and making a page of them fit."""

from collections.abc import Sequence
from typing import Any, Final

from mimir_py.documents import place
from mimir_py.entities import items as entities
from mimir_py.entities.items import ITEM_FIELDS
from mimir_py.recall.models import Explanation, Found, Hit
from mimir_py.tooling.answer import size

_OWN_FIELDS: Final = ITEM_FIELDS | {
    *("score", "relevance", "explanation", "alias_of", "confidence"),
    *("passage", "passage_offset", "passage_at"),
}
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
    answer: dict[str, Any] = {"items": items, "total": len(items), **_remarks(found)}
    if cap and size(answer) > cap:
        _fit(answer, cap - _PAGE_NOTES_BYTES, offset)
    return answer


def _remarks(found: Found) -> dict[str, Any]:
    """What is to be said about a page as a whole."""
    remarks: dict[str, Any] = {}
    if found.variants:
        remarks["variants"] = list(found.variants)
    if found.damaged:
        remarks["damaged"] = list(found.damaged)
    elif not found.hits and found.asked:
        remarks["note"] = NOTHING_RELEVANT
    if found.building is not None:
        remarks["index_building"] = True
        remarks["index_share"] = round(found.building.share, 3)
    return remarks


def item(hit: Hit) -> dict[str, Any]:
    """A memory with all its fields, then those of its body that shadow none of them."""
    entity = hit.entity
    entry = {**entities.item(entity), "key": hit.key, "score": hit.score}
    if hit.relevance is not None:
        entry["relevance"] = hit.relevance
    if hit.key != entity.key:
        entry["alias_of"] = entity.key
    if hit.passage is not None:
        entry["passage"] = hit.passage.text
        entry["passage_offset"] = hit.passage.offset
    where = place(entity, None if hit.passage is None else hit.passage.line_offset)
    if where is not None:
        entry["passage_at"] = where
    return entities.with_body_fields(entry, _OWN_FIELDS)


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
    return entities.cut_body(entry, most_bytes, _OWN_FIELDS, f"mimir_get_entity id={entry['id']}")


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
