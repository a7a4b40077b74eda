"""What times a question names, and how far memories are from them."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_py.recall.dates import Period, days_off, periods

# A Sunday.
_NOW = datetime(2026, 11, 22, 15, 30).astimezone()
_DAY = timedelta(days=1)


def _ms(day):
    return int(datetime(day.year, day.month, day.day).astimezone().timestamp() * 1000)


def _named(text):
    return list(periods(text, int(_NOW.timestamp() * 1000)))


def _period(first, last):
    return Period(_ms(first), _ms(last))


def _a_day(*day):
    return _period(date(*day), date(*day) + _DAY)


@pytest.mark.parametrize(
    "text",
    [
        *("what was said on 13 October 2023?", "on October 13, 2023", "the 13th of October, 2023"),
        *("the 2023-10-13 incident", "oct 13 2023", "OCT. 13, 2023", "13 oct, 2023?"),
    ],
)
def test_a_day_is_named_in_many_ways(text):
    assert _named(text) == [_a_day(2023, 10, 13)]


@pytest.mark.parametrize("text", ["in May 2023", "of may, 2023", "2023-05", "May of 2023"])
def test_a_month_of_a_year_is_all_of_it(text):
    assert _named(text) == [_period(date(2023, 5, 1), date(2023, 6, 1))]


def test_a_year_is_all_of_it():
    assert _named("what changed in 2024?") == [_period(date(2024, 1, 1), date(2025, 1, 1))]


def test_a_month_without_a_year_is_that_of_each_of_the_last_years():
    found = _named("when did we move in June?")

    assert [datetime.fromtimestamp(p.start / 1000).astimezone().date() for p in found] == [
        date(year, 6, 1) for year in range(2021, 2027)
    ]


def test_a_day_that_not_every_year_has_is_that_of_those_that_have_it():
    assert _named("on 29 February") == [_a_day(2024, 2, 29)]
    assert _named("on 31 February 2023") == _named("on 2024-13-45") == []


@pytest.mark.parametrize(
    ("text", "first", "days"),
    [
        ("what did we do today?", date(2026, 11, 22), 1),
        ("what broke yesterday?", date(2026, 11, 21), 1),
        ("this week", date(2026, 11, 16), 7),
        ("last week", date(2026, 11, 9), 7),
        ("last month", date(2026, 10, 1), 31),
        ("this year", date(2026, 1, 1), 365),
        ("3 days ago", date(2026, 11, 19), 1),
        ("two weeks ago", date(2026, 11, 5), 7),
        ("a month ago", date(2026, 10, 1), 31),
    ],
)
def test_a_time_is_named_by_how_long_ago_it_was(text, first, days):
    assert _named(text) == [_period(first, first + timedelta(days=days))]


def test_every_time_of_a_question_is_named():
    assert _named("between 6 June 2023 and 8 July 2023") == [
        _a_day(2023, 6, 6),
        _a_day(2023, 7, 8),
    ]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "what may happen if they march?",
            "port 6432",
            "version 2.0.2024",
            "#2023-x",
            "12:30",
        ),
        *("marching orders", "the second retry", "decimal places", "99 bottles", "in 1812"),
    ],
)
def test_what_is_no_time_names_none(text):
    assert _named(text) == []


@given(st.text(), st.integers(10**11, 4 * 10**12))
def test_any_text_names_periods_that_have_a_length(text, now):
    assert all(period.start < period.stop for period in periods(text, now))


@given(st.dates(date(1981, 1, 1), date(2090, 1, 1)))
def test_a_written_date_is_the_day_it_names(day):
    expected = [_period(day, day + _DAY)]

    assert _named(day.isoformat()) == expected
    assert _named(f"{day.day} {day:%B} {day.year}") == expected
    assert _named(f"{day:%b} {day.day}, {day.year}") == expected


def test_days_off_are_counted_from_the_nearest_period():
    week, later = _period(date(2026, 1, 5), date(2026, 1, 12)), _a_day(2026, 2, 1)

    assert days_off(week.start, [week]) == days_off(week.stop - 1, [week]) == 0
    assert days_off(week.stop, [week]) == pytest.approx(0.0, abs=1e-6)
    assert days_off(_ms(date(2026, 1, 15)), [week, later]) == pytest.approx(3, abs=0.05)
    assert days_off(_ms(date(2026, 1, 30)), [week, later]) == pytest.approx(-2, abs=0.05)
    assert days_off(_ms(date(2026, 1, 1)), [later, week]) == pytest.approx(-4, abs=0.05)


async def test_a_question_that_names_a_time_prefers_what_holds_since_then(opened):
    def record(key, text, *day):
        return {
            "category": "decision",
            "key": key,
            "body_json": f'{{"content": "{text}"}}',
            "valid_from_unix_ms": _ms(date(*day)),
        }

    records = [
        record("nats", "We chose NATS over Kafka for the order queue", 2025, 3, 4),
        record("stall", "The order queue stalled: a consumer leaked connections", 2025, 5, 20),
        record("redis", "The order queue moved to Redis streams", 2025, 7, 9),
    ]
    async with opened(*records) as client:
        first = [
            (await client.recall(f"what about the order queue {when}?"))[0]["key"]
            for when in ("in March 2025", "on 20 May 2025", "in July")
        ]

    assert first == ["nats", "stall", "redis"]
