"""What this process has shown of late, so that it is not stored once more as something new."""

import re
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

from mimir_py.entities import store, text
from mimir_py.entities.models import Draft, Entity
from mimir_py.entities.similarity import SAME_WORDS, trigram_similarity
from mimir_py.entities.versioning import loses_nothing
from mimir_py.storage.database import Reader, Writer
from mimir_py.values import Clock, UnixMs

_KEPT: Final = 256
_KEPT_MS: Final = 3_600_000
_MOST_CHARS: Final = 20_000
# Another number, name or negation makes another fact, however alike the texts are.
_TELLING: Final = re.compile(
    r"(?<!\w)[^\W\d]*+\d[\w.,:/-]*|\b[A-Z]\w+|\b(?:not?|never|none|without|nicht|kein\w*|nie|pas|jamais|nunca|non"
    r"|не|нет|нельзя)\b|[不没無勿]|ない|n['’]t\b"
)


class _Shown(NamedTuple):
    text: str
    workspace: str
    at: UnixMs


class Echoes:
    """The last texts that were shown, for an hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shown: OrderedDict[str, _Shown] = OrderedDict()

    def note(self, entities: Iterable[Entity]) -> None:
        """Remember that memories were shown."""
        now = self._clock()
        for entity in entities:
            if len(entity.body_json) <= _MOST_CHARS:
                body = text.body_text(text.load_json(entity.body_json))
                self._shown[entity.id] = _Shown(body, entity.workspace_hash, now)
                self._shown.move_to_end(entity.id)
        while len(self._shown) > _KEPT:
            self._shown.popitem(last=False)

    def of(self, body: str, workspace: str) -> str | None:
        """The id of a memory shown of late there that says the same in nearly the same words."""
        if not body or len(body) > _MOST_CHARS:
            return None
        since = self._clock() - _KEPT_MS
        for entity_id, shown in reversed(self._shown.items()):
            if shown.at < since:
                break
            if shown.workspace == workspace and _same(body, shown.text):
                return entity_id
        return None


def echoed(reader: Reader, draft: Draft, entity_id: str) -> Entity | None:
    """The memory shown, if the draft would only repeat it under a name that means nothing yet."""
    entity = store.by_id(reader, entity_id)
    if entity is None or entity.archived or entity.superseded_by:
        return None
    if store.resolve_alias(reader, draft.identity) is not None:
        return None
    return entity if loses_nothing(entity, draft) else None


def give_name(tx: Writer, entity: Entity, draft: Draft, now: UnixMs) -> bool:
    """Let the draft's name find the memory it repeats; `False` if that is no longer so."""
    if store.by_identity(tx, draft.identity) or echoed(tx, draft, entity.id) is None:
        return False
    store.add_alias(tx, draft.identity, entity.row_id, entity.id, now)
    return True


def telling(text: str) -> list[str]:
    """The numbers, names and negations of a text, in order."""
    return _TELLING.findall(text)


def _same(one: str, other: str) -> bool:
    longer, shorter = max(len(one), len(other)), min(len(one), len(other))
    if shorter < 0.9 * longer or telling(one) != telling(other):
        return False
    return trigram_similarity(one, other) >= SAME_WORDS
