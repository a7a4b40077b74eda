"""How far a memory is to be trusted: by the channel it came through, never by what it says."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final


class Trust(IntEnum):
    """Tiers, least trusted first. The numbers are stored."""

    WEB = 1
    FILE = 2
    IMPORT = 3
    TOOL = 4
    AGENT = 5
    USER = 6

    @property
    def label(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, label: str) -> "Trust":
        """The tier of that name.

        Raises:
            KeyError: there is none.
        """
        return cls[label.upper()]


# What goes into every context unasked must come from the user or the user's agent.
LEAST_UNASKED: Final = Trust.AGENT


def lowest(tiers: Iterable[Trust]) -> Trust:
    """The tier of what is derived from memories of those tiers; of nothing, the least."""
    return min(tiers, default=Trust.WEB)
