"""The tests of `scripts/torture`, a few tries of each; S5 and S6 are whole in `tests/server`.

A test whose control finds nothing is skipped as not measured: it would have found nothing anywhere.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and traces calls")

_PROGRAM = Path(__file__).parents[2] / "scripts" / "torture.py"
# Few tries: the whole of this file is to take two minutes on two cores.
_COUNTS = {
    "R1": ("kill_cycles=5", "kill_controls=2"),
    "R2": ("images=150", "image_controls=60", "power_sessions=1"),
    "R3": ("servers=4", "writes=15"),
    "R3b": ("start_servers=4",),
    "R4": ("stress_s=3",),
    "R5": ("full_points=2",),
    "R6": ("damages=42",),
    "R9": ("backup_rounds=1",),
    "R10": ("cancels=40",),
    "R11": ("exits=6",),
    "E5": ("leak_runs=1",),
    "S1": ("messages=150", "message_processes=1"),
    "S2": ("hostile_calls=120",),
    "S4": ("queries=400",),
    "S7": ("retries=10",),
    "N1": ("vault_kills=1", "vault_controls=1"),
    "N2": ("vault_kills=4", "vault_controls=2"),
    "N3": ("odd_memories=150",),
}


@pytest.mark.parametrize("name", _COUNTS)
def test_nothing_acknowledged_is_lost_and_the_control_shows_it_would_be_seen(
    name: str, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    counts = [part for count in _COUNTS[name] for part in ("--count", count)]
    done = subprocess.run(
        [sys.executable, _PROGRAM, "--quick", "--only", name, "--json", report, *counts],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert report.exists(), done.stderr

    [outcome] = json.loads(report.read_text(encoding="utf-8"))["outcomes"]
    if outcome["verdict"] == "not measured" and not outcome["faults"]:
        pytest.skip(outcome["note"] or "the control found nothing")
    assert outcome["faults"] == []
    assert outcome["passed"] > 0
    assert outcome["control"]["faulty"] > 0
