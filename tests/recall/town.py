"""Memories of a harbour town, no two of the same words, and what is asked about them."""

import json

QUESTION = "which lantern hangs in the harbour"
# A page that holds the head of the order whole.
HEAD = 64
_PLACES = """
    attic cellar garden library market orchard quarry stable temple valley workshop bakery
    chapel dairy forge granary kitchen laundry mill nursery office pantry
""".split()
_DETAILS = [
    "A red lantern hangs by the door of the {}.",
    "Nobody may enter the {} without a lantern after dark.",
    "The lantern of the {} was mended by the smith twice this year.",
    "Oil for the lamps is kept behind the {}, in two tall jars.",
]
_ASIDES = """
    That is known to all here and nobody minds it as far as anyone can tell from what is said at
    table when it rains
""".split()
_SHORTEST = 14


def _padded(text, length):
    words = [*text.split(), *_ASIDES * 6]
    return " ".join(words[:length])


# Each as long as no other: no two have the same score.
_FILLERS = [
    _padded(text, _SHORTEST + number)
    for number, text in enumerate(detail.format(place) for detail in _DETAILS for place in _PLACES)
]


def record(key, content, **more):
    return {
        "category": "note",
        "key": key,
        "id": f"mem-{key}",
        "body_json": json.dumps({"content": content}, ensure_ascii=False),
        **more,
    }


def fillers(**more):
    return [record(f"filler-{n}", content, **more) for n, content in enumerate(_FILLERS, 100)]


async def keys_of(client, query, **more):
    return [item["key"] for item in await client.recall(query, **more)]


def adds_of(explanation):
    """What an explanation says each feature adds, in sum."""
    return sum(feature["adds"] for feature in explanation["features"])
