"""Prefixes and times to live as rules."""

from hypothesis import given
from hypothesis import strategies as st

from mimir_py.state.expiry import LONGEST_TTL_S, after_prefix, expires_at
from mimir_py.values import MAX_UNIX_MS

_TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.just("\U0010ffff"), max_size=4)
_NOW = st.integers(0, 10**14)
_TTL = st.integers(-LONGEST_TTL_S, LONGEST_TTL_S)


@given(_TEXT, _TEXT)
def test_exactly_what_begins_with_a_prefix_is_from_it_and_before_what_follows(prefix, text):
    after = after_prefix(prefix)

    assert text.startswith(prefix) == (prefix <= text and (after is None or text < after))
    assert prefix + text >= prefix
    assert after is None or prefix + text < after


@given(_TEXT)
def test_the_order_of_code_points_is_that_of_the_bytes_in_the_file(text):
    after = after_prefix(text)

    assert after is None or text.encode() < after.encode()


@given(_NOW, _TTL)
def test_a_value_answers_for_as_long_as_it_lives(now, ttl):
    until = expires_at(now, ttl)

    assert until == now + 1_000 * max(ttl, 0)
    assert (until > now) == (ttl > 0)
    assert until <= MAX_UNIX_MS


@given(_NOW, _TTL, _TTL)
def test_who_lives_longer_ends_no_earlier(now, one, other):
    assert (one <= other) <= (expires_at(now, one) <= expires_at(now, other))


def test_without_a_time_to_live_there_is_no_end():
    assert expires_at(1, None) is None
