"""What exports and imports did."""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum


class Merge(Enum):
    """What becomes of a memory that is stored already with other content."""

    KEEP = "keep"
    REPLACE = "replace"
    NEWER = "newer"


@dataclass
class Imported:
    """Counts of an import so far.

    `conflicts` names memories that were kept as they are; `secrets` counts, by kind, the passwords,
    keys and tokens that the file holds. `refused` says why, by id, of what could not be stored.
    """

    created: int = 0
    replaced: int = 0
    unchanged: int = 0
    conflicts: list[str] = field(default_factory=list)
    secrets: Counter[str] = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.created + self.replaced + self.unchanged + len(self.conflicts)


@dataclass
class Written:
    """What became of the notes of an export, as names of files.

    `kept` were edited since they were written and are as their editor left them; of `conflicts`,
    edited while the memory changed too, the edited note has this name now.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    kept: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass
class TakenIn:
    """What became of the memories that notes hold; lists name the files, errors with the reason.

    Of `conflicts` both versions stay, one in the store and one in the file.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    conflicts: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    secrets: Counter[str] = field(default_factory=Counter)
