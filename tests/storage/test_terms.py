"""The terms of a text: what each kind of token gives."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mimir_py.storage import terms
from mimir_py.storage.terms import EXTRA, QUESTION, analyse, quoted, word_terms
from tests.storage.vocabulary import TEXTS, WORDS

_ASCII_WORDS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20
)


def _without_short_name(word):
    stems, extras = word_terms(word)
    return stems, {extra for extra in extras if not extra.startswith(f"{EXTRA}^")}


def _terms(word):
    stems, extras = word_terms(word)
    return {*stems, *extras}


@pytest.mark.parametrize("word", WORDS)
def test_a_word_gives_its_stems_in_order_and_what_is_looked_up_to_the_letter(word):
    stems, extras = WORDS[word]

    assert word_terms(word)[0] == tuple(stems.split())
    assert set(word_terms(word)[1]) == set(extras.split())


def test_a_text_gives_its_words_in_order_and_then_the_extras():
    assert analyse("Retrying the\n  retry_budget") == (
        "retri the retri budget =retrying =retry =retrybudget =retry_budget"
    )


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_a_blank_text_has_no_terms(text):
    assert analyse(text) == ""


@pytest.mark.parametrize(
    ("text", "asks"),
    [("is it?", True), ("is it? \n", True), ("it is", False), ("is it? no", False), ("?", True)],
)
def test_a_text_that_ends_with_a_question_mark_is_marked(text, asks):
    assert (QUESTION in analyse(text).split()) == asks


def test_a_question_mark_is_the_last_term():
    assert analyse("is retry_budget set?").endswith(f" {QUESTION}")


@pytest.mark.parametrize(
    "word", ["connecting", "connection", "connected", "connections", "Connects", "CONNECTING"]
)
def test_forms_of_a_word_share_its_stem_and_keep_their_own_form(word):
    assert word_terms(word) == (("connect",), (f"={word.lower()}",))


@pytest.mark.parametrize("spelling", ["retry_budget_ms", "retry-budget-ms", "RETRY_BUDGET_MS"])
def test_an_identifier_is_one_term_however_it_is_written(spelling):
    assert "=retrybudgetms" in word_terms(spelling)[1]
    assert word_terms(spelling)[0] == word_terms("retryBudgetMs")[0]


def test_a_file_is_found_by_its_name_alone():
    assert _terms("dns.py") <= _terms("libs/net/dns.py") | {"=dnspy"}
    assert {"=dns.py", "=dnspy"} <= _terms("libs/net/dns.py")
    assert {"=main.py", "=mainpy"} <= _terms("src\\app\\main.py")


@pytest.mark.parametrize(
    "commit", ["9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c3b2a1f0e", "9F8E7D6C5B4A", "9f8e7d6c5b4a3f"]
)
def test_a_hash_is_found_by_its_first_seven_characters(commit):
    assert "=9f8e7d6" in word_terms(commit)[1]
    assert "=9f8e7d6" in word_terms("9f8e7d6")[1]


@pytest.mark.parametrize("word", ["9f8e7d6c5b4", "effaceddecade", "g" * 40, "ab1" * 22])
def test_what_is_no_hash_has_no_hash_prefix(word):
    assert f"={word[:7]}" not in word_terms(word)[1]


@pytest.mark.parametrize("emoji", ["❤", "✔", "☃", "⚠"])
def test_an_emoji_is_one_term_with_and_without_its_variation_selector(emoji):
    assert word_terms(f"{emoji}\ufe0f") == word_terms(f"{emoji}\ufe0e") == word_terms(emoji)
    assert word_terms(emoji) == ((), (f"={emoji}",))


def test_an_emoji_made_of_several_is_found_by_each():
    assert {"=👩", "=💻"} <= _terms("👩\u200d💻")


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("naïve", "naive"),
        ("NAÏVE", "naive"),
        ("nai\u0308ve", "naive"),
        ("ŁÓDŹ", "lodz"),
        ("Ødegård", "odegard"),
        ("œuvre", "oeuvre"),
        ("Артём", "артем"),
        ("１２３", "123"),
        ("ｆｉｌｅ", "file"),
        ("soft\u00adware", "software"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)
def test_accents_width_and_what_is_invisible_make_no_difference(written, plain):
    assert word_terms(written) == word_terms(plain)


@pytest.mark.parametrize(
    "wrapped", ["({})", "[{}]", "“{}”", "'{}'", "**{}**", "{},", "{}?!", "«{}»"]
)
@pytest.mark.parametrize("word", ["retrying", "retryBudgetMs", "module.attr", "C++", "#1234", "Go"])
def test_the_punctuation_of_a_sentence_makes_no_difference(wrapped, word):
    assert word_terms(wrapped.format(word))[0] == word_terms(word)[0]
    assert _terms(word) <= _terms(wrapped.format(word))


@pytest.mark.parametrize("call", ["run()", "run(x)", "a[0]", "vector<int>"])
@pytest.mark.parametrize("wrapped", ["{}", "{}.", "“{}”,", "[{}", "{}:"])
def test_a_bracket_a_word_opened_itself_stays(wrapped, call):
    assert f"={call}" in word_terms(wrapped.format(call))[1]


def test_a_long_word_gives_terms_of_bounded_length():
    stems, extras = word_terms("retryBudget_" * 1_000)

    assert max(map(len, (*stems, *extras))) <= 101


@given(word=_ASCII_WORDS)
def test_case_makes_no_difference_but_to_short_names(word):
    lower = _without_short_name(word.lower())

    assert _without_short_name(word.upper()) == lower
    assert _without_short_name(word.lower().capitalize()) == lower


@given(text=st.text(max_size=200))
@example("\ud800")
@example("\x00")
def test_no_text_fails(text):
    analyse(text)


@given(text=TEXTS)
def test_analysis_knows_no_state(text):
    first = analyse(text)

    for word in text.split():
        word_terms(word)

    assert analyse(text) == first


@given(text=TEXTS)
def test_no_term_holds_white_space(text):
    for word in text.split():
        assert all(term.split() == [term] for term in _terms(word))


@given(text=TEXTS)
def test_terms_are_parted_by_single_spaces(text):
    terms = analyse(text)

    assert terms == " ".join(terms.split())


def test_a_term_in_quotes_is_no_syntax():
    assert quoted('say"when') == '"say""when"'


# What once went wrong.


@pytest.mark.parametrize("word", ["don´t", "a¨b", "x˘y", "ﷺ"])
def test_an_accent_on_its_own_is_no_white_space(word):
    assert all(term.split() == [term] for term in _terms(word))


@pytest.mark.parametrize("call", ["run()", "run(x)"])
def test_a_bracket_of_the_sentence_after_one_of_the_word_goes(call):
    assert f"={call}" in word_terms(f"{call}).")[1]


@pytest.mark.parametrize("word", ["C++", "a=b", "$ENV"])
def test_quotation_marks_that_are_not_ascii_add_no_term(word):
    assert word_terms(f"“{word}”") == word_terms(word)


@pytest.mark.parametrize(
    ("commit", "prefix"),
    [
        ("1234567abcdef0123456789abcdef0123456789a", "1234567a"),
        ("9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c3b2a1f0e", "9f8e7d6c"),
        ("1" * 7 + "2" * 32 + "a", "1" * 7),
        ("9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c3b2a1f0e", "9f8e7d6c5b"),
    ],
)
def test_a_hash_shares_an_extra_with_any_usual_prefix_of_it(commit, prefix):
    assert set(word_terms(commit)[1]) & set(word_terms(prefix)[1])


@pytest.mark.parametrize(
    ("plural", "stem"), [("APIs", "api"), ("URLs", "url"), ("PRs", "pr"), ("VMs", "vm")]
)
def test_a_plural_of_capitals_has_the_stem_of_its_singular(plural, stem):
    assert stem in word_terms(plural)[0]


@pytest.mark.parametrize("word", ["größe", "straße"])
def test_a_word_with_a_letter_that_is_not_ascii_is_one_word(word):
    assert word_terms(word)[0] == word_terms(word.upper())[0]


@pytest.mark.parametrize("word", ["þór", "ðal"])
def test_case_makes_no_difference_to_letters_of_other_alphabets(word):
    assert _without_short_name(word) == _without_short_name(word.upper())


def test_a_long_run_of_digits_takes_bounded_time(run_python):
    program = """
import time
from mimir_py.storage.terms import analyse
start = time.process_time()
analyse("1" * 10_000)
print(time.process_time() - start < 0.5)
"""

    assert run_python(program) == "True\n"


def test_threads_do_not_spoil_each_others_stems():
    words = [f"{stem}{end}" for stem in _made_up(400) for end in ("ing", "ational", "fulness")]
    alone = [analyse(word) for word in words]
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(3):
            terms._stem.cache_clear()
            terms._cached_terms.cache_clear()
            with ThreadPoolExecutor(4) as pool:
                assert list(pool.map(analyse, words)) == alone
    finally:
        sys.setswitchinterval(usual)


def _made_up(count: int) -> list[str]:
    letters = "bcdfghlmnprst"
    return [
        f"{letters[n % 13]}a{letters[n // 13 % 13]}e{letters[n * 7 % 13]}o{letters[n * 5 % 13]}"
        for n in range(count)
    ]


def test_an_identifier_within_a_dotted_name_is_a_term_of_its_own():
    assert "=pgreplica2" in _terms("pg-replica-2.db.internal")
    assert "=retrybudget" in _terms("payments.retry_budget")
    assert "=v1" not in _terms("v1.2.3")
