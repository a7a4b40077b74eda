"""Measure an installed Mimir against its goals. Linux only: it reads `/proc`.

Everything runs against the `mimir` command as a subprocess, warm, on generated data. Stores of
1,000 to 1,000,000 memories are made when they are first needed and kept under the system's
temporary folder: the largest takes some five minutes and 4 GB, and as much again while it is used.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks import (
    bulk,
    documents,
    graphs,
    keeping,
    moving,
    scale,
    sealing,
    serving,
    telling,
    vaults,
)
from benchmarks.client import BenchError
from benchmarks.measure import Company, Row, machine
from benchmarks.program import Program
from benchmarks.setting import QUICK, Effort, Setting
from benchmarks.stores import Stores

Benchmark = Callable[[Setting], list[Row]]

BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "initialize": serving.initialize,
    "first_answer": serving.first_answer,
    "recall_1k": scale.recall_1k,
    "recall_10k": scale.recall_10k,
    "recall_100k": scale.recall_100k,
    "recall_1m": scale.recall_1m,
    "sealed_open": sealing.sealed_open,
    "remember_0": serving.remember_0,
    "remember_10k": serving.remember_10k,
    "remember_100k": serving.remember_100k,
    "decay": keeping.decay,
    "conflicts": keeping.conflicts,
    "context_small": telling.context_small,
    "traverse": graphs.traverse,
    "communities": graphs.communities,
    "autocohere": graphs.autocohere,
    "look_ups": graphs.look_ups,
    "import_plain": bulk.import_plain,
    "import_embedded": bulk.import_embedded,
    "migrate": moving.migrate,
    "notes": vaults.notes,
    "obsidian": vaults.obsidian,
    "ingest": documents.ingest,
    "rss_before": serving.rss_before,
    "rss_10k": serving.rss_10k,
    "tools_list": serving.tools_list,
    "wheel": bulk.wheel,
}
_PIPED_WIDTH: Final = 150
_NOISE_CORES: Final = 0.25
_CALM_TRIES: Final = 4
_CALM_CHECKS: Final = 60
_CALM_CHECK_S: Final = 3.0
_COLOURS: Final = {"pass": "green", "short": "red", "failed": "bold red"}


def main() -> int:
    """Measure what was asked for; 1 if something could not be measured."""
    options = _options()
    if options.list:
        for name, benchmark in BENCHMARKS.items():
            print(f"{name:16} {benchmark.__doc__}")
        return 0
    with tempfile.TemporaryDirectory(prefix="mimir-bench-run-") as folder:
        program = Program(options.command.absolute(), Path(folder))
        about = machine(Path(folder), program.run("--version").split()[-1])
        stores = Stores(program, fresh=options.fresh)
        effort = QUICK if options.quick else Effort()
        setting = Setting(program, Path(folder), stores, effort)
        rows = _measure(options.only, setting, _CALM_TRIES if options.calm else 1)
    if options.json:
        document = {"machine": about, "quick": options.quick, "rows": [r.as_json() for r in rows]}
        print(json.dumps(document))
    else:
        _print_table(about, rows)
    return 1 if any(row.failed for row in rows) else 0


def _measure(names: Sequence[str], setting: Setting, tries: int) -> list[Row]:
    rows: list[Row] = []
    for name in names:
        attempts: list[tuple[float, list[Row]]] = []
        while len(attempts) < tries and (not attempts or attempts[-1][0] > _NOISE_CORES):
            if tries > 1:
                _wait_for_calm()
            attempts.append(_attempt(name, setting))
        rows += min(attempts, key=lambda attempt: attempt[0])[1]
    return rows


def _attempt(name: str, setting: Setting) -> tuple[float, list[Row]]:
    """Measure once, in a folder of its own; how busy others were, and the rows."""
    started, company = time.perf_counter(), Company()
    with tempfile.TemporaryDirectory(dir=setting.folder) as folder:
        try:
            rows = BENCHMARKS[name](replace(setting, folder=Path(folder)))
        except (BenchError, OSError) as error:
            rows = [Row(name, "could not be measured", None, str(error), failed=True)]
    others, took = company.cores(), time.perf_counter() - started
    print(f"{name}: {took:.0f} s, other programs used {others:.2f} cores", file=sys.stderr)
    return others, [replace(row, raw={**row.raw, "others_cores": others}) for row in rows]


def _wait_for_calm() -> None:
    """Return when other programs have been quiet for a moment, or are not going to be."""
    for _ in range(_CALM_CHECKS):
        company = Company()
        time.sleep(_CALM_CHECK_S)
        if company.cores() < _NOISE_CORES:
            return


def _print_table(about: Mapping[str, Any], rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(_headline(about)), title_justify="left")
    for heading in ("row", "what", "measured (p50 / p95 / p99)", "goal", ""):
        table.add_column(heading)
    for row in rows:
        verdict = f"[{_COLOURS[row.verdict]}]{row.verdict}[/]" if row.verdict else ""
        goal = "" if row.goal is None else str(row.goal)
        table.add_row(row.name, escape(row.what), escape(row.shown), goal, verdict)
    # A pipe has no width of its own; rich would take 80.
    Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH).print(table)
    disturbed = [row.name for row in rows if row.raw.get("others_cores", 0) > _NOISE_CORES]
    if disturbed:
        print(f"Other programs kept over {_NOISE_CORES} cores busy during: {', '.join(disturbed)}")


def _headline(about: Mapping[str, Any]) -> str:
    sync = about["write_and_sync_4k_ms"]["p50_ms"]
    return (
        f"mimir {about['mimir']}, Python {about['python']}, SQLite {about['sqlite']}\n"
        f"{about['cpu']}, {about['cores']} cores, {about['memory_mb'] // 1_000} GB, "
        f"{about['kernel']}; {about['work_folder_file_system']}, 4 KB write and sync {sync:.1f} ms"
        f"\nload average at start {about['load_average']}"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "--only",
        type=_names,
        default=list(BENCHMARKS),
        metavar="NAME[,NAME]",
        help="measure these alone",
    )
    parser.add_argument("--quick", action="store_true", help="few samples: a smoke run")
    parser.add_argument(
        "--calm",
        action="store_true",
        help="wait until other programs are quiet, and measure a row they disturbed again",
    )
    parser.add_argument("--json", action="store_true", help="print raw numbers as JSON")
    parser.add_argument("--fresh", action="store_true", help="make the kept stores anew")
    parser.add_argument("--list", action="store_true", help="list the names")
    own = Path(sys.executable).with_name("mimir")
    parser.add_argument(
        "--command",
        type=Path,
        default=own,
        metavar="PATH",
        help="the mimir to measure (default: the one beside Python)",
    )
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"{unknown or text!r}; there are: {', '.join(BENCHMARKS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
