"""What a draft may hold: a pure rule."""

from typing import Final

from mimir_py.entities.models import Draft
from mimir_py.errors import InvalidInput
from mimir_py.limits import Limits, check_name

_DRAFT_NAMES: Final = ("topic_path", "agent_id", "type", "status", "layer", "visibility")


def check_limits(draft: Draft, limits: Limits) -> None:
    """Refuse what is over a limit or empty where a name is needed.

    Raises:
        InvalidInput: names the field and the limit.
    """
    size = len(draft.body_json.encode())
    if size > limits.body_bytes:
        raise InvalidInput("body_json", f"is {size} bytes; the limit is {limits.body_bytes}")
    tags = draft.tags or ()
    if len(tags) > limits.tags:
        raise InvalidInput("tags", f"are {len(tags)}; the limit is {limits.tags}")
    identity = draft.identity
    names = (
        ("category", identity.category),
        ("key", identity.key),
        ("workspace_hash", identity.workspace_hash),
        *((name, getattr(draft, name) or "") for name in _DRAFT_NAMES),
        *((f"tags[{index}]", tag) for index, tag in enumerate(tags)),
    )
    for field, value in names:
        check_name(field, value, limits.name_bytes)
