"""Taking in what other memory programs keep: each under an id of its own, marked as theirs."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mimir_py.entities import Memories
from mimir_py.entities import store as entity_store
from mimir_py.entities.models import Entity
from mimir_py.errors import InvalidInput
from mimir_py.importers.formats import FORMATS, Source
from mimir_py.importers.formats.models import entity
from mimir_py.storage.database import Database
from mimir_py.values import GLOBAL_WORKSPACE, Clock
from mimir_py.vault import Record, Vault

Report = Callable[[int], Awaitable[None]]

_LOOKED_UP: Final = 500
_UNDONE: Final = "import undone"


@dataclass
class Taken:
    """What came of an import: counts, what was found by category, and problems by place or id."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    undone: int = 0
    secrets: dict[str, int] = field(default_factory=dict)
    categories: dict[str, int] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


class Imports:
    """The room's door."""

    def __init__(self, database: Database, vault: Vault, memories: Memories, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._memories = memories
        self._clock = clock

    async def take(
        self, name: str, path: Path, *, workspace: str = GLOBAL_WORKSPACE, report: Report
    ) -> Taken:
        """Store what a file or folder of the program `name` holds; embedding is queued.

        Doing it again changes nothing; what changed there since becomes a new version here. What
        was forgotten here stays forgotten.

        Raises:
            InvalidInput: there is no such program.
            TransferError, ForeignStore: the whole source cannot be read; nothing was stored.
        """
        taken, source = Taken(), self._source(name, path)
        records = (Record(found) for found in self._read(name, source, workspace, taken))
        imported = await self._vault.import_records(records, report=report)
        taken.created, taken.updated = imported.created, imported.replaced
        taken.unchanged = imported.unchanged
        taken.secrets = dict(imported.secrets)
        taken.problems = {**source.problems, **imported.refused}
        for named in imported.conflicts:
            taken.problems[named] = "another memory has its name here, or was changed here since"
        return taken

    async def look(self, name: str, path: Path, *, workspace: str = GLOBAL_WORKSPACE) -> Taken:
        """What `take` would do, as far as reading tells: nothing is stored."""
        taken, source = Taken(), self._source(name, path)
        for found, stored in await self._paired(name, source, workspace, taken):
            if stored is None:
                taken.created += 1
            elif stored.body_json == found.body_json:
                taken.unchanged += 1
            else:
                taken.updated += 1
        taken.problems = source.problems
        return taken

    async def undo(self, name: str, path: Path, *, workspace: str = GLOBAL_WORKSPACE) -> Taken:
        """Forget what was taken from a file or folder; purging erases it."""
        taken, source = Taken(), self._source(name, path)
        for _, stored in await self._paired(name, source, workspace, taken):
            if stored is None or stored.archived or stored.source != f"import:{name}":
                continue
            await self._memories.forget(
                stored.category, stored.key, _UNDONE, [stored.workspace_hash]
            )
            taken.undone += 1
        taken.problems = source.problems
        return taken

    def _source(self, name: str, path: Path) -> Source:
        if name not in FORMATS:
            raise InvalidInput("from", f"is {name!r}; it must be one of {', '.join(FORMATS)}")
        return Source(path, self._database.engine)

    def _read(self, name: str, source: Source, workspace: str, taken: Taken) -> Iterator[Entity]:
        now, used = self._clock(), dict[tuple[str, str, str], str]()
        for found in FORMATS[name](source):
            place = workspace if found.workspace is None else found.workspace
            key, copies = found.key, 1
            # Two of theirs may be called the same; each is found again under the same name.
            while used.setdefault((found.category, key, place), found.source_id) != found.source_id:
                copies += 1
                key = f"{found.key} ({copies})"
            made = entity(found, name, key, place, now)
            taken.categories[made.category] = taken.categories.get(made.category, 0) + 1
            yield made

    async def _paired(
        self, name: str, source: Source, workspace: str, taken: Taken
    ) -> list[tuple[Entity, Entity | None]]:
        """What is found, with what is stored under its id."""
        found = list(self._read(name, source, workspace, taken))
        pairs: list[tuple[Entity, Entity | None]] = []
        for start in range(0, len(found), _LOOKED_UP):
            part = found[start : start + _LOOKED_UP]
            ids = [one.id for one in part]
            stored = await self._database.read(lambda r, i=ids: entity_store.by_ids(r, i))  # type: ignore[misc]  # mypy cannot infer a default argument
            pairs += [(one, stored.get(one.id)) for one in part]
        return pairs
