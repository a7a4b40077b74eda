"""Mutators of the text of one message: its bytes, not what they say."""

import json
from random import Random
from typing import Final

from .good_messages import Message, request

_BOM: Final = b"\xef\xbb\xbf"
_NOT_UTF_8: Final = (
    b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80", b"\xe2\x82", b"\xfc",
)  # fmt: skip


def as_line(message: Message) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode(errors="surrogatepass")


def escaped(message: Message) -> bytes:
    return json.dumps(message).encode()


def untouched(message: Message, dice: Random) -> bytes:
    return as_line(message)


def cut(message: Message, dice: Random) -> bytes:
    line = as_line(message)
    start = dice.randrange(len(line))
    return line[:start] + line[start + dice.randint(1, 12) :]


def truncated(message: Message, dice: Random) -> bytes:
    line = as_line(message)
    return line[: dice.randrange(len(line))]


def doubled_part(message: Message, dice: Random) -> bytes:
    line = as_line(message)
    start, stop = sorted(dice.randrange(len(line) + 1) for _ in range(2))
    return line[:stop] + line[start:]


def raw_bytes(message: Message, dice: Random) -> bytes:
    return inserted(as_line(message), dice.randbytes(dice.randint(1, 6)), dice)


def flipped_bit(message: Message, dice: Random) -> bytes:
    line = bytearray(as_line(message))
    line[dice.randrange(len(line))] ^= 1 << dice.randrange(8)
    return bytes(line)


def swapped_bytes(message: Message, dice: Random) -> bytes:
    line = bytearray(as_line(message))
    one, other = (dice.randrange(len(line)) for _ in range(2))
    line[one], line[other] = line[other], line[one]
    return bytes(line)


def nul(message: Message, dice: Random) -> bytes:
    return inserted(as_line(message), b"\x00", dice)


def not_utf_8(message: Message, dice: Random) -> bytes:
    return inserted(as_line(message), dice.choice(_NOT_UTF_8), dice)


def utf_16(message: Message, dice: Random) -> bytes:
    return escaped(message).decode().encode(dice.choice(["utf-16", "utf-16-le", "utf-16-be"]))


def utf_32(message: Message, dice: Random) -> bytes:
    return escaped(message).decode().encode(dice.choice(["utf-32", "utf-32-be"]))


def latin_1(message: Message, dice: Random) -> bytes:
    return json.dumps({**message, "ä": "é"}, ensure_ascii=False).encode("latin-1")


def bom(message: Message, dice: Random) -> bytes:
    return _BOM * dice.choice([1, 1, 2]) + as_line(message)


def crlf(message: Message, dice: Random) -> bytes:
    return dice.choice([b"", b"\r\n"]) + as_line(message) + b"\r\n"


def blanks(message: Message, dice: Random) -> bytes:
    blank = dice.choice([b" ", b"\t", b"\r", b"\x0b", b"\x0c", b"\xc2\xa0", b"\n\n", b" \n"])
    return blank + as_line(message) + dice.choice([b"", blank])


def split(message: Message, dice: Random) -> bytes:
    return inserted(as_line(message), b"\n", dice)


def pretty(message: Message, dice: Random) -> bytes:
    return json.dumps(message, indent=1).encode()


def two_on_a_line(message: Message, dice: Random) -> bytes:
    return as_line(message) + dice.choice([b"", b" ", b",", b"\r", b"\x1e"]) + as_line(message)


def interleaved(message: Message, dice: Random) -> bytes:
    one, other = as_line(message), as_line(request(f"{message.get('id')}-b", "ping"))
    place, other_place = dice.randrange(len(one)), dice.randrange(len(other))
    return one[:place] + other[:other_place] + b"\n" + one[place:] + other[other_place:]


def not_quite_json(message: Message, dice: Random) -> bytes:
    line = as_line(message)
    return dice.choice(
        [
            line.replace(b'"', b"'"),
            line[:-1] + b",}",
            b"// a comment\n" + line,
            b"/* */" + line,
            line.replace(b":", b"="),
            b"data: " + line,
            b"Content-Length: %d\r\n\r\n%s" % (len(line), line),
            line.replace(b"{", b"{\x1f", 1),
        ]
    )


def inserted(line: bytes, what: bytes, dice: Random) -> bytes:
    place = dice.randrange(len(line) + 1)
    return line[:place] + what + line[place:]
