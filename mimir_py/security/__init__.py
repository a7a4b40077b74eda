"""What keeps stored text from doing harm: secrets found, oddities marked, trust, and
fences; and the keys and seals that keep it from those it is not for.

Ground floor: knows no memory and no tool. Detectors label; what is done about it is for the caller.
"""

from mimir_py.security.fence import fenced
from mimir_py.security.guard import Finding, SecretsMode, clean_fields, count_secrets
from mimir_py.security.marks import Mark, marks_in
from mimir_py.security.trust import LEAST_UNASKED, Trust, lowest

__all__ = [
    "LEAST_UNASKED",
    "Finding",
    "Mark",
    "SecretsMode",
    "Trust",
    "clean_fields",
    "count_secrets",
    "fenced",
    "lowest",
    "marks_in",
]
