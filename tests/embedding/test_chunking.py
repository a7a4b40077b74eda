"""Where long texts are cut: nothing is left out, and every piece fits the model."""

import argparse
import inspect
import textwrap
import typing
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from mimir_py.embedding import split
from mimir_py.embedding.onnx import MAX_TOKENS, MODEL_FOLDER

_MIB = 1_048_576
_WORDS = """
    the team decided after a long discussion to replace our message broker because operating it
    took too much time last winter and nobody remembered how clustering authentication retries
    dead letters or partitions were configured when incidents happened at night in production
""".split()
_CODE_LINES = textwrap.dedent(inspect.getsource(argparse)).splitlines() + (
    inspect.getsource(typing).splitlines()
)


_SENTENCES = {
    "Chinese": (
        "我们决定用新的消息队列代替旧的，因为团队已经在运行它。",
        "去年冬天的故障之后，没有人记得集群是怎么配置的。",
        "请在部署之前检查数据库的备份！",
    ),
    "Japanese": (
        "私たちは新しいメッセージキューを使うことにしました。",
        "チームがすでに運用しているので、学ぶことは多くありません。",
        "デプロイの前にデータベースのバックアップを確認してください。",
    ),
    "Korean": (
        "우리는 새로운 메시지 큐를 사용하기로 결정했습니다.",
        "팀이 이미 운영하고 있기 때문에 배울 것이 많지 않습니다.",
        "배포하기 전에 데이터베이스 백업을 반드시 확인하십시오.",
    ),
}


def _prose(longest: int) -> st.SearchStrategy[str]:
    sentence = st.lists(st.sampled_from(_WORDS), min_size=3, max_size=longest).map(
        lambda words: " ".join(words).capitalize() + "."
    )
    return st.lists(sentence, min_size=80, max_size=120).map(" ".join)


def _script(name: str) -> st.SearchStrategy[str]:
    sentences = st.lists(st.sampled_from(_SENTENCES[name]), min_size=15, max_size=40)
    return sentences.map((" " if name == "Korean" else "").join)


_CODE = st.lists(st.sampled_from(_CODE_LINES), min_size=30, max_size=80).map("\n".join)
_ANY = st.text(min_size=0, max_size=1_500) | st.text(
    st.sampled_from("ab1 .!?\n。！…é数🚀-_"), max_size=1_500
)


@pytest.fixture(scope="module")
def token_count() -> typing.Callable[[str], int]:
    """How many word-pieces the model would see of a text of any length."""
    tokenizer = Tokenizer.from_file(str(MODEL_FOLDER / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: len(tokenizer.encode(text).ids)


@given(_ANY)
@settings(max_examples=200, deadline=None)
def test_the_spans_cover_the_text_in_order_and_every_one_gets_further(text):
    spans = split(text)

    assert spans[0][0] == 0
    assert spans[-1][1] == len(text)
    for (start, stop), (next_start, next_stop) in pairwise(spans):
        assert start < next_start <= stop < next_stop


@given(_ANY)
@settings(max_examples=50, deadline=None)
def test_the_same_text_is_always_cut_the_same_way(text):
    assert split(text) == split(text)


@given(st.text(max_size=200))
@settings(max_examples=50, deadline=None)
def test_a_short_text_is_one_span(text):
    assert split(text) == [(0, len(text))]


@given(_prose(longest=8))
@settings(max_examples=40, deadline=None)
def test_neighbouring_spans_of_prose_overlap(text):
    spans = split(text)

    assert len(spans) > 1
    assert all(next_start < stop for (_, stop), (next_start, _) in pairwise(spans))


@given(_prose(longest=8))
@settings(max_examples=40, deadline=None)
def test_prose_is_cut_between_sentences(text):
    inner = split(text)[:-1]

    assert all(text[:stop].rstrip().endswith(".") for _, stop in inner)


@pytest.mark.parametrize(
    "text",
    [
        (" ".join(_WORDS) + ". ") * 12,
        " ".join(_WORDS * 12),
        "我们决定用新的消息队列代替旧的因为团队已经在运行它" * 20,
        ",".join(f"host-{number}" for number in range(300)),
    ],
    ids=["long sentences", "no full stop", "Chinese without a full stop", "a list on one line"],
)
def test_neighbouring_spans_overlap_where_sentences_are_long(text):
    spans = split(text)

    assert len(spans) > 1
    assert all(next_start < stop for (_, stop), (next_start, _) in pairwise(spans))


@pytest.mark.parametrize(
    "texts",
    [_prose(longest=30), _CODE, _script("Chinese"), _script("Japanese"), _script("Korean")],
    ids=["prose", "code", "Chinese", "Japanese", "Korean"],
)
def test_every_chunk_of_an_ordinary_text_fits_the_window(texts, token_count):
    @given(texts)
    @settings(max_examples=25, deadline=None)
    def check(text):
        longest = max(token_count(text[start:stop]) for start, stop in split(text))

        assert longest <= MAX_TOKENS

    check()


@pytest.mark.parametrize("script", _SENTENCES)
def test_a_short_text_of_any_script_fits_the_window(script, token_count):
    text = " ".join(_SENTENCES[script] * 5)[:200]

    assert all(token_count(text[start:stop]) <= MAX_TOKENS for start, stop in split(text))


@pytest.mark.parametrize(
    "piece",
    [
        "The team decided to use it. ",
        "a",
        "1",
        "数。",
        ".",
        "\n",
        " ",
        "🚀",
    ],
)
def test_a_mebibyte_is_cut_into_a_bounded_number_of_spans(piece):
    text = (piece * _MIB)[: _MIB // len(piece[0].encode())]

    spans = split(text)

    assert len(spans) <= len(text) // 100 + 1
    assert spans[-1][1] == len(text)


def test_a_long_run_of_punctuation_is_cut_in_bounded_time(run_python):
    program = """
from mimir_py.embedding import split
for piece in (".", "?!", "\u2026", "\u3002"):
    text = piece * 150_000 + "x"
    print(split(text)[-1][1] == len(text))
"""

    printed = run_python(program, timeout=10)

    assert printed.split() == ["True"] * 4
