"""A search to compare with: what an agent with `grep` would find."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

_AROUND_WORDS: Final = "\"'`.,:;!?()[]{}<>*…“”‘’"
_POSSESSIVES: Final = ("'s", "’s")


class Grep:
    """Memories by how many of a query's words their text holds, in any case; ties: newest first."""

    def __init__(self, memories: Sequence[Mapping[str, Any]]) -> None:
        self._newest_first = [(memory["key"], _text(memory)) for memory in reversed(memories)]

    def find(self, query: str, limit: int) -> list[str]:
        """Keys of the best `limit` memories; those that hold no word are left out."""
        wanted = words(query)
        counted = [(sum(word in text for word in wanted), key) for key, text in self._newest_first]
        counted.sort(key=lambda item: -item[0])
        return [key for count, key in counted[:limit] if count]


def words(query: str) -> frozenset[str]:
    """The words of a query, without the punctuation around them; `svc-4411` is one."""
    stripped = (word.strip(_AROUND_WORDS) for word in query.casefold().split())
    return frozenset(word for word in map(_without_possessive, stripped) if word)


def _without_possessive(word: str) -> str:
    return word[:-2] if word.endswith(_POSSESSIVES) else word


def _text(memory: Mapping[str, Any]) -> str:
    body = json.loads(memory["body_json"])
    names = (memory["key"], memory["category"], memory.get("topic_path", ""))
    return "\n".join((*names, *memory.get("tags", ()), *body.values())).casefold()
