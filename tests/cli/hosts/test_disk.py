import stat
from pathlib import Path

import pytest

from mimir_py.cli.hosts import HostConfigError, disk


def test_a_file_changed_since_it_was_read_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text("{}")
    found = disk.read(path)
    path.write_text('{"a": 1}')

    with pytest.raises(HostConfigError, match="another program"):
        disk.write(found, b"ours")

    assert path.read_text() == '{"a": 1}'
    assert [each.name for each in tmp_path.iterdir()] == ["c.json"]


def test_a_file_that_appeared_since_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    found = disk.read(path)
    path.write_text("theirs")

    with pytest.raises(HostConfigError, match="another program"):
        disk.write(found, b"ours")

    assert path.read_text() == "theirs"


def test_a_file_changed_since_it_was_read_is_not_deleted(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text("{}")
    found = disk.read(path)
    path.write_text("theirs")

    with pytest.raises(HostConfigError, match="another program"):
        disk.remove(found)

    assert path.read_text() == "theirs"


def test_a_failed_write_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()

    with pytest.raises(IsADirectoryError):
        disk.write_private(tmp_path / "private", b"x")

    assert [each.name for each in tmp_path.iterdir()] == ["private"]


def test_only_folders_that_are_empty_are_removed(tmp_path: Path) -> None:
    made = disk.make_folders(tmp_path / "a" / "b" / "c")
    (tmp_path / "a" / "kept").touch()

    disk.remove_folders(made)

    assert made == (tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c")
    assert [each.name for each in (tmp_path / "a").iterdir()] == ["kept"]


def test_the_mode_is_never_wider_than_it_was(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text("{}")
    path.chmod(0o400)

    disk.write(disk.read(path), b"new")

    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o400)
