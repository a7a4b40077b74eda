"""An array that grows: at a million entries there must never be two of it in memory."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_FIRST: Final = 1_024
_MOST_MORE: Final = 65_536


class Grown:
    """Values of one type, or rows of `width` of them. Views of it end with the next growth."""

    def __init__(self, dtype: Any, width: int | None = None) -> None:
        self._array = np.zeros((0,) if width is None else (0, width), dtype=dtype)
        self.length = 0

    def __len__(self) -> int:
        return self.length

    @property
    def view(self) -> NDArray[Any]:
        return self._array[: self.length]

    @property
    def nbytes(self) -> int:
        """Bytes taken, those kept in reserve among them."""
        return self._array.nbytes

    def extend(self, values: NDArray[Any]) -> None:
        """Append values."""
        first = self.length
        self.lengthen(first + len(values))
        self._array[first : self.length] = values

    def lengthen(self, length: int) -> None:
        """Make it at least so long, with zeros at its end."""
        capacity = len(self._array)
        if length > capacity:
            more = min(_MOST_MORE, max(_FIRST, capacity))
            capacity = max(length, capacity + more)
            # In place: large blocks are moved by the system without being copied.
            self._array.resize((capacity, *self._array.shape[1:]), refcheck=False)
        self.length = max(self.length, length)
