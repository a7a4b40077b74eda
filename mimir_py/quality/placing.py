"""Whether a file can go back to where it was, among all that goes back with it. Only reads."""

from mimir_py.entities import Entity
from mimir_py.files import CATEGORY
from mimir_py.files import store as file_store
from mimir_py.files.paths import below, folders, shown
from mimir_py.quality.reversal import Step
from mimir_py.storage.database import Reader


class Places:
    """Where files are, as the steps of a plan leave them one after the other."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._taken: dict[str, set[str]] = {}
        self._moved: dict[str, str] = {}

    def why_not(self, memory: Entity, step: Step, path: str, version: Entity | None) -> str | None:
        """What keeps a step from being taken, if it is about a file; `None` takes it.

        `path` is where a renamed one goes back to, `version` what one says again.
        """
        if memory.category != CATEGORY:
            return None
        taken = self._in(memory.workspace_hash)
        present = self._moved.get(memory.id, memory.key)
        taken.discard(present)
        goes = path if step is Step.RENAME else present
        why = _in_the_way(goes, taken) if step is Step.RENAME else None
        if why is not None:
            taken.add(present)
        elif step is not Step.ARCHIVE and not (version and version.archived):
            taken.add(goes)
            self._moved[memory.id] = goes
        return why

    def _in(self, workspace: str) -> set[str]:
        if workspace not in self._taken:
            self._taken[workspace] = set(file_store.paths(self._reader, CATEGORY, workspace))
        return self._taken[workspace]


def _in_the_way(path: str, taken: set[str]) -> str | None:
    if path in taken:
        return f"something else is at {shown(path)} now"
    if any(below(other, path) for other in taken):
        return f"{shown(path)} is a directory now"
    for folder in folders(path):
        if folder in taken:
            return f"{shown(folder)} is a file now"
    return None
