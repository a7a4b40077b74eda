"""Files read into memories: found by any of their parts, and told where.

Owns the table `documents`: which file a memory was read from, and the hash of what was in it.
Invariants: nothing outside the allowed folders is read; no parser runs in this process; a file that
is as it was is not read again; what a file said before is in history.
"""

from mimir_py.documents.folders import Place, named
from mimir_py.documents.models import Ingested, Stored, Wish
from mimir_py.documents.places import place
from mimir_py.documents.service import Documents
from mimir_py.documents.watching import Watching

__all__ = [
    "Documents",
    "Ingested",
    "Place",
    "Stored",
    "Watching",
    "Wish",
    "named",
    "place",
]
