"""Whoever exchanges names in a folder while it is read and written leads nobody out of it."""

import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from mimir_py.errors import TransferError
from mimir_py.vault.folder import Folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")

_TRIES = 10_000
_SECRET = "the secret outside"


class _Swapper:
    """Puts files, folders and links to what is outside in each other's place, without end."""

    def __init__(self, vault: Path, outside: Path) -> None:
        self._vault, self._outside = vault, outside
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        link, folder = self._vault / "to folder", self._vault / "empty"
        days, was = self._vault / "days", self._vault / "was"
        while not self._stop.is_set():
            for coming in (folder, link):
                with suppress(OSError):
                    folder.mkdir()
                with suppress(OSError):
                    link.symlink_to(self._outside)
                with suppress(OSError):
                    days.rename(was)
                with suppress(OSError):
                    coming.rename(days)
                _clear(was)
            with suppress(OSError):
                (self._vault / "to file").symlink_to(self._outside / "secret.md")
                (self._vault / "to file").replace(self._vault / "a.md")
            with suppress(OSError):
                (self._vault / "plain").write_text("inside")
                (self._vault / "plain").replace(self._vault / "a.md")


def _clear(path):
    with suppress(OSError):
        if path.is_symlink():
            path.unlink()
        else:
            for file in path.iterdir():
                file.unlink()
            path.rmdir()


@pytest.fixture
def places(tmp_path):
    """A folder, and one outside of it with a secret."""
    vault, outside = tmp_path / "vault", tmp_path / "outside"
    vault.mkdir()
    outside.mkdir()
    (outside / "secret.md").write_text(_SECRET)
    return vault, outside


def _race(vault, outside, read, write):
    """Reads and writes while names are exchanged: what was read, and what is outside after."""
    said = set()
    with _Swapper(vault, outside):
        for number in range(_TRIES):
            with suppress(TransferError, OSError):
                said.add(read("a.md"))
            with suppress(TransferError, OSError):
                write(f"days/{number % 7}.md", "ours")
            if _SECRET in said or len(list(outside.iterdir())) > 1:
                break
    return said, {path.name: path.read_text() for path in outside.iterdir()}


def test_exchanged_names_lead_no_read_or_write_outside(places):
    vault, outside = places
    with Folder(vault, create=False) as folder:
        said, left = _race(vault, outside, folder.read, folder.write)

    assert said <= {None, "inside"}
    assert "inside" in said
    assert left == {"secret.md": _SECRET}


def test_the_race_finds_one_who_looks_before_it_leaps(places):
    vault, outside = places

    def read(name):
        path = vault / name
        return None if path.is_symlink() else path.read_text()

    def write(name, text):
        path = vault / name
        if not path.parent.is_symlink():
            path.write_text(text)

    said, left = _race(vault, outside, read, write)

    assert _SECRET in said or set(left) != {"secret.md"}
