"""Writing the journal, reading it, and telling whether it is as it was written."""

import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Final

from mimir_py.errors import BrokenSeal, InvalidInput
from mimir_py.journal import chain, store
from mimir_py.journal.following import CHAIN, Following
from mimir_py.journal.head import HeadFile
from mimir_py.journal.models import AUDIT, GENESIS, Entry, Filter, Head, Recorded, Verdict
from mimir_py.limits import Limits, check_name
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.values import Clock, IdSource, UnixMs

logger = logging.getLogger("mimir")

Report = Callable[[int, int | None, str], Awaitable[None]]

MOST_PAYLOAD_BYTES: Final = 65_536
_NAMES: Final = ("event_type", "category", "key", "entity_id", "agent_id", "workspace_hash")
_PAYLOADS: Final = ("evaluated", "acted", "forward")
_CHAINED_AT_ONCE: Final = 2_000


class Journal:
    """The room's door."""

    def __init__(self, database: Database, limits: Limits, clock: Clock, new_id: IdSource) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock
        self._new_id = new_id
        self._outside = HeadFile(database.path)

    def append(
        self, tx: Writer, entry: Entry, *, id: str | None = None, at: UnixMs | None = None
    ) -> Recorded:
        """Add an entry in the transaction of what it records; both become durable, or neither.

        `id` and `at` are those of an entry that comes from another journal.
        """
        before = store.head(tx)
        recorded = Recorded(
            before.seq + 1,
            self._new_id("jrn") if id is None else id,
            self._clock() if at is None else at,
            entry,
        )
        salts, commitments = chain.commit([getattr(entry, name) for name in chain.FIELDS])
        hash = chain.entry_hash(
            before.hash,
            recorded.seq,
            recorded.created_at_unix_ms,
            entry.kind.encode(),
            recorded.id.encode(),
            commitments,
            tx.subkey(CHAIN),
        )
        store.insert(tx, recorded, salts, commitments, hash)
        if before == GENESIS:
            # Without a file at all, nobody could tell a crash now from a file that was deleted.
            self._outside.create()
        tx.after_commit(self._carry_on)
        return recorded

    def erase(self, tx: Writer, seqs: Iterable[int]) -> int:
        """Delete what entries say and keep that they were; how many were not erased before.

        An audit entry records it. Time, kind, agent and workspace stay.
        """
        erased = []
        for seq in sorted(set(seqs)):
            salts, commitments = store.to_erase(tx, seq)
            left, left_salts = chain.erase(salts, commitments)
            if left_salts != salts:
                store.replace_fields(tx, seq, left, left_salts)
                erased.append(seq)
        if erased:
            self.append(tx, chain.erase_record(erased))
        return len(erased)

    def erase_about(
        self, tx: Writer, entity_id: str, category: str, key: str, workspace_hash: str
    ) -> int:
        """Erase the entries that name a memory; how many."""
        return self.erase(tx, self.about(tx, entity_id, (category, key, workspace_hash)))

    def about(self, reader: Reader, entity_id: str, name: tuple[str, str, str] | None) -> set[int]:
        """Numbers of the entries that name a memory, by id or by (category, key, workspace)."""
        named = [] if name is None else store.about_name(reader, *name)
        return {*store.about_entity(reader, entity_id), *named}

    def known(self, reader: Reader, ids: Sequence[str]) -> set[str]:
        """Those of the ids that entries have."""
        return store.known_ids(reader, ids)

    async def record(self, entry: Entry) -> Recorded:
        """Add an entry by itself and return once it is durable.

        Raises:
            InvalidInput: a name or payload is over its limit; nothing was written.
        """
        for name in _NAMES:
            check_name(name, getattr(entry, name), self._limits.name_bytes)
        for name in _PAYLOADS:
            size = len(getattr(entry, f"{name}_json").encode())
            if size > MOST_PAYLOAD_BYTES:
                raise InvalidInput(name, f"is {size} bytes; the limit is {MOST_PAYLOAD_BYTES}")
        return await self._database.write(lambda tx: self.append(tx, entry))

    async def timeline(self, wanted: Filter, limit: int, offset: int) -> list[Recorded]:
        """Entries, the newest first."""
        return await self._database.read(
            partial(store.page, wanted=wanted, limit=limit, offset=offset)
        )

    async def times_after(self, seq: int) -> list[UnixMs]:
        """When the entries after one were made."""
        return await self._database.read(partial(store.times_after, after=seq))

    async def verify(self, report: Report | None = None) -> Verdict:
        """Follow the whole chain and compare its end with the head outside."""
        # Read first: what is written meanwhile can only make the chain longer than it says.
        outside = self._outside.read()
        total = (await self._database.read(store.head)).seq
        following = Following(outside, total)
        while not following.done:
            try:
                await self._database.read(following.step)
            except BrokenSeal as broken:
                following.stop_at(broken)
            if report is not None:
                await report(following.entries, total, "entries verified")
        return await self._database.read(following.verdict)

    async def accept(self, why: str) -> Head:
        """Make the journal's present end the one that counts, whatever the head outside says.

        For whoever put an older store back on purpose. That it was done becomes an entry.
        """
        known = self._outside.read()
        self._outside.create()

        def work(tx: Writer) -> None:
            was = None if known is None else {"seq": known.seq, "hash": known.hash.hex()}
            acted = json.dumps({"why": why, "was": was}, ensure_ascii=False)
            self.append(tx, Entry("accept_head", kind=AUDIT, acted_json=acted))
            tx.after_commit(self._start_over)

        await self._database.write(work)
        return await self._database.read(store.head)

    def _carry_on(self, reader: Reader) -> None:
        """Move the head outside on to the last entry, if the chain goes on from where it is.

        Else it stays: it is the evidence that the store was rolled back.
        """
        known = self._outside.read()
        if known is not None and store.hash_at(reader, known.seq) == known.hash:
            self._start_over(reader)

    def _start_over(self, reader: Reader) -> None:
        try:
            self._outside.create()
            self._outside.write(store.head(reader))
        except OSError as error:
            # The entry is in; a head that stays behind is told from one that is ahead.
            logger.warning("the head of the journal could not be kept outside: %s", error)


def rechain(tx: Writer) -> None:
    """Chain the entries of a copied store under that store's own key.

    Whoever copies it has verified the chain it comes from; the head outside is to be accepted.
    """
    before, key = GENESIS.hash, tx.subkey(CHAIN)
    after = GENESIS.seq
    while rows := store.slice_after(tx, after, _CHAINED_AT_ONCE):
        for seq, created_at, kind, id, commitments, *_ in rows:
            before = chain.entry_hash(before, seq, created_at, kind, id, commitments, key)
            tx.update_row("journal", seq, {"hash": before})
            after = seq
