"""The times a question names: `in May 2023`, `on 3 June`, `2024-02-11`, `last week`, `2 days ago`.

English and ISO 8601, in the machine's time zone. A month or a day without a year stands for that of
each of the last years.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from mimir_py.values import UnixMs

_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_COUNTS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_YEARS_BACK: Final = 5
# Of a longer text what it names first.
_MOST_CHARACTERS: Final = 2_000
_MOST_PERIODS: Final = 48
_DAY_MS: Final = 86_400_000

_MONTH: Final = (
    "(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DAY: Final = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?![\w:])"
_YEAR: Final = r"(?P<year>(?:19[89]\d|20\d\d))\b"
_NAMED: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?P<year>(?:19[89]\d|20\d\d))-(?P<number>0[1-9]|1[0-2])(?:-(?P<day>[0-3]\d))?\b",
        rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}\b\.?(?:,?\s+{_YEAR})?",
        rf"\b{_MONTH}\.?\s+{_DAY}(?:,?\s+{_YEAR})?",
        rf"\b{_MONTH}\.?,?\s+(?:of\s+)?{_YEAR}",
        # Alone a month is written out; `may` and `march` are mostly verbs.
        r"\b(?P<month>january|february|april|june|july|august|september|october|november|december)\b",
        r"\b(?:in|since|during|of|last|until|by|this)\s+(?P<month>may|march)\b",
        rf"(?<![\w.:/-]){_YEAR}(?![.:/-]\w)",
    )
)
_RELATIVE: Final = re.compile(
    r"\b(?P<day>today|yesterday)\b|\b(?P<which>this|last)\s+(?P<unit>week|month|year)\b"
    rf"|\b(?P<count>\d{{1,2}}|an?|{'|'.join(_COUNTS)})\s+(?P<back>day|week|month)s?\s+ago\b",
    re.IGNORECASE,
)


class Period(NamedTuple):
    """A stretch of time, half-open."""

    start: UnixMs
    stop: UnixMs


def periods(text: str, now: UnixMs) -> tuple[Period, ...]:
    """The times that a text names, none if it names none; of a long text, the first of them."""
    today = datetime.fromtimestamp(now / 1000).astimezone().date()
    taken = text[:_MOST_CHARACTERS]
    found: list[tuple[date, date]] = []
    for pattern in _NAMED:
        matches = list(pattern.finditer(taken))
        for match in matches:
            found += _named(match, today)
        if matches:
            taken = pattern.sub(" ; ", taken)
    found += [_relative(match, today) for match in _RELATIVE.finditer(taken)]
    distinct = list(dict.fromkeys(found))[:_MOST_PERIODS]
    return tuple(Period(_midnight(first), _midnight(last)) for first, last in distinct)


def days_off(moment: UnixMs, wanted: Sequence[Period]) -> float:
    """How many days a moment is after the nearest of some periods, before it if negative."""
    gaps = [
        0 if p.start <= moment < p.stop else moment - (p.stop if moment >= p.stop else p.start)
        for p in wanted
    ]
    return min(gaps, key=abs) / _DAY_MS


def _named(match: re.Match[str], today: date) -> Iterator[tuple[date, date]]:
    parts = match.groupdict()
    month, day = _month(parts), int(parts.get("day") or 0)
    years = range(today.year - _YEARS_BACK, today.year + 1)
    if parts.get("year"):
        years = range(int(parts["year"]), int(parts["year"]) + 1)
    for year in years:
        if month is None:
            yield date(year, 1, 1), date(year + 1, 1, 1)
        elif day == 0:
            yield _month_of(date(year, month, 1))
        elif 1 <= day <= (_month_of(date(year, month, 1))[1] - date(year, month, 1)).days:
            yield date(year, month, day), date(year, month, day) + timedelta(days=1)


def _month(parts: dict[str, str | None]) -> int | None:
    if number := parts.get("number"):
        return int(number)
    name = (parts.get("month") or "").lower()
    return next((n for n, month in enumerate(_MONTHS, 1) if month[:3] == name[:3]), None)


def _relative(match: re.Match[str], today: date) -> tuple[date, date]:
    day = timedelta(days=1)
    if name := match["day"]:
        first = today if name.lower() == "today" else today - day
        return first, first + day
    if count := match["count"]:
        number = int(count) if count.isdigit() else _number(count)
        return _back(today, number, match["back"].lower())
    number = 1 if match["which"].lower() == "last" else 0
    unit = match["unit"].lower()
    if unit == "year":
        return date(today.year - number, 1, 1), date(today.year - number + 1, 1, 1)
    if unit == "month":
        return _month_of(_months_before(today, number))
    monday = today - timedelta(days=today.weekday() + 7 * number)
    return monday, monday + 7 * day


def _back(today: date, number: int, unit: str) -> tuple[date, date]:
    """About so long ago: who says so does not count the days."""
    if unit == "day":
        return today - timedelta(days=number), today - timedelta(days=number - 1)
    if unit == "week":
        middle = today - timedelta(days=7 * number)
        return middle - timedelta(days=3), middle + timedelta(days=4)
    return _month_of(_months_before(today, number))


def _number(word: str) -> int:
    return _COUNTS.index(word.lower()) + 1 if word.lower() in _COUNTS else 1


def _months_before(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def _month_of(day: date) -> tuple[date, date]:
    first = day.replace(day=1)
    return first, _months_before(first, -1)


def _midnight(day: date) -> UnixMs:
    return int(datetime(day.year, day.month, day.day).astimezone().timestamp() * 1000)
