"""What a sentence says of what: a shallow reading of statements, rules and settings.

No grammar, only what tells values from subjects in the short sentences that memories are made of:
"S is V", "S: V", "use V for S", "do S with V". What it cannot read has no frame.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final

from mimir_py.storage.terms import EXTRA, analyse

_SENTENCE: Final = re.compile(r"(?<=[.!?;])\s+|\n+|;\s*")
_TOKEN: Final = re.compile(
    r"\d{1,3}(?:,\d{3})+(?!\w)|[^\W_]+(?:['’][a-z]+)?(?:[._:/@]\w+)*%?|[:=](?=\s)", re.UNICODE
)
_MOST_SENTENCES: Final = 12
_WORDS_KEPT: Final = 8_192
ANY_VERB: Final = ""

_NEGATORS: Final = frozenset("not never no none without cannot neither nor don't".split())
_NEGATED: Final = re.compile(r"n['’]t$")
_CLAUSE_END: Final = re.compile(r"[,;]|\bbut\b|\binstead\b")
COPULAS: Final = frozenset("is are was were be been being am".split())
_MODALS: Final = frozenset(
    "must may should can will shall might could would has have had does do did to gets get".split()
)
VERBS: Final = frozenset(
    """
    use uses used require requires need needs run runs listen listens store stores keep keeps live
    lives happen happens go goes expire expires take takes cost costs own owns lead leads maintain
    maintains manage manages mean means accept accepts support supports return returns send sends
    write writes read reads allow allows process processes contain contains belong belongs start
    starts end ends stay stays pass passes fail fails last lasts point points depend depends hold
    holds begin begins produce produces format formats default defaults equal equals talk talks
    call calls serve serves leak leaks explain explains move moves connect connects deploy deploys
    build builds log logs show shows open opens close closes wait waits retry retries prefer prefers
    follow follows respect respects ignore ignores skip skips poll polls fetch fetches parse parses
    resolve resolves renew renews handle handles refresh refreshes publish publishes render renders
    rotate rotates emit emits expose exposes validate validates encrypt encrypts compress compresses
    apply applies exceed exceeds speak speaks fall falls receive receives provide provides include
    includes exclude excludes delete deletes create creates generate generates compute computes save
    saves print prints scan scans see sees reach reaches arrive arrives leave leaves sort sorts
    """.split()
)
_OF_ONE: Final = frozenset(
    """
    own owns lead leads maintain maintains manage manages owned led maintained managed approve
    approves approved review reviews reviewed coordinate coordinates coordinated
    """.split()
)
# "Ada is on call", "Ada is responsible for it".
_ROLES: Final = frozenset({("on", "call"), ("in", "charge"), ("responsible", "for")})
_GENERIC: Final = frozenset("we i you they our the team project everyone it this that".split())
_USE: Final = frozenset("use uses used using chose choose picked pick adopt adopted".split())
_PREPOSITIONS: Final = frozenset(
    """
    in on at to with by as for from of under during above below over via into using within through
    until
    """.split()
)
_ORDERS: Final = frozenset("before after first last".split())
_PURPOSES: Final = frozenset("for as to".split())
_ARTICLES: Final = frozenset("a an the our each every this".split())
_NO_VERB_AFTER: Final = _PREPOSITIONS | _ARTICLES
# "to" begins a purpose as well.
_SAYING: Final = (COPULAS | _MODALS | VERBS | _OF_ONE) - {"to"}
_PARTICLES: Final = frozenset("back up out off down away".split())
_ADVERBS: Final = frozenset("always also still already usually currently now just".split())
_STOPWORDS: Final = frozenset(
    """
    a an the this that these those its it our we they you i all any each every of and or so then
    straight directly just only also very really still already now there here which who up
    decided decide anymore longer always else than by with per let lets
    """.split()
)
IRREGULAR: Final = frozenset(
    """
    written rewritten built chosen taken given shown kept cut made set put done held sent run stored
    hosted found read led drawn known grown thrown sold bought caught spent meant paid told met won
    bound fed hit shut split spread driven broken frozen hidden begun sung lent taught brought
    """.split()
)
_UP_TO_NINETEEN: Final = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen
""".split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_PAST_FORMS: Final = """
    bought/buy sold/sell taught/teach lent/lend held/hold led/lead grown/grow heard/hear kept/keep
    sent/send written/write built/build made/make paid/pay told/tell met/meet won/win fed/feed
    spent/spend brought/bring caught/catch given/give taken/take shown/show driven/drive
    broken/break spoken/speak chosen/choose sung/sing drawn/draw thrown/throw worn/wear shorn/shear
""".split()
_SYNONYMS: Final = {
    "enabled": "on", "disabled": "off", "prod": "production", "dev": "development",
    "hundred": "100", "begin": "start", "begins": "start", "shut": "close", "shuts": "close",
    "finish": "end", "finishes": "end",
    "hourly": "hour", "daily": "day", "nightly": "night", "weekly": "week", "monthly": "month",
    "quarterly": "quarter", "yearly": "year", "annually": "year", "sec": "second",
    "secs": "second", "mins": "minute", "hrs": "hour",
    "postgresql": "postgres", "db": "database", "js": "javascript", "ts": "typescript",
    "k8s": "kubernetes", "min": "minimum", "max": "maximum",
    **{word: str(number) for number, word in enumerate(_UP_TO_NINETEEN)},
    **{word: str(10 * number) for number, word in enumerate(_TENS, start=2)},
    # Stemming does not know these for forms of one verb.
    **dict(pair.split("/") for pair in _PAST_FORMS),
}  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """One sentence: what it is about, the verb, what it says, and under which circumstances.

    All words are stems. `negated` are those that a "not" reaches. `order` is the whole sentence.
    """

    subject: frozenset[str]
    verb: str
    value: frozenset[str]
    scope: frozenset[str]
    negated: frozenset[str]
    order: tuple[str, ...] = ()
    #: The preposition that the circumstances begin with, "" if there are none.
    how: str = ""

    @cached_property
    def words(self) -> frozenset[str]:
        verb = {self.verb} if self.verb and self.verb not in COPULAS else set()
        return self.subject | self.value | self.scope | verb


