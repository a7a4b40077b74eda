"""How memories fade, are archived, merged and erased.

Owns no table. Invariants: what a dry run says is what the run does, and it changes no byte; what is
verified, always on or important is archived by nobody but a person, and what is archived or merged
stays in reach; no work mixes workspaces; what was erased is in no live file, and an erasure that
was cut short is finished by whoever comes next.
"""

from mimir_py.lifecycle.fading import Fading
from mimir_py.lifecycle.grooming import Grooming
from mimir_py.lifecycle.models import Purged, Wanted
from mimir_py.lifecycle.service import Lifecycle

__all__ = ["Fading", "Grooming", "Lifecycle", "Purged", "Wanted"]
