"""What Mimir keeps in a folder of notes for itself: which notes it made, and up to which change.

Names are put down before their notes are written and taken out after these are removed, so that
however a writer ends, no note of ours is unknown to the next one, and no file of others is known.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from mimir_py.vault.folder import Folder

FILE: Final = ".mimir-notes.json"
_FORMAT: Final = 1


@dataclass
class Manifest:
    """`store` says whose notes these are; `position` is a number of the change feed."""

    store: str
    position: int = 0
    notes: set[str] = field(default_factory=set)
    pages: set[str] = field(default_factory=set)

    def save(self, folder: Folder, coming: Iterable[str] = ()) -> None:
        """Put it down, with the names of notes that are about to be written."""
        values: dict[str, Any] = {"format": _FORMAT, "store": self.store}
        values["position"] = self.position
        values["notes"] = sorted(self.notes.union(coming))
        values["pages"] = sorted(self.pages)
        folder.write(FILE, json.dumps(values, indent=0) + "\n")


def load(folder: Folder, store: str) -> Manifest:
    """That of a store; an empty one where there is none, or another store's, or half of one."""
    try:
        found = json.loads(folder.read(FILE) or "null")
        if found["format"] == _FORMAT and found["store"] == store:
            notes, pages = found["notes"], found["pages"]
            if all(isinstance(name, str) for name in (*notes, *pages)):
                return Manifest(store, int(found["position"]), set(notes), set(pages))
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    return Manifest(store)
