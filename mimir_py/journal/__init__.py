"""The journal: what happened, for people and agents to read and for anyone to check.

Owns the table `journal` and the head file beside the store. Invariants: entries are only ever
added, with numbers that leave no gap; each is chained to the one before; what an entry says can be
erased, that it was there cannot; an entry about a change is part of that change's transaction.
"""

from mimir_py.journal.models import AUDIT, EVENT, Entry
from mimir_py.journal.service import Journal

__all__ = ["AUDIT", "EVENT", "Entry", "Journal"]
