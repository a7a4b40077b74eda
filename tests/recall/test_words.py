"""The keyword arm in a large store: what it costs is bounded, what it finds is not lost by that."""

import pytest

from mimir_py.recall import Filter
from mimir_py.recall.keywords import prepare
from mimir_py.recall.models import Mode, Query
from mimir_py.recall.words import KeywordArm

_MEMORIES = 600
_ANY = Filter()


def _record(number):
    # `lantern` is in each of them, `harbour` in every third.
    harbour = "harbour" if number % 3 == 0 else "window"
    return {
        "id": f"mem-{number:06x}",
        "category": "old" if number <= 10 else "note",
        "key": f"k{number}",
        "body_json": f'{{"content": "lantern {harbour} number{number}"}}',
    }


@pytest.fixture(scope="module")
def many_path(make_store):
    return make_store([_record(number) for number in range(1, _MEMORIES + 1)], embed=False)


@pytest.fixture
async def app(many_path, open_copy, monkeypatch):
    """A store in which forty memories are as many as may be scored."""
    for name in ("_LEAST_MATCHED", "_MOST_MATCHED"):
        monkeypatch.setattr(f"mimir_py.recall.words.{name}", 40)
    async with open_copy(many_path) as opened:
        await opened.database.indexed()
        yield opened


async def _found(app, text, filter=_ANY, *, mode=Mode.HYBRID, arm=None, pool=20):
    arm, prepared = arm or KeywordArm(), prepare(text)

    def find(reader):
        vocabulary = arm.vocabulary(reader, prepared.terms)
        query = Query(text, mode, filter=filter)
        return arm.find(reader, query, prepared, vocabulary, 20, pool)

    return [candidate.row_id for candidate in await app.database.read(find)]


async def test_of_what_is_everywhere_the_latest_are_scored(app):
    found = await _found(app, "lantern")

    assert len(found) == 20
    assert min(found) > _MEMORIES - 40


async def test_a_filter_that_leaves_only_early_ones_finds_them(app):
    found = await _found(app, "lantern", Filter(category="old"))

    assert sorted(found) == list(range(1, 11))


async def test_a_rare_term_is_found_however_early_it_is(app):
    assert (await _found(app, "lantern number7"))[0] == 7
    assert (await _found(app, "lantern harbour number3"))[0] == 3


async def test_pages_go_on_through_all_that_hold_any_term(app):
    found = await _found(app, "lantern number7", mode=Mode.KEYWORD, pool=8_192)

    assert found[0] == 7
    assert sorted(found) == list(range(1, _MEMORIES + 1))


async def test_counts_of_rare_terms_are_exact_and_of_common_ones_within_a_hundredth(app, client_of):
    arm, client = KeywordArm(), client_of(app)

    async def counts():
        terms = prepare("lantern anvil number7").stems
        found = await app.database.read(lambda reader: arm.vocabulary(reader, terms))
        return dict(found.frequencies)

    assert await counts() == {"lantern": _MEMORIES, "anvil": 0, "number": _MEMORIES}
    for number in range(8):
        await client.remember(f"new {number}", f"lantern anvil {number * 'x'}")
        await app.database.indexed()
        seen = await counts()
        assert seen["anvil"] == number + 1
        assert abs(seen["lantern"] - (_MEMORIES + number + 1)) <= _MEMORIES // 100
    assert seen["lantern"] > _MEMORIES
