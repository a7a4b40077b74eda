"""What a community is about, told by its own memories: pure rules, no language model."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from mimir_py.entities import Entity
from mimir_py.graph.answers import escaped, snippet
from mimir_py.graph.models import Telling
from mimir_py.recall.keywords import STOPWORDS

LISTED: Final = 8
_SUMMARY_CHARS: Final = 1_200
_ANSWER_CHARS: Final = 4_000
_SHARED: Final = 5
_SHORTEST_TERM: Final = 3
_WORD: Final = re.compile(r"[^\W_]{2,}")


def terms(text: str) -> list[str]:
    """The words of a text that mean something, in small letters, each once, in order."""
    words = (word.lower() for word in _WORD.findall(text))
    return list(dict.fromkeys(word for word in words if word not in STOPWORDS))


def summary(members: Sequence[Entity | Telling], count: int) -> str:
    """A community of `count` memories by its most central ones, and what most of those share."""
    shared = _shared(members)
    header = f"{count} linked memories" + (f" about {', '.join(shared)}" if shared else "")
    lines = [
        escaped(f"- {member.category}/{member.key}: {snippet(member.body_json)}")
        for member in members[:LISTED]
    ]
    return "\n".join([escaped(header), *lines])[:_SUMMARY_CHARS]


def score(wanted: Iterable[str], text: str) -> float:
    """How many of the terms a text holds."""
    low = text.lower()
    return float(sum(term in low for term in wanted))


def told(communities: Sequence[tuple[str, int, str, Sequence[str]]]) -> str:
    """An answer made of communities: (id, size, summary, lines of the members that matched)."""
    if not communities:
        return "No community matches the query."
    count = len(communities)
    parts = [f"{count} {'communities match' if count > 1 else 'community matches'} the query."]
    for community_id, size, text, lines in communities:
        head = text.split("\n", 1)[0]
        parts.append(f"[{community_id} | {size} members] {head}")
        parts += [f"  - {line}" for line in lines]
    return "\n".join(parts)[:_ANSWER_CHARS]


def _shared(members: Sequence[Entity | Telling]) -> list[str]:
    """Tags, then words, of at least half of the members, the most common first."""
    counts: Counter[str] = Counter()
    tags: set[str] = set()
    for member in members:
        own = {tag.lower() for tag in member.tags}
        words = terms(f"{member.key} {snippet(member.body_json)}")
        counts.update(own | {word for word in words if len(word) >= _SHORTEST_TERM})
        tags |= own
    least = max(2, (len(members) + 1) // 2)
    common = [term for term, count in counts.items() if count >= least]
    return sorted(common, key=lambda term: (term not in tags, -counts[term], term))[:_SHARED]
