"""The stores rows measure on: made once, kept under the system's temporary folder, and copied.

A kept store is named for the source that made it, the schema and the model, so a change of any of
them makes it anew. Its memories are those of `corpus`, in order.
"""

import asyncio
import hashlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpus import Corpus, Memory
from benchmarks.program import Program
from mimir_py.embedding.onnx import DIMENSION, MODEL_NAME
from mimir_py.storage.database import Writer, open_database
from mimir_py.storage.engine import load_engine
from mimir_py.storage.migrations import LATEST
from mimir_py.storage.vectors import Vectors
from mimir_py.vault.jsonl import header

TINY: Final = 1_000
SMALL: Final = 10_000
LARGE: Final = 100_000
HUGE: Final = 1_000_000

Matrix = NDArray[np.float32]

_SMALL_SEED: Final = 1
_LARGE_SEED: Final = 2
_HUGE_SEED: Final = 3
_BUSY_TIMEOUT_MS: Final = 30_000
_VECTORS_AT_ONCE: Final = 2_000
# Length of the noise in a made vector, against a unit for the real ones it is mixed of.
_NOISE: Final = 0.3
_REAL_VECTORS: Final = "SELECT vector FROM chunks WHERE vector IS NOT NULL ORDER BY chunk_id"
_SOURCES: Final = ("corpus.py", "words.py", "stores.py")
_HEAD: Final = ".head"


class Stores:
    """Kept stores, made on first use."""

    def __init__(self, program: Program, *, fresh: bool) -> None:
        self._program = program
        self.folder = Path(tempfile.gettempdir()) / f"mimir-bench-{_fingerprint()}"
        if fresh:
            shutil.rmtree(self.folder, ignore_errors=True)

    def of(self, size: int) -> Path:
        """The store of so many memories."""
        return {TINY: self.tiny, SMALL: self.small, LARGE: self.large, HUGE: self.huge}[size]()

    def tiny(self) -> Path:
        """1,000 memories, embedded by the model."""
        return self._kept("tiny.db", self._make_tiny)

    def small(self) -> Path:
        """10,000 memories, embedded by the model."""
        return self._kept("small.db", self._make_small)

    def large(self) -> Path:
        """100,000 memories with made vectors."""
        return self._kept("large.db", self._make_large)

    def huge(self) -> Path:
        """1,000,000 memories with made vectors."""
        return self._kept("huge.db", self._make_huge)

    def sealed(self) -> tuple[Path, Path]:
        """The large store, sealed, and its key."""
        key = self.folder / "sealed.key"
        if not key.exists():
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self._program.run("keygen", "--key-file", key)
        return self._kept("sealed.db", partial(self._make_sealed, key)), key

    def copy(self, store: Path, folder: Path) -> Path:
        """A copy in `folder`, wholly on the disk, so that nobody else's sync has to write it."""
        target = folder / store.name
        for suffix in (_HEAD, "", "-wal"):
            source = store.with_name(store.name + suffix)
            if source.exists():
                copied = shutil.copyfile(source, target.with_name(target.name + suffix))
                with copied.open("rb") as file:
                    os.fsync(file.fileno())
        return target

    def _kept(self, name: str, make: Callable[[Path], None]) -> Path:
        kept = self.folder / name
        if not kept.exists():
            self.folder.mkdir(mode=0o700, exist_ok=True)
            # Another run may be making the same; whoever is last wins, and both are whole.
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                made = Path(folder) / name
                make(made)
                _move(made, kept)
        return kept

    def _make_tiny(self, path: Path) -> None:
        self._import(path, itertools.islice(small_memories(), TINY), "01")

    def _make_small(self, path: Path) -> None:
        self._import(path, small_memories(), "01")

    def _make_large(self, path: Path) -> None:
        self._import(path, large_memories(), "02", "--no-embed")
        asyncio.run(_fill_vectors(path, self.small(), _LARGE_SEED))

    def _make_huge(self, path: Path) -> None:
        self._import(path, huge_memories(), "03", "--no-embed")
        asyncio.run(_fill_vectors(path, self.small(), _HUGE_SEED))

    def _make_sealed(self, key: Path, path: Path) -> None:
        _move(self.copy(self.large(), path.parent), path)
        self._program.run("seal", "--db", path, "--encryption-key", key)

    def _import(self, path: Path, memories: Iterable[Memory], prefix: str, *flags: str) -> None:
        lines = write_import(path.with_suffix(".jsonl"), memories, prefix)
        self._program.run("import", lines, "--db", path, *flags)


def small_memories() -> Iterable[Memory]:
    """What the small store holds."""
    return Corpus(_SMALL_SEED).memories(SMALL)


def large_memories() -> Iterable[Memory]:
    """What the large store holds."""
    return Corpus(_LARGE_SEED).memories(LARGE)


def huge_memories() -> Iterable[Memory]:
    """What the huge store holds."""
    return Corpus(_HUGE_SEED).memories(HUGE)


def _move(store: Path, target: Path) -> None:
    """Move a store, and the head of its journal, which stands beside it."""
    for suffix in (_HEAD, ""):
        store.with_name(store.name + suffix).replace(target.with_name(target.name + suffix))


def entity_id(prefix: str, number: int) -> str:
    """The id of a memory of an import file: two hex digits for the file, ten for the line."""
    return f"mem-{prefix}{number:010x}"


def write_import(path: Path, memories: Iterable[Memory], prefix: str) -> Path:
    """Write a file for `mimir import`."""
    lines = (memory.line(entity_id(prefix, n)) for n, memory in enumerate(memories, start=1))
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in itertools.chain([header()], lines))
    return path


async def _fill_vectors(path: Path, real: Path, seed: int) -> None:
    """Give every chunk a vector as the model could have made it: two real ones mixed, and noise.

    They lie as densely as real ones do, which is what a search has to cope with.
    """
    generator = np.random.default_rng(seed)
    engine = load_engine("auto")
    async with open_database(real, engine, _BUSY_TIMEOUT_MS) as database:
        held = await database.read(lambda reader: reader.tuples(_REAL_VECTORS))
    pattern = np.frombuffer(b"".join(vector for (vector,) in held), dtype="<f4")
    pattern = pattern.reshape(-1, DIMENSION)
    async with open_database(path, engine, _BUSY_TIMEOUT_MS) as database:
        vectors = Vectors(MODEL_NAME, DIMENSION, has_vec=database.has_vec)

        def fill(tx: Writer) -> int:
            pending = vectors.pending(tx, _VECTORS_AT_ONCE)
            rows = _mixed(generator, pattern, len(pending))
            for chunk, row in zip(pending, rows, strict=True):
                vectors.embed_pending(tx, chunk.chunk_id, row.tobytes())
            return len(pending)

        while await database.write(fill):
            pass


def _mixed(generator: np.random.Generator, pattern: Matrix, count: int) -> Matrix:
    one, other = generator.integers(len(pattern), size=(2, count))
    share = generator.random((count, 1), dtype=np.float32)
    noise = generator.standard_normal((count, DIMENSION), dtype=np.float32)
    mixed = pattern[one] * share + pattern[other] * (1 - share)
    mixed += noise * (_NOISE / DIMENSION**0.5)
    mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
    return mixed.astype("<f4")


def _fingerprint() -> str:
    digest = hashlib.sha256(f"{LATEST} {MODEL_NAME}".encode())
    for name in _SOURCES:
        digest.update((Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()[:12]
