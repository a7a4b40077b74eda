"""A call sent again under a key, on a sealed store."""

import pytest

from tests.server.program import serving


@pytest.fixture
def program(sealed_path, key_file, tmp_path):
    flags = ("--encryption-key", key_file, "--seal-names", "yes")
    with serving(sealed_path, *flags, home=tmp_path / "home") as running:
        yield running


def test_a_write_sent_twice_under_a_key_is_made_once(program):
    arguments = {"event_type": "deploy", "idempotency_key": "the first try"}

    first = program.call("journal", **arguments)
    again = program.call("journal", **arguments)

    assert again == {**first, "replayed": True}
    assert program.call("timeline", event_type="deploy")["total"] == 1
