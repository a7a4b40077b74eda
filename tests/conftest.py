"""What tests of every room use: a clock that stands still, ids that count, and open stores."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import mimir_py
from mimir_py.app import CATALOGUE, App
from mimir_py.config import load
from mimir_py.embedding import Embedder, OnnxEmbedder
from mimir_py.security.keys import Secret
from mimir_py.security.unlocking import unlocking
from mimir_py.storage.database import open_database
from mimir_py.storage.engine import load_engine
from mimir_py.tooling import AnyTool, Call, Scope

OpenStore = Callable[..., AbstractAsyncContextManager[App]]
ImportRecords = Callable[..., Awaitable[None]]

_START_UNIX_MS = 1_760_000_000_000
# Where those of stores made beforehand begin, so that tests go on with others.
_MADE_IDS = 1_000_000
_SCATTER = 0x9E3779B97F4A7C15
_PACKAGE_ROOT = Path(mimir_py.__file__).parent.parent

# A busy machine is slow; that is no fault of what is tested.
settings.register_profile("mimir", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mimir")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sealed", action="store_true", help="run on sealed stores")


class _Sealed:
    """What opens every store that the fixtures make, under `--sealed`."""

    unlock: Any = None


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--sealed"):
        _Sealed.unlock = unlocking(Secret("file", bytes(range(32))), seal_names=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--sealed"):
        plain = pytest.mark.skip(reason="is about plain stores")
        for item in items:
            if item.get_closest_marker("plain"):
                item.add_marker(plain)


class FakeClock:
    """Shows `now` until a test moves it."""

    def __init__(self) -> None:
        self.now = _START_UNIX_MS

    def __call__(self) -> int:
        return self.now

    def advance(self, by_ms: int = 1) -> int:
        self.now += by_ms
        return self.now


class CountingIds:
    """Ids in the usual form, the same on every run, and not in the order they were given."""

    def __init__(self, given: int = 0) -> None:
        self.given = given

    def __call__(self, prefix: str) -> str:
        self.given += 1
        return f"{prefix}-{self.given * _SCATTER % 2**64:016x}"[: len(prefix) + 13]


class Client:
    """Calls the tools of an app with arguments as JSON brings them."""

    def __init__(self, app: App, workspace: str | None = None, max_answer_bytes: int = 0) -> None:
        self.app = app
        self._call = Call(Scope(workspace), max_answer_bytes)

    def request(
        self, tool: str, arguments: Mapping[str, Any]
    ) -> tuple[type[AnyTool], Mapping[str, Any], Call]:
        """What `App.run` and `App.call` take."""
        declared = CATALOGUE.find(f"mimir_{tool}")
        assert declared is not None
        return declared, arguments, self._call

    async def run(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return await self.app.run(*self.request(tool, arguments))

    async def remember(self, key: str, body: Any, **more: Any) -> dict[str, Any]:
        """Remember in the category `note`, unless another is given."""
        return await self.run(
            "remember", {"category": "note", "key": key, "body_json": body, **more}
        )

    async def recall(self, query: str, **more: Any) -> list[dict[str, Any]]:
        return (await self.run("recall", {"query": query, **more}))["items"]

    async def get(self, entity_id: str) -> dict[str, Any]:
        return await self.run("get_entity", {"id": entity_id})

    async def forget(self, key: str, **more: Any) -> bool:
        return (await self.run("forget", {"category": "note", "key": key, **more}))["found"]

    async def rows(self, statement: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """What is really in the file."""
        return await self.app.database.read(lambda reader: reader.tuples(statement, parameters))


@pytest.fixture(scope="session", autouse=True)
def home_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder of the tests' own: examples of tools write into it."""
    folder = tmp_path_factory.mktemp("home")
    (folder / ".mimir" / "vault").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        patch.setenv("USERPROFILE", str(folder))
        yield folder


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def new_id() -> CountingIds:
    return CountingIds()


