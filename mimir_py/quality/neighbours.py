"""The nearest of many vectors to each of some others: exact, a block of them at a time."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

_NOWHERE = -2.0


class Chunk(NamedTuple):
    """A vector of a memory, as little-endian float32; only those of one place are compared."""

    row_id: int
    place: str
    vector: bytes


class Near(NamedTuple):
    """A memory and a neighbour of it, by their rows."""

    row_id: int
    other: int
    similarity: float


class Neighbours:
    """Finds the `count` memories nearest to each of some, by the cosine of their best chunk."""

    def __init__(self, wanted: Sequence[Chunk], count: int) -> None:
        import numpy as np

        self._rows = np.array([chunk.row_id for chunk in wanted])
        self._places = np.array([chunk.place for chunk in wanted])
        self._length = max((len(chunk.vector) for chunk in wanted), default=0)
        self._vectors = _matrix(wanted, self._length)
        self._near = np.zeros((len(wanted), count), dtype=np.int64)
        self._cosines = np.full((len(wanted), count), _NOWHERE, dtype=np.float32)

    def add(self, chunks: Sequence[Chunk]) -> None:
        """Look at some more memories, each with all of its chunks, side by side."""
        import numpy as np

        if not chunks or not len(self._rows):
            return
        rows = np.array([chunk.row_id for chunk in chunks])
        starts = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]])
        rows, places = rows[starts], np.array([chunk.place for chunk in chunks])[starts]
        cosines = self._vectors @ _matrix(chunks, self._length).T
        cosines = np.maximum.reduceat(cosines, starts, axis=1)
        is_other = (self._places[:, None] == places) & (self._rows[:, None] != rows)
        cosines[~is_other] = _NOWHERE
        cosines = np.hstack([self._cosines, cosines])
        near = np.hstack([self._near, np.broadcast_to(rows, (len(self._rows), len(rows)))])
        best = np.argpartition(-cosines, self._near.shape[1] - 1, axis=1)[:, : self._near.shape[1]]
        self._cosines = np.take_along_axis(cosines, best, axis=1)
        self._near = np.take_along_axis(near, best, axis=1)

    def pairs(self, least: float) -> Iterator[Near]:
        """Those neighbours that are near enough."""
        import numpy as np

        for place, rank in np.argwhere(self._cosines >= least).tolist():
            near, cosine = self._near[place, rank], self._cosines[place, rank]
            yield Near(int(self._rows[place]), int(near), float(cosine))


def _matrix(chunks: Sequence[Chunk], length: int) -> "Matrix":
    import numpy as np

    # One that a damaged disk cut short is near to nothing.
    nowhere = bytes(length)
    whole = (c.vector if len(c.vector) == length else nowhere for c in chunks)
    return np.frombuffer(b"".join(whole), dtype="<f4").reshape(len(chunks), length // 4)
