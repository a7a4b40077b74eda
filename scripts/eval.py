"""Measure what an installed Mimir finds, on questions whose answers are known. Linux only.

Fills a fresh store for each conversation or set of memories through the `mimir` command over stdio
and asks it, with every method to be compared; then asks it the questions of others, to see whether
it can tell. Figures are only fair on questions that the ranking's constants were not fitted on.
"""

import argparse
import hashlib
import importlib.metadata
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.client import BenchError
from benchmarks.measure import Company, machine
from benchmarks.program import Program, run
from evaluation import plot
from evaluation.abstention import ask_foreign
from evaluation.datasets import Collection, DataError, DataSet, Granularity, read
from evaluation.report import Measured, notes_on, print_report
from evaluation.runner import DEFAULT, METHODS, UnknownArguments, opened

_HERE: Final = Path(__file__).parent
_DATA: Final = (
    _HERE / "evaluation" / "paraphrases.json",
    _HERE / "evaluation" / "identifiers.json",
)
_BOTH: Final = (Granularity.TURN, Granularity.SESSION)
_PACKAGES: Final = ("fastembed", "numpy", "onnxruntime", "sqlite-vec")
_NOISE_CORES: Final = 0.25


@dataclass(frozen=True)
class Plan:
    """The program, a folder that is thrown away, the methods, and where fitted constants are."""

    program: Program
    folder: Path
    methods: Sequence[str]
    ranking_dir: Path | None

    def ranking(self, collection: Collection) -> Path | None:
        """The constants for a conversation, if there are some of its own."""
        if self.ranking_dir is None or not collection.speakers:
            return None
        path = self.ranking_dir / f"{collection.name}.json"
        return path if path.exists() else None


def main() -> int:
    """Measure what was asked for; 1 if that was not possible."""
    options = _options()
    if options.plot:
        target, *sources = options.plot
        plot.write(target, [chart for source in sources for chart in plot.charts_of(source)])
        return 0
    try:
        data_sets = [
            data_set.limited(options.limit)
            for path in options.data
            for data_set in read(
                path, options.granularity, timed=not options.untimed, dated=options.dated
            )
        ]
        with tempfile.TemporaryDirectory(prefix="mimir-eval-") as folder:
            program = Program(options.command.absolute(), Path(folder))
            about = _about(options, program)
            company = Company()
            plan = Plan(program, Path(folder), options.modes, options.ranking_dir)
            measured, notes = _measure(plan, data_sets)
    except (BenchError, DataError, OSError) as error:
        print(f"eval: {error}", file=sys.stderr)
        return 1
    about["others_cores"] = company.cores()
    notes += notes_on(measured)
    if about["others_cores"] > _NOISE_CORES:
        notes.append(f"other programs used {about['others_cores']} cores: times are too long")
    print_report(_headline(about), measured, notes)
    if options.results:
        document = {**about, "notes": notes, "results": [item.as_json() for item in measured]}
        options.results.write_text(json.dumps(document, ensure_ascii=False) + "\n", "utf-8")
    return 0


def _measure(plan: Plan, data_sets: Sequence[DataSet]) -> tuple[list[Measured], list[str]]:
    measured = [Measured(data_set) for data_set in data_sets]
    flat = [c for s in data_sets if s.granularity is Granularity.MEMORY for c in s.collections]
    notes: list[str] = []
    for item in measured:
        is_flat = item.data_set.granularity is Granularity.MEMORY
        peers = flat if is_flat else item.data_set.collections
        for collection in item.data_set.collections:
            follower = peers[(peers.index(collection) + 1) % len(peers)]
            foreign = None if follower is collection else follower
            notes += _measure_one(plan, item, collection, foreign)
    return measured, list(dict.fromkeys(notes))


def _measure_one(
    plan: Plan, item: Measured, own: Collection, foreign: Collection | None
) -> list[str]:
    """Fill a store and ask it, for `item`; what is to be said about that."""
    notes = []
    ranking = plan.ranking(own)
    if plan.ranking_dir and own.speakers and not ranking:
        notes.append(f"{own.name}: no constants in {plan.ranking_dir}, so the server used its own")
    started = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(dir=plan.folder) as folder,
        opened(plan.program, own, Path(folder) / "eval.db", ranking) as store,
    ):
        store.fill()
        filled = time.perf_counter()
        for method in plan.methods:
            try:
                outcomes = store.ask(method, own.questions)
            except UnknownArguments as error:
                notes.append(f"{method} left out: this Mimir ignores the argument {error}")
            else:
                item.outcomes.setdefault(method, []).extend(outcomes)
        if foreign and DEFAULT in plan.methods:
            item.foreign += ask_foreign(store, foreign)
    took = f"{filled - started:.0f} s to fill, {time.perf_counter() - filled:.0f} s to ask"
    print(f"{item.title}; {own.name}: {took}", file=sys.stderr)
    return notes


