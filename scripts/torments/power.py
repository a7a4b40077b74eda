"""R2: the power fails at any moment; what was acknowledged is on the disk, and nothing is torn."""

import itertools
import random
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.client import BenchError

from torments import checks, disk, syscalls
from torments.outcome import NotMeasured, Outcome, Tally
from torments.setting import Setting
from torments.workload import Workload

_WRITES_A_SESSION: Final = 120
_CONTROL: Final = "normal"
# The whole server is slow to start; SQLite alone opens every image.
_OPENED_BY_MIMIR: Final = 250
_MEMORY_FOLDER: Final = Path("/dev/shm")  # noqa: S108  # images need no disk under them
_STORE: Final = Path("made/memory.db")


def power_cut(setting: Setting) -> Outcome:
    """R2: power cuts, rebuilt from the system calls of a traced server."""
    images, effort = _Images(setting), setting.effort
    tally = images.check(images.recorded(None), effort.images, "images")
    control = images.check(images.recorded(_CONTROL), effort.image_controls, "control")
    return Outcome(
        "R2",
        "power cut; every acknowledged write is there, the state is one the store was in",
        tally,
        "synchronous=NORMAL",
        control,
        figures={
            "images opened by mimir itself": images.opened_by_mimir,
            "acknowledged writes": effort.power_sessions * _WRITES_A_SESSION,
            "checkpoints traced": images.checkpoints,
        },
        note="the disk of POSIX, as Linux' calls tell it; other systems are not measured",
    )


@dataclass(frozen=True)
class _Event:
    """A system call, and the last operation acknowledged by then."""

    call: syscalls.Call
    acknowledged: int


@dataclass(frozen=True)
class _Recording:
    root: Path
    workload: Workload
    events: list[_Event]


class _Images:
    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.opened_by_mimir = 0
        self.checkpoints = 0

    def recorded(self, sabotage: str | None) -> _Recording:
        """Trace some sessions of one client, one after another, on one new store."""
        root = self._setting.new_folder()
        logs = self._setting.new_folder()
        workload = Workload(self._setting.random("power"), 0)
        events: list[_Event] = []
        for session in range(self._setting.effort.power_sessions):
            log = logs / f"{session}.strace"
            answers = self._session(root / _STORE, log, workload, sabotage)
            before = events[-1].acknowledged if events else 0
            events += _events(log, root, answers, before)
            log.unlink()
        if not sabotage:
            store = str(root / _STORE)
            self.checkpoints += sum(
                event.call.name == "sync" and event.call.path == store and event.call.ended
                for event in events
            )
        if max((event.acknowledged for event in events), default=0) == 0:
            raise NotMeasured("strace recorded no answers: it may not be allowed to trace here")
        return _Recording(root, workload, events)

    def _session(
        self, store: Path, log: Path, workload: Workload, sabotage: str | None
    ) -> dict[int, int]:
        """Write one by one; the number of the operation each request was."""
        answers = {}
        with self._setting.serve(store, sabotage, syscalls.command(log)) as server:
            server.initialize()
            for _ in range(_WRITES_A_SESSION):
                operation, arguments = workload.next()
                params = {"name": operation.tool, "arguments": arguments}
                answers[server.post("tools/call", params)] = operation.number
                while "id" not in (message := server.next_message()):
                    pass
                if "error" in message or message["result"].get("isError"):
                    raise AssertionError(f"{operation} was refused: {message}")
        return answers

    def check(self, recording: _Recording, count: int, purpose: str) -> Tally:
        """Cut the power `count` times and look at what is left."""
        tally = Tally()
        source = self._setting.random(purpose)
        played = disk.Disk(str(recording.root))
        cuts = iter(_cuts(recording.events, count, source))
        cut = next(cuts)
        with _memory_folder(self._setting.folder) as name:
            folder = Path(name)
            for place, event in enumerate(recording.events):
                played.play(event.call)
                while place == cut:
                    image = _after_cut(played, tally.tried, source)
                    faults = self._faults(
                        image, recording.workload, event.acknowledged, folder, tally.tried
                    )
                    tally.add(f"cut after call {place}", faults)
                    cut = next(cuts, -1)
        return tally

    def _faults(
        self,
        image: disk.Image,
        workload: Workload,
        acknowledged: int,
        folder: Path,
        number: int,
    ) -> list[str]:
        where = folder / "image"
        for name, content in image.items():
            path = where / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        try:
            if number % _OPENED_BY_MIMIR == 0:
                self._open_by_mimir(where / _STORE)
            return _faults_of(where / _STORE, workload, acknowledged)
        except checks.SqliteError as error:
            return [f"corrupt: {error}"]
        except BenchError as error:
            return [f"mimir does not open it: {error}"]
        finally:
            shutil.rmtree(where, ignore_errors=True)

    def _open_by_mimir(self, store: Path) -> None:
        self.opened_by_mimir += 1
        with self._setting.serve(store) as server:
            server.initialize()
            server.call("mimir_recall", {"query": "service", "limit": 5})


def _events(log: Path, root: Path, answers: Mapping[int, int], acknowledged: int) -> list[_Event]:
    """What concerns the store's folder, each with the last operation acknowledged by then."""
    events = []
    for call in syscalls.calls(log):
        if call.path.startswith("pipe:") and call.name == "write" and not call.ended:
            # The answer may be read from the moment it is being written.
            ids = syscalls.answered_ids(call)
            acknowledged = max([acknowledged, *(answers.get(id, 0) for id in ids)])
            events.append(_Event(call, acknowledged))
        elif call.path.startswith(str(root)):
            events.append(_Event(call, acknowledged))
    return events


def _cuts(events: list[_Event], count: int, source: random.Random) -> list[int]:
    """Moments: as many right behind an answer, the worst there are, as anywhere."""
    behind = [
        place
        for place, (before, after) in enumerate(itertools.pairwise(events), 1)
        if after.acknowledged > before.acknowledged
    ]
    anywhere = [source.randrange(len(events)) for _ in range(count - count // 2)]
    return sorted(anywhere + [source.choice(behind) for _ in range(count // 2)])


def _after_cut(played: disk.Disk, number: int, source: random.Random) -> disk.Image:
    survival = (disk.nothing, disk.any_writes(source), disk.any_sectors(source))[number % 3]
    return played.image(survival, 0 if survival is disk.nothing else source.random())


def _faults_of(store: Path, workload: Workload, acknowledged: int) -> list[str]:
    if not store.exists():
        return [f"acknowledged up to {acknowledged}, and no file"] if acknowledged else []
    with checks.opened(store) as connection:
        if not checks.has_tables(connection):
            return [f"acknowledged up to {acknowledged}, and no tables"] if acknowledged else []
        faults = checks.not_a_prefix(checks.held(connection), workload, acknowledged)
        return faults + checks.parts_disagree(connection) + checks.broken(connection)


def _memory_folder(otherwise: Path) -> tempfile.TemporaryDirectory[str]:
    parent = _MEMORY_FOLDER if _MEMORY_FOLDER.is_dir() else otherwise
    return tempfile.TemporaryDirectory(prefix="mimir-torture-", dir=parent)
