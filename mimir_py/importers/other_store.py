"""Another store's file, opened to share memories with it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from mimir_py.config import Settings
from mimir_py.errors import ForeignStore, InvalidInput, KeyRefused, NotFound, StorageError
from mimir_py.security.keys import Secret
from mimir_py.security.unlocking import unlocking
from mimir_py.storage import migrations
from mimir_py.storage.companions import unaccompanied
from mimir_py.storage.database import Database, open_database
from mimir_py.storage.files import is_sealed, is_store, refuse_foreign


@dataclass(frozen=True)
class OtherStore:
    """A store's file, and the secret that opens it if it is sealed.

    Only with `create` it is made if it is missing. `plain` lets what a sealed store holds go into
    one that is not.
    """

    path: Path
    secret: Secret | None = None
    create: bool = False
    plain: bool = False


@asynccontextmanager
async def opened(other: OtherStore, home: Database, settings: Settings) -> AsyncIterator[Database]:
    """The other store, open.

    Raises:
        NotFound: there is no such file.
        ForeignStore, StoreTooNew, KeyRefused: it is not one to open; it was left untouched.
        InvalidInput: it is the store at home, or must not hold what a sealed one does, or there can
            be no file of that name.
        StorageError: it cannot be used.
    """
    _check(other, home)
    async with AsyncExitStack() as stack:
        try:
            database = open_database(
                other.path,
                home.engine,
                settings.busy_timeout_ms,
                unlocking(other.secret, seal_names=settings.seal_names),
            )
            there = await stack.enter_async_context(database)
        except StorageError as error:
            raise naming(other.path, error) from error
        # What a call keeps of itself is kept at home.
        with unaccompanied():
            yield there


def naming(path: Path, error: StorageError) -> StorageError:
    """The error, with the file it is about."""
    return error if str(path) in str(error) else type(error)(f"{path}: {error}")


def _check(other: OtherStore, home: Database) -> None:
    path = other.path
    try:
        exists, is_file = path.exists(), path.is_file()
        is_home = exists and path.samefile(home.path)
    except OSError as error:
        raise InvalidInput("to_db", f"{path} cannot be read: {error.strerror}") from None
    if not is_file and (exists or not other.create):
        raise NotFound(f"there is no store {path}; none was made")
    if is_home:
        raise InvalidInput("to_db", "is this store itself: leave it out to share within it")
    if exists:
        try:
            refuse_foreign(path, migrations.LATEST)
        except ForeignStore as error:
            raise ForeignStore(f"to_db: {error}") from None
        if not is_store(path):
            raise ForeignStore(f"to_db: {path} is no store of Mimir's yet; it was left untouched")
        _check_key(path, has_key=other.secret is not None)
    if home.is_sealed and other.secret is None and not other.plain:
        raise InvalidInput(
            "plain",
            f"this store is sealed, and {path} is not: say plain (--plain) to copy into it all "
            "the same",
        )


def _check_key(path: Path, *, has_key: bool) -> None:
    sealed = is_sealed(path)
    if sealed and not has_key:
        raise KeyRefused(f"{path} is sealed: give its key with to_key (--to-encryption-key)")
    if has_key and not sealed:
        raise KeyRefused(f"{path} is not sealed, and a key was given for it")
