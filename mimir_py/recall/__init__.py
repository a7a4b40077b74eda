"""Recall: finding memories by words, by meaning, or both.

Owns no table. Reads `entities`, the text and vector indexes; notes uses through `entities`.
Invariants: every arm applies the whole filter before it ranks; popularity never ranks; an answer
shows a memory as it was before this use of it.
"""

from mimir_py.recall.dense import DenseArm
from mimir_py.recall.models import (
    CONTEXT_MIN_RELEVANCE,
    Boosts,
    Filter,
    Found,
    Fusion,
    Hit,
    Mode,
    Query,
    ValidOp,
)
from mimir_py.recall.order import RANKING_FILE
from mimir_py.recall.service import Recall
from mimir_py.recall.usage import UsageLog

__all__ = [
    "CONTEXT_MIN_RELEVANCE",
    "RANKING_FILE",
    "Boosts",
    "DenseArm",
    "Filter",
    "Found",
    "Fusion",
    "Hit",
    "Mode",
    "Query",
    "Recall",
    "UsageLog",
    "ValidOp",
]
