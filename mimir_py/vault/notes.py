"""The note format: one memory as Markdown that people read and edit. See `docs/notes.md`.

A head of YAML, the body as it is stored, `## Links` as WikiLinks, and `## Record`: lines of JSON
with what has no place before. Attributes that a new memory would have anyway are left out. The head
ends with `mimir: v1-...`, the fingerprint of the facts that were written: whoever reads the note
later knows by it whether the note was edited, whether the memory was, or both.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, get_type_hints

from mimir_py.entities.models import ATTRIBUTES, Entity, Link
from mimir_py.entities.tools import body_to_store
from mimir_py.errors import InvalidInput, TransferError
from mimir_py.security import Trust
from mimir_py.values import UnixMs
from mimir_py.vault import frontmatter, jsonl
from mimir_py.vault.jsonl import Record

# What makes a memory another one when it changes; the rest is counted, judged or noted by Mimir.
FACTS: Final = (
    *("category", "key", "workspace_hash", "agent_id", "type", "status", "topic_path", "tags"),
    *("always_on", "certainty", "visibility", "valid_from_unix_ms", "valid_to_unix_ms"),
    *("body_json", "links"),
)
MARK: Final = "mimir"
PAGE: Final = "page-"
_VERSION: Final = "v1-"
_KINDS: Final = get_type_hints(Entity)
# As the published format names them, in its order.
_HEAD: Final = {
    **{name: name for name in ("category", "key", "type", "workspace_hash", "agent_id", "tags")},
    **{name: name for name in ("decay_score", "retrieval_count", "layer")},
    "created": "created_at_unix_ms",
    "last_accessed": "last_accessed_unix_ms",
}
_ELSEWHERE: Final = frozenset({"body_json", "links", "trust"})
_MORE: Final = {
    name.removesuffix("_unix_ms").removesuffix("_at"): name
    for name in ATTRIBUTES
    if name not in _HEAD.values() and name not in _ELSEWHERE
}
_FIELDS: Final = {**_HEAD, **_MORE}
_OURS: Final = frozenset({"id", "aliases", "trust", MARK, *_FIELDS})
_DEFAULTS: Final = jsonl.DEFAULTS
# Longer values go to the record: so the head keeps under its limit.
_MOST_VALUE_CHARS: Final = 400
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_LAST_MS: Final = 253_402_300_799_999
_FIRST_MS: Final = -62_135_596_800_000
_LINK: Final = re.compile(
    r"- \[\[([A-Za-z0-9_-]{1,100})(?:\|[^\]\n]*)?\]\](?: \((.*)\))?(?: \u2014 unresolved)?[ \t]*"
)
_PATH_LIKE: Final = re.compile(r"[/\\]|\.\.")
_LINKS: Final = "\n## Links\n"
_RECORD: Final = "\n## Record\n\n```json\n"
_RECORD_END: Final = "```\n"
_BETWEEN_BRACKETS: Final = re.compile(r"[\[\]|\s]+")
_SHOWN_KEY_CHARS: Final = 100


@dataclass(frozen=True)
class Note:
    """A note as read: values by column, as JSON has them.

    `base` is the fingerprint of what was written, "" if no Mimir wrote the note. `given` are the
    columns that the note names.
    """

    values: Mapping[str, Any]
    base: str
    given: frozenset[str]


def fingerprint(entity: Entity) -> str:
    """24 hex digits that change when a fact about the memory does, and only then."""
    facts = {name: getattr(entity, name) for name in FACTS}
    facts["links"] = sorted([link.target_id, link.relationship] for link in entity.links)
    text = json.dumps(facts, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def write(record: Record, keys: Mapping[str, str], most_trust: Trust) -> str:
    """A memory as a note. `keys` are those of the memories its links lead to, by id.

    What is trusted less than `most_trust`, the trust of all notes, says so.
    """
    entity = record.entity
    head, more = _head(entity)
    if entity.trust < most_trust:
        head.append(f"trust: {entity.trust.label}")
    head.append(f"{MARK}: {_VERSION}{fingerprint(entity)}")
    body = _shown(entity.body_json)
    if body != entity.body_json:
        more.append({"field": "body_json", "value": entity.body_json})
    parts = [frontmatter.FENCE, *head, frontmatter.FENCE, "", body, ""]
    if entity.links:
        lines = [_link_line(link, keys) for link in entity.links if _is_shown(link)]
        parts += ["## Links", "", *lines, ""] if lines else []
        if not all(_is_plain(link, entity) for link in entity.links):
            more += [{"link": link.as_json()} for link in entity.links]
    line = jsonl.as_json(record, most_trust)
    more += [{"other_key": other} for other in line.get("aliases", ())]
    more += [{"version": version} for version in line.get("history", ())]
    text = "\n".join(parts)
    if more:
        text += _RECORD + "".join(f"{jsonl.dump(item)}\n" for item in more) + _RECORD_END
    return text


def read(text: str, default_key: str) -> Note | None:
    """The memory that a note holds; `None` for a page that Mimir only made to be read.

    `default_key` is for a note that names none.

    Raises:
        TransferError: it is no note, or says what cannot be.
    """
    head, rest = frontmatter.split(text.replace("\r\n", "\n"))
    fields = frontmatter.parse(head)
    mark = fields.get(MARK)
    if isinstance(mark, str) and mark.startswith(PAGE):
        return None
    base = mark.removeprefix(_VERSION) if isinstance(mark, str) else ""
    rest, more = _cut_record(rest) if base else (rest, [])
    values, details = _from_record(more)
    body, shown = _cut_links(rest)
    try:
        given = {c: _value(n, c, fields[n]) for n, c in _FIELDS.items() if n in fields}
        values = {**given, **values}
        if isinstance(fields.get("trust"), str):
            values["trust"] = fields["trust"]
        entity_id = fields.get("id")
        # Others' ids may be paths; what file an id has is never taken from it as it stands.
        if isinstance(entity_id, str) and (base or not _PATH_LIKE.search(entity_id)):
            values["id"] = entity_id
        exact = values.pop("body_json", None)
        if isinstance(exact, str) and _shown(exact) == body.strip():
            values["body_json"] = exact
        else:
            values["body_json"] = body_to_store(body.strip(), None)[0]
    except InvalidInput as error:
        raise TransferError(str(error)) from None
    if shown or details:
        values["links"] = _merged(shown, details)
    named = frozenset(values) if not base else frozenset(FACTS)
    values = {"category": "general", "key": default_key, **values}
    if not base:
        values.setdefault("source", "vault-import")
    return Note(values, base, named)


def with_own(text: str, present: str) -> str:
    """A note as written, with the properties and aliases that a person gave the present one.

    Raises:
        TransferError: the present one is no note.
    """
    head, _ = frontmatter.split(present.replace("\r\n", "\n"))
    lines = frontmatter.blocks(head)
    own = "".join(block for name, block in lines.items() if name not in _OURS)
    given = frontmatter.parse(head)
    aliases = given.get("aliases")
    names = [aliases] if isinstance(aliases, str) else aliases or []
    more = [name for name in names if isinstance(name, str) and name != given.get("key")]
    if more:
        written, _ = frontmatter.split(text)
        line = frontmatter.blocks(written).get("aliases", "")
        keys = json.loads(line.partition(":")[2]) if line else []
        own += f"aliases: {frontmatter.flow(list(dict.fromkeys([*keys, *more])))}\n"
        text = text.replace(f"\n{line}", "\n", 1) if line else text
    return text.replace(f"\n{MARK}: ", f"\n{own}{MARK}: ", 1) if own else text


def utc_text(at: UnixMs) -> str:
    """A time as `2025-10-09T08:53:20Z`, with milliseconds if it has any; else the number."""
    if not _FIRST_MS <= at <= _LAST_MS:
        return str(at)
    shown = (_EPOCH + at * _MS).replace(tzinfo=None)
    return shown.isoformat(timespec="milliseconds" if at % 1000 else "seconds") + "Z"


def wiki_link(entity_id: str, key: str) -> str:
    """A link to the note of a memory whose id is a file name."""
    shown = _BETWEEN_BRACKETS.sub(" ", key).strip()[:_SHOWN_KEY_CHARS]
    return f"[[{entity_id}|{shown}]]" if shown else f"[[{entity_id}]]"


def _head(entity: Entity) -> tuple[list[str], list[dict[str, Any]]]:
    """The lines of the head, and the values that are too long for it."""
    lines = [f"id: {frontmatter.scalar(entity.id)}"]
    more: list[dict[str, Any]] = []
    usual = {**_DEFAULTS, **jsonl.usual_times(entity.created_at_unix_ms)}
    for name, column in _FIELDS.items():
        value = getattr(entity, column)
        if name in _MORE and value == usual[column]:
            continue
        text = _text(column, value)
        if len(text) > _MOST_VALUE_CHARS:
            more.append({"field": column, "value": list(value) if column == "tags" else value})
        else:
            lines.append(f"{name}: {text}")
        if name == "last_accessed" and len(entity.key) <= _MOST_VALUE_CHARS:
            lines.append(f"aliases: {frontmatter.flow([entity.key])}")
    return lines, more


def _text(column: str, value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return frontmatter.scalar(value)
    if column.endswith("_unix_ms"):
        return utc_text(value)
    if isinstance(value, float):
        short = f"{value:.4f}"
        return short if float(short) == value and not str(value).startswith("-") else repr(value)
    return frontmatter.flow(value)


def _value(name: str, column: str, text: Any) -> Any:
    """A value of the head in the type of its column."""
    if column == "tags":
        texts = [text] if isinstance(text, str) else text or []
        return [str(tag) for tag in texts if tag is not None]
    if text is None:
        return "" if _KINDS[column] is str else None
    if not isinstance(text, str):
        raise InvalidInput(name, "must be one value")
    if _KINDS[column] is str:
        return text
    try:
        if column.endswith("_unix_ms"):
            return _time(text)
        if _KINDS[column] is bool:
            return {"true": True, "false": False}[text.lower()]
        return float(text) if _KINDS[column] is float else int(text)
    except (ValueError, KeyError, OverflowError):
        raise InvalidInput(name, f"cannot be {text[:40]!r}") from None


def _time(text: str) -> UnixMs:
    if re.fullmatch(r"-?[0-9]{1,19}", text) and not re.fullmatch(r"[0-9]{8}", text):
        return int(text)
    at = datetime.fromisoformat(text)
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MS


def _shown(body_json: str) -> str:
    """A body as a note shows it: editors change the ends of lines, and spaces around."""
    return body_json.replace("\r\n", "\n").replace("\r", "\n").strip()


def _link_line(link: Link, keys: Mapping[str, str]) -> str:
    if link.target_id not in keys:
        return f"- [[{link.target_id}]] ({link.relationship}) \u2014 unresolved"
    return f"- {wiki_link(link.target_id, keys[link.target_id])} ({link.relationship})"


def _is_shown(link: Link) -> bool:
    """Whether a line says which link it is."""
    read = _LINK.fullmatch(f"- [[{link.target_id}]] ({link.relationship})")
    return (
        read is not None
        and (read[1], read[2]) == (link.target_id, link.relationship)
        and link.relationship.isprintable()
    )


def _is_plain(link: Link, entity: Entity) -> bool:
    """Whether its line says all there is to a link."""
    usual = Link(link.target_id, link.relationship, created_at_unix_ms=entity.created_at_unix_ms)
    return link == usual and _is_shown(link)


def _cut_links(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The body, and the links (target, relationship) if the text ends with a list of them."""
    at = ("\n" + text).rfind(_LINKS)
    if at < 0:
        return text, []
    found = [(line, _LINK.fullmatch(line)) for line in text[at + len(_LINKS) - 1 :].split("\n")]
    if any(match is None and line.strip() for line, match in found):
        return text, []
    links = [(m[1], "related" if m[2] is None else m[2]) for _, m in found if m is not None]
    return text[:at], links


