"""What Mimir keeps in a folder of notes for itself: what it wrote there, and up to which change.

Names are put down before their files are written and taken out after these are removed, so that
however a writer ends, no file of ours is unknown to the next one, and no file of others is known.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from mimir_py.vault.folder import Folder, Stamp

FILE: Final = ".mimir-notes.json"
_FORMAT: Final = 2

# Of a note that is to be looked at, because nobody knows how it was when we last did.
UNSEEN: Final = Stamp(0, 0)


@dataclass
class Manifest:
    """What a folder has of the store that is named so.

    `position` is the entry of the change feed up to which notes are written, and `mark` the id it
    has there: in a store that was put back from before, it has another. `entry` is that of the
    journal. `notes` says how each file was when we last looked at it; `pages` are the other files.
    """

    store: str
    position: int = 0
    mark: str = ""
    entry: int = 0
    notes: dict[str, Stamp] = field(default_factory=dict)
    pages: set[str] = field(default_factory=set)
    on_disk: str = ""

    def expect(self, folder: Folder, notes: Iterable[str] = (), pages: Iterable[str] = ()) -> None:
        """Put down the names of files that are about to be written."""
        for name in notes:
            self.notes.setdefault(name, UNSEEN)
        self.pages.update(pages)
        self.save(folder)

    def save(self, folder: Folder) -> None:
        """Put it down, unless that is what is there."""
        values: dict[str, Any] = {
            "format": _FORMAT,
            **{name: getattr(self, name) for name in ("store", "position", "mark", "entry")},
            "pages": sorted(self.pages),
            "notes": dict(sorted(self.notes.items())),
        }
        text = json.dumps(values) + "\n"
        if text != self.on_disk:
            folder.write(FILE, text)
            self.on_disk = text


def load(folder: Folder, store: str) -> Manifest:
    """That of a store; an empty one where there is none, or another store's, or half of one."""
    text = folder.read(FILE) or ""
    try:
        found = json.loads(text or "null")
        if found["format"] == _FORMAT and found["store"] == store:
            numbers = [int(found[name]) for name in ("position", "entry")]
            notes = {str(name): Stamp(*map(int, stamp)) for name, stamp in found["notes"].items()}
            pages = {str(name) for name in found["pages"]}
            return Manifest(store, numbers[0], str(found["mark"]), numbers[1], notes, pages, text)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    return Manifest(store)
