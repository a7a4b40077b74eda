"""The digest of a store, by the vectors of the contract."""

from hypothesis import given
from hypothesis import strategies as st

from mimir_py.upkeep.digest import fnv1a, memory_digest, store_digest

_MEMORIES = st.lists(st.tuples(st.text(max_size=5), st.text(max_size=20)), max_size=6)


def _digest(memories):
    added = 0
    for memory in memories:
        added ^= memory_digest(*memory)
    return store_digest(added, len(memories))


def test_the_vectors_of_the_contract_hold():
    assert _digest([]) == "0000000000000000"
    assert _digest([("mem-aaaaaaaaaaaa", '{"content":"x"}')]) == "61e384e53b977485"
    assert f"{fnv1a(b'pattern:mem-aaaaaaaaaaaa,mem-bbbbbbbbbbbb'):016x}" == "dca6aa207491e4f3"


@given(_MEMORIES, st.randoms())
def test_the_order_does_not_matter(memories, chance):
    shuffled = list(memories)
    chance.shuffle(shuffled)

    assert _digest(shuffled) == _digest(memories)


async def test_only_live_memories_count(client, app):
    async def report(done, total, what):
        pass

    written = await client.remember("kept", '{"content":"x"}')
    await client.remember("gone", '{"content":"y"}')
    await client.forget("gone")

    assert await app.upkeep.digest(report) == (_digest([(written["id"], '{"content":"x"}')]), 1)