def _cut_record(text: str) -> tuple[str, list[dict[str, Any]]]:
    at = text.rfind(_RECORD)
    end = text.rstrip()
    if at < 0 or not end.endswith("```"):
        return text, []
    lines = end.removesuffix("```")[at + len(_RECORD) :].split("\n")
    return text[:at], list(_items(lines))


def _items(lines: list[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):
            raise TransferError("its record has a line that is not JSON") from None
        if not isinstance(item, dict):
            raise TransferError("its record has a line that is not a JSON object")
        yield item


def _from_record(
    items: list[dict[str, Any]],
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Values by column, and the links with all there is to them."""
    values: dict[str, Any] = {}
    aliases, history, links = [], [], []
    for item in items:
        if item.get("field") in ATTRIBUTES and "value" in item:
            values[item["field"]] = item["value"]
        elif isinstance(item.get("link"), dict):
            links.append(item["link"])
        elif "other_key" in item:
            aliases.append(item["other_key"])
        elif "version" in item:
            history.append(item["version"])
        else:
            raise TransferError("its record has a line of another format")
    if aliases:
        values["aliases"] = aliases
    if history:
        values["history"] = history
    return values, links


def _merged(shown: list[tuple[str, str]], details: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The links that are shown, with their details, and those that cannot be shown."""
    merged = []
    for detail in details:
        pair = (str(detail.get("target_id")), str(detail.get("relationship")))
        if pair in shown or not _is_shown(Link(*pair)):
            merged.append(detail)
    known = {(item.get("target_id"), item.get("relationship")) for item in details}
    new = dict.fromkeys(pair for pair in shown if pair not in known)
    return merged + [{"target_id": target, "relationship": kind} for target, kind in new]
