"""Whether two memories about the same thing say different things: pure rules.

They do when one denies what the other says, or when both say something of the same subject, with
the same verb and under the same circumstances, and each says what the other does not. Saying more
is no contradiction, nor is saying the same of something else.
"""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from mimir_py.entities.text import body_text
from mimir_py.quality.frames import ANY_VERB, COPULAS, IRREGULAR, VERBS, Frame, frames, stems

# Words of the shorter sentence that both share, for one to be a denial of the other.
_SAME_WORDS: Final = 0.6
# Words of the longer one that both share, for them to speak of the same thing at all.
_SAME_THING: Final = 0.45
# Of so few words one subject is enough.
_FEW: Final = 3


def _both_ways(pairs: Sequence[str]) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for one, other in (pair.split("/") for pair in pairs):
        for word, opposite in ((one, other), (other, one)):
            for stem in stems([word]):
                found[stem] = found.get(stem, frozenset()) | stems([opposite])
    return found


_PLAIN: Final = frozenset({ANY_VERB, "is", "are", "was", "were", "be", ":", "="})
_PLACING: Final = stems(
    "store keep kept host hosted live write written send sent back put go goes".split()
)
_OF_MANY: Final = stems(
    "support accept allow contain handle require need see include exclude provide".split()
) | {*("has", "have")}
_OF_MEANS: Final = frozenset({"by", "with", "from", "over", "via", "through", "using"})
_DOING: Final = stems([*VERBS, *IRREGULAR, "out"])
_MEASURES: Final = stems(
    """
    second minute hour day week month quarter year s ms h kb mb gb tb percent once twice half most
    least morning noon evening night midnight monday tuesday wednesday thursday friday saturday
    sunday january february march april may june july august september october november december
    first last working
    """.split()
)
_PAIRS_OF_OPPOSITES: Final = """
    keep/drop keep/delete keep/remove kept/dropped kept/deleted kept/removed allow/forbid allow/deny
    allowed/forbidden allowed/prohibited include/exclude included/excluded open/closed open/close
    sync/async synchronous/asynchronous synchronously/asynchronously required/optional
    mandatory/optional required/forbidden public/private enable/disable before/after
    manual/automatic manually/automatically internal/external start/stop increase/decrease
    allowed/banned permitted/banned permitted/prohibited permitted/forbidden permit/forbid
    accept/reject accepted/rejected online/offline available/unavailable ascending/descending
    first/last inside/outside mutable/immutable eager/lazy eagerly/lazily encrypted/unencrypted
    on/off true/false blocking/non-blocking signed/unsigned local/remote
""".split()
_OPPOSITES: Final = _both_ways(_PAIRS_OF_OPPOSITES)
_NAMES: Final = frozenset(
    """
    id key name title host hostname service user username email path file url field date time day
    timestamp session session_id task ticket issue step version_of environment env component module
    """.split()
)


@dataclass(frozen=True)
class Statement:
    """What a memory says, ready to be compared."""

    fields: Mapping[str, Any]
    frames: tuple[Frame, ...]
    key: frozenset[str]


def statement(body_json: str, key: str) -> Statement:
    """What a body says."""
    body = json.loads(body_json)
    fields = _scalars(body) if isinstance(body, dict) and len(body) > 1 else {}
    words = key.replace("-", " ").replace("_", " ").replace("/", " ").lower().split()
    return Statement(fields, tuple(frames(body_text(body))), stems(words))


def contradict(one: Statement, other: Statement) -> bool:
    """Whether the two cannot both hold."""
    if one.fields and other.fields and set(one.fields) & set(other.fields):
        return _fields_differ(one.fields, other.fields)
    pairs = itertools.product(one.frames, other.frames)
    return any(_cannot_both_hold(a, b, one, other) for a, b in pairs)


def _cannot_both_hold(a: Frame, b: Frame, one: Statement, other: Statement) -> bool:
    if a.words.isdisjoint(b.words):
        return False
    if _measure(a, b):
        return True
    if not _is_of_one_thing(a, b):
        return False
    if _deny(a, b) or _oppose(a, b):
        return True
    a, b = _turned(a, b), _turned(b, a)
    return _differ(a, b) and _is_shared(a, b, one, other)


def _is_of_one_thing(a: Frame, b: Frame) -> bool:
    """Whether they share so many words that they are two readings of one thing."""
    is_placed = a.verb in _PLACING and b.verb in _PLACING
    words, others = (f.words - {f.verb} if is_placed else f.words for f in (a, b))
    longer = max(len(words), len(others))
    if a.subject and a.subject == b.subject and (longer <= _FEW or _is_said_alike(a, b)):
        return True
    return len(words & others) >= _SAME_THING * longer


