"""Reading files into memories, each file only when it is not as it was."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from mimir_py.config import Settings
from mimir_py.documents import folders, store
from mimir_py.documents.folders import Place
from mimir_py.documents.looks import Looks
from mimir_py.documents.models import FORGOTTEN, UNCHANGED, Ingested, Stored, Wish
from mimir_py.documents.places import TYPE, body_json, key_of, keys_for, parts
from mimir_py.documents.store import Origin
from mimir_py.entities import Draft, Entity, Identity, Memories, Remembered
from mimir_py.entities import store as entity_store
from mimir_py.entities.models import CREATED, UPDATED
from mimir_py.errors import InvalidInput, TransferError
from mimir_py.limits import Limits
from mimir_py.parsing.kinds import KINDS, Kind, ending, kind_of
from mimir_py.parsing.models import Parsed, Unreadable
from mimir_py.parsing.process import Parser
from mimir_py.security import SecretsMode, Trust, clean_fields
from mimir_py.storage.database import Database, Reader, Writer

Report = Callable[[int, int | None, str], Awaitable[None]]

_SHORTER: Final = "the file is shorter now"
_IMPORTANCE: Final = 1.0
# Of a longer memory a search reads and ranks too much that does not answer.
_PART_BYTES: Final = 65_536


@dataclass(frozen=True)
class _Found:
    """The name of a file's memory, and what is stored under it."""

    key: str
    held: Entity | None = None
    origin: Origin | None = None
    is_whole: bool = False


