"""How the rooms are put together on an open store."""

from collections.abc import Mapping
from typing import NamedTuple

from mimir_py import documents, graph, history, recall, upkeep
from mimir_py.config import Settings
from mimir_py.context import Contexts
from mimir_py.embedding import Embedder
from mimir_py.entities import Memories
from mimir_py.entities.writing import Rows
from mimir_py.files import Files
from mimir_py.importers import Imports, Migrations, Sharing
from mimir_py.journal import Journal
from mimir_py.lifecycle import Fading, Grooming, Lifecycle
from mimir_py.limits import Limits
from mimir_py.quality import Conflicts, Quality, Undo
from mimir_py.retries import Retries
from mimir_py.security import SecretsMode
from mimir_py.state import State
from mimir_py.storage.database import Database
from mimir_py.storage.vectors import Vectors
from mimir_py.values import Clock, IdSource
from mimir_py.vault import Notes, Sync, Vault
from mimir_py.workspaces import Workspaces


class Means(NamedTuple):
    """What apps on several stores have in common."""

    embedder: Embedder
    query_embedder: Embedder
    settings: Settings
    clock: Clock
    new_id: IdSource


class Rooms:
    """The rooms of a store."""

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
        self.database, self.dense = database, dense
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
        self.graph = graph.Graph(database, self.journal, limits, clock)
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
        self.secrets = SecretsMode(settings.secrets)
        means = Means(embedder, query_embedder, settings, clock, new_id)
        self._build_moving(vectors, limits, means)
        # A tool finds its room by its class.
        self.by_class: Mapping[type, object] = {type(room): room for room in vars(self).values()}

    def _build_moving(self, vectors: Vectors, limits: Limits, means: Means) -> None:
        """The rooms through which memories come and go."""
        database, journal = self.database, self.journal
        clock, new_id, settings = means.clock, means.new_id, means.settings
        seeks = self.secrets is not SecretsMode.OFF
        self.vault = Vault(
            database, vectors, self.upkeep, journal, limits, clock, new_id, seek_secrets=seeks
        )
        self.sharing = Sharing(
            database, self.vault, journal, settings, lambda other: Rooms(other, *means).vault
        )
        self.imports = Imports(database, self.vault, self.undo, clock)
        self.migrations = Migrations(database, self.vault, journal, clock, settings)
        self.notes = Notes(self.vault.means)
        self.sync = Sync(database, self.journal, self.notes)


def _history_bounds(settings: Settings) -> history.Bounds:
    return history.Bounds(
        max_age_days=settings.history_max_age_days or None,
        max_versions_per_key=settings.history_max_versions or None,
        max_bytes=settings.history_max_bytes or None,
        tombstones=settings.history_tombstones,
    )
