"""Upkeep: what is in the store, and keeping its derived parts right.

Owns no table. Rebuilds the text, keyword and vector indexes from `entities`, and works off the
queue of chunks that are not embedded yet.
"""

from mimir_py.upkeep.maintenance import Maintenance
from mimir_py.upkeep.models import Statistics
from mimir_py.upkeep.service import Upkeep

__all__ = ["Maintenance", "Statistics", "Upkeep"]
