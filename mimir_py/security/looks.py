"""Whether a text looks like a secret: random rather than words, and no stand-in for one."""

import math
import re
from collections import Counter
from typing import Final

from mimir_py.security.kinds import Look

_SHORTEST: Final = 8
_LONGEST: Final = 512
# What people write where a secret would be.
_STAND_IN: Final = re.compile(
    r"example|sample|dummy|placeholder|change.?me|redacted|removed|your[_\- ]|yourkey|"
    r"not.?a.?real|fake|(?-i:x{5}|X{5})|0{8}|\*{3}|\.{3}|…|\$\{|\{\{|<[a-z_ -]{2,40}>|%\(|"
    r"12345678901|abcdefgh",
    re.IGNORECASE,
)
_TRIVIAL: Final = frozenset(
    """
    password passwd pass pwd passphrase secret user username root admin postgres mysql mongo redis
    guest test testing changeme foo bar foobar baz token mypassword mysecret none null undefined
    true false string hunter2 rabbitmq minio localhost
    """.split()
)
# Letters as a reader would take them together: words are long, random runs short.
_RUNS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_CODE: Final = re.compile(
    r"[$%{<*~.]|/[a-z_.\-]{2,}/|[A-Za-z]:\\|v?\d+(?:\.\d+)+|"
    r"[A-Za-z_$][\w$]*(?:(?:\.|::|->)[A-Za-z_$][\w$]*)+[;,]?$|"
    r"\d{4}-\d\d-\d\d|sha(?:1|256|384|512)[-:=]"
)
_SYMBOLS: Final = frozenset("!@#$%^&*+=?~")
_VARIABLE: Final = re.compile(r"\$\(?\w+\)?$|%\w+%$|\{.*\}$|<.*>?$")
_PORT: Final = re.compile(r"[0-9]{1,5}(?![^,;])")
_RANDOM_RUN: Final = 2.3
_MIXED_RANDOM_RUN: Final = 3.4
_LONG_RANDOM_RUN: Final = 2.9
_LONG: Final = 20

# Signs beside a value that it is there to show a form.
_MARKED_BEFORE: Final = re.compile(
    r"(?:\b(?:example|dummy|fake|sample|placeholder)[_ -](?:[a-z]{2,10}[_ -]){0,2}"
    r"(?:key|token|secret|password|credential|value|id)s?\b[^\n]{0,24}"
    r"|(?:example|dummy|fake|sample|placeholder)\w{0,40}"
    r"\\?[\"'`]?[ \t]{0,4}[:=][ \t]{0,4}\\?[\"'`]?)$",
    re.IGNORECASE,
)
_MARKED_AFTER: Final = re.compile(
    r"\\?[\"'`,;)\s]{0,4}(?:#|//|--|/\*|\(|\[)\s{0,4}(?:an?\s)?"
    r"(?:example|dummy|fake|placeholder|sample|not (?:a )?real)",
    re.IGNORECASE,
)
_BESIDE: Final = 72


def fits(value: str, look: Look) -> bool:
    """Whether a text that has the form of a kind is a secret, not words or a stand-in."""
    if look is Look.CHOSEN:
        return not (is_stand_in(value) or _PORT.match(value) or _VARIABLE.match(value))
    if is_stand_in(value) or len(set(value)) <= 6:
        return False
    digits = sum(map(str.isdigit, value))
    if look is Look.FORMED and (digits or value.isupper()):
        return True
    return 6 * digits >= len(value) or _mean_run(value) <= _longest_run(value, digits)


def is_random(value: str) -> bool:
    """Whether a value assigned to something named a secret is one."""
    if not _SHORTEST <= len(value) <= _LONGEST or is_stand_in(value) or _CODE.match(value):
        return False
    letters = sum(map(str.isalpha, value))
    digits = sum(map(str.isdigit, value))
    if letters < 2 or not (digits or (value != value.lower() and value != value.upper())):
        return False
    if letters < 3 and len(value) > 16:
        return False
    if digits and not _SYMBOLS.isdisjoint(value) and "=" not in value[:-2]:
        return True
    longest = _longest_run(value, digits)
    return _mean_run(value) <= longest and _entropy(value) >= (3.0 if len(value) >= 16 else 2.5)


def is_stand_in(value: str) -> bool:
    """Whether a value is what people write in the place of a secret."""
    return value.lower() in _TRIVIAL or _STAND_IN.search(value) is not None


def is_marked_example(text: str, start: int, stop: int) -> bool:
    """Whether the words around `text[start:stop]` say that it only shows a form."""
    before = text[max(0, start - _BESIDE) : start]
    if _MARKED_BEFORE.search(before) is not None:
        return True
    return _MARKED_AFTER.match(text, stop, stop + _BESIDE) is not None


def _longest_run(value: str, digits: int) -> float:
    """The mean run of letters up to which a value is random rather than words."""
    if digits and value != value.lower() and value != value.upper():
        return _MIXED_RANDOM_RUN
    return _LONG_RANDOM_RUN if len(value) >= _LONG else _RANDOM_RUN


def _mean_run(value: str) -> float:
    runs = _RUNS.findall(value)
    return sum(map(len, runs)) / len(runs) if runs else 0.0


def _entropy(value: str) -> float:
    """Bits a character (Shannon 1948)."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())
