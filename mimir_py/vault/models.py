"""What an import did."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Imported:
    """Counts of an import so far.

    `conflicts` names memories that were kept as they are; `secrets` counts, by kind, the passwords,
    keys and tokens that the file holds.
    """

    created: int = 0
    replaced: int = 0
    unchanged: int = 0
    conflicts: list[str] = field(default_factory=list)
    secrets: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.created + self.replaced + self.unchanged + len(self.conflicts)