def _is_said_alike(a: Frame, b: Frame) -> bool:
    return a.verb == b.verb and a.verb not in _PLAIN and a.verb not in _OF_MANY


def _deny(a: Frame, b: Frame) -> bool:
    """Whether one says "not" to what the other says, and both speak of the same."""
    shared = a.words & b.words
    if len(shared) < 2 or len(shared) < _SAME_WORDS * min(len(a.words), len(b.words)):
        return False
    if _is_of_another(a, b):
        return False
    denied = (a.negated - b.negated) & b.words, (b.negated - a.negated) & a.words
    # "X, not Y" denies Y only; that the other says X as well is no contradiction.
    return any(denied) and not (a.negated and b.negated)


def _measure(a: Frame, b: Frame) -> bool:
    """Whether they are the same but for how much, how often or when."""
    if a.negated or b.negated or len(a.words & b.words) < 2:
        return False
    left, right = _rests(a, b)
    # What differs in two numbers is another event, ticket or host.
    return (
        bool(left and right)
        and all(map(_is_measure, [*left, *right]))
        and all(sum(map(_has_digit, rest)) <= 1 for rest in (left, right))
    )


def _oppose(a: Frame, b: Frame) -> bool:
    """Whether one says the opposite word, and nothing else keeps them apart."""
    if a.negated or b.negated or _is_of_another(a, b):
        return False
    left, right = (set(rest) for rest in _rests(a, b, doing=frozenset()))
    for word in left:
        opposites = _OPPOSITES.get(word, frozenset()) & right
        if opposites and not (left - {word} and right - opposites):
            return True
    return False


def _turned(a: Frame, b: Frame) -> Frame:
    """ "X is the Y" as "the Y is X", where the other one begins with that."""
    if a.verb in COPULAS and b.verb in COPULAS and a.subject and a.value == b.subject:
        return replace(a, subject=a.value, value=a.subject)
    return a


def _rests(
    a: Frame, b: Frame, doing: frozenset[str] | None = None
) -> tuple[Sequence[str], Sequence[str]]:
    """The words of each that the other has not, but for verbs."""
    left_out = _DOING | {"on"} if doing is None else doing
    return (
        [word for word in a.order if word not in b.order and word not in left_out],
        [word for word in b.order if word not in a.order and word not in left_out],
    )


def _is_measure(word: str) -> bool:
    return word in _MEASURES or _has_digit(word)


def _has_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)


def _differ(a: Frame, b: Frame) -> bool:
    """Whether both say something of the same subject that the other does not say."""
    if a.negated or b.negated:
        return False
    if _is_of_another(a, b) or not _is_same_verb(a, b):
        return False
    if a.scope - b.words and b.scope - a.words:
        # "keeps its data in X": where something is, it is not elsewhere. And what is done by one
        # means, or comes from one source, is not done by another.
        is_placed = a.verb in _PLACING and b.verb in _PLACING
        is_means = a.how == b.how in _OF_MEANS and a.verb == b.verb
        return a.value == b.value and (is_placed or is_means)
    if a.verb in _OF_MANY and not a.value & b.value:
        # A thing may have this and support that.
        return False
    return bool(a.value - b.words and b.value - a.words)


def _is_of_another(a: Frame, b: Frame) -> bool:
    return bool(a.subject - b.words and b.subject - a.words)


def _is_same_verb(a: Frame, b: Frame) -> bool:
    if a.verb == b.verb or a.verb in _PLAIN or b.verb in _PLAIN:
        return True
    return a.verb in _PLACING and b.verb in _PLACING


def _is_shared(a: Frame, b: Frame, one: Statement, other: Statement) -> bool:
    """Whether they share more than a word anybody uses."""
    named = one.key & other.key
    subjects = (a.subject & b.words) | (b.subject & a.words) | named
    if subjects:
        return True
    return a.verb == b.verb and a.verb != "use" and not (a.subject or b.subject)


def _scalars(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record; empty if it has prose."""
    plain = {k: v for k, v in body.items() if not isinstance(v, dict | list)}
    prose = any(isinstance(v, str) and len(v.split()) > 5 for v in plain.values())
    return {} if prose or len(plain) < 2 else plain


def _fields_differ(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two records of one thing differ: all that names it is the same."""
    both = set(one) & set(other)
    differing = {name for name in both if one[name] != other[name]}
    same = both - differing
    return bool(differing and same) and not any(name.lower() in _NAMES for name in differing)
