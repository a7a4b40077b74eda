"""Finding secrets in text, and taking them out.

Known forms come first; randomness counts only in what is assigned to something named a secret. A
secret that a line break, an escape or a string joint splits is found all the same. Time is linear
in the text, and a text that cannot hold a secret costs about a look at each character.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mimir_py.security.issuers import ALONE, KINDS, MARKS, OPENINGS
from mimir_py.security.kinds import Kind
from mimir_py.security.looks import fits, is_marked_example, is_random

GENERIC: Final = "password or key"

# Every known form has so many characters of a token in a row, unless one of ALONE tells of it.
_LONG_RUN: Final = re.compile(r"[A-Za-z0-9_\-]{16,}")


def _any_of(words: Sequence[str]) -> str:
    """A pattern for any of the words that looks at each character once."""
    if "" in words:
        return ""
    tails: dict[str, list[str]] = {}
    for word in words:
        tails.setdefault(word[0], []).append(word[1:])
    branches = [re.escape(first) + _any_of(rest) for first, rest in tails.items()]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


# Where in a run a token may begin: a letter or two may be left of an escape before it.
_OPENS: Final = re.compile(f"(?:[nrt]|[23][0-9A-F])?({_any_of(OPENINGS)})").match
_OPENS_WITHIN: Final = re.compile(f"[_-]({_any_of(OPENINGS)})").findall
# The pattern stops at the shortest of beginnings that begin alike.
_OPENED: Final = {
    opening: [k for k in KINDS if any(literal.startswith(opening) for literal in k.literals)]
    for opening in OPENINGS
}
_ALONE: Final = [(literal, kind) for kind in KINDS for literal in kind.literals if literal in ALONE]
_MARKED: Final = [
    (literal, kind) for kind in KINDS for literal in kind.literals if literal in MARKS
]
_TELLING: Final = ("pass", "pwd", "secret", "token", "key", "credential", "auth")
# Breaks that may lie inside a token: of a line, with what comments and quotes put before the next,
# and of a string literal in two.
_SEAM: Final = re.compile(
    r"[\"'][ \t]{0,8}[+.\\]?[ \t]{0,8}\r?\n[ \t]{0,64}[+.]?[ \t]{0,8}[\"']"
    r"|(?:\\{1,4})?\r?\n[ \t]{0,64}(?:[>#*|][ \t]{0,8})?"
    r"|\\{1,4}[rn](?:\\{1,4}n)?[ \t]{0,64}"
    r"|[\"'][ \t]{0,8}\+[ \t]{0,8}[\"']"
)
_SEAM_SIGNS: Final = ("\n", "\\n", "\\r", "+")
_APART: Final = "\\s\"'`<>(){}\\[\\],;\\\\"
_RUN: Final = re.compile(f"[^{_APART}]{{1,300}}")
_BETWEEN_RUNS: Final = re.compile(f"[{_APART}]")
# What random runs have, and few names do.
_MIXED: Final = (re.compile("[0-9][^0-9]++[0-9]"), re.compile("[A-Z]"), re.compile("[0-9]"))
_LONGEST_HALF: Final = 300
_MOST_PIECES: Final = 64
# Characters written as escapes.
_ESCAPE: Final = re.compile(r"\\{1,4}(?:u(00[2-7][0-9a-fA-F])|(/))")
_WORDS: Final = (
    *("password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "credential"),
    *("auth", "key"),
)
_KEY_OF: Final = tuple(
    """
    api access secret private auth signing sign encryption crypto master account shared storage
    service license app application client deploy webhook subscription session admin root rest
    server write jwt aes hmac
    """.split()
)
_LONGEST_OWNER: Final = 16
# What the name may go on with, and does not when it names something about a secret.
_ASSIGNED: Final = re.compile(
    r"""
    (?!s?[_\-]?(?:id|ids|hash|hashed|name|names|count|type|url|uri|file|path|expir|length|len|ttl
        |field|format|policy|prefix|arn|ref|version|size|limit|usage|budget|column|label|hint
        )(?![a-z]))
    [A-Za-z0-9_\-]{0,24}\\{0,3}["'`\]]{0,2}[ \t]{0,4}
    (?:(?:=>|:=|={1,2}|:)[ \t]{0,4}
        |,[ \t]{0,4}(?=\\{0,3}["'`])
        |(?P<is>(?:is|was)[ \t]{1,4}))
    \\{0,3}(?P<quote>["'`])?
    (?:(?<=["'`])(?P<quoted>[^"'`\s\\]{8,512})|(?P<bare>[^\s"'`,;<>(){}\[\]|\\]{8,512}))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NAMED: Final = re.compile(
    r"(?:password|passwd|passphrase|passcode|pwd|secret|token|credential|"
    r"(?:api|access|secret|private|auth|signing|encryption|master|account|shared|storage|service|"
    r"license|client|deploy|webhook|subscription|admin)[_\- .]?key)(?:[_\-](?:key|value|base))?$",
    re.IGNORECASE,
)
_SENTENCE_END: Final = ".,;:!?"
_MOST_WITHIN: Final = 16
_SHORTEST_REST: Final = 6
_SHORTEST: Final = 16
_ASCII_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True)
class Secret:
    """Where a secret is, and of what kind; never what it is."""

    kind: str
    start: int
    stop: int


def has_candidate(text: str) -> bool:
    """Whether a closer look is worth while; a quick no for nearly every text without a secret."""
    return (
        _may_name(text)
        or bool(_kinds_in(text))
        or ("\\" in text and _ESCAPE.search(text) is not None)
        or next(_wrapped(text), None) is not None
    )


def find_secrets(text: str) -> list[Secret]:
    """The secrets in a text, in order, none within another."""
    found = list(_known(text))
    if _may_name(text):
        found += _assigned(text)
    found = _settled(found)
    if "\\" in text and _ESCAPE.search(text) is not None:
        found += _escaped(text)
    ends = {secret.stop for secret in found}
    for pieces in _wrapped(text):
        found += _joined(text, pieces, ends)
    return _settled(found)


def is_secret(name: str, value: str) -> bool:
    """Whether the value of something called `name` is a secret by that name alone."""
    return _NAMED.search(name) is not None and is_random(value)


def placeholder(kind: str) -> str:
    """What stands where a secret was."""
    return f"[secret removed: {kind}]"


def redact(text: str) -> tuple[str, Counter[str]]:
    """`text` with placeholders for its secrets, and how many of each kind there were."""
    found = find_secrets(text)
    if not found:
        return text, Counter()
    parts, end = [], 0
    for secret in found:
        parts += [text[end : secret.start], placeholder(secret.kind)]
        end = secret.stop
    return "".join([*parts, text[end:]]), Counter(secret.kind for secret in found)


def _kinds_in(text: str) -> list[Kind]:
    """The kinds of which there may be a token in the text."""
    runs = _LONG_RUN.findall(text)
    opened = {match[1] for match in map(_OPENS, runs) if match is not None}
    for run in runs:
        opened.update(_OPENS_WITHIN(run))
    kinds = [kind for literal, kind in _ALONE if literal in text]
    if any(map(_is_mixed, runs)):
        kinds += [kind for literal, kind in _MARKED if literal in text]
    for opening in opened:
        kinds += _OPENED[opening]
    return kinds


def _is_mixed(run: str) -> bool:
    two_numbers, capital, digit = _MIXED
    if digit.search(run) is None:
        return False
    return capital.search(run) is not None or two_numbers.search(run) is not None


def _may_name(text: str) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in _TELLING)


def _known(text: str) -> Iterator[Secret]:
    for kind in set(_kinds_in(text)):
        group = "secret" if "secret" in kind.pattern.groupindex else 0
        for match in kind.pattern.finditer(text):
            start, stop = match.span(group)
            if fits(text[start:stop], kind.look) and not is_marked_example(text, start, stop):
                yield Secret(kind.name, start, stop)


def _assigned(text: str) -> Iterator[Secret]:
    # str.lower may change a text's length.
    lowered = text.lower() if text.isascii() else text.translate(_ASCII_LOWER)
    for word in _WORDS:
        at = lowered.find(word)
        seen_to, within = 0, 0
        while at >= 0:
            end = at + len(word)
            owner = lowered[max(0, at - _LONGEST_OWNER) : at].rstrip("_-. ")
            within = within + 1 if end < seen_to else 0
            # A name in a value names another; so many in one run are no names.
            if within <= _MOST_WITHIN and (word != "key" or owner.endswith(_KEY_OF)):
                match = _ASSIGNED.match(text, end)
                seen_to = match.end() if match else seen_to
                found = match and _value(match)
                if found and not is_marked_example(text, found.start, found.stop):
                    yield found
            at = lowered.find(word, end)


def _value(match: re.Match[str]) -> Secret | None:
    start = match.start("quoted" if match["quoted"] else "bare")
    value = match[0][start - match.start() :]
    if match["bare"]:
        value = value.rstrip(_SENTENCE_END)
    # Prose says what a secret is like far more often than what it is.
    if match["is"] and not match["quote"] and len(value) < 12:
        return None
    return Secret(GENERIC, start, start + len(value)) if is_random(value) else None


def _escaped(text: str) -> Iterator[Secret]:
    """Secrets of which some characters are written as escapes."""
    parts: list[str] = []
    places: list[int] = []
    end = 0
    for escape in _ESCAPE.finditer(text):
        parts += [text[end : escape.start()], escape[2] or chr(int(escape[1], 16))]
        places += [*range(end, escape.start()), escape.start()]
        end = escape.end()
    written = "".join([*parts, text[end:]])
    places.extend(range(end, len(text) + 1))
    for found in (*_known(written), *_assigned(written)):
        yield Secret(found.kind, places[found.start], places[found.stop])


def _wrapped(text: str) -> Iterator[list[tuple[int, int]]]:
    """Spans of text that make one run without the breaks between them, if it could be a token."""
    if not any(sign in text for sign in _SEAM_SIGNS):
        return
    pieces: list[tuple[int, int]] = []
    end = 0
    for seam in _SEAM.finditer(text):
        run = _RUN.match(text, seam.end())
        before = text[end : seam.start()].rstrip(" \t")
        stop = end + len(before)
        if not pieces or pieces[-1][1] != stop:
            if len(pieces) > 1:
                yield pieces
            last = _BETWEEN_RUNS.split(before[-_LONGEST_HALF:])[-1]
            pieces = [(stop - len(last), stop)] if last else []
        end = seam.end()
        if run is None or not pieces or len(pieces) == _MOST_PIECES:
            if len(pieces) > 1:
                yield pieces
            pieces = []
        elif len(pieces) > 1 or run.end() - run.start() + pieces[0][1] - pieces[0][0] >= _SHORTEST:
            pieces.append(run.span())
        else:
            pieces = []
    if len(pieces) > 1:
        yield pieces


def _joined(text: str, pieces: list[tuple[int, int]], ends: set[int]) -> Iterator[Secret]:
    """Secrets that only show when the pieces of a run are joined; `ends` of those seen whole."""
    for first in range(len(pieces) - 1):
        if pieces[first][1] in ends and not _goes_on(text, pieces[first + 1]):
            continue
        joined, last = text[slice(*pieces[first])], first
        for last in range(first + 1, min(len(pieces), first + 3)):
            joined += text[slice(*pieces[last])]
            at = sum(stop - start for start, stop in pieces[first:last])
            crossing = [found for found in _known(joined) if found.start < at < found.stop]
            if crossing:
                break
        else:
            continue
        [found, *_] = crossing
        head = pieces[first][1] - pieces[first][0]
        if found.start >= head:
            continue
        stop = pieces[last][0] + found.stop - at
        while (
            stop == pieces[last][1] and last + 1 < len(pieces) and _goes_on(text, pieces[last + 1])
        ):
            last += 1
            stop = pieces[last][1]
        yield Secret(found.kind, pieces[first][0] + found.start, stop)


def _goes_on(text: str, piece: tuple[int, int]) -> bool:
    """Whether what follows a token after a break is more of it, not the next line's first word."""
    rest = text[slice(*piece)]
    return len(rest) >= _SHORTEST_REST and is_random(rest.ljust(8, "0"))


def _settled(found: list[Secret]) -> list[Secret]:
    """In order, and one where several overlap: a known kind names it."""
    settled: list[Secret] = []
    for secret in sorted(found, key=lambda s: (s.start, -s.stop, s.kind)):
        if not settled or secret.start >= settled[-1].stop:
            settled.append(secret)
            continue
        last = settled[-1]
        kind = secret.kind if last.kind == GENERIC else last.kind
        settled[-1] = Secret(kind, last.start, max(last.stop, secret.stop))
    return settled
