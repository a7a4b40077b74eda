"""What a reader of a text should know that the eye does not see: marks beside it, never in it.

Marks are hints, not a verdict: nothing is refused or left out for them.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mimir_py.security.instructions import instruction_at

INVISIBLE: Final = "invisible characters"
BIDI: Final = "bidirectional controls"
TAGS: Final = "tag characters"
SELECTORS: Final = "variation selectors"
TERMINAL: Final = "terminal controls"
FENCE: Final = "fence look-alike"
INSTRUCTION: Final = "instruction-like"

_OFFSETS: Final = 5
_TAGS: Final = re.compile("[\U000e0000-\U000e007f]")
# A black flag, the letters of a region, and the end.
_FLAG: Final = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,12}\U000e007f")
_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u061c\u2060-\u2065"
    "\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a]"
)
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f]{2,}|[\U000e0100-\U000e01ef]+")
_TERMINAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_ODD: Final = re.compile(
    "[\u0080-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_ZWJ: Final = "\u200d"
_JOINERS: Final = "\u200c\u200d"
_DIRECTION: Final = "\u200e\u200f\u061c"
_SOFT_HYPHEN: Final = "\u00ad"
_MONGOLIAN: Final = "\u180b\u180c\u180d\u180e"
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
_FENCES: Final = re.compile(
    r"<\|?/?(?:im_start|im_end|im_sep|system|assistant|endoftext|eot_id|start_header_id|"
    r"function_calls?|tool_calls?|tool_use|invoke|untrusted|memory|context|developer)(?![\w-])[^>\n]{0,80}>"
    r"|\[/?INST\]|<</?SYS>>|^[ \t]*(?:<{3,}|>{3,})[ \t]*/?(?:memory|end|begin|data)\b"
    r"|^-{3,}[ \t]*(?:begin|end) (?:of )?(?:untrusted|memory|memories|context|system|data)\b"
    r"|\"role\"\s{0,4}:\s{0,4}\"(?:system|developer)\"|\"(?:tool_calls|function_call)\"\s{0,4}:",
    re.IGNORECASE | re.MULTILINE,
)
_FENCE_SIGNS: Final = ("<", "[INST", "[/INST", ">>>", "---", '"role"', "_call")


@dataclass(frozen=True)
class Mark:
    """How often something was found, and where first, in characters."""

    kind: str
    count: int
    offsets: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "count": self.count, "offsets": list(self.offsets)}


def marks_in(text: str) -> list[Mark]:
    """What is odd about a text, by kind; nothing for nearly every honest one."""
    found: list[Mark] = []
    is_odd = not text.isascii() and _ODD.search(text) is not None
    if is_odd:
        found += _odd_characters(text)
    if not text.isprintable():
        found += _mark(TERMINAL, [match.start() for match in _TERMINAL.finditer(text)])
    if any(sign in text for sign in _FENCE_SIGNS):
        found += _mark(FENCE, [match.start() for match in _FENCES.finditer(text)])
    # What is hidden is read as a model would read it.
    at = instruction_at(_unhidden(text) if is_odd else text)
    if at is not None:
        found += _mark(INSTRUCTION, [min(at, len(text) - 1)])
    return found


def _odd_characters(text: str) -> Iterator[Mark]:
    flags = {place for flag in _FLAG.finditer(text) for place in range(*flag.span())}
    tags = [match.start() for match in _TAGS.finditer(text) if match.start() not in flags]
    yield from _mark(TAGS, tags)
    yield from _mark(BIDI, [match.start() for match in _BIDI.finditer(text)])
    yield from _mark(SELECTORS, [m.start() for m in _SELECTORS.finditer(text) if _hides(text, m)])
    yield from _mark(
        INVISIBLE, [m.start() for m in _INVISIBLE.finditer(text) if not _is_honest(text, m.start())]
    )


def _mark(kind: str, places: Sequence[int]) -> list[Mark]:
    return [Mark(kind, len(places), tuple(places[:_OFFSETS]))] if places else []


def _hides(text: str, match: re.Match[str]) -> bool:
    """Whether selectors select nothing: several at once, or none of the ideographs before them."""
    if match[0][0] <= "\ufe0f":
        return True
    before = text[match.start() - 1 : match.start()]
    return len(match[0]) > 1 or not unicodedata.name(before, "").startswith("CJK")


def _is_honest(text: str, at: int) -> bool:
    """Whether an invisible character does what it is for, where it is for something."""
    character = text[at]
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if character == "\ufeff":
        return at == 0
    if not before or not after:
        return False
    if character in _JOINERS and _shapes(before):
        honest = True
    elif character == _ZWJ:
        honest = _is_pictured(before) and _is_pictured(after)
    elif character == _SOFT_HYPHEN:
        honest = before.isalpha() and after.isalpha() and text.count(_SOFT_HYPHEN) * 4 < len(text)
    elif character in _DIRECTION:
        honest = any(unicodedata.bidirectional(near) in _RIGHT_TO_LEFT for near in text)
    elif character in _MONGOLIAN:
        honest = "\u1800" <= before <= "\u18af"
    else:
        # Between words of scripts without spaces, it says where a line may break.
        honest = character == "\u200b" and _shapes(before)
    return honest


def _shapes(letter: str) -> bool:
    """Whether a letter is of a script whose letters join, or not, by invisible characters."""
    return "\u0600" <= letter <= "\u1cff" and unicodedata.category(letter)[0] in "LM"


def _is_pictured(character: str) -> bool:
    return (
        unicodedata.category(character) in ("So", "Sk")
        or character == "\ufe0f"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def _unhidden(text: str) -> str:
    """The text as it reads with tag characters as the letters they stand for."""
    shown = _TAGS.sub(lambda match: chr(max(32, ord(match[0]) - 0xE0000)), text)
    for pattern in (_BIDI, _SELECTORS, _INVISIBLE):
        shown = pattern.sub("", shown)
    return shown
