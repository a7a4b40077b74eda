"""History: what was believed when, and of when it holds.

Owns no table: reads the versions that `entities` keeps, and rolls up those that are not to be kept
for ever. Invariants: every workspace has a history of
its own; belief and validity are independent, half-open axes; what was forgotten answers only as of
a time before it was.
"""

from mimir_py.history.models import Answer, Trail
from mimir_py.history.retention import Bounds, Retained
from mimir_py.history.service import History, Name

__all__ = ["Answer", "Bounds", "History", "Name", "Retained", "Trail"]
