"""What the journal tells of a change that the program made to a memory."""

import json

from mimir_py.entities.models import Entity
from mimir_py.journal import AUDIT, Entry


def audit(what: str, memory: Entity, acted: object, *, key: str | None = None) -> Entry:
    """The audit entry of a change; `acted` is what it tells, as JSON has it.

    `key` is that of the memory at the time, if it has another one now.
    """
    return Entry(
        what,
        kind=AUDIT,
        category=memory.category,
        key=memory.key if key is None else key,
        entity_id=memory.id,
        agent_id=memory.agent_id,
        workspace_hash=memory.workspace_hash,
        acted_json=json.dumps(acted, ensure_ascii=False),
    )
