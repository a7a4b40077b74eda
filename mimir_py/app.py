"""The composition root: opens every resource, builds every room, lists every tool.

The order of `open_app` is the order in which the house is built; leaving it closes in reverse.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from mimir_py import documents, graph, history, recall, upkeep
from mimir_py.config import Settings, find_store
from mimir_py.context import Contexts
from mimir_py.context import tools as context_tools
from mimir_py.documents import tools as document_tools
from mimir_py.embedding import Embedder, OnnxEmbedder
from mimir_py.entities import Memories
from mimir_py.entities import tools as entity_tools
from mimir_py.entities.writing import Rows
from mimir_py.errors import MimirError
from mimir_py.files import Files
from mimir_py.files import tools as file_tools
from mimir_py.graph import community_tools
from mimir_py.graph import tools as graph_tools
from mimir_py.history import tools as history_tools
from mimir_py.importers import Imports, Migrated, Migrations, Sharing, file_key
from mimir_py.importers import tools as importer_tools
from mimir_py.importers.takeover import take_over
from mimir_py.journal import Journal
from mimir_py.journal import tools as journal_tools
from mimir_py.journal.service import rechain
from mimir_py.lifecycle import Fading, Grooming, Lifecycle, fading_tools, grooming_tools
from mimir_py.lifecycle import tools as lifecycle_tools
from mimir_py.lifecycle.models import Within
from mimir_py.limits import Limits
from mimir_py.quality import Conflicts, Quality, Undo, conflict_tools, undo_tools
from mimir_py.quality import tools as quality_tools
from mimir_py.recall import tools as recall_tools
from mimir_py.retries import Retries, keyed
from mimir_py.security import SecretsMode, Trust, clean_fields
from mimir_py.security.unlocking import secret_of, unlocking
from mimir_py.state import State
from mimir_py.state import tools as state_tools
from mimir_py.storage.database import Database, Writer, open_database
from mimir_py.storage.engine import Engine, load_engine
from mimir_py.storage.files import is_rust_store
from mimir_py.storage.vectors import Vectors
from mimir_py.tooling import AnyTool, Call, Catalogue
from mimir_py.tooling.answer import MOST_NAME_CHARS, clipped, failure, fitted, size, success
from mimir_py.upkeep import tools as upkeep_tools
from mimir_py.values import Clock, IdSource, random_id, system_clock
from mimir_py.vault import Notes, Sync, Vault
from mimir_py.vault import tools as vault_tools
from mimir_py.workspaces import Workspaces
from mimir_py.workspaces import tools as workspace_tools

logger = logging.getLogger("mimir")

_QUEUE_CHECK_S: Final = 2.0
_QUEUE_RETRY_S: Final = 60.0
_GROOM_CHECK_S: Final = 60.0
_INDEX_CHECK_S: Final = 1.0
# Between two portions of loading while a call is running.
_ASIDE_S: Final = 0.02
_LAST_FLUSH_S: Final = 0.5
_MOST_IGNORED_NAMED: Final = 8
_MOST_FINDINGS: Final = 16
_REPLAY_BYTES: Final = size({"replayed": True, "partial": True})

CATALOGUE: Final = Catalogue(
    entity_tools.TOOLS
    + recall_tools.TOOLS
    + context_tools.TOOLS
    + graph_tools.TOOLS
    + community_tools.TOOLS
    + history_tools.TOOLS
    + quality_tools.TOOLS
    + conflict_tools.TOOLS
    + undo_tools.TOOLS
    + file_tools.TOOLS
    + document_tools.TOOLS
    + journal_tools.TOOLS
    + state_tools.TOOLS
    + workspace_tools.TOOLS
    + upkeep_tools.TOOLS
    + lifecycle_tools.TOOLS
    + fading_tools.TOOLS
    + importer_tools.TOOLS
    + grooming_tools.TOOLS
    + vault_tools.TOOLS
)


class App:
    """An open store and its rooms."""

    def __init__(
        self,
        database: Database,
        embedder: Embedder,
        query_embedder: Embedder,
        settings: Settings,
        clock: Clock,
        new_id: IdSource,
        *,
        background: bool = False,
    ) -> None:
        limits = Limits(settings.max_body_bytes, settings.max_key_bytes, settings.max_tags)
        vectors = Vectors(embedder.model, embedder.dimension, has_vec=database.has_vec)
        # Without tasks of our own nobody loads vectors but the search that needs them.
        dense = recall.DenseArm(vectors, patient=not background)
        self.database, self._dense = database, dense
        self.usage = recall.UsageLog(database, clock)
        self.journal = Journal(database, limits, clock, new_id)
        self.state = State(database, limits, clock)
        self.memories = Memories(database, vectors, embedder, self.journal, limits, clock, new_id)
        self.recall = recall.Recall(
            database,
            dense,
            query_embedder,
            self.usage,
            self.memories.echoes,
            clock,
            settings.exclude_categories,
            settings.ranking_file or recall.RANKING_FILE,
        )
        self.contexts = Contexts(database, self.recall)
        self.graph = graph.Graph(database, limits, clock)
        self.communities = graph.Communities(database, self.memories, clock)
        self.history = history.History(database, _history_bounds(settings), clock, new_id)
        self.quality = Quality(database, self.memories, self.journal, clock, new_id)
        rows = Rows(vectors, new_id)
        self.conflicts = Conflicts(database, vectors, rows, self.journal, clock)
        self.undo = Undo(database, embedder, rows, self.journal, clock, new_id)
        self.documents = documents.Documents(database, self.memories, limits, settings)
        self.watching = documents.Watching(self.documents, settings)
        self.files = Files(database, self.memories, rows, self.journal, limits, clock)
        self.workspaces = Workspaces(database)
        self.retries = Retries(database, clock)
        self.upkeep = upkeep.Upkeep(database, vectors, embedder, self.memories, dense, clock)
        self.maintenance = upkeep.Maintenance(database, self.upkeep, self.history)
        self.lifecycle = Lifecycle(database, vectors, self.journal, clock)
        self.fading = Fading(database, rows, self.history, self.journal, clock)
        self.grooming = Grooming(database, self.memories, self.fading, self.journal, clock)
        self._secrets = SecretsMode(settings.secrets)
        means = _Means(embedder, query_embedder, settings, clock, new_id)
        self._build_moving(vectors, limits, means)
        # A tool finds its room by its class.
        self._rooms: Mapping[type, object] = {type(room): room for room in vars(self).values()}
        self._running = 0

    def _build_moving(self, vectors: Vectors, limits: Limits, means: "_Means") -> None:
        """The rooms through which memories come and go."""
        database, journal = self.database, self.journal
        clock, new_id, settings = means.clock, means.new_id, means.settings
        seeks = self._secrets is not SecretsMode.OFF
        self.vault = Vault(
            database, vectors, self.upkeep, journal, limits, clock, new_id, seek_secrets=seeks
        )
        self.sharing = Sharing(
            database, self.vault, journal, settings, lambda other: App(other, *means).vault
        )
        self.imports = Imports(database, self.vault, Rows(vectors, new_id), journal, clock)
        self.migrations = Migrations(database, self.vault, journal, clock, settings)
        self.notes = Notes(self.vault.means)
        self.sync = Sync(database, self.journal, self.notes)

    async def call(
        self, tool: type[AnyTool], arguments: Mapping[str, Any], call: Call
    ) -> dict[str, Any]:
        """Run a tool and wrap what comes of it; a failure is an answer too.

        Raises:
            Exception: only what is no `MimirError`, for the door to report as its own.
        """
        try:
            return success(await self.run(tool, arguments, call))
        except MimirError as error:
            return failure(tool.spec.refusal(error), soft=tool.spec.soft_errors)

    async def run(
        self, tool: type[AnyTool], arguments: Mapping[str, Any], call: Call
    ) -> dict[str, Any]:
        """Run a tool and return its payload.

        Raises:
            MimirError: the tool refused or failed.
        """
        parsed, unknown = tool.parse(arguments)
        key = tool.idempotency_key(arguments)
        # Named by the caller, so of any number and length.
        unknown = [clipped(name, MOST_NAME_CHARS) for name in unknown[:_MOST_IGNORED_NAMED]]
        notes: dict[str, Any] = {"ignored_arguments": unknown} if unknown else {}
        if tool.spec.words and self._secrets is not SecretsMode.OFF:
            parsed = self._without_secrets(parsed, tool.spec.words, notes)
        if call.max_answer_bytes and (notes or key is not None):
            taken = size(notes) + (0 if key is None else _REPLAY_BYTES)
            call = replace(call, max_answer_bytes=call.max_answer_bytes - taken)
        running = partial(self._payload, parsed, call, notes)
        if key is None:
            return await running()
        keyed_call = keyed(
            key,
            tool.spec.name,
            call.scope.workspace,
            parsed.model_dump(),
            resumable=tool.spec.long and tool.spec.idempotent,
        )
        return await self.retries.once(keyed_call, running)

    async def _payload(self, tool: AnyTool, call: Call, notes: Mapping[str, Any]) -> dict[str, Any]:
        """Run a tool; its answer under the cap, with the notes about the call."""
        self._running += 1
        try:
            payload = dict(await tool.run(self._rooms[tool.spec.room], call))
        finally:
            self._running -= 1
        if not tool.spec.fits:
            payload = fitted(payload, call.max_answer_bytes)
        ignored = [*payload.get("ignored_arguments", ()), *notes.get("ignored_arguments", ())]
        return {**payload, **notes, **({"ignored_arguments": ignored} if ignored else {})}

    def _without_secrets(
        self, parsed: AnyTool, words: tuple[str, ...], notes: dict[str, Any]
    ) -> AnyTool:
        """The call with placeholders for secrets in its words; notes what was found."""
        values = {name: getattr(parsed, name) for name in words}
        cleaned, found = clean_fields(values, words)
        if not found:
            return parsed
        listed = [{"field": f.field, "kind": f.kind, "count": f.count} for f in found]
        if self._secrets is SecretsMode.REPORT:
            notes["secrets"] = listed[:_MOST_FINDINGS]
            return parsed
        notes["redacted"] = listed[:_MOST_FINDINGS]
        return parsed.model_copy(update=cleaned)

    async def embed_when_idle(self) -> None:
        """Embed queued chunks one at a time, stepping aside for calls, until cancelled.

        Erasures that were cut short are finished here, too.
        """
        while True:  # other processes fill the queue too; nothing tells us
            await asyncio.sleep(_QUEUE_CHECK_S)
            try:
                if not self._running:
                    await self.lifecycle.finish()
                while not self._running and await self.upkeep.embed_pending(1):
                    pass
            except MimirError as error:
                logger.warning("embedding queued text failed: %s", error.code)
                await asyncio.sleep(_QUEUE_RETRY_S)

    async def groom_when_idle(self, hours: int) -> None:
        """Groom the whole memory every so many hours, stepping aside for calls, until cancelled."""
        while True:
            await self._until_idle()
            try:
                await self.groom_if_due(hours)
            except MimirError as error:
                logger.warning("grooming failed: %s", error.code)
            await asyncio.sleep(_GROOM_CHECK_S)

    async def groom_if_due(self, hours: int) -> bool:
        """Groom the whole memory unless that was done within so many hours; whether it was due."""
        if not await self.grooming.is_due(hours):
            return False
        await self.grooming.autocohere(Within(), dry_run=False, rest=self._until_idle)
        return True

    async def _until_idle(self) -> None:
        await asyncio.sleep(_ASIDE_S)
        while self._running:  # noqa: ASYNC110  # calls end at any time
            await asyncio.sleep(_ASIDE_S)

    async def load_index(self) -> None:
        """Load the vectors of a large store between the calls, until cancelled."""
        while True:
            try:
                while await self.database.read(self._dense.load_more):  # noqa: ASYNC110  # no wait
                    await asyncio.sleep(_ASIDE_S if self._running else 0)
            except MimirError as error:
                logger.warning("loading vectors failed: %s", error.code)
                await asyncio.sleep(_QUEUE_RETRY_S)
            await asyncio.sleep(_INDEX_CHECK_S)


class _Means(NamedTuple):
    """What apps on several stores have in common."""

    embedder: Embedder
    query_embedder: Embedder
    settings: Settings
    clock: Clock
    new_id: IdSource


def _history_bounds(settings: Settings) -> history.Bounds:
    return history.Bounds(
        max_age_days=settings.history_max_age_days or None,
        max_versions_per_key=settings.history_max_versions or None,
        max_bytes=settings.history_max_bytes or None,
        tombstones=settings.history_tombstones,
    )


@asynccontextmanager
async def open_app(
    settings: Settings,
    home: Path,
    *,
    bulk: bool = False,
    background: bool = False,
    clock: Clock = system_clock,
    new_id: IdSource = random_id,
) -> AsyncIterator[App]:
    """Open the configured store and everything on it.

    `bulk` arranges the embedder for many texts at once instead of for one; `background` works off
    the embedding queue while no call is running, and loads the vectors of a large store.

    Raises:
        StorageError: the store cannot be opened; see its leaves.
    """
    async with AsyncExitStack() as stack:
        engine = load_engine(settings.sqlite_driver)
        path = find_store(settings, home).path
        if is_rust_store(path):
            fill = partial(_fill_from, settings=settings, home=home, clock=clock, new_id=new_id)
            key = file_key(settings)
            await take_over(path, engine, settings.busy_timeout_ms, key, clock(), fill)
        database = await stack.enter_async_context(
            open_database(
                path,
                engine,
                settings.busy_timeout_ms,
                unlocking(secret_of(settings), seal_names=settings.seal_names),
            )
        )
        if background:
            database.start_indexing()
        workers = settings.embedding_threads if bulk else 1
        embedder = OnnxEmbedder(1 if bulk else settings.embedding_threads, workers)
        stack.callback(embedder.close)
        # A question is short, and other work waits for a core meanwhile: one thread answers sooner.
        query_embedder = embedder
        if workers > 1 or settings.embedding_threads > 1:
            query_embedder = OnnxEmbedder(1)
            stack.callback(query_embedder.close)
        app = App(
            database, embedder, query_embedder, settings, clock, new_id, background=background
        )
        stack.push_async_callback(_flush_uses, app)
        tasks = [asyncio.create_task(app.usage.run(), name="mimir-usage")]
        if background:
            works = [app.embed_when_idle(), app.load_index(), app.watching.watch()]
            if settings.groom_hours:
                works.append(app.groom_when_idle(settings.groom_hours))
            tasks += [asyncio.create_task(work, name="mimir-aside") for work in works]
        stack.push_async_callback(_stop, tasks)
        yield app


async def _fill_from(
    path: Path, source: Path, *, settings: Settings, home: Path, clock: Clock, new_id: IdSource
) -> Migrated:
    """Make a store of what one of the Rust program holds; sealed if a key is given."""

    async def silent(done: int, total: int | None, what: str) -> None:
        pass

    at_path = replace(settings, db_path=path)
    async with open_app(at_path, home, clock=clock, new_id=new_id) as app:
        return await app.migrations.migrate(source, most=Trust.AGENT, report=silent)


def remake(tx: Writer, engine: Engine) -> None:
    """Make anew what a copied store cannot have taken along: what depends on its key or engine."""
    embedder = OnnxEmbedder(1)
    has_vec = engine.extensions and not tx.is_sealed
    Vectors(embedder.model, embedder.dimension, has_vec=has_vec).rebuild(tx)
    rechain(tx)


async def _flush_uses(app: App) -> None:
    # Uses are worth less than a prompt end while other processes hold the store.
    with contextlib.suppress(MimirError, TimeoutError):
        await asyncio.wait_for(app.usage.flush(), _LAST_FLUSH_S)


async def _stop(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