def frames(text: str) -> list[Frame]:
    """The frames of a text, a sentence each."""
    sentences = [sentence for sentence in _SENTENCE.split(text) if sentence.strip()]
    found = [_frame(sentence) for sentence in sentences[:_MOST_SENTENCES]]
    return [frame for frame in found if len(frame.words) > 1]


def stems(words: Sequence[str]) -> frozenset[str]:
    """The stems of words that carry meaning."""
    return frozenset(_stems(words))


def _frame(sentence: str) -> Frame:
    tokens = [token.lower() for token in _TOKEN.findall(sentence)]
    left_out = _NEGATORS | _ADVERBS
    tokens = [t for t in tokens if t not in left_out and not _NEGATED.search(t)]
    frame = _read(tokens, _negated(sentence))
    return replace(frame, order=tuple(_stems(tokens)))


def _read(tokens: Sequence[str], negated: frozenset[str]) -> Frame:
    at = _predicate(tokens)
    if at is None:
        return _imperative(tokens, negated)
    subject: Sequence[str] = tokens[:at]
    rest = tokens[at:]
    verb, after = _verb(rest)
    if not stems([t for t in subject if t not in _GENERIC]):
        return _imperative([verb, *after], negated)
    if _is_of_one(verb, after):
        subject, after = after, subject
    value, scope = _divided(after)
    how = scope[0] if scope else ""
    return Frame(stems(subject), _verb_stem(verb), stems(value), stems(scope), negated, how=how)


