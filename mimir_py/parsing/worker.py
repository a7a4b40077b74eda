"""The worker: reads documents from its input, writes their text to its output, until either ends.

A request is a line of JSON, `{"kind": ..., "size": ...}`, and so many bytes of a file; an answer is
a line, `{"size": ..., "problems": [...]}` and so many bytes of UTF-8, or `{"refused": why}`. It
opens no file, and its limits hold before the first byte of a document is read.
"""

import importlib
import json
import sys
from typing import BinaryIO, Final

from mimir_py.parsing.kinds import Kind
from mimir_py.parsing.models import MOST_MEMORY, MOST_SECONDS, Parsed, Unreadable
from mimir_py.values import clean_text

_READERS: Final = {Kind.PDF: "pdf", Kind.DOCX: "word", Kind.HTML: "web"}
_LINE: Final = 4_096


def main() -> None:
    limit_memory()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    # Whatever a parser has to say, it must not say in between.
    sys.stdout = sys.stderr
    while line := source.readline(_LINE):
        request = json.loads(line)
        kind = Kind(request["kind"])
        limit_time(MOST_SECONDS[kind])
        answer(sink, kind, source.read(request["size"]))


def answer(sink: BinaryIO, kind: Kind, content: bytes) -> None:
    """Write what a document says, or why that cannot be known."""
    try:
        reader = importlib.import_module(f"mimir_py.parsing.{_READERS[kind]}")
        parsed: Parsed = reader.read(content)
        text = clean_text(parsed.text).encode()
    except Unreadable as refusal:
        sink.write(json.dumps({"refused": str(refusal)}).encode() + b"\n")
    except MemoryError:
        sink.write(json.dumps({"refused": "takes more memory than it may"}).encode() + b"\n")
    else:
        head = {"size": len(text), "problems": parsed.problems}
        sink.write(json.dumps(head).encode() + b"\n")
        sink.write(text)
    sink.flush()


def limit_memory() -> None:
    """Take no more memory than a document may cost, write no file, leave no core behind."""
    if sys.platform != "win32":
        import resource

        _lower(resource.RLIMIT_AS, MOST_MEMORY)
        _lower(resource.RLIMIT_FSIZE, 0)
        _lower(resource.RLIMIT_CORE, 0)


def limit_time(seconds: int) -> None:
    """End the process if one more document takes too long: whoever waits for it may be gone."""
    if sys.platform != "win32":
        import resource
        import time

        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        until = int(time.process_time()) + seconds + 1
        if most == resource.RLIM_INFINITY or until < most:
            resource.setrlimit(resource.RLIMIT_CPU, (until, most))


def _lower(limit: int, most: int) -> None:
    if sys.platform != "win32":
        import resource

        _, highest = resource.getrlimit(limit)
        if highest != resource.RLIM_INFINITY:
            most = min(most, highest)
        resource.setrlimit(limit, (most, most))


if __name__ == "__main__":
    main()
