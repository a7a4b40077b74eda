"""Sentences of a text, and what kind of memory each would make."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_py.context.extraction import extract, sentences


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("We met on 2024-05-01", "temporal_event"),
        ("The call is at 9:30", "temporal_event"),
        ("Come back tomorrow", "temporal_event"),
        ("Freeze from 3 May on", "temporal_event"),
        ("I prefer tabs", "preference"),
        ("I\u2019d rather use ruff", "preference"),
        ("My favourite editor is Zed", "preference"),
        ("We migrated the cluster", "episode"),
        ("I just fixed the flaky test", "episode"),
        ("The API runs on port 8080", "fact"),
        ("Billing depends on Stripe", "fact"),
    ],
)
def test_a_sentence_is_of_the_first_kind_that_fits(text, kind):
    assert [(found.kind, found.text) for found in extract(text)] == [(kind, text)]


@pytest.mark.parametrize(
    "text", ["You may go", "Maybe", "This analysis", "Thursdaything", "wish upon", "ahead", ""]
)
def test_a_word_inside_another_is_no_sign(text):
    assert extract(text) == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three?", ["One", "Two", "Three"]),
        ("Use v1.2.3 of app.py. It works", ["Use v1.2.3 of app.py", "It works"]),
        ("Dr. Smith said e.g. this. Then he left", ["Dr. Smith said e.g. this", "Then he left"]),
        ("It costs 3.50 a month", ["It costs 3.50 a month"]),
        ("- first\n- second one\n3) third", ["first", "second one", "third"]),
        ("J. R. Hartley wrote it", ["J. R. Hartley wrote it"]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text, parts):
    assert list(sentences(text)) == parts


@given(st.text(max_size=300))
def test_any_text_is_taken_apart(text):
    for found in extract(text):
        assert found.text
        assert found.text == found.text.strip()


async def test_a_memory_is_read_as_words_not_as_json(client):
    await client.remember("a", {"content": "I prefer tabs. We shipped v2 on Monday.", "n": 1})

    answer = await client.run("extract", {"category": "note", "key": "a"})

    assert answer == {
        "items": [
            {"kind": "preference", "text": "I prefer tabs"},
            {"kind": "temporal_event", "text": "We shipped v2 on Monday"},
        ],
        "total": 2,
        "strategy": "rule_based",
    }
