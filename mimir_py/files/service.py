"""Viewing, editing, deleting and renaming files."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from mimir_py.entities import Draft, Entity, Identity, Memories, Remembered
from mimir_py.entities import store as entity_store
from mimir_py.entities.auditing import audit
from mimir_py.entities.models import sound
from mimir_py.entities.text import load_json
from mimir_py.entities.writing import Rows
from mimir_py.errors import Conflict, InvalidInput, NotFound
from mimir_py.files import store
from mimir_py.files.paths import below, folders, of_file, shown
from mimir_py.journal import Journal
from mimir_py.limits import Limits, check_name
from mimir_py.security import Trust
from mimir_py.storage.database import Database, Reader, Writer
from mimir_py.values import Clock

CATEGORY: Final = "memories"
_SOURCE: Final = "memories-adapter"
_DELETED: Final = "memories: delete command"
_RENAMED: Final = "memories: renamed"

Edit = Callable[[str], str]


@dataclass(frozen=True)
class File:
    """A file: the id of its memory, and what it says."""

    id: str
    path: str
    text: str


@dataclass(frozen=True)
class Directory:
    """What is in a directory at any depth: paths of files and of directories, sorted."""

    path: str
    files: list[str]
    directories: list[str]


class Files:
    """The room's door. Paths are those of `paths.normalised`."""

    def __init__(
        self,
        database: Database,
        memories: Memories,
        rows: Rows,
        journal: Journal,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._database = database
        self._memories = memories
        self._rows = rows
        self._journal = journal
        self._limits = limits
        self._clock = clock

    async def view(self, path: str, workspace: str) -> File | Directory:
        """A file, or what is in a directory; the root may be empty.

        Raises:
            NotFound: there is neither.
            DamagedStore: its text changed on the disk.
        """

        def look(reader: Reader) -> File | Directory:
            held = _held(reader, path, workspace) if path else None
            if held is not None:
                return File(held.id, path, _text(held))
            inside = _inside(reader, path, workspace)
            if path and not inside:
                raise _not_found(path)
            all_folders = {folder for file in inside for folder in folders(file)}
            return Directory(path, inside, sorted(f for f in all_folders if below(f, path)))

        return await self._database.read(look)

    async def create(self, path: str, text: str, workspace: str, trust: Trust) -> None:
        """Write a file, over one that is there.

        Raises:
            InvalidInput: it is a directory, or inside a file, or over a limit.
        """
        check_name("path", path, self._limits.name_bytes)

        def check(tx: Writer, _: Remembered) -> None:
            _refuse_mixture(tx, path, workspace)

        await self._memories.remember(_draft(path, text, workspace, trust), check)

    async def edit(self, path: str, edit: Edit, workspace: str, trust: Trust) -> None:
        """Change what a file says; nobody else's edit is lost.

        Raises:
            NotFound: there is no such file.
            InvalidInput: the edit refuses the text, or the result is over the limit.
        """
        while True:
            held = await self._database.read(partial(_held, path=path, workspace=workspace))
            if held is None:
                raise _not_found(path)
            draft = _draft(path, edit(_text(held)), workspace, trust)
            try:
                await self._memories.remember(draft, partial(_check_same, held))
            except _Overtaken:
                continue
            return

    async def delete(self, path: str, workspace: str) -> int:
        """Forget a file, or everything in a directory; how many files.

        Raises:
            NotFound: there is neither.
        """

        def work(tx: Writer) -> int:
            found = _files_of(tx, path, workspace)
            for entity in found:
                self._rows.settle_aliases(tx, entity)
                entity_store.archive(tx, entity, _DELETED, self._clock())
                self._note(tx, "forget", entity, {"reason": _DELETED, "source": _SOURCE})
            return len(found)

        return await self._database.write(work)

    async def rename(self, old: str, new: str, workspace: str) -> int:
        """Give a file or directory another path; how many files. Their versions go with them.

        Raises:
            NotFound: there is neither.
            InvalidInput: there is something at the new path, or it is inside the old one.
        """

        def work(tx: Writer) -> int:
            found = _files_of(tx, old, workspace)
            if below(new, old):
                raise InvalidInput("new_path", f"{shown(new)} is inside {shown(old)}")
            if _held(tx, new, workspace) is not None or _inside(tx, new, workspace):
                raise InvalidInput("new_path", f"the destination {shown(new)} already exists")
            for entity in found:
                path = new + entity.key.removeprefix(old)
                check_name("new_path", path, self._limits.name_bytes)
                identity = Identity(CATEGORY, path, workspace)
                renamed = self._rows.rename(tx, entity, identity, _RENAMED, self._clock())
                said = {"from": entity.key, "to": path, "history_id": renamed.supersedes}
                self._note(tx, "rename", renamed, {**said, "source": _SOURCE})
            _refuse_mixture(tx, new, workspace, is_file=found[0].key == old)
            return len(found)

        return await self._database.write(work)

    def _note(self, tx: Writer, what: str, entity: Entity, acted: dict[str, str]) -> None:
        self._journal.append(tx, audit(what, entity, acted))


class _Overtaken(Conflict):
    """Somebody else edited the file in the meantime."""


def _check_same(held: Entity, tx: Writer, remembered: Remembered) -> None:
    """Refuse to take the place of another text than the one that was edited."""
    now = entity_store.by_id(tx, remembered.id)
    assert now is not None
    before = held.body_json
    if now.supersedes != held.supersedes:
        before = store.version_body(tx, now.supersedes) or ""
    if remembered.id != held.id or before != held.body_json:
        raise _Overtaken(f"{shown(held.key)} was edited in the meantime")


def _held(reader: Reader, path: str, workspace: str) -> Entity | None:
    held = entity_store.by_identity(reader, Identity(CATEGORY, path, workspace))
    return None if held is None or held.archived else held


def _inside(reader: Reader, directory: str, workspace: str) -> list[str]:
    return [p for p in store.paths(reader, CATEGORY, workspace) if below(p, directory)]


def _files_of(reader: Reader, path: str, workspace: str) -> list[Entity]:
    """The file of that path, or all in the directory.

    Raises:
        NotFound: there is neither.
    """
    held = _held(reader, path, workspace)
    found = [held] if held is not None else []
    for inner in [] if found else _inside(reader, path, workspace):
        entity = _held(reader, inner, workspace)
        assert entity is not None
        found.append(entity)
    if not found:
        raise _not_found(path)
    return found


def _refuse_mixture(reader: Reader, path: str, workspace: str, *, is_file: bool = True) -> None:
    """Refuse a file that is a directory, or is inside a file."""
    for folder in folders(path):
        if _held(reader, folder, workspace) is not None:
            raise InvalidInput("path", f"{shown(folder)} is a file, not a directory")
    if is_file and any(inner != path for inner in _inside(reader, path, workspace)):
        raise InvalidInput("path", f"{shown(path)} is a directory")


def _text(entity: Entity) -> str:
    """What a file says; of a memory that was not written as one, its text or its JSON."""
    body = load_json(sound(entity).body_json)
    if isinstance(body, dict) and list(body) == ["content"]:
        body = body["content"]
    return body if isinstance(body, str) else entity.body_json


def _draft(path: str, text: str, workspace: str, trust: Trust) -> Draft:
    return Draft(
        Identity(CATEGORY, of_file(path), workspace),
        json.dumps({"content": text}, ensure_ascii=False),
        type="file",
        tags=(CATEGORY,),
        layer="working",
        source=_SOURCE,
        trust=trust,
        id_prefix="memf",
        is_distinct=True,
    )


def _not_found(path: str) -> NotFound:
    return NotFound(f'file not found: {shown(path)}. The path "" lists all files')
