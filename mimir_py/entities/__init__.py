"""Memories: what is remembered, fetched and forgotten.

Owns the tables `entities`, `entity_history` (which it only appends to), `aliases` and `changes`.
Invariants: one live row per (category, key, workspace); an accepted body is never altered; every
change of content or attributes leaves the version before it in history and an entry in the change
feed, in the same transaction. What is forgotten stays as it was, with the time it was forgotten in
`invalidated_at_unix_ms`; remembered again, it becomes a version like any other.
"""

from mimir_py.entities.models import Draft, Entity, Identity, Link, Remembered, canonical_layer
from mimir_py.entities.service import Memories

__all__ = [
    "Draft",
    "Entity",
    "Identity",
    "Link",
    "Memories",
    "Remembered",
    "canonical_layer",
]