class Documents:
    """The room's door."""

    def __init__(
        self, database: Database, memories: Memories, limits: Limits, settings: Settings
    ) -> None:
        self._database = database
        self._memories = memories
        self._part_bytes = min(limits.body_bytes, _PART_BYTES)
        self._roots = folders.usual_roots(settings.ingest_roots, Path.cwd(), Path.home())
        self._most_bytes = settings.max_ingest_bytes
        self._secrets = SecretsMode(settings.secrets)

    async def ingest_file(self, path: str, wish: Wish) -> Stored:
        """Remember what a file says, again if need be.

        Raises:
            InvalidInput: it is in no allowed folder, or cannot be read; says why.
        """
        place = await asyncio.to_thread(folders.place_of, path, self._roots)
        try:
            async with Parser() as parser:
                stored, _ = await self._take(place, replace(wish, again=True), parser)
        except TransferError as error:
            raise InvalidInput("path", str(error).removeprefix(f"{place.path}: ")) from None
        if stored is None:
            raise InvalidInput("path", "holds no text")
        return stored

    async def ingest(
        self,
        places: Sequence[Place],
        wish: Wish,
        report: Report,
        looks: Looks | None = None,
    ) -> Ingested:
        """Remember the files in some folders; one that cannot be read does not stop the others.

        With `looks`, those that are as they were when they were looked at last are not even opened.
        """
        done = Ingested()
        listed = await asyncio.to_thread(lambda: list(_listed(places, done.problems)))
        async with Parser() as parser:
            for number, (place, names) in enumerate(listed, start=1):
                named = replace(wish, least_names=names)
                if looks is None:
                    await self._take_one(place, named, parser, done)
                else:
                    await self._look_at(place, named, parser, done, looks)
                await report(number, len(listed), place.names[-1])
        done.deleted = await self._deleted(places, wish.workspace)
        return done

    async def _look_at(
        self, place: Place, wish: Wish, parser: Parser, done: Ingested, looks: Looks
    ) -> None:
        stamp = await asyncio.to_thread(looks.stamp, place.path)
        if looks.is_known(place.path, stamp, done.problems):
            done.files += 1
            done.unchanged += str(place.path) not in done.problems
            return
        await self._take_one(place, wish, parser, done)
        if not wish.dry_run:
            looks.note(place.path, stamp, done.problems)

    async def _take_one(self, place: Place, wish: Wish, parser: Parser, done: Ingested) -> None:
        if _kind(place, wish) is None:
            done.skipped += 1
            return
        done.files += 1
        try:
            stored, size = await self._take(place, wish, parser)
        except (TransferError, InvalidInput) as error:
            done.problems[str(place.path)] = str(error).removeprefix(f"{place.path}: ")
            return
        done.read_bytes += size
        if stored is None:
            done.skipped += 1
            return
        setattr(done, stored.action, getattr(done, stored.action) + 1)
        if stored.action in (UNCHANGED, FORGOTTEN) or wish.dry_run:
            return
        done.memories += stored.parts
        done.chars += stored.chars
        for _, kind, count in stored.secrets:
            done.secrets[kind] += count
        if stored.problems:
            done.problems[str(place.path)] = "; ".join(stored.problems)

    async def _take(self, place: Place, wish: Wish, parser: Parser) -> tuple[Stored | None, int]:
        """Remember a file; what became of it (`None`: it is empty), and how long it is in bytes."""
        kind = _kind(place, wish)
        if kind is None:
            raise _unsupported(place)
        content = await asyncio.to_thread(folders.content, place, self._most_bytes)
        if not content.strip():
            return None, len(content)
        digest = hashlib.sha256(content).hexdigest()
        path = self._cleaned({"source_path": str(place.path)})[0]["source_path"]
        found = await self._database.read(lambda reader: _find(reader, path, wish))
        if found.is_whole and found.origin is not None and found.held is not None:
            held = found.held
            if not wish.again and found.origin.content_hash == digest:
                action = FORGOTTEN if held.archived else UNCHANGED
                stored = Stored(held.id, action, held.category, held.key, path)
                return stored, len(content)
        if wish.dry_run:
            is_new = found.held is None or found.held.archived
            action = CREATED if is_new else UPDATED
            return Stored("", action, wish.category, found.key, path), len(content)
        try:
            parsed = await parser.read(kind, content)
        except Unreadable as refusal:
            raise TransferError(f"{place.path}: {refusal}") from None
        if not parsed.text.strip():
            return None, len(content)
        origin = Origin(path, digest, 0)
        return await self._store(parsed, kind, origin, replace(wish, key=found.key)), len(content)

    async def _store(self, parsed: Parsed, kind: Kind, origin: Origin, wish: Wish) -> Stored:
        given = {"content": parsed.text, "key": wish.key, "category": wish.category}
        words, secrets = self._cleaned({**given, "tags": list(wish.tags or ())})
        pieces = list(parts(words["content"], kind, origin.path, self._part_bytes))
        tags = None if wish.tags is None else tuple(words["tags"])
        if wish.endings is not None:
            tags = (f"ext:{ending(origin.path)}",)
        first: Remembered | None = None
        pending = 0
        for number, piece in enumerate(pieces, start=1):
            key = key_of(words["key"], number)
            draft = Draft(
                Identity(words["category"], key, wish.workspace),
                body_json(piece, kind, origin.path, wish.path_field),
                type=TYPE,
                tags=tags,
                importance=_IMPORTANCE,
                source=wish.source,
                id_prefix=wish.id_prefix,
                trust=Trust.FILE,
                is_distinct=True,
                embed_later=not wish.embed,
            )
            noted = replace(origin, parts=len(pieces) if number == 1 else 0)
            done = await self._memories.remember(draft, _noting(noted))
            first = first or done
            pending += done.pending_chunks
        assert first is not None
        await self._forget_rest(words["category"], words["key"], wish, origin, len(pieces))
        return Stored(
            first.id,
            first.action,
            first.category,
            first.key,
            origin.path,
            chars=len(words["content"]),
            parts=len(pieces),
            problems=parsed.problems,
            secrets=secrets,
            is_redacted=bool(secrets) and self._secrets is SecretsMode.REDACT,
            pending_chunks=pending,
        )

    async def _forget_rest(
        self, category: str, key: str, wish: Wish, origin: Origin, count: int
    ) -> None:
        """Forget parts beyond what the file has now."""
        while True:
            count += 1
            identity = Identity(category, key_of(key, count), wish.workspace)
            held, where = await self._database.read(partial(_held, identity=identity))
            if held is None or held.archived or where is None or where.path != origin.path:
                return
            place = [wish.workspace]
            await self._memories.forget(category, identity.key, _SHORTER, place, wish.source)

    async def _deleted(self, places: Sequence[Place], workspace: str) -> list[str]:
        """Paths of remembered files in some folders that are not there any more."""
        known = await self._database.read(store.live)
        folders_of = [place.path for place in places]

        def gone() -> list[str]:
            return sorted(
                path
                for path, _, _, where in known
                if where == workspace
                and any(Path(path).is_relative_to(folder) for folder in folders_of)
                and not os.path.lexists(path)
            )

        return await asyncio.to_thread(gone)

    def _cleaned(
        self, words: dict[str, Any]
    ) -> tuple[dict[str, Any], tuple[tuple[str, str, int], ...]]:
        """Words without the secrets in them, if they are to be taken out, and what was found."""
        if self._secrets is SecretsMode.OFF:
            return words, ()
        cleaned, found = clean_fields(words, tuple(words))
        listed = tuple((f.field, f.kind, f.count) for f in found)
        return words | (cleaned if self._secrets is SecretsMode.REDACT else {}), listed


