"""Following a chain through a store, open or not, a slice at a time."""

from pathlib import Path
from typing import Final

from mimir_py.errors import BrokenSeal
from mimir_py.journal import chain, store
from mimir_py.journal.head import HeadFile
from mimir_py.journal.models import GENESIS, Fault, Head, Verdict
from mimir_py.storage.engine import Engine
from mimir_py.storage.rows import Reader
from mimir_py.storage.sealing import Unlock
from mimir_py.storage.verify import readable

# What the key of a sealed store's chain is derived for.
CHAIN: Final = "journal chain"
_SLICE: Final = 2_000


class Following:
    """One pass over a chain of `total` entries; `outside` is the head kept outside the store."""

    def __init__(self, outside: Head | None, total: int) -> None:
        # The file is made with the first entry.
        self._outside = GENESIS if outside is None and total == 0 else outside
        self._walk: chain.Walk | None = None
        self._limit = _SLICE
        self._fault: Fault | None = None
        self.done = False

    @property
    def entries(self) -> int:
        """How many entries were followed."""
        return 0 if self._walk is None else self._walk.head.seq

    def step(self, reader: Reader) -> None:
        """Follow the next entries.

        Raises:
            BrokenSeal: one of them does not open; `stop_at` it.
        """
        if self._walk is None:
            self._walk = chain.Walk(reader.subkey(CHAIN))
        rows = store.slice_after(reader, self.entries, self._limit)
        self._fault = self._walk.follow(rows)
        self.done = self._fault is not None or not rows

    def stop_at(self, broken: BrokenSeal) -> None:
        """Somewhere in the slice: one by one, the last read is the last that opens."""
        if self._limit == 1:
            self._fault = Fault(self.entries + 1, f"its seal does not open it: {broken}")
            self.done = True
        self._limit = 1

    def verdict(self, reader: Reader) -> Verdict:
        """What was found, once done."""
        assert self._walk is not None
        outside = self._outside
        held = store.hash_at(reader, GENESIS.seq if outside is None else outside.seq)
        return Verdict(
            self._walk.head,
            len(self._walk.erased),
            _compared(outside, held, self._walk.head),
            self._fault or self._walk.end(outside, held),
        )


def verify_file(path: Path, engine: Engine, unlock: Unlock | None, *, has_head: bool) -> Verdict:
    """Follow the chain in a file that nothing changes; `unlock` is for a sealed one.

    With `has_head` its head is kept beside it, and must be there; a backup has none.

    Raises:
        KeyRefused: the key does not open it.
        BrokenCopy: it cannot be read.
    """
    outside = HeadFile(path).read() if has_head else GENESIS
    with readable(path, engine, unlock) as read:
        following = Following(outside, read(store.head).seq)
        while not following.done:
            try:
                read(following.step)
            except BrokenSeal as broken:
                following.stop_at(broken)
        return read(following.verdict)


def _compared(outside: Head | None, held: bytes | None, head: Head) -> str:
    """How the head outside stands to a chain that ends in `head`, in one word."""
    if outside is None:
        return "missing"
    if outside.seq > head.seq:
        return "ahead"
    if outside.hash != held:
        return "differs"
    return "agrees" if outside.seq == head.seq else "behind"
