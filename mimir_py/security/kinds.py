"""How a kind of secret is written down: what its tokens begin with and look like.

Every pattern starts at a literal or a bounded class and repeats in bounds or possessively, so that
scanning is linear in the text.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

# A token may follow an escape such as `\n` written out, whose letter is not part of a word.
START: Final = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
IN_RUN: Final = re.compile(r"[A-Za-z0-9_\-]+$")
URL_SAFE: Final = r"[A-Za-z0-9_\-]"
BASE64: Final = r"[A-Za-z0-9+/]"


class Look(Enum):
    """How much a text that fits a pattern must look like a secret."""

    RANDOM = "random"
    FORMED = "formed"
    CHOSEN = "chosen"


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of secret. The group `secret`, or else the whole match, is what must not be stored.

    Text without any of the literals holds none; if it `opens`, they are what its tokens begin with.

    `look` says what the secret must look like beside: patterns that are too plain to trust alone
    ask for randomness, passwords are what people chose.
    """

    name: str
    literals: tuple[str, ...]
    pattern: re.Pattern[str]
    look: Look
    opens: bool


def kind(
    name: str,
    literals: str,
    pattern: str,
    *,
    flags: re.RegexFlag | int = 0,
    strict: bool = False,
    password: bool = False,
    opens: bool = True,
) -> Kind:
    look = Look.CHOSEN if password else Look.RANDOM if strict else Look.FORMED
    return Kind(name, tuple(literals.split()), re.compile(pattern, flags), look, opens)


def prefixed(name: str, prefixes: str, tail: str, *, strict: bool = False) -> Kind:
    """A kind whose tokens are one of some distinctive prefixes and then `tail`."""
    alternatives = "|".join(map(re.escape, prefixes.split()))
    return kind(name, prefixes, f"(?:{alternatives}){tail}", strict=strict)


def short(name: str, prefixes: str, tail: str) -> Kind:
    """The same where the prefix may well be the end of some other word."""
    alternatives = "|".join(map(re.escape, prefixes.split()))
    return kind(name, prefixes, f"{START}(?:{alternatives}){tail}", strict=True)


NEAR: Final = r"[A-Za-z0-9_\-. ]{0,30}[\"'`]?[ \t]{0,4}(?:=|:|=>|:=|\bis\b)[ \t]{0,4}[\"'`]?"


def beside(name: str, word: str, value: str) -> Kind:
    """A kind without a prefix of its own: a value assigned to something with `word` in its name."""
    return kind(
        name,
        f"{word} {word.upper()} {word.capitalize()}",
        rf"(?i:{word}){NEAR}(?P<secret>{value})(?![A-Za-z0-9])",
        strict=True,
        opens=False,
    )
