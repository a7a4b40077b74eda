"""When two bodies say the same: exactly (but for white space), or nearly (letter trigrams)."""

import hashlib
import json
import re
from typing import Any, Final

from mimir_py.storage.terms import EXTRA, analyse, quoted

NEAR: Final = 0.7
# Changing a word or two of a text does not make it one's own.
SAME_WORDS: Final = 0.95
_GROUPS: Final = 3
_GROUP_WORDS: Final = 4
# Inside JSON strings, where white space may also be written as an escape.
_SPACES: Final = re.compile(r"(?:\s|(?<!\\)\\[nrt])+")
_STRING_EDGES: Final = re.compile(r'(?<!\\)" | "')
_LONGEST_COMPARED: Final = 4_000
# `json.dumps` would make an encoder for each text.
_written: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def text_hash(body: Any) -> bytes:
    """16 bytes that are equal for bodies that differ in nothing but white space."""
    text = _written(body)
    # Most texts have nothing to replace, and looking for it this way takes a fraction of the time.
    if "\\" in text or "  " in text or not text.isprintable():
        text = _SPACES.sub(" ", text)
    if '" ' in text or ' "' in text:
        text = _STRING_EDGES.sub('"', text)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def differs_from_hash(body_json: str, digest: bytes) -> str | None:
    """Why a stored body is not the one that was stored, if it is not."""
    try:
        body = json.loads(body_json)
    except ValueError:
        return "its body is no JSON"
    return None if text_hash(body) == digest else "its body is not the one that was stored"


def trigram_similarity(one: str, other: str) -> float:
    """Jaccard similarity of the letter trigrams of two texts, 0..1 (Broder 1997).

    Texts over 4,000 characters are compared by their beginnings.
    """
    first, second = trigrams(one), trigrams(other)
    if not first or not second:
        return float(one == other and bool(one))
    return len(first & second) / len(first | second)


def near_query(body: str) -> str | None:
    """An FTS5 query that finds texts sharing most words with `body`, or `None` if it has too few.

    The longest words are dealt into groups; a text that holds every word of one group is a
    candidate. Two texts that differ in a word or two agree on at least one group, and a
    conjunction costs no more than its rarest word.
    """
    terms = {t for t in analyse(body[:_LONGEST_COMPARED]).split() if not t.startswith(EXTRA)}
    words = sorted(terms, key=lambda term: (-len(term), term))[: _GROUPS * _GROUP_WORDS]
    if len(words) < 2:
        return None
    count = min(_GROUPS, len(words) // 2)
    groups = [words[start::count] for start in range(count)]
    return " OR ".join("(" + " AND ".join(map(quoted, group)) + ")" for group in groups)


def trigrams(text: str) -> set[str]:
    text = text[:_LONGEST_COMPARED]
    return {text[start : start + 3] for start in range(len(text) - 2)}
