"""R5: the disk fills up at any point; nothing acknowledged is lost and the server lives on."""

import contextlib
import json
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.client import BenchError, Server

from torments import checks
from torments.outcome import NotMeasured, Outcome, Tally
from torments.setting import Setting
from torments.workload import Workload

_DISK_KB: Final = 24 * 1_024
_KB: Final = 1_024
_MOUNTED: Final = Path("/mnt")
_STORE: Final = "memory.db"
# From no page left to just less than a log that is checkpointed takes.
_FREE_KB: Final = (0, 3_200)
_FILE_KB: Final = (200, 3_200)
_MOST_WRITES: Final = 1_200
_WRITES_BEFORE: Final = 10
_WRITES_AFTER: Final = 5
_REFUSALS: Final = 4
_CONTROL_WRITES: Final = 30
_CONTROL: Final = "hopeful"


def full_disk(setting: Setting) -> Outcome:
    """R5: a small file system fills up, and a file reaches its largest size."""
    run, points = _Run(setting, None), setting.effort.full_points
    with _small_disk() as folder:
        for number in setting.tries(points):
            run.fill(folder, number, points)
    for number in range(max(1, points // 2)):
        run.limit_file(setting.new_folder(), number, max(1, points // 2))
    control = _Run(setting, _CONTROL)
    with _small_disk() as folder:
        for number in range(min(3, points)):
            control.fill(folder, number, points)
    return Outcome(
        "R5",
        "a full disk and a file that may not grow: an error naming it, reads go on, no "
        "acknowledged write lost, writes resume without a restart",
        run.tally,
        "a server that answers a failed commit as if it had not",
        control.tally,
        figures={
            "acknowledged writes": run.acknowledged,
            "refused": run.refused,
            "told as": sorted(run.told),
        },
    )


@dataclass(frozen=True)
class _Place:
    """A folder as a server sees it and as we do, and what to put before the server's command."""

    inside: Path
    outside: Path
    prefix: Sequence[str] = ()


@contextlib.contextmanager
def _small_disk() -> Iterator[_Place]:
    """A tmpfs in a namespace of its own, seen through /proc: needs no root, leaves no mount.

    Raises:
        NotMeasured: this system lets users have no namespaces.
    """
    unshare, nsenter = shutil.which("unshare"), shutil.which("nsenter")
    if unshare is None or nsenter is None:
        raise NotMeasured("unshare and nsenter are not installed: no small disk to fill")
    script = f"mount -t tmpfs -o size={_DISK_KB}k none {_MOUNTED} && echo ready && exec cat"
    with subprocess.Popen(
        [unshare, "--user", "--map-root-user", "--mount", "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != "ready\n":
            raise NotMeasured(f"no small disk to fill: {holder.stderr.read().strip()}")
        enter = (
            nsenter,
            "--target",
            str(holder.pid),
            "--user",
            "--mount",
            "--preserve-credentials",
        )
        try:
            yield _Place(_MOUNTED, Path(f"/proc/{holder.pid}/root{_MOUNTED}"), enter)
        finally:
            holder.stdin.close()


class _Run:
    def __init__(self, setting: Setting, sabotage: str | None) -> None:
        self._setting = setting
        self._sabotage = sabotage
        self._random = setting.random(f"full disk {sabotage}")
        self.tally = Tally()
        self.acknowledged = 0
        self.refused = 0
        self.told: set[str] = set()

    def fill(self, disk: _Place, number: int, points: int) -> None:
        """Leave so much of the disk free as the number says, write until it is full, free it."""
        outside = self._setting.new_folder(disk.outside)
        place = _Place(disk.inside / outside.name, outside, disk.prefix)
        ballast = disk.outside / "ballast"
        free = _point(_FREE_KB, number, points)

        def tighten(_: Server) -> None:
            room = shutil.disk_usage(disk.outside).free - free
            ballast.write_bytes(bytes(max(0, room)))

        self._torment(place, f"{free // _KB} KB free", tighten, lambda _: ballast.unlink())
        shutil.rmtree(outside)

    def limit_file(self, folder: Path, number: int, points: int) -> None:
        """Give the server's files a largest size, and take it back when that is reached."""
        most = _point(_FILE_KB, number, points)

        def limit(server: Server, soft: int) -> None:
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))

        self._torment(
            _Place(folder, folder),
            f"files up to {most // _KB} KB",
            lambda server: limit(server, most),
            lambda server: limit(server, resource.RLIM_INFINITY),
        )

    def _torment(
        self,
        place: _Place,
        what: str,
        tighten: Callable[[Server], None],
        relieve: Callable[[Server], None],
    ) -> None:
        workload, faults = Workload(self._random, 0), []
        try:
            with self._setting.serve(place.inside / _STORE, self._sabotage, place.prefix) as server:
                server.initialize()
                for _ in range(_WRITES_BEFORE):
                    faults += self._write(server, workload)
                tighten(server)
                try:
                    faults += self._write_until_full(server, workload)
                    server.call("mimir_recall", {"query": "service", "limit": 3})
                finally:
                    relieve(server)
                refused = self.refused
                for _ in range(_WRITES_AFTER):
                    faults += self._write(server, workload)
                if self.refused > refused:
                    faults.append("writes did not resume")
            # SQLite takes a path by its real name, which is another inside the namespace.
            copied = shutil.copytree(place.outside, self._setting.new_folder() / "copy")
            with checks.opened(copied / _STORE) as connection:
                faults += checks.not_a_prefix(checks.held(connection), workload, workload.last)
                faults += checks.parts_disagree(connection) + checks.broken(connection)
        except (BenchError, checks.SqliteError) as error:
            faults.append(str(error))
        self.tally.add(what, faults)

    def _write_until_full(self, server: Server, workload: Workload) -> list[str]:
        faults, refused = [], self.refused
        for _ in range(_CONTROL_WRITES if self._sabotage else _MOST_WRITES):
            faults += self._write(server, workload)
            if self.refused - refused == _REFUSALS:
                return faults
        return faults if self._sabotage else [*faults, f"not full after {_MOST_WRITES} writes"]

    def _write(self, server: Server, workload: Workload) -> list[str]:
        """Make the next write; it may be refused, but only with the reason."""
        operation, arguments = workload.next()
        try:
            server.call(operation.tool, arguments)
        except BenchError as error:
            workload.undo()
            self.refused += 1
            text = str(error)
            if "the server ended" in text:
                raise
            if "disk" not in text or "full" not in text:
                return [f"the reason is not told: {text}"]
            self.told.add(json.loads(text.partition(": ")[2])["content"][0]["text"])
            return []
        self.acknowledged += 1
        return []


def _point(ends: tuple[int, int], number: int, points: int) -> int:
    """Bytes at one of some points spread evenly."""
    low, high = ends
    return (low + (high - low) * number // max(1, points - 1)) * _KB
