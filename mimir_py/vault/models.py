"""What an import did."""

from dataclasses import dataclass, field


@dataclass
class Imported:
    """Counts of an import so far; `conflicts` names memories that were kept as they are."""

    created: int = 0
    replaced: int = 0
    unchanged: int = 0
    conflicts: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.created + self.replaced + self.unchanged + len(self.conflicts)
