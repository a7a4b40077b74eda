"""The connector that watches folders: what is new or changed in them is remembered."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from mimir_py.config import Settings
from mimir_py.connectors import FILE_WATCHER, FileWatcher, read_connectors
from mimir_py.documents import folders
from mimir_py.documents.folders import Place
from mimir_py.documents.looks import Looks
from mimir_py.documents.models import WATCHED_PATH_FIELD, Ingested, Wish
from mimir_py.documents.service import Documents, Report
from mimir_py.errors import MimirError, NotFound, TransferError

logger = logging.getLogger("mimir")

_RETRY_S: Final = 60.0
_WISH: Final = Wish(
    category="file",
    embed=False,
    source=f"connector:{FILE_WATCHER}",
    id_prefix="ingest",
    path_field=WATCHED_PATH_FIELD,
    is_keyed_by_path=True,
)


async def _silent(done: int, total: int | None, what: str) -> None:
    pass


class Watching:
    """The room's door for connectors."""

    def __init__(self, documents: Documents, settings: Settings) -> None:
        self._documents = documents
        self._connectors = read_connectors(settings.connectors_config)
        self._looks = Looks()
        self._told: dict[str, str] = {}

    async def ingest(
        self, connector: str | None, *, dry_run: bool, report: Report = _silent
    ) -> Ingested:
        """Remember what is new or changed, of one connector or of all.

        A dry run counts, and changes nothing.

        Raises:
            NotFound: no connector is enabled.
        """
        if not self._connectors:
            raise NotFound(
                "No connectors configured: there is no --connectors-config file that enables one"
            )
        done = Ingested()
        watcher = self._connectors.file_watcher
        if watcher is not None and connector in (None, FILE_WATCHER):
            wish = replace(_WISH, endings=frozenset(watcher.extensions), dry_run=dry_run)
            problems: dict[str, str] = {}
            places = await asyncio.to_thread(lambda: list(_named(watcher.paths, problems)))
            done = await self._documents.ingest(places, wish, report, self._looks)
            done.problems = {**problems, **done.problems}
        for name in self._connectors.unserved:
            if connector in (None, name):
                done.problems[name] = "this version does not have this connector"
        return done

    async def watch(self) -> None:
        """Remember what changes in the watched folders, until cancelled."""
        watcher = self._connectors.file_watcher
        while watcher is not None:
            try:
                await self._scan()
                await self._watch(watcher)
            except (MimirError, OSError) as error:
                logger.warning("watching files failed: %s", error)
            await asyncio.sleep(_RETRY_S)

    async def _watch(self, watcher: FileWatcher) -> None:
        """Scan after each change; returns when there is nothing to watch."""
        import watchfiles

        present = [path for path in watcher.paths if path.is_dir()]
        if not present:
            return
        changes = watchfiles.awatch(
            *present,
            watch_filter=lambda _, path: path.endswith(watcher.extensions),
            debounce=watcher.debounce_ms,
            step=min(watcher.debounce_ms, 100),
        )
        async for _ in changes:
            await self._scan()

    async def _scan(self) -> None:
        done = await self.ingest(FILE_WATCHER, dry_run=False)
        for path, why in done.problems.items():
            if self._told.get(path) != why:
                logger.warning("watched file not read: %s: %s", path, why)
        self._told = done.problems


def _named(paths: Sequence[Path], problems: dict[str, str]) -> Iterator[Place]:
    for path in paths:
        try:
            yield folders.named(path)
        except TransferError as error:
            problems[str(path)] = str(error).removeprefix(f"{path}: ")
