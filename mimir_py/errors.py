"""Every error Mimir raises on purpose.

    MimirError
    ├── InvalidInput          an argument is wrong; names the field and what to do
    ├── NotFound              what was asked for is not there
    ├── Conflict              what was to be changed is not what the caller took it for
    ├── ConfigError           a setting, flag or environment variable is wrong
    ├── EmbeddingError        the bundled model could not be loaded or run
    ├── TransferError         an import or export file cannot be used
    └── StorageError          the store cannot do what was asked
        ├── EngineError       this Python's SQLite cannot serve a Mimir store
        ├── ForeignStore      the file belongs to another program
        ├── StoreTooNew       the file was written by a newer Mimir
        ├── StoreBusy         other processes held the write lock for too long
        ├── DiskFull          there was no room for the write
        ├── DamagedStore      SQLite found the file broken
        ├── BrokenCopy        a backup is not whole or not sound
        └── StoreInUse        other processes have open what must be had alone
        ├── KeyRefused        the store is sealed and this key does not open it, or there is none
        └── BrokenSeal        a sealed row is not what was sealed

`code` is stable and meant for programs; the message is meant for people. The doors map the tree
to MCP results and to exit codes; nobody reads a message to decide anything.
"""

from typing import ClassVar


class MimirError(Exception):
    """Base of everything a caller may want to catch."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1


class InvalidInput(MimirError):
    """An argument is missing, of the wrong type, or over a limit."""

    code = "invalid_input"
    exit_code = 2

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class NotFound(MimirError):
    """The memory that was named does not exist."""

    code = "not_found"


class Conflict(MimirError):
    """Somebody else was first; read again and decide anew."""

    code = "conflict"


class ConfigError(MimirError):
    """A setting cannot be used as given."""

    code = "config"
    exit_code = 2


class EmbeddingError(MimirError):
    """The embedding model could not be loaded or run."""

    code = "embedding"


class TransferError(MimirError):
    """A file to import is not what it should be; names the line."""

    code = "transfer"


class StorageError(MimirError):
    """The store refused or failed; nothing of the attempted change was kept."""

    code = "storage"


class EngineError(StorageError):
    """The SQLite library at hand is too old or lacks FTS5."""

    code = "engine"


class ForeignStore(StorageError):
    """The file is not a Mimir store; it was left untouched."""

    code = "foreign_store"


class StoreTooNew(StorageError):
    """The file's schema is newer than this program knows; it was left untouched."""

    code = "store_too_new"


class StoreBusy(StorageError):
    """The write lock could not be had within the configured time."""

    code = "busy"


class DiskFull(StorageError):
    """The disk or quota is full; the change was rolled back."""

    code = "disk_full"


class DamagedStore(StorageError):
    """SQLite reports the file as malformed."""

    code = "damaged"


class BrokenCopy(StorageError):
    """A backup did not pass verification; it was not used."""

    code = "broken_copy"


class StoreInUse(StorageError):
    """Other processes have the store open, and it must be closed for this."""

    code = "in_use"


class KeyRefused(StorageError):
    """A sealed store and no key, another store's key, or a key and no sealed store."""

    code = "key_refused"
    exit_code = 3


class BrokenSeal(StorageError):
    """A sealed row was changed, moved or exchanged outside of Mimir."""

    code = "broken_seal"
