"""Setting, reading and removing values. A slot is read and written under the store's write lock,
so of several agents that compare and set the same version, one succeeds."""

from functools import partial
from typing import Final

from mimir_py.errors import Conflict, InvalidInput
from mimir_py.limits import Limits, check_name
from mimir_py.state import store
from mimir_py.state.expiry import expires_at
from mimir_py.state.models import Held, Slot
from mimir_py.storage.database import Database, Writer
from mimir_py.values import Clock

ABSENT: Final = 0
# A few more than one write can add, so that what has expired cannot pile up.
_REMOVED_AT_ONCE: Final = 64


class State:
    """The room's door."""

    def __init__(self, database: Database, limits: Limits, clock: Clock) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock

    async def set(
        self, slot: Slot, value_json: str, ttl_s: int | None, if_version: int | None = None
    ) -> Held:
        """Put a value in a slot and return once it is durable.

        With `if_version`, only while the slot holds that version; 0 stands for an empty slot.

        Raises:
            InvalidInput: a name or the value is over its limit; nothing was changed.
            Conflict: the slot holds another version; nothing was changed.
        """
        for name, value in vars(slot).items():
            check_name(name, value, self._limits.name_bytes)
        size = len(value_json.encode())
        if size > self._limits.body_bytes:
            raise InvalidInput(
                "value_json", f"is {size} bytes; the limit is {self._limits.body_bytes}"
            )

        def work(tx: Writer) -> Held:
            now = self._clock()
            _compare(store.held_in(tx, slot, now), slot, if_version)
            until = expires_at(now, ttl_s)
            version = store.put(tx, slot, value_json, until, now)
            store.delete_expired(tx, now, _REMOVED_AT_ONCE)
            return Held(version, value_json, until, now)

        return await self._database.write(work)

    async def get(self, slot: Slot) -> Held | None:
        """The value in a slot; `None` when there is none, or it has expired."""
        return await self._database.read(partial(store.held_in, slot=slot, now=self._clock()))

    async def delete(self, slot: Slot, if_version: int | None = None) -> bool:
        """Empty a slot; whether there was a value that answered.

        Raises:
            Conflict: the slot holds another version than `if_version`; nothing was changed.
        """

        def work(tx: Writer) -> bool:
            now = self._clock()
            held = store.held_in(tx, slot, now)
            _compare(held, slot, if_version)
            store.delete(tx, slot)
            store.delete_expired(tx, now, _REMOVED_AT_ONCE)
            return held is not None

        return await self._database.write(work)

    async def keys(
        self, prefix: str, scope: Slot, limit: int, offset: int
    ) -> tuple[list[str], int]:
        """Keys that begin with `prefix`, in order, and how many there are in all."""
        return await self._database.read(
            partial(
                store.keys,
                prefix=prefix,
                scope=scope,
                now=self._clock(),
                limit=limit,
                offset=offset,
            )
        )


def _compare(held: Held | None, slot: Slot, expected: int | None) -> None:
    present = ABSENT if held is None else held.version
    if expected is None or expected == present:
        return
    found = "is empty" if held is None else f"is at version {present}"
    raise Conflict(
        f"if_version: {slot.key} {found}, not at version {expected}; nothing was changed. Read it "
        "again and decide anew"
    )
