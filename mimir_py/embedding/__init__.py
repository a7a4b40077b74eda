"""Text to vectors: the bundled model, run offline, and how long texts are cut for it."""

from mimir_py.embedding.chunking import split
from mimir_py.embedding.embedder import Embedder
from mimir_py.embedding.onnx import OnnxEmbedder

__all__ = ["Embedder", "OnnxEmbedder", "split"]
