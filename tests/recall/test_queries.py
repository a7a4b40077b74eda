"""Whatever is asked, a query finds the text that holds it and never fails."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_DISTRACTORS = [
    "The lighthouse keeper paints the railings every spring",
    "Minutes of the meeting are kept in the blue folder",
    "Her bicycle stands behind the greenhouse",
    "Breakfast is served from seven until nine",
    "Copper pipes were replaced in the eastern wing",
    "The orchard was sold to a neighbour last year",
]
# query -> the text that holds it
_HELD = {
    "c++": "Our c++ guide forbids exceptions",
    "c#": "A c# service mails the invoices",
    "foo-bar": "The foo-bar plugin mails the invoices",
    "what?": "what? is the title of the play",
    '"': 'She called it "temporary"',
    'say"when': 'Pour until they say"when" aloud',
    "AND": "An AND gate needs two inputs",
    "NOT": "A NOT gate needs one input",
    "NEAR(": "NEAR( opens a proximity search",
    "C:\\tmp": "Logs go to C:\\tmp on that machine",
    "user@x.com": "Write to user@x.com for access",
    "*": "List files with ls * first",
    "a:b": "Ports are written a:b in that file",
    "^x": "The pattern ^x begins a line",
    "((": "One (( was never closed",
    "{": "A lone { breaks the template",
    "§": "See § for the terms",
    "--": "Pass -- before the names",
    "100%": "Coverage stays at 100% there",
    "it's": "They say it's done",
    "a_b": "The column a_b is unused",
    "../etc": "Paths with ../etc are refused",
    "<b>": "Markup such as <b> is stripped",
    "🚀": "Release day 🚀 is Friday",
    "数据库": "我们的数据库在东边的服务器上",
    "サーバー": "新しいサーバーは東にあります",
    "메시지": "우리는메시지큐를씁니다",
    "ข้อความ": "เราใช้คิวข้อความใหม่",
    "résumé": "Her résumé is in the drawer",
    "resume": "Her résumé is in the drawer",
    "RÉSUMÉ": "Her résumé is in the drawer",
    "москва": "Офис находится в городе МОСКВА",
    "straße": "Das Büro liegt in der Straße am Hafen",
}
_TEXTS = list(dict.fromkeys([*_HELD.values(), *_DISTRACTORS]))
_STORABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
_PARTS = """
    AND OR NOT NEAR ( ) " * ^ : + - { } label: body : a gate ga"te "gate a" "" 数 🚀 ' \\ NEAR(a,2)
    -- ; % _ é*