def _listed(places: Sequence[Place], problems: dict[str, str]) -> Iterator[tuple[Place, int]]:
    """The files in some places, each once, with how many names tell it from the others there."""
    seen: set[Path] = set()
    for place in places:
        for found in folders.files(place, problems):
            if found.path not in seen:
                seen.add(found.path)
                yield found, len(found.names) - len(place.names) + 1


def _find(reader: Reader, path: str, wish: Wish) -> _Found:
    """The memory that a file has, else a name for it that no other memory has."""
    key = path.replace("\\", "-").replace("/", "-") if wish.is_keyed_by_path else wish.key
    if key is not None:
        return _under(reader, path, wish, key)
    free: str | None = None
    for count, key in enumerate(keys_for(path), start=1):
        held, where = _held(reader, Identity(wish.category, key, wish.workspace))
        if held is not None and where is not None and where.path == path:
            return _under(reader, path, wish, key)
        if held is None and free is None and count >= wish.least_names:
            free = key
    return _Found(path if free is None else free)


def _under(reader: Reader, path: str, wish: Wish, key: str) -> _Found:
    held, where = _held(reader, Identity(wish.category, key, wish.workspace))
    if held is None or where is None or where.path != path or where.parts < 1:
        return _Found(key, held)
    rest = (
        _held(reader, Identity(wish.category, key_of(key, number), wish.workspace))
        for number in range(2, where.parts + 1)
    )
    is_whole = all(
        part is not None and origin is not None and origin.content_hash == where.content_hash
        for part, origin in rest
    )
    return _Found(key, held, where, is_whole)


def _held(reader: Reader, identity: Identity) -> tuple[Entity | None, Origin | None]:
    """The memory of that name or other name, and the file it was read from."""
    held = entity_store.by_identity(reader, identity)
    if held is None:
        return entity_store.resolve_alias(reader, identity), None
    return held, store.origin(reader, held.row_id)


def _noting(origin: Origin) -> Callable[[Writer, Remembered], None]:
    def note(tx: Writer, remembered: Remembered) -> None:
        entity = entity_store.by_id(tx, remembered.id)
        assert entity is not None
        store.put(tx, entity.row_id, origin)

    return note


def _kind(place: Place, wish: Wish) -> Kind | None:
    """How a file is read; `None` if it is not. One whose ending is asked for is text, at least."""
    name = place.names[-1] if place.names else ""
    if wish.endings is None:
        return kind_of(name)
    is_wanted = any(name.endswith(ending) for ending in wish.endings)
    return (kind_of(name) or Kind.TEXT) if is_wanted else None


def _unsupported(place: Place) -> InvalidInput:
    name = place.names[-1] if place.names else str(place.path)
    what = f"of kind .{ending(name)}" if ending(name) else "without an ending that says its kind"
    return InvalidInput("path", f"is a file {what}; supported are: {' '.join(sorted(KINDS))}")
