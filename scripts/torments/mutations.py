"""Messages nobody should send, made from good ones.

A mutator takes a good message and returns the bytes of one or more lines. `answers.expected` says
from the bytes alone what must come back, so a mutator need not know what it has made.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from . import bad_lines as lines
from . import bad_shapes as shapes
from .good_messages import Message, good_messages

_ALL: Final[tuple[Callable[[Message, Random], bytes], ...]] = (
    lines.untouched, lines.cut, lines.truncated, lines.doubled_part, lines.raw_bytes,
    lines.flipped_bit, lines.swapped_bytes, lines.nul, lines.not_utf_8, lines.utf_16,
    lines.utf_32, lines.latin_1, lines.bom, lines.crlf, lines.blanks, lines.split, lines.pretty,
    lines.two_on_a_line, lines.interleaved, lines.not_quite_json, shapes.batch,
    shapes.odd_batch, shapes.scalar, shapes.version, shapes.no_version, shapes.unusable_id,
    shapes.odd_id, shapes.endless_number, shapes.no_id, shapes.duplicate_key,
    shapes.duplicate_id, shapes.method_of_a_type, shapes.unknown_method,
    shapes.params_of_a_type, shapes.odd_member, shapes.very_deep, shapes.deep, shapes.no_number,
    shapes.cancel, shapes.cancelled, shapes.response, shapes.missing_member, shapes.long,
    shapes.over_long, shapes.wide, shapes.odd_meta, shapes.escaped_names, shapes.odd_case,
    shapes.strange_tool, shapes.strange_arguments,
)  # fmt: skip
MUTATORS: Final = {mutator.__name__: mutator for mutator in _ALL}


@dataclass(frozen=True)
class Sent:
    """The bytes of one try, ending in a newline."""

    mutator: str
    data: bytes


def tries(dice: Random, count: int, first: int = 0) -> Iterator[Sent]:
    """`count` tries, each mutator as often as any other."""
    names = sorted(MUTATORS)
    for number in range(first, first + count):
        name = names[number % len(names)]
        message = dice.choice(good_messages(number))
        made = MUTATORS[name](message, dice)
        yield Sent(name, made if made.endswith(b"\n") else made + b"\n")