@pytest.fixture(scope="session")
def embedder() -> Iterator[OnnxEmbedder]:
    """The bundled model, loaded once."""
    shared = OnnxEmbedder(threads=2)
    yield shared
    shared.close()


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "mimir.db"


@asynccontextmanager
async def _opened(
    path: Path,
    embedder: Embedder,
    clock: FakeClock,
    new_id: CountingIds,
    *,
    background: bool = False,
    **settings: Any,
) -> AsyncIterator[App]:
    loaded = load({}, {"db_path": path, **settings})
    engine = load_engine(loaded.sqlite_driver)
    async with open_database(path, engine, loaded.busy_timeout_ms, _Sealed.unlock) as database:
        yield App(database, embedder, embedder, loaded, clock, new_id, background=background)


@pytest.fixture
def open_store(
    store_path: Path, clock: FakeClock, new_id: CountingIds, embedder: OnnxEmbedder
) -> OpenStore:
    """Opens an app as `open_app` does, but on the shared model and without tasks of its own.

    With `background` it relies on such tasks, for the test to run.
    """
    usual_path, usual_embedder = store_path, embedder

    def opened(
        path: Path = usual_path, *, embedder: Embedder = usual_embedder, **settings: Any
    ) -> AbstractAsyncContextManager[App]:
        return _opened(path, embedder, clock, new_id, **settings)

    return opened


@pytest.fixture(scope="session")
def import_records() -> ImportRecords:
    """Stores JSON Lines records in an app, embedded unless told otherwise."""

    async def report(done: int) -> None:
        pass

    async def store(app: App, records: Sequence[Mapping[str, Any]], *, embed: bool = True) -> None:
        lines = [json.dumps(record) for record in records]
        imported = await app.vault.import_lines(lines, replace=False, report=report)
        assert imported.created == len(records)
        if embed:
            await app.vault.embed_queue(report)

    return store


@pytest.fixture(scope="session")
def make_store(
    tmp_path_factory: pytest.TempPathFactory,
    embedder: OnnxEmbedder,
    import_records: ImportRecords,
) -> Callable[..., Path]:
    """Makes a store of records before any test runs; to be copied, never opened."""

    def make(records: Sequence[Mapping[str, Any]], *, embed: bool = True) -> Path:
        path = tmp_path_factory.mktemp("made") / "mimir.db"

        async def fill() -> None:
            async with _opened(path, embedder, FakeClock(), CountingIds(_MADE_IDS)) as app:
                await import_records(app, records, embed=embed)

        asyncio.run(fill())
        return path

    return make


@pytest.fixture
def connectors(tmp_path: Path) -> Path:
    """A file that has a folder with a note in it watched."""
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "note.md").write_text("a note", encoding="utf-8")
    config = tmp_path / "connectors.yaml"
    watcher = f"{{enabled: true, paths: ['{watched}']}}"
    config.write_text(f"connectors: {{file_watcher: {watcher}}}", encoding="utf-8")
    return config


@pytest.fixture
async def connected_app(open_store: OpenStore, connectors: Path) -> AsyncIterator[App]:
    """An app with connectors, of which some tools need one."""
    async with open_store(connectors_config=connectors) as opened:
        yield opened


@pytest.fixture
async def app(open_store: OpenStore) -> AsyncIterator[App]:
    async with open_store() as opened:
        yield opened


@pytest.fixture
def client(app: App) -> Client:
    return Client(app)


@pytest.fixture
def client_of() -> Callable[..., Client]:
    """Makes a client of any app: `client_of(app, workspace, max_answer_bytes)`."""
    return Client


@pytest.fixture
def run_python() -> Callable[..., str]:
    """Runs a program in a process of its own, with this package; returns what it printed."""

    def run(program: str, *arguments: object, timeout: float = 60) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)],
            cwd=_PACKAGE_ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def start_python() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts a program in a process of its own that the test talks to over pipes."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: object) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)],
            cwd=_PACKAGE_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        with process:
            pass
