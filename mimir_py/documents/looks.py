"""Files as they were when they were looked at last: those that are still so need not be opened."""

import os
from pathlib import Path
from typing import Final

Stamp = tuple[int, int, int]

_GONE: Final[Stamp] = (0, 0, 0)


class Looks:
    """What this process has seen of files, and what was wrong with them."""

    def __init__(self) -> None:
        self._seen: dict[Path, tuple[Stamp, str | None]] = {}

    def stamp(self, path: Path) -> Stamp:
        """What changes when a file does."""
        try:
            found = os.lstat(path)
        except OSError:
            return _GONE
        return found.st_mtime_ns, found.st_size, found.st_ino

    def is_known(self, path: Path, stamp: Stamp, problems: dict[str, str]) -> bool:
        """Whether a file was seen so before; adds to the problems what was wrong with it then."""
        before, why = self._seen.get(path, (_GONE, None))
        if stamp == _GONE or before != stamp:
            return False
        if why is not None:
            problems[str(path)] = why
        return True

    def note(self, path: Path, stamp: Stamp, problems: dict[str, str]) -> None:
        """Keep that a file was looked at, and what is wrong with it."""
        self._seen[path] = stamp, problems.get(str(path))
