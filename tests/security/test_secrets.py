"""Secrets are found in whatever they stand in; what only looks like one is left alone."""

import json
import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_py.security.guard import clean_fields, redact_json
from mimir_py.security.secrets import find_secrets, has_candidate, redact
from scripts.torments import harmless_corpus, secret_corpus, secret_kinds

_SEED = 20_260
_TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


def _cleaned(text: str) -> tuple[str, int]:
    changed, found = clean_fields({"text": text}, ["text"])
    return changed.get("text", text), sum(finding.count for finding in found)


def test_secrets_of_every_kind_are_removed_from_every_place() -> None:
    tried: Counter[bool] = Counter()
    left: list[tuple[str, str]] = []
    for planted in secret_corpus.secrets(1_500, random.Random(_SEED)):
        tried[planted.is_prefixed] += 1
        cleaned, _ = _cleaned(planted.text)
        if any(piece in cleaned for piece in planted.pieces):
            left.append((planted.kind, planted.place))

    prefixed = sum(kind not in secret_kinds.NAMED for kind, _ in left)
    assert len(secret_kinds.PREFIXED) >= 60
    assert min(tried.values()) > 100
    assert prefixed <= 0.01 * tried[True], left
    assert len(left) - prefixed <= 0.2 * tried[False], left


def test_what_only_looks_like_a_secret_is_left_alone() -> None:
    texts = list(harmless_corpus.harmless(2_000, random.Random(_SEED)))
    alarms = [text for text in texts if _cleaned(text)[1]]

    assert len(alarms) <= 0.005 * len(texts), alarms


def test_a_secret_is_named_and_the_rest_stays() -> None:
    text, found = redact(f"deploy with {_TOKEN}, then restart")

    assert text == "deploy with [secret removed: github token], then restart"
    assert found == {"github token": 1}


@pytest.mark.parametrize(
    "text",
    [
        f"{_TOKEN[:20]}\n{_TOKEN[20:]}",
        f"gh\np_{_TOKEN[4:]}",
        f"{_TOKEN[:20]}\\\n    {_TOKEN[20:]}",
        f'"{_TOKEN[:20]}" +\n    "{_TOKEN[20:]}"',
        f"'{_TOKEN[:20]}' + '{_TOKEN[20:]}'",
        f"# {_TOKEN[:20]}\n# {_TOKEN[20:]}",
        f"{_TOKEN[:20]}\\n{_TOKEN[20:]}",
        f"\\u0067hp_{_TOKEN[4:]}",
        f"wrapped:\n{_TOKEN[:14]}\n{_TOKEN[14:28]}\n{_TOKEN[28:]}\nend",
    ],
    ids=["line", "in the prefix", "continued", "literals", "one line", "comment", "escape",
         "code", "twice"],
)  # fmt: skip
def test_a_divided_secret_is_found(text: str) -> None:
    cleaned, _ = redact(text)

    assert _TOKEN[4:20] not in cleaned
    assert _TOKEN[20:] not in cleaned


def test_the_line_after_a_secret_is_no_part_of_it() -> None:
    cleaned, _ = redact(f"use {_TOKEN}\nNext we restart\nand then2 wait")

    assert cleaned == "use [secret removed: github token]\nNext we restart\nand then2 wait"


def test_json_keeps_its_form_and_its_numbers() -> None:
    text = f'{{ "b": 1.10, "token": "{_TOKEN}",\n "a": [1e2, "x\\ny"], "b": 2 }}'

    cleaned, found = redact_json(text)

    assert cleaned == text.replace(_TOKEN, "[secret removed: github token]")
    assert found.total() == 1


def test_the_name_of_a_value_tells_in_json() -> None:
    cleaned, _ = redact_json('{"db": {"password": "x7!kQ9zR"}, "note": "x7!kQ9zR"}')

    assert json.loads(cleaned) == {
        "db": {"password": "[secret removed: password or key]"},
        "note": "x7!kQ9zR",
    }


def test_a_whole_private_key_goes() -> None:
    key = (
        "-----BEGIN PRIVATE KEY-----\n"
        + "\n".join(["Ab3+/xYz" * 8] * 5)
        + "\n-----END PRIVATE KEY-----"
    )

    cleaned, _ = redact(f"key:\n{key}\nend")

    assert "Ab3+/xYz" not in cleaned
    assert cleaned.endswith("-----END PRIVATE KEY-----\nend")


def test_a_password_in_an_address_goes_and_the_address_stays() -> None:
    cleaned, _ = redact("postgresql://app:Zk3r9QpLx2@db.internal:5432/main")

    assert cleaned == "postgresql://app:[secret removed: url password]@db.internal:5432/main"


@given(st.text(max_size=400))
def test_any_text_can_be_searched_and_what_is_found_lies_within(text: str) -> None:
    found = find_secrets(text)

    assert all(0 <= a.start < a.stop <= len(text) for a in found)
    assert all(a.stop <= b.start for a, b in pairwise(found))
    if found:
        assert has_candidate(text)


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_secret_is_found_between_any_texts(before: str, after: str) -> None:
    cleaned, _ = redact(f"{before} {_TOKEN} {after}")

    assert _TOKEN not in cleaned


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_a_body_without_secrets_is_untouched(body: object) -> None:
    text = json.dumps(body)

    cleaned, found = redact_json(text)

    assert found or cleaned == text