def _imperative(tokens: Sequence[str], negated: frozenset[str]) -> Frame:
    """A rule: "use V for S", "do S with V"."""
    if not tokens:
        return Frame(frozenset(), "", frozenset(), frozenset(), negated)
    verb, rest = tokens[0], tokens[1:]
    if verb in ("decided", "decide", "to") and len(rest) > 1:
        return _imperative(rest[1:] if rest[0] == "to" else rest, negated)
    at = next((i for i, t in enumerate(rest) if t in _PREPOSITIONS | _ORDERS), len(rest))
    head, tail = rest[:at], rest[at:]
    if verb in _USE:
        purpose = next((i for i, t in enumerate(rest) if t in _PURPOSES), len(rest))
        head, tail = rest[purpose + 1 :], rest[:purpose]
        # What is used for a thing may also be what it runs on, or is.
        verb = ANY_VERB if stems(head) else "use"
        return Frame(stems(head), verb, stems(tail), frozenset(), negated)
    value, scope = _divided(tail)
    if tail and tail[0] in ("on", "of", "for"):
        head, value = [*head, *value], []
    how = scope[0] if scope else ""
    return Frame(stems(head), _verb_stem(verb), stems(value), stems(scope), negated, how=how)


def _predicate(tokens: Sequence[str]) -> int | None:
    """Where the verb of a statement is; `None` in a rule, which begins with its verb."""
    for index, token in enumerate(tokens):
        is_verb = token in _SAYING
        if token in (":", "=") or (index and is_verb and tokens[index - 1] not in _NO_VERB_AFTER):
            # "deploys happen": a plural before a verb is a noun.
            following = tokens[index + 1] if index + 1 < len(tokens) else ""
            if token in VERBS and following in VERBS | COPULAS and following != token:
                continue
            return index
    return None


def _verb(rest: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The verb that says most, and what comes after it."""
    at = 0
    while at + 1 < len(rest) and rest[at] in COPULAS | _MODALS:
        following = rest[at + 1]
        is_verb = following in COPULAS | VERBS | _MODALS | IRREGULAR
        if not is_verb and not (following.endswith("ed") and following not in _SYNONYMS):
            break
        if following.endswith("ed") and at + 2 >= len(rest):
            break
        if following in ("required", "allowed", "needed"):
            break
        at += 1
    return rest[at], rest[at + 1 :]


def _is_of_one(verb: str, after: Sequence[str]) -> bool:
    """Whether a subject is what is said of the object: one thing has one owner."""
    is_role = verb in COPULAS and tuple(after[:2]) in _ROLES
    return is_role or (verb in _OF_ONE and not _PREPOSITIONS.intersection(after[:1]))


def _divided(after: Sequence[str]) -> tuple[list[str], list[str]]:
    """What is said, and the circumstances: the phrases behind the first."""
    value: list[str] = []
    if len(after) > 1 and after[0] in _PARTICLES:
        after = after[1:]
    for index, token in enumerate(after):
        is_last = index == len(after) - 1
        if token in _PREPOSITIONS and not is_last and stems(value):
            return value, list(after[index:])
        # "is on" and "run before" say something by themselves.
        if token not in _PREPOSITIONS or is_last:
            value.append(token)
    return value, []


def _negated(sentence: str) -> frozenset[str]:
    words: set[str] = set()
    for clause in _CLAUSE_END.split(sentence.lower()):
        tokens = _TOKEN.findall(clause)
        for index, token in enumerate(tokens):
            if token in _NEGATORS or _NEGATED.search(token):
                words.update(stems(tokens[index + 1 :]))
                break
    return frozenset(words)


def _stems(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        plain = _SYNONYMS.get(word, word)
        if plain in _STOPWORDS or plain in COPULAS or plain in _MODALS:
            continue
        if plain in _PREPOSITIONS - {"on"} or plain in (":", "="):
            continue
        if plain.endswith("%"):
            yield from (plain[:-1], "percent")
            continue
        yield _stem_of(plain)


def _verb_stem(verb: str) -> str:
    return _stem_of(_SYNONYMS.get(verb, verb))


@lru_cache(_WORDS_KEPT)
def _stem_of(word: str) -> str:
    if any(character.isdigit() for character in word) or len(word) < 3:
        return word
    return next((t for t in analyse(word).split() if not t.startswith(EXTRA)), word)
