"""Taking in what other memory programs keep: each under an id of its own, marked as theirs."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mimir_py.entities.models import Entity
from mimir_py.errors import InvalidInput
from mimir_py.importers.formats import FORMATS, Source
from mimir_py.importers.formats.models import entity
from mimir_py.quality import Since, Undo
from mimir_py.storage.database import Database
from mimir_py.values import GLOBAL_WORKSPACE, Clock
from mimir_py.vault import Imported, Record, Vault

Report = Callable[[int], Awaitable[None]]
Bring = Callable[[Iterator[Record]], Awaitable[Imported]]


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

    def __init__(self, database: Database, vault: Vault, undo: Undo, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._undo = undo
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

        async def bring(records: Iterator[Record]) -> Imported:
            origin = _source_of(name)
            return await self._vault.import_records(records, report=report, origin=origin)

        return await self._brought(name, path, workspace, bring)

    async def look(self, name: str, path: Path, *, workspace: str = GLOBAL_WORKSPACE) -> Taken:
        """What `take` would do: the same is read and decided, and nothing stored."""
        return await self._brought(name, path, workspace, self._vault.plan_records)

    async def undo(
        self, name: str, path: Path | None = None, *, workspace: str = GLOBAL_WORKSPACE
    ) -> Taken:
        """Forget what was taken from a file or folder, or from any of that program.

        What was edited here since stays. Purging erases what is forgotten.
        """
        taken, source, only = Taken(), self._source(name, path or Path()), None
        if path is not None:
            only = {found.id for found in self._read(name, source, workspace, taken)}
            taken.problems = source.problems
        whole = Since(_source_of(name), 0)
        plan, _ = await self._undo.take_back(whole, None, only=only, dry_run=False)
        taken.undone = plan.total
        return taken

    async def _brought(self, name: str, path: Path, workspace: str, bring: Bring) -> Taken:
        taken, source = Taken(), self._source(name, path)
        records = (Record(found) for found in self._read(name, source, workspace, taken))
        imported = await bring(records)
        taken.created, taken.updated = imported.created, imported.replaced
        taken.unchanged = imported.unchanged
        taken.secrets = dict(imported.secrets)
        taken.problems = {**source.problems, **imported.refused}
        for named in imported.conflicts:
            taken.problems[named] = "another memory has its name here, or was changed here since"
        return taken

    def _source(self, name: str, path: Path) -> Source:
        if name not in FORMATS:
            raise InvalidInput("from", f"is {name!r}; it must be one of {', '.join(FORMATS)}")
        return Source(path, self._database.engine)

    def _read(self, name: str, source: Source, workspace: str, taken: Taken) -> Iterator[Entity]:
        now, used = self._clock(), dict[tuple[str, str, str], str]()
        seen: set[str] = set()
        for found in FORMATS[name](source):
            place = workspace if found.workspace is None else found.workspace
            key, copies = found.key, 1
            # Two of theirs may be called the same; each is found again under the same name.
            while used.setdefault((found.category, key, place), found.source_id) != found.source_id:
                copies += 1
                key = f"{found.key} ({copies})"
            made = entity(found, name, key, place, now)
            if made.id in seen:
                # A source may list one thing twice; a second import would not take it again.
                continue
            seen.add(made.id)
            taken.categories[made.category] = taken.categories.get(made.category, 0) + 1
            yield made


def _source_of(name: str) -> str:
    """What memories of a program say of where they are from."""
    return f"import:{name}"
