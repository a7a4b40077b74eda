"""FTS5 keeps every term of a text as it is, and finds the text by each."""

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings

from mimir_py.storage import fts
from mimir_py.storage.terms import analyse, quoted
from tests.storage.vocabulary import TEXTS, WORDS

_VOCABULARY = "SELECT term FROM entities_vocabulary"
_MATCHES = "SELECT rowid FROM entities_fts WHERE entities_fts MATCH ?"

_OF_STORE = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


async def _assert_kept(database, text):
    """FTS5 holds the terms of the text, all of them and no other, and finds it by each."""
    expected = set(analyse(text).split(" ")) - {""}

    def check(tx):
        fts.add(tx, [(1, "", text)])
        held = {term for (term,) in tx.tuples(_VOCABULARY)}
        missed = [term for term in expected if tx.tuples(_MATCHES, (quoted(term),)) != [(1,)]]
        fts.remove(tx, 1)
        return held, missed

    held, missed = await database.write(check)
    assert held == expected
    assert missed == []


@pytest.mark.parametrize("word", WORDS)
async def test_fts5_finds_a_word_by_each_of_its_terms(database, word):
    await _assert_kept(database, word)


@given(text=TEXTS)
@_OF_STORE
async def test_fts5_holds_every_term_of_any_text_as_it_is(database, text):
    await _assert_kept(database, text)


@given(text=TEXTS)
@_OF_STORE
async def test_fts5_holds_every_term_of_a_text_given_in_upper_case(database, text):
    await _assert_kept(database, text.upper())


async def test_fts5_holds_the_terms_of_every_character_of_the_basic_plane(database):
    kept = [
        chr(number)
        for number in range(0x21, 0xFFFE)
        if unicodedata.category(chr(number)) not in ("Cs", "Cc", "Cf")
    ]
    for start in range(0, len(kept), 4_000):
        await _assert_kept(database, " ".join(f"ab{c}cd {c}" for c in kept[start : start + 4_000]))


@pytest.mark.parametrize("character", "\x01\x07\x1b\x7f\u200e\u200f\u202a")
async def test_fts5_does_not_split_at_what_is_invisible(database, character):
    await _assert_kept(database, f"left{character}right")
