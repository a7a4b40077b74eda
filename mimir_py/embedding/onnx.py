"""The bundled all-MiniLM-L6-v2, run by fastembed on this machine, never fetched.

The weights are quantised dynamically, so a text's vector depends on what shares its batch: texts
are run one at a time, which is also faster here than padding. Loaded by the first call that needs
it, on a thread of its own.
"""

import asyncio
import contextlib
import ctypes
import gc
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mimir_py.errors import EmbeddingError

if TYPE_CHECKING:
    from fastembed import TextEmbedding

MODEL_FOLDER: Final = Path(__file__).parent / "model"
MODEL_NAME: Final = "mimir/all-MiniLM-L6-v2-int8-2"
DIMENSION: Final = 384
MAX_TOKENS: Final = 256

_LITTLE_ENDIAN_F32: Final = "<f4"


class OnnxEmbedder:
    """One model and the threads it runs on. Close it to let them end.

    A single text is fastest with several threads in one run, many texts with one thread each:
    `threads` is per run, `workers` is how many runs go side by side. The vectors are the same.
    """

    model = MODEL_NAME
    dimension = DIMENSION

    def __init__(self, threads: int, workers: int = 1) -> None:
        self._threads = threads
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="mimir-embedding")
        self._loaded: TextEmbedding | None = None
        self._loading = threading.Lock()

    async def embed(self, texts: Sequence[str]) -> list[bytes]:
        loop = asyncio.get_running_loop()
        if len(texts) == 1:
            return [await loop.run_in_executor(self._executor, self.embed_here, texts[0])]
        runs = [loop.run_in_executor(self._executor, self.embed_here, text) for text in texts]
        return list(await asyncio.gather(*runs))

    def embed_here(self, text: str) -> bytes:
        """As `embed`, for one text on the calling thread."""
        try:
            with self._loading:
                if self._loaded is None:
                    with _no_collection():
                        self._loaded = load_model(MODEL_FOLDER, self._threads)
                    _return_free_memory()
            [vector] = self._loaded.embed([text], batch_size=1)
            return vector.astype(_LITTLE_ENDIAN_F32).tobytes()
        except Exception as error:  # onnxruntime's errors share no base class
            raise EmbeddingError(
                f"the embedding model could not be run ({error}). Run: mimir doctor"
            ) from error

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Import without looking for garbage: nearly all that is made stays, and a fifth is saved."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_freeze_count():  # the server does that with what it imports
            gc.freeze()
        if collects:
            gc.enable()


def _return_free_memory() -> None:
    """Give the system back what loading needed for a moment, where the C library can."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def load_model(folder: Path, threads: int) -> "TextEmbedding":
    """The model in `folder`, without looking anywhere else for it."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    # fastembed refuses to register a name twice; another embedder in this process may have.
    if MODEL_NAME not in {entry["model"] for entry in TextEmbedding.list_supported_models()}:
        TextEmbedding.add_custom_model(
            MODEL_NAME,
            pooling=PoolingType.DISABLED,  # the model itself gives a unit vector per text
            normalization=False,
            sources=ModelSource(url="file://bundled"),
            dim=DIMENSION,
            model_file="model.onnx",
        )
    return TextEmbedding(
        MODEL_NAME,
        specific_model_path=str(folder),
        threads=threads,
        providers=["CPUExecutionProvider"],
        local_files_only=True,
    )
