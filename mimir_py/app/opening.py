"""Opening a store: its resources in the order in which a house is built, left in reverse."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from mimir_py.app import idle
from mimir_py.app.calls import App
from mimir_py.config import Settings, find_store
from mimir_py.embedding import OnnxEmbedder
from mimir_py.errors import MimirError
from mimir_py.importers import Migrated, file_key
from mimir_py.importers.takeover import take_over
from mimir_py.journal.service import rechain
from mimir_py.security import Trust
from mimir_py.security.unlocking import secret_of, unlocking
from mimir_py.storage.database import Writer, open_database
from mimir_py.storage.engine import Engine, load_engine
from mimir_py.storage.files import is_rust_store
from mimir_py.storage.vectors import Vectors
from mimir_py.values import Clock, IdSource, random_id, system_clock

_LAST_FLUSH_S: Final = 0.5


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
            works = [idle.embed_queue(app), idle.load_index(app), app.watching.watch()]
            if settings.groom_hours:
                works.append(idle.groom(app, settings.groom_hours))
            tasks += [asyncio.create_task(work, name="mimir-idle") for work in works]
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
