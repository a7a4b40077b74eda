"""Text of any length and make is read in time that grows as its length does."""

import subprocess
import sys
from pathlib import Path
from typing import Final

_READERS: Final = Path(__file__).with_name("readers.py")
# All of it takes twenty seconds; one slow pattern would take hours.
_PATIENCE_S: Final = 240.0
_CONTROL_PATIENCE_S: Final = 3.0


def _read(*names: str, patience_s: float) -> list[str]:
    """What the readers said; the last line is the one that did not end, if they did not."""
    command = [sys.executable, str(_READERS), *names]
    root = _READERS.parents[2]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=root, check=False, timeout=patience_s
        )
    except subprocess.TimeoutExpired as late:
        said = late.stdout or b""
        return (said if isinstance(said, str) else said.decode()).splitlines()
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_pattern_is_fast_on_text_made_to_be_hard() -> None:
    uncovered, *read, last = _read(patience_s=_PATIENCE_S)

    assert last == "done", read[-1:]
    assert len(read) > 15
    assert uncovered == "uncovered", "give the module a reader in readers.py"


def test_a_slow_pattern_is_noticed() -> None:
    assert _read("slow", patience_s=_CONTROL_PATIENCE_S) == ["reading slow"]
