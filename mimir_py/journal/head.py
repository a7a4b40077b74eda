"""The journal's head outside the store: one small file beside it.

The chain alone cannot tell that its end was cut off or that an older copy of the store was put
back; a head that is ahead of the store can. The file is written under the write lock, after the
commit it speaks of: it is never ahead by itself, and a process that dies leaves it at most one
commit behind. It is not synced, so a power cut may leave it some seconds behind.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Final

from mimir_py.journal.models import GENESIS, Head
from mimir_py.storage.files import create_private

_FORMAT: Final = "mimir-journal-head"
# One write of less than a disk's sector, always as long: nobody is left with a part of it.
_BYTES: Final = 256
_READS: Final = 3


class HeadFile:
    """The head file of one store."""

    def __init__(self, store: Path) -> None:
        self.path = store.with_name(store.name + ".head")

    def read(self) -> Head | None:
        """What the file says; `None` when there is none, or none that can be read."""
        for _ in range(_READS):  # it may be written just now
            try:
                head = _parse(self.path.read_bytes())
            except FileNotFoundError:
                return None
            if head is not None:
                return head
        return None

    def create(self) -> None:
        """Make the file, for a chain that begins; leaves one that is there."""
        if not self.path.exists():
            create_private(self.path)
            self.write(GENESIS)

    def write(self, head: Head) -> None:
        """Say another head.

        Raises:
            OSError: the file is gone or cannot be written.
        """
        said = {"format": _FORMAT, "seq": head.seq, "hash": head.hash.hex(), "check": _check(head)}
        with self.path.open("r+b", buffering=0) as file:
            file.write(json.dumps(said).encode().ljust(_BYTES - 1) + b"\n")


def _parse(content: bytes) -> Head | None:
    try:
        said = json.loads(content)
        head = Head(int(said["seq"]), bytes.fromhex(said["hash"]))
        return head if said["check"] == _check(head) else None
    except (ValueError, KeyError, TypeError):
        return None


def _check(head: Head) -> str:
    return sha256(b"%d %s" % (head.seq, head.hash)).hexdigest()[:16]
