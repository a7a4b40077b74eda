"""Connects Mimir to a host and disconnects it: plan the whole change, then write all or nothing."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mimir_py.cli.hosts import catalogue, disk, edit, ledger
from mimir_py.cli.hosts.disk import Found
from mimir_py.cli.hosts.ledger import Record
from mimir_py.cli.hosts.models import (
    ENTRY_NAME,
    Action,
    EditError,
    Entry,
    Host,
    HostConfigError,
    Outline,
    Report,
)
from mimir_py.errors import InvalidInput
from mimir_py.values import unstorable_character

_BOM: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class _Config:
    """The host's file as it stands, and what the ledger knows of it."""

    host: Host
    path: Path
    found: Found
    home: Path
    records: Mapping[str, Record]

    @property
    def record(self) -> Record | None:
        return self.records.get(str(self.found.real))

    @property
    def text(self) -> str:
        return _decoded(self.found.data)

    def report(self, action: Action, after: bytes | None, *, dry_run: bool) -> Report:
        text = None if after is None else _decoded(after)
        diff = edit.unified_diff(self.text, text or "", str(self.path))
        return Report(self.host.name, action, self.path, text, diff, dry_run=dry_run)


def connect(
    host_name: str,
    *,
    command: str,
    db: Path | None,
    key: tuple[str, ...] = (),
    home: Path,
    cwd: Path,
    platform: str,
    config_override: Path | None,
    dry_run: bool,
    now_unix_s: int,
) -> Report:
    """Write Mimir into the host's configuration. The same values a second time change nothing.

    Fields that are not ours in an earlier entry of the same name, such as `env`, are kept.

    Raises:
        HostConfigError: there is no such host, or its file is broken, of an unexpected shape or
            not writable; nothing was written.
        InvalidInput: `command`, `db` or `key` holds a character that no text file can.
    """
    host = catalogue.find(host_name)
    path = catalogue.locate(host, home=home, cwd=cwd, platform=platform, override=config_override)
    fields = host.fields(_entry(command, db, key))
    with _naming(path):
        config = _read(host, path, home)
        bom, text = _split(config.text)
        seen = host.editor.outline(text, host.container, ENTRY_NAME)
        if all(seen.entry.get(key) == value for key, value in fields.items()):
            return config.report(Action.UNCHANGED, config.found.data, dry_run=dry_run)
        kept = _foreign_fields(seen, fields)
        after = bom + edit.insert_entry(host, text, ENTRY_NAME, {**fields, **kept})
        action = Action.REPLACED if seen.has_entry else Action.ADDED
        action = Action.CREATED if config.found.data is None else action
        report = config.report(action, after.encode(), dry_run=dry_run)
        backup = None if dry_run else _write(config, seen, after.encode(), now_unix_s)
    return replace(report, backup=backup, kept=tuple(kept), next_step=host.next_step)


def disconnect(
    host_name: str,
    *,
    home: Path,
    cwd: Path,
    platform: str,
    config_override: Path | None,
    dry_run: bool,
) -> Report:
    """Undo `connect`: byte for byte if the file was not edited since, else only the entry goes.

    A file that `connect` created is deleted again. An entry that was there before `connect`
    replaced it comes back. If there is nothing to undo, the report says so and nothing changes.

    Raises:
        HostConfigError: there is no such host, or its file is broken, of an unexpected shape or
            not writable; nothing was written.
    """
    host = catalogue.find(host_name)
    path = catalogue.locate(host, home=home, cwd=cwd, platform=platform, override=config_override)
    with _naming(path):
        config = _read(host, path, home)
        action, after = _undone(config)
        report = config.report(action, after, dry_run=dry_run)
        if not dry_run:
            _carry_out(config, action, after)
    backups = config.record.backups if config.record and action is Action.REMOVED else ()
    left = next((path for path in map(Path, backups) if path.exists()), None)
    return replace(report, backup=left)


