"""A call that carries a key, and what is kept of it."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mimir_py.errors import InvalidInput
from mimir_py.values import UnixMs


@dataclass(frozen=True)
class KeyedCall:
    """A call as it is recognised: neither its key nor its arguments can be read from this.

    `resumable`: a call that ended half-way is run again rather than answered from what it did.
    """

    key_hash: bytes
    call_hash: bytes
    tool: str
    resumable: bool = False


@dataclass(frozen=True)
class Record:
    """What is kept of a call. Until it is `complete`, `answer` is what its change returned."""

    row_id: int
    call_hash: bytes
    answer: Mapping[str, Any]
    complete: bool
    created_at_unix_ms: UnixMs


def keyed(
    key: str, tool: str, workspace: str | None, arguments: Mapping[str, Any], *, resumable: bool
) -> KeyedCall:
    """The call of `tool` with those arguments under a client's key.

    Raises:
        InvalidInput: the arguments are nested too deeply to be compared.
    """
    try:
        text = json.dumps([tool, workspace, arguments], sort_keys=True, default=str)
    except (RecursionError, TypeError, ValueError):
        raise InvalidInput("idempotency_key", "needs arguments that are plain JSON") from None
    secret = key.encode()
    return KeyedCall(
        hashlib.sha256(b"mimir idempotency key\0" + secret).digest(),
        hmac.digest(secret, text.encode(), "sha256"),
        tool,
        resumable,
    )
