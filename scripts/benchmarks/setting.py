"""What every row works with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.program import Program
from benchmarks.stores import Stores


@dataclass(frozen=True)
class Effort:
    """How many samples a row takes; under 200 a 99th percentile means nothing."""

    starts: int = 11
    warm_up: int = 20
    rounds: int = 3
    per_round: int = 200


QUICK: Final = Effort(starts=5, rounds=1, per_round=60)


@dataclass(frozen=True)
class Setting:
    """The program, a folder that is thrown away, the stores to measure on, and the effort."""

    program: Program
    folder: Path
    stores: Stores
    effort: Effort

    def store_copy(self, store: Path) -> Path:
        """A copy of a store that may be written to."""
        return self.stores.copy(store, self.folder)
