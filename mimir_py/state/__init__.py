"""State: what agents keep for a while and share, as values under keys.

Owns the table `state`. Invariants: one value a slot (key, workspace, agent); a version number is
never given twice; what has expired never answers, whether it has been removed yet or not.
"""

from mimir_py.state.service import State

__all__ = ["State"]
