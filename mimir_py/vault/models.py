"""What an import did."""

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