""".split()
_SYNTAX = st.lists(st.sampled_from(_PARTS)).map(" ".join)


@pytest.fixture(scope="module")
def texts_path(make_store):
    import json

    return make_store(
        [
            {
                "category": "note",
                "key": f"entry-{number}",
                "body_json": json.dumps({"content": text}),
                "created_at_unix_ms": 1_000 + number,
            }
            for number, text in enumerate(_TEXTS)
        ]
    )


@pytest.fixture
async def texts(texts_path, open_copy, client_of):
    """A client of a store with all the texts."""
    async with open_copy(texts_path) as app:
        yield client_of(app)


@pytest.mark.parametrize("query", _HELD)
async def test_a_query_finds_the_text_that_holds_it(texts, query):
    by_words = await texts.recall(query, mode="fts5")
    hybrid = await texts.recall(query)

    assert by_words[0]["content"] == _HELD[query]
    # A text near in meaning may come before the one that holds the query.
    assert _HELD[query] in [item["content"] for item in hybrid[:2]]


@pytest.mark.parametrize("mode", ["fts5", "hybrid"])
async def test_a_word_of_a_script_without_spaces_is_found_alone_and_within_a_sentence(client, mode):
    await client.remember("alone", "数据库")
    await client.remember("within", "我们的数据库在东边的服务器上")
    await client.remember("other", "灯塔管理员每年春天都会粉刷栏杆")

    items = await client.recall("数据库", mode=mode)

    assert {item["key"] for item in items[:2]} == {"alone", "within"}


@pytest.mark.parametrize("mode", ["fts5", "hybrid"])
async def test_a_word_of_a_script_without_spaces_counts_beside_a_latin_one(client, mode):
    await client.remember("both", "我们的数据库在服务器NATS上")
    await client.remember("latin", "NATS is the message broker")
    await client.remember("within", "数据库备份在星期五")

    items = await client.recall("NATS 数据库", mode=mode)

    assert {"both", "within"} <= {item["key"] for item in items}


async def test_a_symbol_counts_beside_a_word_that_is_nowhere(texts):
    items = await texts.recall("🚀 zeppelin", mode="fts5")

    assert items[0]["content"] == _HELD["🚀"]


@pytest.mark.parametrize("mode", ["fts5", "hybrid"])
async def test_a_literal_comes_before_its_mere_words(client, mode):
    await client.remember("mere", "grade c is passed by most, c for short, c again")
    await client.remember("literal", "the c++ course is passed by few of them")

    items = await client.recall("c++", mode=mode)

    assert items[0]["key"] == "literal"


@pytest.mark.parametrize("query", ["was the", "what is it", "to be"])
async def test_a_query_of_common_words_only_is_searched_by_them(texts, query):
    items = await texts.recall(query, mode="fts5")

    assert items


async def test_common_words_do_not_decide(client):
    await client.remember("common", "what is the what of it and what was the what")
    await client.remember("telling", "the zeppelin")

    items = await client.recall("what is the zeppelin", mode="fts5")

    assert [item["key"] for item in items] == ["telling"]


@pytest.mark.parametrize("mode", ["fts5", "dense", "hybrid"])
@pytest.mark.parametrize("query", ["", "   ", "\n\t"])
async def test_a_blank_query_browses(texts, query, mode):
    items = await texts.recall(query, mode=mode, limit=1_000)

    assert [item["content"] for item in items] == list(reversed(_TEXTS))


@given(query=st.text(_STORABLE, max_size=60) | _SYNTAX)
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_no_query_fails(texts, query):
    for mode in ("fts5", "dense", "hybrid"):
        for item in await texts.recall(query, mode=mode, limit=3):
            assert 0 <= item["score"] <= 1
    await texts.recall(query, limit=2, expansion={"enabled": True, "n_variants": 3})


@pytest.mark.parametrize(
    "query",
    [
        "gate " * 20_000,
        "gate-" * 20_000,
        '"' * 5_000,
        "数" * 20_000,
        " ".join(f"word{number}" for number in range(20_000)),
        "(" * 5_000 + "gate",
    ],
    ids=["a word", "one long word", "quotes", "no spaces", "many words", "brackets"],
)
async def test_no_length_of_query_fails(texts, query):
    for mode in ("fts5", "dense", "hybrid"):
        await texts.recall(query, mode=mode, limit=1)


def test_a_long_run_of_punctuation_is_prepared_in_bounded_time(run_python):
    program = """
from mimir_py.recall.keywords import prepare
print(len(prepare("x" + "!" * 100_000 + "x").words))
"""

    assert run_python(program, timeout=10) == "1\n"


async def test_the_same_query_twice_gives_the_same_answer(texts):
    for mode in ("fts5", "dense", "hybrid"):
        first = await texts.recall("where are the logs kept", mode=mode, reinforce=False)
        second = await texts.recall("where are the logs kept", mode=mode, reinforce=False)

        assert first == second


@pytest.mark.plain
async def test_the_same_query_gives_the_same_answer_in_another_process(
    texts_path, open_copy, client_of
):
    answers = []
    for _ in range(2):
        async with open_copy(texts_path) as app:
            answers.append(await client_of(app).recall("where are the logs kept", limit=40))

    assert answers[0] == answers[1]


async def test_a_name_that_is_asked_for_comes_first(client):
    await client.remember("release-plan", "ships on Friday")
    await client.remember("notes", "release plan release plan release plan, said the plan")

    for mode in ("fts5", "hybrid"):
        items = await client.recall("release-plan", mode=mode)

        assert items[0]["key"] == "release-plan"


async def test_variants_of_a_query_are_searched_and_named(client):
    await client.remember("plan", "they connect the pipes")

    answer = await client.run(
        "recall",
        {
            "query": "Connecting Pipes",
            "mode": "fts5",
            "expansion": {"enabled": True, "n_variants": 2},
        },
    )

    assert answer["variants"] == ["Connecting Pipes", "connect Pipes", "Connecting pipe"]
    assert [item["key"] for item in answer["items"]] == ["plan"]


@pytest.mark.parametrize(
    ("expansion", "count"),
    [({"enabled": True}, 2), ({"enabled": True, "n_variants": 0}, None), ({}, None), (None, None)],
    ids=str,
)
async def test_variants_are_searched_only_where_that_is_asked_for(client, expansion, count):
    await client.remember("plan", "they connect the pipes")

    answer = await client.run("recall", {"query": "connecting pipes", "expansion": expansion})

    assert len(answer.get("variants", ())) == (count or 0)
