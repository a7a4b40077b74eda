"""What a traced server asked of the disk, and when: system calls out of an strace log.

One process under `strace -f`, with the paths of descriptors (`-y`) and every string whole and in
hex. A call that another thread interrupts takes two lines; its beginning and its end both count,
because a write may be on the disk from its beginning on and a sync holds only at its end.
"""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torments.outcome import NotMeasured

_CALLS: Final = (
    "openat,creat,write,writev,pwrite64,pwritev,fsync,fdatasync,sync_file_range,ftruncate,"
    "fallocate,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,link,linkat"
)
_LONGEST_STRING: Final = 4_194_304
_LINE: Final = re.compile(r"^(\d+) +(.*)$")
_RESUMED: Final = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")
_CALL: Final = re.compile(r"^(\w+)\((.*)\) += (-?\d+)(.*)$", re.DOTALL)
_UNFINISHED: Final = " <unfinished ...>"
_DESCRIPTOR: Final = re.compile(r"^(\d+)<((?:[^>\\]|\\.)*)>")
_STRING: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')


@dataclass(frozen=True)
class Call:
    """A system call that succeeded, at its beginning or at its end.

    `path` is of the file the call is about, or of stdout as `pipe:[...]`; `other` is a rename's
    new name. `data` at `offset` is what a write wrote; an `ftruncate`'s `offset` is the new length,
    and that of an open file whether it was emptied.
    """

    name: str
    path: str
    ended: bool
    data: bytes = b""
    offset: int = -1
    other: str = ""
    made: bool = False


def command(log: Path) -> list[str | Path]:
    """What to put before a command to have it traced into `log`.

    Raises:
        NotMeasured: there is no strace here, or it may not trace.
    """
    strace = shutil.which("strace")
    if strace is None:
        raise NotMeasured("strace is not installed: nothing can be said about power cuts")
    return [strace, "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", str(_LONGEST_STRING),
            "-e", f"trace={_CALLS}", "-e", "signal=none", "-o", log]  # fmt: skip


def calls(log: Path) -> Iterator[Call]:
    """The calls of a log in order: each write and sync twice, when it began and when it ended."""
    begun: dict[str, str] = {}
    with log.open(encoding="ascii") as lines:
        for line in lines:
            found = _LINE.match(line.rstrip("\n"))
            if found is None:
                continue
            thread, text = found.groups()
            if text.endswith(_UNFINISHED):
                begun[thread] = text.removesuffix(_UNFINISHED)
                yield from _parsed(begun[thread] + ") = 0", ended=False)
                continue
            resumed = _RESUMED.match(text)
            if resumed is not None:
                whole = begun.pop(thread, "") + resumed[2]
                yield from _parsed(whole, ended=True)
                continue
            yield from _parsed(text, ended=False)
            yield from _parsed(text, ended=True)


def _parsed(text: str, *, ended: bool) -> Iterator[Call]:
    found = _CALL.match(text)
    if found is None:
        return
    name, arguments, result = found[1], found[2], int(found[3])
    if result < 0:
        return
    if name in ("openat", "creat", "unlink", "unlinkat", "mkdir", "mkdirat"):
        strings = _strings(arguments)
        if ended and strings:
            made = name == "creat" or "O_CREAT" in arguments
            emptied = name == "creat" or "O_TRUNC" in arguments
            yield Call(name, strings[0].decode(), ended, offset=int(emptied), made=made)
    elif name.startswith(("rename", "link")):
        strings = _strings(arguments)
        if ended:
            yield Call("rename", strings[0].decode(), ended, other=strings[1].decode())
    else:
        yield from _on_descriptor(name, arguments, ended=ended)


def _on_descriptor(name: str, arguments: str, *, ended: bool) -> Iterator[Call]:
    found = _DESCRIPTOR.match(arguments)
    if found is None:
        return
    path = _unescaped(found[2])
    numbers = arguments[found.end() :].split(", ")
    if name in ("pwrite64", "write"):
        data = b"".join(_strings(arguments))
        offset = int(numbers[-1]) if name == "pwrite64" else -1
        yield Call("write", path, ended, data, offset)
    elif name == "ftruncate":
        yield Call(name, path, ended, offset=int(numbers[1]))
    elif name in ("fsync", "fdatasync"):
        yield Call("sync", path, ended)
    elif name in ("writev", "pwritev", "fallocate", "sync_file_range"):
        yield Call(name, path, ended)


def _strings(arguments: str) -> list[bytes]:
    found = _STRING.findall(arguments)
    if any(cut for _, cut in found):
        raise NotMeasured("a write was longer than strace was told to keep")
    return [bytes.fromhex(text.replace("\\x", "")) for text, _ in found]


def _unescaped(path: str) -> str:
    return re.sub(r"\\x([0-9a-f]{2})", lambda code: chr(int(code[1], 16)), path)


def answered_ids(call: Call) -> Sequence[int]:
    """The ids of the requests that a write to stdout answers."""
    ids = []
    for line in call.data.splitlines():
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict) and isinstance(message.get("id"), int):
            ids.append(message["id"])
    return ids
