"""How memories end.

Owns no table. Invariants: what a dry run says is what the run does, and it changes no byte; what
was erased is in no live file, and an erasure that was cut short is finished by whoever comes next.
"""

from mimir_py.lifecycle.models import Purged, Wanted
from mimir_py.lifecycle.service import Lifecycle

__all__ = ["Lifecycle", "Purged", "Wanted"]
