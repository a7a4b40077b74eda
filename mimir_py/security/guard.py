"""What an entrance does about secrets: takes them out, only reports them, or looks away."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from mimir_py.security import secrets

# A string of JSON text, and the colon that makes it a name.
_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*+)"(\s*+:)?')
_JSON_BEGINS: Final = ("{", "[", '"')


class SecretsMode(StrEnum):
    """What becomes of secrets in what agents write."""

    REDACT = "redact"
    REPORT = "report"
    OFF = "off"


@dataclass(frozen=True)
class Finding:
    """How many secrets of a kind were in a field."""

    field: str
    kind: str
    count: int


def clean_fields(
    values: Mapping[str, Any], fields: Iterable[str]
) -> tuple[dict[str, Any], list[Finding]]:
    """Those of the named fields that held secrets, without them, and what was found.

    A value is text, JSON text, a list of texts, or any JSON value.
    """
    cleaned: dict[str, Any] = {}
    findings: list[Finding] = []
    for field in fields:
        value, found = _clean(values.get(field))
        if found:
            cleaned[field] = value
            findings += [Finding(field, kind, count) for kind, count in sorted(found.items())]
    return cleaned, findings


def count_secrets(json_text: str, names: str) -> Counter[str]:
    """How many secrets of each kind there are in a body and in the names beside it."""
    # Nearly all hold none, which shows without taking the JSON apart.
    if "\\u" not in json_text and not secrets.find_secrets(f"{json_text} {names}"):
        return Counter()
    return redact_json(json_text)[1] + secrets.redact(names)[1]


def redact_json(text: str) -> tuple[str, Counter[str]]:
    """JSON text without the secrets in its strings; all the rest stays as it is written.

    A string whose name says that it is a secret only has to look random.
    """
    found: Counter[str] = Counter()
    name, name_end = "", -1

    def clean(match: re.Match[str]) -> str:
        nonlocal name, name_end
        written, colon = match[1], match[2] or ""
        value: str = json.loads(f'"{written}"', strict=False) if "\\" in written else written
        named = (
            name if text[name_end : match.start()].isspace() or name_end == match.start() else ""
        )
        if colon:
            name, name_end = value, match.end()
        redacted, kinds = secrets.redact(value)
        if not kinds and named and secrets.is_secret(named, value):
            redacted, kinds = secrets.placeholder(secrets.GENERIC), Counter([secrets.GENERIC])
        if not kinds:
            return match[0]
        found.update(kinds)
        return json.dumps(redacted, ensure_ascii=False) + colon

    return _STRING.sub(clean, text), found


def _clean(value: Any) -> tuple[Any, Counter[str]]:
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        pairs = [_clean_text(item) for item in value]
        return [text for text, _ in pairs], sum((found for _, found in pairs), Counter())
    if not isinstance(value, dict | list):
        return value, Counter()
    try:
        text = json.dumps(value, ensure_ascii=False)
        cleaned, found = redact_json(text) if _may_hold(text) else (text, Counter())
        return (json.loads(cleaned) if found else value), found
    except (ValueError, RecursionError):
        # No JSON can be made of it; the tool says so.
        return value, Counter()


def _clean_text(text: str) -> tuple[str, Counter[str]]:
    if not _may_hold(text):
        return text, Counter()
    if text.lstrip()[:1] in _JSON_BEGINS and _is_json(text):
        return redact_json(text)
    return secrets.redact(text)


def _may_hold(text: str) -> bool:
    return "\\u" in text or secrets.has_candidate(text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
