"""Which columns of a table hold a person's words, declared beside the DDL and nowhere else.

In a sealed store a row's `sealed` columns are encrypted together into its column `sealed` and stay
empty themselves; `names` are replaced one by one by tokens, equal for equal words, so that look-ups
and filters keep working. Everything else is readable in either kind of store, so a text or blob
column that is neither must be declared `public`: it holds ids, digests or words of our own.
"""

from dataclasses import dataclass
from typing import Final

# Names that stay readable in a sealed store unless it seals names too.
READABLE_NAMES: Final = frozenset({"category", "key"})


@dataclass(frozen=True)
class Table:
    """How the rows of one table are stored.

    `key` is its INTEGER PRIMARY KEY AUTOINCREMENT. A seal vouches for the row's key, names, public
    texts, and the numbers in `bound`; who changes one of these seals the row anew (`update_row`).
    """

    name: str
    key: str = "row_id"
    sealed: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    bound: tuple[str, ...] = ()
