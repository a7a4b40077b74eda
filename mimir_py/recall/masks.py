"""The columns that filters read, in memory: which memories of a large store may answer."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mimir_py.recall.grown import Grown
from mimir_py.recall.models import Filter, ValidOp
from mimir_py.values import UnixMs

_CODED: Final = ("category", "workspace_hash", "agent_id", "type", "layer", "topic_path")
_FLAGS: Final = ("archived", "always_on", "superseded")
COLUMNS: Final = (*_CODED, *_FLAGS, "trust", "valid_from", "valid_to")
OPEN_END: Final = np.iinfo(np.int64).max
NOWHERE: Final = -1


class _Codes(dict[str, int]):
    """A number for each text, given when it is first met."""

    def __missing__(self, text: str) -> int:
        self[text] = number = len(self)
        return number


class FilterColumns:
    """One place a memory, in the order they were first put."""

    def __init__(self) -> None:
        self._row_ids = Grown(np.int64)
        # Indexed by row id, which SQLite counts up from 1; 0 is for rows that have no place.
        self._places = Grown(np.int32)
        self._codes = {name: _Codes() for name in _CODED}
        self._columns = {name: Grown(np.int32) for name in _CODED}
        self._columns |= {name: Grown(np.bool_) for name in _FLAGS}
        self._columns["trust"] = Grown(np.int8)
        self._columns |= {name: Grown(np.int64) for name in ("valid_from", "valid_to")}

    def __len__(self) -> int:
        return len(self._row_ids)

    @property
    def row_ids(self) -> NDArray[np.int64]:
        return self._row_ids.view

    @property
    def nbytes(self) -> int:
        return sum(column.nbytes for column in self._columns.values()) + (
            self._row_ids.nbytes + self._places.nbytes
        )

    def places(self, row_ids: Sequence[int]) -> NDArray[np.int32]:
        """Where memories are; `NOWHERE` for those that are not here."""
        rows = np.array(row_ids, dtype=np.int64)
        known = rows < len(self._places)
        found = np.full(len(rows), NOWHERE, dtype=np.int32)
        found[known] = self._places.view[rows[known]] - 1
        return found

    def put(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Set memories, each (row_id, *COLUMNS), no row twice."""
        [row_ids, *columns] = zip(*rows, strict=True) if rows else [()]
        if not row_ids:
            return
        self._places.lengthen(max(row_ids) + 1)
        places = self.places(row_ids)
        fresh = places == NOWHERE
        first, count = len(self), int(fresh.sum())
        places[fresh] = np.arange(first, first + count)
        keys = np.array(row_ids, dtype=np.int64)
        self._row_ids.extend(keys[fresh])
        self._places.view[keys] = places + 1
        for name, values in zip(COLUMNS, columns, strict=True):
            column = self._columns[name]
            column.lengthen(len(self))
            column.view[places] = self._stored(name, values)

    def _stored(self, name: str, values: Sequence[Any]) -> list[Any]:
        if name in self._codes:
            codes = self._codes[name]
            return [codes[value] for value in values]
        return [OPEN_END if value is None else value for value in values]

    def mask(self, filter: Filter) -> NDArray[np.bool_]:
        """Which memories may answer, whatever the time: `replaced` are those that `in_force_at`
        leaves out. `min_decay` is the caller's, it is not in the feed.
        """
        allowed = np.ones(len(self), dtype=np.bool_)
        if not filter.include_archived:
            allowed &= ~self._columns["archived"].view
        for name in ("category", "type", "agent_id", "layer"):
            value = getattr(filter, name)
            if value is not None:
                allowed &= self._is_one_of(name, [value])
        if filter.category is None and filter.excluded_categories:
            allowed &= ~self._is_one_of("category", filter.excluded_categories)
        if filter.workspaces is not None:
            allowed &= self._is_one_of("workspace_hash", filter.workspaces)
        if filter.topic_path is not None:
            topics = [
                topic for topic in self._codes["topic_path"] if topic.startswith(filter.topic_path)
            ]
            allowed &= self._is_one_of("topic_path", topics)
        if filter.always_on is not None:
            allowed &= self._columns["always_on"].view == filter.always_on
        if filter.min_trust is not None:
            allowed &= self._columns["trust"].view >= filter.min_trust
        valid: NDArray[np.bool_] = allowed & self._valid(filter)
        return valid

    def replaced(self, at: UnixMs) -> NDArray[np.integer[Any]]:
        """The places of memories that another had taken the place of by then."""
        superseded = np.flatnonzero(self._columns["superseded"].view)
        # An end that is open is stored as the latest of all.
        return superseded[self._columns["valid_to"].view[superseded] <= at]

    def _is_one_of(self, name: str, values: Sequence[str]) -> NDArray[np.bool_]:
        codes = self._codes[name]
        wanted = np.zeros(len(codes) + 1, dtype=np.bool_)
        wanted[[codes[value] for value in values if value in codes]] = True
        chosen: NDArray[np.bool_] = wanted[self._columns[name].view]
        return chosen

    def _valid(self, filter: Filter) -> Any:
        starts, ends = self._columns["valid_from"].view, self._columns["valid_to"].view
        if filter.valid_at is not None:
            return (starts <= filter.valid_at) & ((ends == OPEN_END) | (filter.valid_at < ends))
        if filter.valid_from is None and filter.valid_to is None:
            return True
        start = -OPEN_END if filter.valid_from is None else filter.valid_from
        end = OPEN_END if filter.valid_to is None else filter.valid_to
        is_open = ends == OPEN_END
        if filter.valid_op is ValidOp.OVERLAPS:
            return (is_open | (start < ends)) & (starts < end)
        closed = filter.valid_to is not None
        return (starts <= start) & (is_open | (closed & (end <= ends)))
