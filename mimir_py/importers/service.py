"""Bringing the whole of another program's store into this one, and looking whether it is all here.

Everything is a slice at a time under its own id, so a migration that was cut short goes on where it
was, and one that was done changes nothing.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from mimir_py.config import Settings
from mimir_py.entities import store as entity_store
from mimir_py.errors import DiskFull, MimirError, StoreBusy
from mimir_py.graph import store as graph_store
from mimir_py.importers.models import Migrated
from mimir_py.importers.rust.reading import Problems, Reading, Told
from mimir_py.importers.rust.records import as_content, with_bodies
from mimir_py.importers.rust.store import open_old_store
from mimir_py.journal import Entry, Journal
from mimir_py.limits import Limits
from mimir_py.security import Trust
from mimir_py.security.keys import from_key_file
from mimir_py.state import store as state_store
from mimir_py.state.models import Slot
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.values import GLOBAL_WORKSPACE, Clock, UnixMs
from mimir_py.vault import Vault, Version
from mimir_py.vault import store as vault_store

__all__ = ["Migrated", "Migrations", "file_key"]

Report = Callable[[int, int | None, str], Awaitable[None]]

# What one program has stored, the other takes: limits are for what agents write.
_UNLIMITED: Final = Limits(2**40, 2**40, 2**40)
_CHECKED_AT_ONCE: Final = 500


class Migrations:
    """The room's door."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        journal: Journal,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._database = database
        self._vault = vault
        self._journal = journal
        self._clock = clock
        self._settings = settings

    def now(self) -> UnixMs:
        return self._clock()

    async def migrate(
        self, source: Path, *, most: Trust, report: Report, key: bytes | None = None
    ) -> Migrated:
        """Copy a store of the Rust program into this one; embedding is queued.

        `most` is the most its memories are trusted; `key` opens its encrypted texts, by default the
        key file of this store. The source is only read.

        Raises:
            NotFound, ForeignStore: it is no file, or no database.
            StorageError: it cannot be read.
            KeyRefused: its texts are encrypted, and the key does not open them.
        """
        try:
            with open_old_store(source, self._database.engine) as old:
                reading = Reading(old, key or file_key(self._settings), most)
                return await self._migrate(reading, report)
        except (DiskFull, StoreBusy):
            # Of this store: the source is only read.
            raise
        except MimirError as error:
            if str(source) in str(error):
                raise
            raise type(error)(f"{source}: {error}") from None

    async def _migrate(self, reading: Reading, report: Report) -> Migrated:
        done, problems = Migrated(total=reading.total), Problems()

        async def memories_done(count: int) -> None:
            await report(count, done.total, "memories copied")

        imported = await self._vault.import_records(
            reading.memories(problems),
            limits=_UNLIMITED,
            mend=with_bodies,
            report=memories_done,
        )
        done.created, done.updated = imported.created, imported.replaced
        done.unchanged = imported.unchanged
        problems.lost |= imported.refused
        for versions in reading.lost_versions(problems):
            await self._database.write_slice(lambda tx, v=versions: _add_versions(tx, v))  # type: ignore[misc]  # mypy cannot infer a default argument
        await self._copy_journal(reading, problems, done)
        await self._copy_state(reading, problems, done)
        await self._copy_communities(reading, problems, done)
        await self._check(reading, problems, done, report)
        done.errors = problems.listed()
        return done

    async def _copy_journal(self, reading: Reading, problems: Problems, done: Migrated) -> None:
        for entries in reading.journal(problems):
            done.journal_entries += await self._database.write_slice(
                lambda tx, e=entries: self._add_entries(tx, e)  # type: ignore[misc]  # as above
            )

    def _add_entries(self, tx: Writer, entries: Sequence[tuple[str, UnixMs, Entry]]) -> int:
        known = self._journal.known(tx, [id for id, _, _ in entries])
        fresh = [entry for entry in entries if entry[0] not in known]
        for id, at, entry in fresh:
            self._journal.append(tx, entry, id=id, at=at)
        return len(fresh)

    async def _copy_state(self, reading: Reading, problems: Problems, done: Migrated) -> None:
        values = list(reading.state(problems))

        def work(tx: Writer) -> None:
            now = self._clock()
            for key, value, ends, at in values:
                slot = Slot(key, GLOBAL_WORKSPACE, "")
                held = state_store.held_in(tx, slot, now)
                if held is not None and held.value_json != value:
                    problems.lost[f"state {key}"] = "another value is set under this key here"
                elif held is None and (ends is None or ends > now):
                    state_store.put(tx, slot, value, ends, at)
                    done.state_values += 1

        if values:
            await self._database.write(work)

    async def _copy_communities(self, reading: Reading, problems: Problems, done: Migrated) -> None:
        found: dict[str, list[graph_store.Community]] = {}
        for row in reading.communities(problems):
            one = graph_store.Community(**row)
            found.setdefault(one.workspace_hash, []).append(one)

        def work(tx: Writer) -> None:
            for workspace, communities in found.items():
                # They are made from links: where they have been made here, those hold.
                if not graph_store.communities(tx, workspace):
                    graph_store.replace_communities(tx, workspace, communities)
                    done.communities += len(communities)

        if found:
            await self._database.write(work)

    async def _check(
        self, reading: Reading, problems: Problems, done: Migrated, report: Report
    ) -> None:
        """Read the source again and look for every text of it in the store."""
        again, part, looked = Problems(), list[Told](), 0
        for told in reading.texts(again):
            if told.id in problems.lost:
                continue
            part.append(told)
            if len(part) == _CHECKED_AT_ONCE:
                await self._check_part(part, problems, done)
                looked += len(part)
                await report(looked, done.total, "memories compared")
                part = []
        await self._check_part(part, problems, done)
        for versions in reading.lost_versions(again):
            said = {one.history_id: one.entity.body_json for one in versions}
            await self._check_versions(said, problems, done)

    async def _check_part(self, part: Sequence[Told], problems: Problems, done: Migrated) -> None:
        ids = [told.id for told in part]

        def look(reader: Reader) -> dict[str, set[str]]:
            said = {id: {text} for id, text in vault_store.texts_of(reader, ids).items()}
            here = [one for one in part if one.id in said]
            others = [one.id for one in here if not _is_among(one.text, said[one.id])]
            for id, versions in vault_store.history_of(reader, others).items():
                said[id] |= {version.body_json for _, version in versions}
            return said

        said = await self._database.read(look)
        here: dict[str, str] = {}
        for told in part:
            if told.id not in said:
                problems.lost[told.id] = (
                    f"not stored: another memory has the name {told.category}/{told.key}"
                )
            elif not _is_among(told.text, said[told.id]):
                problems.lost[told.id] = "not stored: this memory was changed here since"
            else:
                here |= told.versions
                continue
            done.missing += 1
        await self._check_versions(here, problems, done)

    async def _check_versions(
        self, versions: Mapping[str, str], problems: Problems, done: Migrated
    ) -> None:
        known = await self._database.read(lambda r: vault_store.versions_by_id(r, list(versions)))
        for history_id, text in versions.items():
            if history_id in problems.lost:
                continue
            if history_id in known and _is_among(text, (known[history_id],)):
                done.versions += 1
            else:
                done.missing += 1
                problems.lost[history_id] = "this version was not stored"


def _is_among(text: str, stored: Collection[str]) -> bool:
    """Whether one of some bodies is a text of the source, or holds it as its content."""
    return text in stored or as_content(text) in stored


def file_key(settings: Settings) -> bytes | None:
    """The key that `--encryption-key` names: key files of the Rust program are like ours.

    Raises:
        KeyRefused: the file holds none.
    """
    if settings.encryption_key is None:
        return None
    return from_key_file(settings.encryption_key).value


def _add_versions(tx: Writer, versions: Sequence[Version]) -> None:
    known = vault_store.known_versions(tx, [version.history_id for version in versions])
    for version in versions:
        if version.history_id not in known:
            entity_store.insert_version(tx, version.history_id, version.entity)
