"""The worker as its owner sees it: bytes in, text out, and a new one when the old one failed."""

import asyncio
import contextlib
import json
import sys
from typing import Final, Self

from mimir_py.parsing.kinds import IN_WORKER, Kind
from mimir_py.parsing.models import MOST_SECONDS, Parsed, Unreadable

# `-I`: neither the environment nor the folder it is started in decides what it imports.
_COMMAND: Final = (sys.executable, "-I", "-m", "mimir_py.parsing.worker")


# The worker counts its own seconds; starting it, and other programs, may take some more.
_OTHERS_S: Final = 10


class Parser:
    """Reads documents; starts its worker when there is something for it to do."""

    def __init__(self) -> None:
        self._worker: asyncio.subprocess.Process | None = None

    @property
    def worker_id(self) -> int | None:
        """The process id of the worker, if there is one."""
        return None if self._worker is None else self._worker.pid

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def read(self, kind: Kind, content: bytes) -> Parsed:
        """The text of a file.

        Raises:
            Unreadable: it cannot be had, or only for too much time or memory.
        """
        if kind not in IN_WORKER:
            return Parsed(_plain(content))
        most = MOST_SECONDS[kind] + _OTHERS_S
        try:
            async with asyncio.timeout(most):
                return await self._asked(kind, content)
        except TimeoutError:
            await self._end()
            raise Unreadable(f"takes longer than {most} seconds to read") from None
        except Unreadable:
            raise
        except (OSError, EOFError, ValueError):
            # It ended, or says what no worker would.
            await self._end()
            raise Unreadable("cannot be read within the limits on memory and time") from None
        except BaseException:
            # In the middle of an answer it is of no more use.
            await self._end()
            raise

    async def _asked(self, kind: Kind, content: bytes) -> Parsed:
        if self._worker is None:
            self._worker = await asyncio.create_subprocess_exec(
                *_COMMAND,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        source, sink = self._worker.stdout, self._worker.stdin
        assert source is not None
        assert sink is not None
        sink.write(json.dumps({"kind": kind, "size": len(content)}).encode() + b"\n")
        sink.write(content)
        await sink.drain()
        head = json.loads(await source.readline() or b"null")
        if not isinstance(head, dict):
            raise EOFError
        if "refused" in head:
            raise Unreadable(str(head["refused"]))
        text = await source.readexactly(int(head["size"]))
        return Parsed(text.decode(), tuple(head["problems"]))

    async def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        await worker.wait()
        # Its pipes would warn of not having been closed.
        transport = worker._transport  # type: ignore[attr-defined]  # noqa: SLF001  # no other door
        transport.close()


def _plain(content: bytes) -> str:
    """The text of a file that is nothing but text.

    Raises:
        Unreadable: it is not UTF-8, or binary all the same.
    """
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as fault:
        raise Unreadable(f"is not UTF-8 text (byte {fault.start})") from None
    if "\x00" in text:
        raise Unreadable("is not text but binary")
    return text.replace("\r\n", "\n")
