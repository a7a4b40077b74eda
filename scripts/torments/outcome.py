"""What came of a test: how often it was tried, what held, and whether it would have noticed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.client import BenchError

PASSED: Final = "pass"
SLOW: Final = "too slow"
FAILED: Final = "FAILED"
NOT_MEASURED: Final = "not measured"
_FAULTS_KEPT: Final = 20


class NotMeasured(BenchError):
    """What the test needs is not there: no verdict either way."""


@dataclass
class Tally:
    """Counts of one run of a test, and the first faults it found."""

    tried: int = 0
    faulty: int = 0
    not_measured: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, where: str, faults: list[str]) -> None:
        """Count one try, with what was wrong about it."""
        self.tried += 1
        if faults:
            self.faulty += 1
            room = _FAULTS_KEPT - len(self.faults)
            self.faults += [f"{where}: {fault}" for fault in faults[: max(0, room)]]

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.tried + other.tried,
            self.faulty + other.faulty,
            self.not_measured + other.not_measured,
            [*self.faults, *other.faults][:_FAULTS_KEPT],
        )

    @property
    def passed(self) -> int:
        return self.tried - self.faulty - self.not_measured

    def as_json(self) -> dict[str, Any]:
        return {
            "tried": self.tried,
            "passed": self.passed,
            "faulty": self.faulty,
            "not_measured": self.not_measured,
            "faults": self.faults,
        }


@dataclass(frozen=True)
class Limit:
    """A figure that must not pass a limit."""

    value: float
    most: float
    unit: str

    def __str__(self) -> str:
        return f"{self.value:.4g} {self.unit} (at most {self.most:g})"


@dataclass
class Outcome:
    """One row of the table.

    `control` is the same test run where it must find faults; a test whose control found none says
    nothing. `limits` are figures that count, `figures` what is only reported.
    """

    name: str
    what: str
    tally: Tally
    control_what: str
    control: Tally
    limits: Mapping[str, Limit] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.tally.faulty:
            return FAILED
        if not self.control.faulty or not self.tally.passed:
            return NOT_MEASURED
        is_over = any(limit.value > limit.most for limit in self.limits.values())
        return SLOW if is_over else PASSED

    @property
    def shown(self) -> str:
        shown = {**{name: str(limit) for name, limit in self.limits.items()}, **self.figures}
        return "; ".join(
            f"{name} {value if isinstance(value, str) else json.dumps(value)}"
            for name, value in shown.items()
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "what": self.what,
            "verdict": self.verdict,
            **self.tally.as_json(),
            "control": {"what": self.control_what, **self.control.as_json()},
            "limits": {
                name: {"value": limit.value, "most": limit.most, "unit": limit.unit}
                for name, limit in self.limits.items()
            },
            "figures": dict(self.figures),
            "note": self.note,
        }


def unmeasured(name: str, what: str, why: str) -> Outcome:
    """The row of a test that could not be run."""
    return Outcome(name, what, Tally(), "", Tally(), note=why)
