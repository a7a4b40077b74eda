"""What every command needs: settings, an open store, and errors as one line and an exit code."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, TypeVar

import typer

from mimir_py.config import Settings, find_store, load, process_environment
from mimir_py.errors import MimirError
from mimir_py.values import clean_text

T = TypeVar("T")

Db = Annotated[str | None, typer.Option("--db", help="The store to use.", metavar="PATH")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WorkspaceHash = Annotated[
    str | None, typer.Option("--workspace-hash", help='Only this workspace; "" is the global one.')
]


KEY_OPTIONS: Final = {
    "--encryption-key": "encryption_key",
    "--passphrase-file": "passphrase_file",
    "--keychain": "keychain",
}


class _TopLevel:
    """Options given before the command, where a command's own win, or anywhere."""

    db: str | None = None
    key: ClassVar[dict[str, str]] = {}

    def take_key(self, arguments: Sequence[str]) -> list[str]:
        """Keep what says how to open a sealed store, which any command takes; the rest."""
        self.key.clear()
        rest: list[str] = []
        waiting = iter(arguments)
        for argument in waiting:
            if argument == "--":
                return [*rest, argument, *waiting]
            option, equals, value = argument.partition("=")
            if option not in KEY_OPTIONS:
                rest.append(argument)
                continue
            given = value if equals else next(waiting, None)
            if given is None:
                # Without its value it is the parser's to refuse.
                rest.append(argument)
            else:
                self.key[KEY_OPTIONS[option]] = given
        return rest


top_level = _TopLevel()


def settings_for(db: str | None) -> Settings:
    """Settings of a command that was given `--db` so."""
    chosen = db if db is not None else top_level.db
    return load(process_environment(), {"db_path": chosen, **top_level.key})


def secret_from(
    key_file: str | None, passphrase_file: str | None, keychain: str | None, *, create: bool = False
) -> Any:
    """The secret that a command's own options name, beside those of its store; `None` for none."""
    from mimir_py.security.unlocking import secret_of

    named = {
        "encryption_key": None if key_file is None else Path(key_file).expanduser(),
        "passphrase_file": None if passphrase_file is None else Path(passphrase_file).expanduser(),
        "keychain": keychain,
    }
    settings = replace(settings_for(None), **named)  # type: ignore[arg-type]  # fields by name
    return guarded(lambda: secret_of(settings, create=create))


def secret_of_store(db: str | None) -> Any:
    """The secret that opens a command's store; `None` for a plain one."""
    from mimir_py.security.unlocking import secret_of

    return secret_of(settings_for(db))


def store_path(db: str | None) -> Path:
    """The store a command works on."""
    return find_store(settings_for(db), Path.home()).path


def with_app(
    db: str | None,
    work: Callable[[Any], Awaitable[T]],
    *,
    bulk: bool = False,
    settings: Settings | None = None,
) -> T:
    """Open the store, run `work` with the app, close. Exits with one line on an error.

    `settings` are those of the command line unless given.
    """
    from mimir_py.app import open_app

    async def run() -> T:
        async with open_app(settings or settings_for(db), Path.home(), bulk=bulk) as app:
            return await work(app)

    return guarded(lambda: asyncio.run(run()))


def run_tool(
    db: str | None, name: str, *, progress: str = "", **arguments: Any
) -> Mapping[str, Any]:
    """Run one tool on the store with the arguments that were given; its answer.

    With a title for it, `progress` is shown.
    """
    from mimir_py.app import CATALOGUE
    from mimir_py.cli.progress import progress_bar
    from mimir_py.security import Trust
    from mimir_py.tooling import Call
    from mimir_py.workspaces import resolve

    tool = CATALOGUE.find(f"mimir_{name}")
    assert tool is not None
    given = {key: value for key, value in arguments.items() if value is not None}

    async def work(app: Any) -> Mapping[str, Any]:
        scope = resolve(settings_for(db).workspace, Path.cwd(), Path.home())
        call = Call(scope=scope, trust=Trust.USER)
        answer: Mapping[str, Any]
        if not progress:
            answer = await app.run(tool, given, call)
            return answer
        with progress_bar(progress) as advance:

            async def report(done: int, total: int | None, what: str) -> None:
                advance(done, total, what)

            answer = await app.run(tool, given, replace(call, report=report))
            return answer

    return with_app(db, work)


def guarded(work: Callable[[], T]) -> T:
    """Run `work`; an expected error becomes one line on stderr and its exit code."""
    try:
        return work()
    except MimirError as error:
        raise fail(str(error), error.exit_code) from None
    except KeyboardInterrupt:
        raise fail("stopped", 130) from None


def fail(message: str, code: int = 1) -> typer.Exit:
    """Say why on stderr; raise what this returns."""
    print(f"mimir: {message}", file=sys.stderr)
    return typer.Exit(code)


def print_json(value: Any) -> None:
    """Pretty JSON, characters as they are."""
    print(clean_text(json.dumps(value, ensure_ascii=False, indent=2)))
