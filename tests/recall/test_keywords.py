"""A query as terms, and which of them are asked of the index."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_py.recall import keywords
from mimir_py.recall.keywords import MAX_WORDS, STOPWORDS, prepare
from mimir_py.storage.terms import analyse

_FREQUENCIES = {"rare": 3, "seldom": 10, "usual": 60, "common": 900, "frequent": 2_000}
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_TERMS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs", "Zs", "Cc"]), min_size=1, max_size=12),
    st.integers(0, 500),
    max_size=8,
)


_MEMORIES = 3_000


def expression(terms, frequencies, budget):
    found = keywords.expression(terms, frequencies, _MEMORIES, budget)
    return None if found is None else found.text


def _asked(expressed):
    """The terms of an expression, in order."""
    return [term[1:-1].replace('""', '"') for term in _QUOTED.findall(expressed)]


def test_terms_are_asked_for_rarest_first():
    assert expression(["usual", "rare", "seldom"], _FREQUENCIES, 1_000) == (
        '"rare" OR "seldom" OR "usual"'
    )


@pytest.mark.parametrize(
    ("budget", "asked"),
    [
        (73, ["rare", "seldom", "usual"]),
        (72, ["rare", "seldom"]),
        (13, ["rare", "seldom"]),
        (12, ["rare"]),
        (3, ["rare"]),
    ],
)
def test_terms_beyond_the_budget_are_dropped_the_commonest_first(budget, asked):
    expressed = expression(["usual", "rare", "seldom"], _FREQUENCIES, budget)

    assert _asked(expressed) == asked
    assert "AND" not in expressed


def test_common_terms_alone_are_asked_for_in_pairs_with_the_rarest():
    expressed = expression(["frequent", "usual", "common"], _FREQUENCIES, 59)

    # In the mean, 18 and 40 memories hold both.
    assert expressed == '("usual" AND "common") OR ("usual" AND "frequent")'


def test_pairs_beyond_the_budget_are_dropped_the_commonest_first():
    assert expression(["frequent", "usual", "common"], _FREQUENCIES, 57) == (
        '("usual" AND "common")'
    )


def test_a_common_word_is_no_pair_with_its_own_exact_form():
    frequencies = {"index": 900, "=indexes": 200, "queue": 1_000}

    assert expression(frequencies, frequencies, 100) == '("=indexes" AND "queue")'
    assert expression(["index", "=indexes"], frequencies, 100) == '"=indexes"'


def test_a_common_term_on_its_own_is_asked_for_all_the_same():
    assert expression(["common"], _FREQUENCIES, 5) == '"common"'


def test_terms_that_occur_nowhere_are_not_asked_for():
    assert expression(["nowhere", "rare"], _FREQUENCIES, 100) == '"rare"'


@pytest.mark.parametrize("terms", [[], ["nowhere"], ["nowhere", "neither"]], ids=str)
def test_nothing_is_asked_where_no_term_occurs(terms):
    assert expression(terms, _FREQUENCIES, 100) is None


def test_terms_of_one_frequency_come_in_their_own_order():
    frequencies = dict.fromkeys("dbca", 7)

    assert _asked(expression("cadb", frequencies, 14)) == ["a", "b"]
    assert expression("dbca", frequencies, 14) == expression("acbd", frequencies, 14)


@given(frequencies=_TERMS, budget=st.integers(1, 1_000))
def test_nothing_but_operators_stands_outside_of_quotes(frequencies, budget):
    expressed = expression(list(frequencies), frequencies, budget)

    if expressed is None:
        assert not any(frequencies.values())
    else:
        assert set(_QUOTED.sub(" ", expressed).split()) <= {"OR", "(", "AND", ")"}
        assert set(_asked(expressed)) <= {t for t, frequency in frequencies.items() if frequency}


@given(frequencies=_TERMS, budget=st.integers(1, 1_000))
def test_the_terms_asked_for_match_no_more_than_the_budget(frequencies, budget):
    expressed = expression(list(frequencies), frequencies, budget)

    if expressed is not None and "AND" not in _QUOTED.sub("", expressed):
        asked = _asked(expressed)
        assert len(asked) == 1 or sum(frequencies[term] for term in asked) <= budget


@given(text=st.text(max_size=60))
def test_no_query_fails_and_its_terms_are_distinct(text):
    prepared = prepare(text)

    assert len(set(prepared.terms)) == len(prepared.terms)
    assert set(prepared.words) <= set(text.split())


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("what is the retry budget", ["retry", "budget"]),
        ("What IS The budget?", ["IS", "budget?"]),
        ("who is it?", ["who", "is", "it?"]),
        ("the", ["the"]),
        ("What is this?", ["What", "is", "this?"]),
        ("the IT budget", ["IT", "budget"]),
        ("does US law apply", ["US", "law", "apply"]),
        ("A plan", ["plan"]),
        ("it's (the) plan", ["plan"]),
        ("is C++ used", ["C++", "used"]),
    ],
)
def test_stopwords_are_left_out_unless_they_are_names_or_all_there_is(query, words):
    assert list(prepare(query).words) == words


def test_an_acronym_that_looks_like_a_stopword_is_kept_as_a_name():
    assert "=^it" in prepare("what does IT pay").extras
    assert "it" not in prepare("what does it pay").stems


@pytest.mark.parametrize("word", sorted(STOPWORDS))
def test_a_stopword_is_left_out_beside_another_word(word):
    assert prepare(f"{word} lantern").words == ("lantern",)


def test_a_repeated_word_counts_once():
    assert prepare("gate gate gates gate").words == ("gate", "gates")
    assert prepare("gate gate gates gate").stems == ("gate",)


def test_words_beyond_a_number_are_not_read():
    assert len(prepare(" ".join(f"word{n}" for n in range(500))).words) == MAX_WORDS


@pytest.mark.parametrize(
    ("query", "joined"),
    [
        ("retry budget ms", {"=retrybudgetms", "=retrybudget", "=budgetms"}),
        ("the Retry Budget", {"=retrybudget"}),
        ("wi fi", {"=wifi"}),
        ("utf 8", {"=utf8"}),
    ],
)
def test_words_side_by_side_are_looked_up_joined(query, joined):
    assert joined <= set(prepare(query).extras)


def test_many_words_are_not_looked_up_joined():
    extras = prepare("harbour railing window ledger broker cluster").extras

    assert not any(extra.startswith("=harbourr") for extra in extras)


@pytest.mark.parametrize(
    ("query", "term"),
    [
        ("cpp", "=c++"),
        ("golang", "=^go"),
        ("JS", "=javascript"),
        ("dotnet", "=.net"),
        ("postgres", "=postgresql"),
        ("k8s", "=kubernetes"),
        ("kubernetes", "=k8s"),
        ("repo", "=repository"),
        ("config", "configur"),
        ("what is the db", "databas"),
    ],
)
def test_a_common_abbreviation_also_asks_for_what_it_stands_for(query, term):
    assert term in prepare(query).terms


@pytest.mark.parametrize(
    ("query", "when", "number"),
    [
        ("when did we ship", True, False),
        ("since when", True, False),
        ("What date is the launch", True, False),
        ("how long ago", True, True),
        ("how many nodes", False, True),
        ("How often does it run", False, True),
        ("what is the budget", False, False),
    ],
)
def test_a_question_for_a_time_or_a_number_is_known(query, when, number):
    prepared = prepare(query)

    assert (prepared.asks_when, prepared.asks_number) == (when, number)


@pytest.mark.parametrize(
    ("query", "term"),
    [("what is in cpp?", "=c++"), ("(golang)", "=^go"), ("js, please", "=javascript")],
)
def test_an_abbreviation_is_known_beside_punctuation(query, term):
    assert term in prepare(query).terms


@pytest.mark.parametrize(
    ("stored", "query"),
    [
        ("GitHub", "github"),
        ("github", "GitHub"),
        ("SQLite", "where is sqlite used"),
        ("OAuth", "oauth"),
        ("JavaScript", "javascript"),
        ("URLs", "url"),
        ("e-mail", "email"),
    ],
)
def test_a_name_is_asked_for_in_its_other_spelling(stored, query):
    assert set(prepare(query).terms) & set(analyse(stored).split())


@pytest.mark.parametrize("query", ["whenever it rains", "sincerely yours"])
def test_a_longer_word_asks_for_no_time(query):
    assert not prepare(query).asks_when


@pytest.mark.parametrize("query", ["", " ", "\n"])
def test_a_blank_query_has_no_terms(query):
    assert prepare(query).terms == ()