def _about(options: argparse.Namespace, program: Program) -> dict[str, Any]:
    """What must be known to compare these figures with those of another run."""
    about = machine(program.log.parent, program.run("--version").split()[-1])
    started = datetime.fromtimestamp(about["started_at_unix_ms"] / 1000, UTC)
    return {
        "date": started.isoformat(timespec="seconds"),
        **_commit(program),
        "machine": about,
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "settings": {
            "data": _sums(options.data),
            "granularity": options.granularity,
            "modes": options.modes,
            "limit": options.limit,
            "timed": not options.untimed,
            "dated": options.dated,
            "ranking": _sums(sorted(options.ranking_dir.glob("*.json")))
            if options.ranking_dir
            else {},
        },
    }


def _sums(paths: Iterable[Path]) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _commit(program: Program) -> dict[str, Any]:
    """The commit this is run from, and whether the code of the package differs from it."""
    git = ("git", "--no-optional-locks")
    try:
        commit = run([*git, "rev-parse", "HEAD"], _HERE, program.environment).strip()
        changed = run([*git, "status", "--porcelain", "../mimir_py"], _HERE, program.environment)
    except BenchError:
        return {"commit": None, "changed": None}
    return {"commit": commit, "changed": bool(changed.strip())}


def _headline(about: Mapping[str, Any]) -> str:
    host = about["machine"]
    commit = (about["commit"] or "no commit")[:10] + (" with changes" if about["changed"] else "")
    return (
        f"mimir {host['mimir']} ({commit}), Python {host['python']}, SQLite {host['sqlite']}, "
        f"{about['date']}\n{host['cpu']}, {host['cores']} cores, "
        f"{host['memory_mb'] // 1_000} GB, {host['kernel']}; "
        f"others used {about['others_cores']} cores"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/eval", description=__doc__)
    _add_what_is_asked(parser)
    parser.add_argument(
        "--modes",
        type=_methods,
        default=list(METHODS),
        metavar="NAME[,NAME]",
        help=f"compare these alone, of {', '.join(METHODS)}",
    )
    parser.add_argument(
        "--ranking-dir",
        type=_folder,
        metavar="DIR",
        help="start the server of conversation ID with the ranking constants in DIR/ID.json",
    )
    parser.add_argument(
        "--plot",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="draw results files: OUT.svg IN.json ...",
    )
    parser.add_argument(
        "--results", type=_new_file, metavar="FILE", help="write everything as JSON"
    )
    parser.add_argument(
        "--command",
        type=Path,
        default=Path(sys.executable).with_name("mimir"),
        metavar="PATH",
        help="the mimir to measure (default: the one beside Python)",
    )
    return parser.parse_args()


def _add_what_is_asked(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        default=list(_DATA),
        metavar="FILE",
        help="conversations, or memories with queries (default: the sets that come with Mimir)",
    )
    parser.add_argument(
        "--granularity",
        type=Granularity,
        choices=_BOTH,
        nargs=1,
        default=_BOTH,
        help="what one memory of a conversation holds (default: measure both)",
    )
    parser.add_argument(
        "--limit", type=_count, default=0, metavar="N", help="questions per store; 0 asks all"
    )
    parser.add_argument(
        "--untimed", action="store_true", help="leave out when the sessions of conversations were"
    )
    parser.add_argument(
        "--dated", action="store_true", help="put a session's date into the bodies of conversations"
    )


def _methods(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in METHODS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"{unknown or text!r}; there are: {', '.join(METHODS)}")
    return list(dict.fromkeys(names))


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a number of questions")
    return int(text)


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return Path(text).absolute()


def _new_file(text: str) -> Path:
    """A path that can be written to, which is better known before a long run than after."""
    if not Path(text).parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {Path(text).parent}")
    return Path(text)


if __name__ == "__main__":
    sys.exit(main())
