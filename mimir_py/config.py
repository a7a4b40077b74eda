"""Settings: one row per setting, and the only place that reads the environment.

A row gives the field's type, default, environment variable and help. `docs/reference/settings.md`,
the flags of `mimir serve` and validation all come from the rows. A value that cannot be used is an
error that names the setting, never a silent default.
"""

import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from mimir_py.errors import ConfigError

WORKSPACE_AUTO: Final = "auto"
WORKSPACE_NONE: Final = "none"


_YES: Final = frozenset({"yes", "on", "true", "1"})
_NO: Final = frozenset({"no", "off", "false", "0"})
_SHORTEST_ANSWER: Final = 4_000
_PATHS: Final = frozenset(
    {
        "db_path",
        "connect_config",
        "ranking_file",
        "encryption_key",
        "passphrase_file",
        "connectors_config",
    }
)


def _row(default: Any, help: str, *, env: str | None = None, flag: str | None = None) -> Any:
    return field(default=default, metadata={"help": help, "env": env, "flag": flag})


@dataclass(frozen=True)
class Settings:
    """What a Mimir process was told. Built by `load`, passed down by `app`."""

    db_path: Path | None = _row(
        None,
        "The store. Made on first use; see the search order below.",
        env="MIMIR_DB_PATH",
        flag="--db",
    )
    encryption_key: Path | None = _row(
        None,
        "Key file of a sealed store (`mimir keygen` makes one); a new store is made sealed.",
        env="MIMIR_ENCRYPTION_KEY",
        flag="--encryption-key",
    )
    passphrase_file: Path | None = _row(
        None,
        "File whose first line is the passphrase of a sealed store, instead of a key file.",
        env="MIMIR_PASSPHRASE_FILE",
        flag="--passphrase-file",
    )
    keychain: str | None = _row(
        None,
        "Entry of the system's keychain that unlocks a sealed store, instead of a key file; needs "
        "the extra `keychain`.",
        env="MIMIR_KEYCHAIN",
        flag="--keychain",
    )
    seal_names: bool = _row(
        False,
        "Whether a store that is made sealed seals categories and keys too: `yes` or `no`.",
        env="MIMIR_SEAL_NAMES",
        flag="--seal-names",
    )
    workspace: str = _row(
        WORKSPACE_NONE,
        "Scope of calls that name no workspace: `auto` derives it from the project's git remote, "
        "`none` leaves calls unscoped, anything else is the scope itself.",
        env="MIMIR_WORKSPACE",
        flag="--workspace",
    )
    tools: str = _row(
        "full",
        "Tools to list: `full`, `lean`, or names separated by commas. Unlisted tools "
        "stay callable.",
        env="MIMIR_TOOLS",
        flag="--tools",
    )
    max_answer_bytes: int = _row(
        60_000,
        "Most bytes of text in one answer; 0 means no limit.",
        env="MIMIR_MAX_ANSWER",
        flag="--max-answer",
    )
    exclude_categories: tuple[str, ...] = _row(
        ("conversation",),
        "Categories hidden from a recall that names no category, separated by "
        "commas; empty hides nothing.",
        env="MIMIR_EXCLUDE_CATEGORIES",
    )
    busy_timeout_ms: int = _row(
        30_000,
        "Longest wait for other processes' writes, in milliseconds.",
        env="MIMIR_BUSY_TIMEOUT_MS",
    )
    max_body_bytes: int = _row(
        1_048_576,
        "Largest decoded body of one memory, in bytes.",
        env="MIMIR_MAX_BODY_BYTES",
    )
    max_key_bytes: int = _row(
        1_024,
        "Largest key, category, tag or other name, in bytes.",
        env="MIMIR_MAX_KEY_BYTES",
    )
    max_tags: int = _row(64, "Most tags on one memory.", env="MIMIR_MAX_TAGS")
    history_max_age_days: int = _row(
        0,
        "Days an earlier version of a memory is kept before maintenance rolls it up; 0 means for "
        "ever.",
        env="MIMIR_HISTORY_MAX_AGE_DAYS",
    )
    history_max_versions: int = _row(
        0,
        "Earlier versions kept of each memory; 0 means all.",
        env="MIMIR_HISTORY_MAX_VERSIONS_PER_KEY",
    )
    history_max_bytes: int = _row(
        0,
        "Bytes kept of all earlier versions' bodies; 0 means all.",
        env="MIMIR_HISTORY_MAX_BYTES",
    )
    history_tombstones: bool = _row(
        True,
        "Whether a summary with a digest takes the place of versions that are not kept.",
        env="MIMIR_HISTORY_TOMBSTONES",
    )
    groom_hours: int = _row(
        0,
        "Hours between two groomings of the whole memory in the server's idle time: fading, "
        "linking, merging (`docs/lifecycle.md`); 0 means never.",
        env="MIMIR_GROOM_HOURS",
        flag="--groom",
    )
    sync_interval_s: int = _row(
        1,
        "Seconds between two looks of `mimir obsidian-sync --watch` at the store.",
        env="MIMIR_SYNC_INTERVAL_SECS",
    )
    secrets: str = _row(
        "redact",
        "Passwords, keys and tokens in what is about to be stored: `redact` puts a placeholder in "
        "their place and says so, `report` only says so, `off` does not look.",
        env="MIMIR_SECRETS",
    )
    ingest_roots: tuple[str, ...] = _row(
        (),
        "Folders in which an agent may have files read in, separated by commas; by default the "
        "project the server was started in.",
        env="MIMIR_INGEST_ROOTS",
        flag="--ingest-roots",
    )
    connectors_config: Path | None = _row(
        None,
        "File that says which folders are watched (`docs/documents.md`).",
        env="MIMIR_CONNECTORS_CONFIG",
        flag="--connectors-config",
    )
    max_ingest_bytes: int = _row(
        52_428_800,
        "Largest file that is read in, in bytes.",
        env="MIMIR_MAX_INGEST_BYTES",
    )
    embedding_threads: int = _row(
        2,
        "Threads one run of the embedding model may use.",
        env="MIMIR_EMBEDDING_THREADS",
    )
    ranking_file: Path | None = _row(
        None,
        "Ranking constants to use instead of the built-in ones; `scripts/fit_ranking` writes such "
        "files.",
        env="MIMIR_RANKING_FILE",
    )
    connect_config: Path | None = _row(
        None,
        "File that `mimir connect` edits instead of the host's own.",
        env="MIMIR_CONNECT_CONFIG",
    )
    sqlite_driver: str = _row(
        "auto",
        "`bundled` (pysqlite3), `system` (this Python's sqlite3), or `auto`: bundled "
        "where there is one.",
        env="MIMIR_SQLITE_DRIVER",
    )

    @property
    def has_key(self) -> bool:
        """Whether a key of a sealed store is named."""
        named = (self.encryption_key, self.passphrase_file, self.keychain)
        return any(value is not None for value in named)


