"""Until when a value answers, and which keys begin with a prefix: pure rules."""

from typing import Final

from mimir_py.values import MAX_UNIX_MS, UnixMs

# 3,170 years: any clock of this era plus this is still a time.
LONGEST_TTL_S: Final = 100_000_000_000
_LAST_CHARACTER: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)


def expires_at(now: UnixMs, ttl_s: int | None) -> UnixMs | None:
    """When a value set now stops to answer; at once for a time to live of 0 or less."""
    if ttl_s is None:
        return None
    return max(-MAX_UNIX_MS, min(MAX_UNIX_MS, now + 1_000 * max(ttl_s, 0)))


def after_prefix(prefix: str) -> str | None:
    """The first text, in the order of code points, behind all that begin with `prefix`.

    `None` when there is none: every text from `prefix` on begins with it.
    """
    while prefix:
        last = ord(prefix[-1])
        prefix = prefix[:-1]
        if last < _LAST_CHARACTER:
            following = last + 1
            return prefix + chr(_SURROGATES.stop if following in _SURROGATES else following)
    return None
