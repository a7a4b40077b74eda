"""Quality: how good memories turned out to be, and what was learned from being corrected.

Owns no table: judges memories through `entities`. Invariant: a judgement never changes what a
memory says, so it makes no version.
"""

from mimir_py.quality.conflicts import Conflicts
from mimir_py.quality.models import Correction, Efficacy, Learned
from mimir_py.quality.planning import Since
from mimir_py.quality.service import Quality
from mimir_py.quality.undo import Undo

__all__ = ["Conflicts", "Correction", "Efficacy", "Learned", "Quality", "Since", "Undo"]