def load(environ: Mapping[str, str], overrides: Mapping[str, object] | None = None) -> Settings:
    """Settings from `environ`, with `overrides` (by field name, text or typed) on top.

    Raises:
        ConfigError: a value is not of the setting's type or out of range.
    """
    values: dict[str, Any] = {}
    for row in fields(Settings):
        env = row.metadata["env"]
        if env is not None and env in environ:
            values[row.name] = _parse(row, environ[env], env)
        given = (overrides or {}).get(row.name)
        if given is not None:
            source = row.metadata["flag"] or row.name
            values[row.name] = _parse(row, given, source)
    settings = Settings(**values)
    _check(settings)
    return settings


def calm_numeric_threads() -> None:
    """Keep numpy's BLAS on one thread; call before numpy is first imported.

    Our products are small, and its threads wait by spinning: they would only take the cores from
    the embedding model.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def process_environment() -> Mapping[str, str]:
    """The environment of this process."""
    return os.environ


def _parse(row: "Field[Any]", given: object, source: str) -> Any:
    if not isinstance(given, str):
        return given
    if row.name in _PATHS:
        if not given.strip():
            raise ConfigError(f"{source}: the path is empty")
        return Path(given).expanduser()
    if isinstance(row.default, tuple):
        return tuple(part.strip() for part in given.split(",") if part.strip())
    if isinstance(row.default, bool):
        if given.lower() not in _YES | _NO:
            raise ConfigError(f"{source}: {given!r} is neither yes nor no")
        return given.lower() in _YES
    if isinstance(row.default, int):
        try:
            return int(given)
        except ValueError:
            raise ConfigError(f"{source}: {given!r} is not a whole number") from None
    return given


def _check(settings: Settings) -> None:
    lowest = {
        "max_answer_bytes": 0,
        "busy_timeout_ms": 1,
        "max_body_bytes": 1_024,
        "max_key_bytes": 64,
        "max_tags": 1,
        "max_ingest_bytes": 1,
        "embedding_threads": 1,
        "history_max_age_days": 0,
        "history_max_versions": 0,
        "history_max_bytes": 0,
        "groom_hours": 0,
        "sync_interval_s": 1,
    }
    for name, least in lowest.items():
        if getattr(settings, name) < least:
            raise _wrong(name, f"must be at least {least}")
    if 0 < settings.max_answer_bytes < _SHORTEST_ANSWER:
        raise _wrong("max_answer_bytes", f"must be 0 (no limit) or at least {_SHORTEST_ANSWER}")
    if settings.sqlite_driver not in ("auto", "bundled", "system"):
        raise _wrong("sqlite_driver", "must be auto, bundled or system")
    if settings.secrets not in ("redact", "report", "off"):
        raise _wrong("secrets", "must be redact, report or off")
    if not settings.workspace:
        raise _wrong("workspace", "must be auto, none or a name")


def _wrong(name: str, problem: str) -> ConfigError:
    [row] = [row for row in fields(Settings) if row.name == name]
    sources = [source for source in (row.metadata["env"], row.metadata["flag"]) if source]
    return ConfigError(f"{' / '.join(sources) or name}: {problem}")


@dataclass(frozen=True)
class FoundStore:
    """The store to open, and other candidate files that were passed over."""

    path: Path
    ignored: tuple[Path, ...] = ()


def find_store(settings: Settings, home: Path) -> FoundStore:
    """The store file: as configured, else the first of the usual places that exists.

    The places are those of the Rust program, so that its users' files are found; a new store is
    made at `~/.mimir/data/mimir.db`.
    """
    if settings.db_path is not None:
        return FoundStore(settings.db_path)
    data = home / ".mimir" / "data"
    usual = (data / "perseus-vault.db", data / "mneme.db", data / "mimir.db", home / "mimir.db")
    present = [path for path in usual if path.exists()]
    own = data / "mimir.db"
    if not present:
        return FoundStore(own)
    chosen = own if own in present else present[0]
    return FoundStore(chosen, tuple(path for path in present if path != chosen))
