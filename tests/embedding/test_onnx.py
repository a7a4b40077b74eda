"""The bundled model: the right vectors, the same ones every time, and where they come from."""

import json
import math
import shutil
import struct
from pathlib import Path

import pytest

from mimir_py.embedding import OnnxEmbedder
from mimir_py.embedding.onnx import DIMENSION, MAX_TOKENS, MODEL_FOLDER, load_model
from mimir_py.errors import EmbeddingError

# 24 texts with the vectors of the float model, cut at 256 tokens.
_REFERENCES = json.loads(
    (Path(__file__).parent / "reference_vectors.json").read_text(encoding="utf-8")
)
_TEXTS = [reference["text"] for reference in _REFERENCES]


def _numbers(vector: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{DIMENSION}f", vector)


def _cosine(one, other) -> float:
    dot = sum(a * b for a, b in zip(one, other, strict=True))
    return dot / (math.hypot(*one) * math.hypot(*other))


@pytest.fixture(scope="module")
def vectors(embedder) -> dict[str, bytes]:
    return {text: embedder.embed_here(text) for text in _TEXTS}


@pytest.mark.parametrize("number", range(len(_REFERENCES)))
def test_a_vector_is_close_to_that_of_the_float_model(number, vectors):
    reference = _REFERENCES[number]

    cosine = _cosine(_numbers(vectors[reference["text"]]), reference["vector"])

    assert cosine >= 0.95


def test_the_vectors_are_on_average_very_close_to_those_of_the_float_model(vectors):
    cosines = [
        _cosine(_numbers(vectors[reference["text"]]), reference["vector"])
        for reference in _REFERENCES
    ]

    assert sum(cosines) / len(cosines) >= 0.985


def test_a_vector_has_384_numbers_and_unit_length(vectors):
    lengths = [math.hypot(*_numbers(vector)) for vector in vectors.values()]

    assert DIMENSION == OnnxEmbedder.dimension == 384
    assert lengths == pytest.approx([1.0] * len(_TEXTS), abs=1e-5)


@pytest.mark.parametrize("text", ["", " ", "\n", "🚀", "数据库", "x" * 100_000])
def test_any_text_has_a_vector_of_unit_length(text, embedder):
    vector = _numbers(embedder.embed_here(text))

    assert math.hypot(*vector) == pytest.approx(1.0, abs=1e-5)


async def test_a_text_has_the_same_vector_alone_and_among_others(embedder, vectors):
    together = await embedder.embed(_TEXTS)
    alone = [vector for text in _TEXTS for vector in await embedder.embed([text])]

    assert together == alone == list(vectors.values())


@pytest.mark.parametrize(("threads", "workers"), [(1, 1), (2, 1), (1, 2)])
async def test_a_text_has_the_same_vector_with_any_number_of_threads(threads, workers, vectors):
    embedder = OnnxEmbedder(threads, workers)
    try:
        found = await embedder.embed(_TEXTS)
    finally:
        embedder.close()

    assert found == list(vectors.values())


async def test_vectors_come_in_the_order_of_their_texts(embedder, vectors):
    found = await embedder.embed(list(reversed(_TEXTS)))

    assert found == list(reversed(vectors.values()))


async def test_no_text_has_no_vector(embedder):
    assert await embedder.embed([]) == []


def test_only_what_is_beyond_the_window_is_not_seen(embedder):
    words = ["lantern"] * (MAX_TOKENS - 2)  # the model adds a token at either end

    whole = embedder.embed_here(" ".join(words))
    shorter = embedder.embed_here(" ".join([*words[:-1], "harbour"]))
    longer = embedder.embed_here(" ".join([*words, "harbour"]))

    assert whole != shorter
    assert whole == longer


@pytest.mark.parametrize("fault", ["missing", "cut short"])
def test_a_model_that_cannot_be_loaded_is_an_error_that_says_what_to_run(
    fault, tmp_path, monkeypatch
):
    for file in MODEL_FOLDER.glob("*.json"):
        shutil.copy(file, tmp_path)
    if fault == "cut short":
        weights = (MODEL_FOLDER / "model.onnx").read_bytes()
        (tmp_path / "model.onnx").write_bytes(weights[: len(weights) // 2])
    monkeypatch.setattr("mimir_py.embedding.onnx.MODEL_FOLDER", tmp_path)
    embedder = OnnxEmbedder(threads=1)

    with pytest.raises(EmbeddingError, match="mimir doctor"):
        embedder.embed_here("text")

    embedder.close()


def test_a_second_model_can_be_loaded_beside_the_first(vectors):
    second = load_model(MODEL_FOLDER, threads=1)

    [vector] = second.embed([_TEXTS[0]], batch_size=1)

    assert vector.astype("<f4").tobytes() == vectors[_TEXTS[0]]


def test_the_model_comes_with_its_licence_notice():
    notice = (MODEL_FOLDER / "NOTICE").read_text(encoding="utf-8")

    assert "Apache License, Version 2.0" in notice
    assert "all-MiniLM-L6-v2" in notice
    assert "256" in notice


def test_the_tokenizer_is_told_to_cut_at_the_window():
    config = json.loads((MODEL_FOLDER / "tokenizer_config.json").read_text(encoding="utf-8"))

    assert config["model_max_length"] == MAX_TOKENS