def _entry(command: str, db: Path | None, key: tuple[str, ...]) -> Entry:
    for field, text in (("command", command), ("db", str(db or "")), ("key", "".join(key))):
        problem = unstorable_character(text)
        if problem is not None:
            raise InvalidInput(field, f"holds {problem}, which a configuration cannot carry")
    return Entry(command, db, key)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn what can go wrong with the file into an error that names it and says what to do."""
    try:
        yield
    except EditError as problem:
        advice = "nothing was written; correct the file, then run this again"
        message = f"{problem.problem} ({advice})"
        raise HostConfigError(message, path=path, line=problem.line) from problem
    except OSError as error:
        place = Path(error.filename) if isinstance(error.filename, str) else path
        reason = error.strerror or str(error)
        message = f"cannot be read or written: {reason}"
        raise HostConfigError(message, path=place) from error


def _read(host: Host, path: Path, home: Path) -> _Config:
    return _Config(host, path, disk.read(path), home, ledger.load(home))


def _decoded(data: bytes | None) -> str:
    try:
        return (data or b"").decode()
    except UnicodeDecodeError:
        raise EditError("this is not UTF-8 text; save it as UTF-8") from None


def _split(text: str) -> tuple[str, str]:
    """The byte order mark, if any, and the text that the formats know."""
    return (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)


def _foreign_fields(seen: Outline, fields: Mapping[str, object]) -> dict[str, object]:
    # Only of an entry that starts a command, too: a leftover `url` would contradict ours.
    if not isinstance(seen.entry.get("command"), str):
        return {}
    return {key: value for key, value in seen.entry.items() if key not in fields}


def _write(config: _Config, seen: Outline, after: bytes, now_unix_s: int) -> Path | None:
    """Back up, note in the ledger, write; if one fails, what went before is taken back."""
    found, home = config.found, config.home
    with ExitStack() as undo:
        folders = disk.make_folders(found.real.parent)
        undo.callback(disk.remove_folders, folders)
        backup = None
        if found.data is not None:
            backup = disk.back_up(found, now_unix_s)
            undo.callback(backup.unlink)
        record = _record(config, seen, after, backup, folders)
        ledger.save(home, {**config.records, str(found.real): record})
        undo.callback(ledger.save, home, config.records)
        disk.write(found, after)
        undo.pop_all()
    return backup


def _record(
    config: _Config, seen: Outline, after: bytes, backup: Path | None, folders: tuple[Path, ...]
) -> Record:
    data, prior = config.found.data, config.record
    if prior is not None and seen.has_entry and data is not None:
        # The entry is our own earlier one, so what came before it is still what to return to.
        return prior.rewritten(data, after, backup)
    return Record(
        host=config.host.name,
        written_sha256=ledger.digest(after),
        before="missing" if data is None else "file",
        before_sha256=ledger.digest(data or b""),
        backups=() if backup is None else (str(backup),),
        folders=tuple(map(str, folders)),
        made_container=not seen.has_container,
    )


def _undone(config: _Config) -> tuple[Action, bytes | None]:
    """What to do, and what the file holds afterwards."""
    host, data, record = config.host, config.found.data, config.record
    if data is None:
        return Action.NOT_CONNECTED, None
    if record is not None and record.holds_for(data):
        if record.before == "missing":
            return Action.DELETED, None
        original = _original(record)
        if original is not None:
            return Action.RESTORED, original
    bom, text = _split(config.text)
    if not host.editor.outline(text, host.container, ENTRY_NAME).has_entry:
        return Action.NOT_CONNECTED, data
    prune = record is not None and record.made_container
    after = bom + edit.remove_entry(host, text, ENTRY_NAME, prune=prune)
    return Action.REMOVED, after.encode()


def _original(record: Record) -> bytes | None:
    """The file before `connect`, if its backup is still there and still the same."""
    if record.before != "file" or not record.backups:
        return None
    data = disk.read(Path(record.backups[0])).data
    return data if data is not None and record.is_original(data) else None


def _carry_out(config: _Config, action: Action, after: bytes | None) -> None:
    record, found = config.record, config.found
    if action is Action.DELETED:
        disk.remove(found)
    elif action is not Action.NOT_CONNECTED and after is not None:
        disk.write(found, after)
    if record is None:
        return
    rest = {name: each for name, each in config.records.items() if name != str(found.real)}
    ledger.save(config.home, rest)
    if action in (Action.DELETED, Action.RESTORED):
        for backup in record.backups:
            Path(backup).unlink(missing_ok=True)
    if action is Action.DELETED:
        disk.remove_folders(map(Path, record.folders))
