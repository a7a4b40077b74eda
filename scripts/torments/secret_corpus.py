"""Made-up secrets in the places they are found in."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from .secret_kinds import makers


@dataclass(frozen=True)
class Planted:
    """A text with a secret in it; `secret` in the pieces that stand unbroken in the text."""

    kind: str
    place: str
    text: str
    pieces: tuple[str, ...]
    is_prefixed: bool


def secrets(count: int, rng: random.Random) -> Iterator[Planted]:
    """Secrets of every kind in turn, in every place in turn."""
    kinds = makers(rng)
    for index in range(count):
        kind, is_prefixed, make = kinds[index % len(kinds)]
        name, secret = make()
        places = _PLACES if is_prefixed else _NAMED_PLACES
        place, plant = places[index // len(kinds) % len(places)]
        text, pieces = plant(name, secret, rng)
        yield Planted(kind, place, text, pieces, is_prefixed)


def _pieces(name: str, secret: str) -> tuple[str, ...]:
    if "PRIVATE KEY" in secret:
        return tuple(line for line in secret.split("\n") if not line.startswith("-----"))
    if "://" in secret and name in secret:
        return (name,)
    return (secret.rpartition("AccountKey=")[2].rpartition("hooks.slack.com/services/")[2],)


def _prose(name: str, secret: str, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    opening = rng.choice(
        [
            "Maria set up staging on Tuesday. For the deploy job use",
            "Die Zugangsdaten liegen jetzt hier:",
            "Remember: the CI runner logs in with",
            "デプロイには次を使う",
            "After the incident we rotated it, the new one is",
        ]
    )
    return f"{opening} {secret} and tell nobody.", _pieces(name, secret)


def _in_json(name: str, secret: str, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    text = json.dumps({"service": "billing", "setting": secret, "retries": rng.randrange(9)})
    return text, _pieces(name, secret)


def _in_nested_json(name: str, secret: str, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    inner = json.dumps({"config": {"v": secret}, "n": rng.randrange(9)})
    return json.dumps({"content": f"saved response: {inner}"}), _pieces(name, secret)


def _in_code(name: str, secret: str, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    quoted = f'"""{secret}"""' if "\n" in secret else f'"{secret}"'
    where = rng.choice(["client = Client({})", "const c = connect({});", "x := dial({})"])
    return "import os\n\n" + where.format(quoted) + "\nprint(c)\n", _pieces(name, secret)


def _in_url(name: str, secret: str, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    if "\n" in secret or "://" in secret or ";" in secret:
        return _prose(name, secret, rng)
    return f"curl 'https://api.internal/v1/items?page=2&t={secret}'", _pieces(name, secret)


def _split(name: str, secret: str, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    if "\n" in secret:
        return _in_nested_json(name, secret, rng)
    [piece] = _pieces(name, secret)
    if "://" in secret and name in secret:
        return _prose(name, secret, rng)
    at = rng.randrange(len(piece) // 3, 2 * len(piece) // 3)
    broken = f"{piece[:at]}\n{piece[at:]}"
    return f"The wiki wrapped it: {secret.replace(piece, broken)}\nuse as one line", (
        piece[:at],
        piece[at:],
    )


_PLACES: Final = [
    ("prose", _prose),
    ("JSON", _in_json),
    ("JSON in JSON", _in_nested_json),
    ("code", _in_code),
    ("URL", _in_url),
    ("split by a newline", _split),
]


def _assigned(form: str) -> Callable[[str, str, random.Random], tuple[str, tuple[str, ...]]]:
    return lambda name, secret, _rng: (form.format(name=name, secret=secret), (secret,))


_NAMED_PLACES: Final = [
    ("environment", _assigned("export {name}={secret}\n")),
    ("yaml", _assigned("service:\n  {name}: {secret}\n  retries: 3\n")),
    ("JSON", _assigned('{{"{name}": "{secret}", "retries": 3}}')),
    ("code", _assigned('client = Client({name}="{secret}", timeout=3)')),
    ("prose", _assigned("For staging the {name} is {secret} until Friday.")),
    ("arrow", _assigned("config['{name}'] => '{secret}'")),
]
