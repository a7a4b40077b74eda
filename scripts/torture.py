"""Kill, cut off, fill up, crowd, damage and mislead an installed Mimir. Linux only.

Every test also runs against a program or a file that has the fault it looks for; a test that does
not find it there counts as not measured, never as passed. Everything runs against the `mimir`
command over real pipes, in folders that are thrown away.
"""

import argparse
import json
import math
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks.client import BenchError
from benchmarks.measure import Company, machine
from benchmarks.program import Program
from torments import (
    arguments,
    backing_up,
    cancels,
    crowd,
    damage,
    engine,
    exits,
    full_disk,
    journals,
    kills,
    leaks,
    messages,
    moves,
    outbursts,
    power,
    queries,
    retries,
    sealed,
    vaults,
    words,
)
from torments.outcome import FAILED, PASSED, Outcome, unmeasured
from torments.setting import FULL, QUICK, USUAL, Setting

Torment = Callable[[Setting], Outcome]

TORMENTS: Final[Mapping[str, Torment]] = {
    "R1": kills.killed,
    "R2": power.power_cut,
    "R3": crowd.crowded,
    "R3b": crowd.crowded_start,
    "R4": engine.engine_stress,
    "R5": full_disk.full_disk,
    "R6": damage.damaged,
    "R9": backing_up.backed_up,
    "R10": cancels.cancelled,
    "R11": exits.exits,
    "E1": sealed.shown_nothing,
    "E2": sealed.tampered,
    "E5": leaks.leaked,
    "J1": journals.forged,
    "X1": words.secrets_found,
    "M1": words.orders_marked,
    "S1": messages.bad_messages,
    "S2": arguments.hostile_arguments,
    "S4": queries.keyword_queries,
    "S5": outbursts.prints,
    "S6": outbursts.raises,
    "S7": retries.repeated_writes,
    "N1": vaults.notes_killed,
    "N2": moves.moves_killed,
    "N3": moves.round_trips,
}
_PIPED_WIDTH: Final = 150
_COLOURS: Final = {PASSED: "green", FAILED: "bold red"}


def main() -> int:
    """Run what was asked for; 1 if a test failed, 2 if one was too slow or not measured."""
    options = _options()
    if options.list:
        for name, torment in TORMENTS.items():
            print(f"{name:4} {torment.__doc__}")
        return 0
    print(f"seed {options.seed}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="mimir-torture-", dir=options.folder) as folder:
        program = Program(options.command.absolute(), Path(folder))
        program.environment |= {"HOME": folder, "MIMIR_EMBEDDING_THREADS": "1"}
        setting = Setting(program, Path(folder), options.seed, options.effort)
        about = {
            "seed": options.seed,
            **machine(Path(folder), program.run("--version").split()[-1]),
        }
        about.pop("write_and_sync_4k_ms")
        outcomes = [_outcome(name, setting, options.minutes) for name in options.only]
    document = {"machine": about, "outcomes": [outcome.as_json() for outcome in outcomes]}
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    _print_table(about, outcomes)
    verdicts = {outcome.verdict for outcome in outcomes}
    return 1 if FAILED in verdicts else 2 if verdicts != {PASSED} else 0


def _outcome(name: str, setting: Setting, minutes: float) -> Outcome:
    started, company = time.perf_counter(), Company()
    setting = replace(setting, until=started + 60 * minutes)
    what = (TORMENTS[name].__doc__ or "").removeprefix(f"{name}: ")
    try:
        outcome = TORMENTS[name](setting)
    except (BenchError, OSError) as error:
        outcome = unmeasured(name, what, str(error))
    took, others = round(time.perf_counter() - started), company.cores()
    outcome.figures = {**outcome.figures, "seconds": took, "others' cores": others}
    print(f"{name}: {outcome.verdict}, {took} s", file=sys.stderr)
    return outcome


def _print_table(about: Mapping[str, Any], outcomes: list[Outcome]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        title=escape(
            f"mimir {about['mimir']}, Python {about['python']}, SQLite {about['sqlite']}, "
            f"{about['cores']} cores, {about['kernel']}, {about['work_folder_file_system']}; "
            f"seed {about['seed']}"
        ),
        title_justify="left",
    )
    for heading in ("", "what", "tried", "passed", "not measured", "control red", "figures", ""):
        table.add_column(heading)
    for outcome in outcomes:
        tally, control = outcome.tally, outcome.control
        colour = _COLOURS.get(outcome.verdict, "yellow")
        table.add_row(
            outcome.name,
            escape(outcome.what),
            str(tally.tried),
            str(tally.passed),
            str(tally.not_measured),
            f"{control.faulty} of {control.tried}",
            escape(outcome.shown + (f"; {outcome.note}" if outcome.note else "")),
            f"[{colour}]{outcome.verdict}[/]",
        )
    # A pipe has no width of its own; rich would take 80.
    console = Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH)
    console.print(table)
    for outcome in outcomes:
        for fault in outcome.tally.faults:
            console.print(escape(f"{outcome.name}: {fault}"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/torture", description=__doc__)
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument(
        "--quick",
        dest="effort",
        action="store_const",
        const=QUICK,
        default=USUAL,
        help="few tries of each: three minutes on two cores",
    )
    effort.add_argument(
        "--full", dest="effort", action="store_const", const=FULL, help="the full counts: hours"
    )
    parser.add_argument(
        "--count",
        action="append",
        default=[],
        type=_count,
        metavar="NAME=NUMBER",
        help=f"another count for one of: {', '.join(vars(QUICK))}",
    )
    parser.add_argument(
        "--only",
        type=_names,
        default=list(TORMENTS),
        metavar="NAME[,NAME]",
        help="run these alone",
    )
    parser.add_argument("--seed", type=int, default=1, help="0 takes one at random (default: 1)")
    parser.add_argument(
        "--minutes",
        type=float,
        default=math.inf,
        metavar="MINUTES",
        help="try each test no longer than this, its control apart",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write counts and faults there")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="work on this file system")
    parser.add_argument("--list", action="store_true", help="list the names")
    own = Path(sys.executable).with_name("mimir")
    parser.add_argument(
        "--command",
        type=Path,
        default=own,
        metavar="PATH",
        help="the mimir to torture (default: the one beside Python)",
    )
    options = parser.parse_args()
    options.seed = options.seed or secrets.randbelow(2**32)
    options.effort = replace(options.effort, **dict(options.count))
    return options


def _count(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    if name not in vars(QUICK):
        raise argparse.ArgumentTypeError(f"{name!r}; there are: {', '.join(vars(QUICK))}")
    return name, type(getattr(QUICK, name))(number)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in TORMENTS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"{unknown or text!r}; there are: {', '.join(TORMENTS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
