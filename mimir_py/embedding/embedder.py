"""What the rest of Mimir asks of an embedding model."""

from collections.abc import Sequence
from typing import Protocol


class Embedder(Protocol):
    """Turns texts into unit vectors: little-endian float32 bytes, the same for the same text."""

    @property
    def model(self) -> str:
        """Names the model; vectors of different names are never compared."""

    @property
    def dimension(self) -> int: ...

    async def embed(self, texts: Sequence[str]) -> list[bytes]:
        """One vector per text.

        Raises:
            EmbeddingError: the model could not be loaded or run.
        """
