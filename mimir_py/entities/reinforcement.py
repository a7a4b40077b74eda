"""Writes what use does to a memory: counts, freshness, and the layer it earns."""

import json
from collections.abc import Sequence
from typing import Final

from mimir_py.entities import store
from mimir_py.entities.models import Entity
from mimir_py.entities.retention import (
    CORE_USES,
    LAYERS,
    NEAR_REINFORCEMENT,
    WORKING_USES,
    settled_layer,
    standing,
)
from mimir_py.storage.database import Writer
from mimir_py.values import UnixMs

_REINFORCE: Final = """
    UPDATE main.entities SET
        retrieval_count = retrieval_count + :uses,
        last_accessed_unix_ms = max(last_accessed_unix_ms, :last_used),
        decay_score = min(1.0, decay_score + :boost)
    WHERE row_id = :row_id
"""
# Layers that more uses may have been enough to leave.
_MAY_RISE: Final = """
    SELECT held.row_id FROM json_each(:row_ids) wanted
    CROSS JOIN main.entities held ON held.row_id = wanted.value
    WHERE held.retrieval_count >= :few AND held.layer = :buffer
       OR held.retrieval_count >= :many AND held.layer = :working
"""


def reinforce(tx: Writer, uses: Sequence[tuple[int, int, UnixMs]], boost: float) -> None:
    """Count uses, each (row_id, how often, when last); enough of them move a memory up a layer."""
    tx.run_many(
        _REINFORCE,
        [
            {"row_id": row_id, "uses": count, "last_used": last, "boost": boost * count}
            for row_id, count, last in uses
        ],
    )
    risen = {
        "row_ids": json.dumps([row_id for row_id, _, _ in uses]),
        "few": WORKING_USES,
        "many": CORE_USES,
        **{layer: tx.stored_names("entities", {"layer": layer})["layer"] for layer in LAYERS},
    }
    rows = [row_id for (row_id,) in tx.tuples(_MAY_RISE, risen)]
    for entity in store.by_row_ids(tx, rows).values():
        move(tx, entity, settled_layer(standing(entity), entity.decay_score))


def reinforce_near(tx: Writer, row_id: int, now: UnixMs) -> None:
    """Count that nearly the same was said again."""
    reinforce(tx, [(row_id, 1, now)], NEAR_REINFORCEMENT)


def move(tx: Writer, entity: Entity, layer: str) -> None:
    """Put a memory in a layer; what it says stays, so this makes no version."""
    if layer != entity.layer:
        tx.update_row("entities", entity.row_id, {"layer": layer})
        store.append_change(tx, entity.row_id, entity.id, "layer")
