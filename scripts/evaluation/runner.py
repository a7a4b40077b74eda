"""A store of its own for each collection, filled and asked over stdio."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.client import Answer, BenchError, Server
from benchmarks.measure import MS
from benchmarks.program import Program

from evaluation.baselines import Grep
from evaluation.datasets import Collection, Question
from evaluation.metrics import Hits

DEFAULT: Final = "default"
GREP: Final = "grep"
METHODS: Final[Mapping[str, Mapping[str, Any]]] = {
    DEFAULT: {},
    "dense": {"mode": "dense"},
    "bm25": {"mode": "fts5"},
    "rrf": {"fusion": "rrf"},
    # Searches here, in this process, and takes no arguments.
    GREP: {},
}
DEPTH: Final = 10

_RANKING_FILE: Final = "MIMIR_RANKING_FILE"
# The client kills a server after five minutes, as one that hangs.
_RENEWED_AFTER_S: Final = 200.0
_WARM_UP: Final = 5
_VECTOR_CHECKS: Final = 1_500
_VECTOR_CHECK_S: Final = 0.2


class UnknownArguments(Exception):
    """The server does not know a method's arguments."""


@dataclass(frozen=True)
class Reply:
    """The ids found, the best first, how long that took, and what is said of the first.

    `relevance` and `score` are 0 where nothing was found; `relevance` is None from a server that
    gives none.
    """

    ids: tuple[str, ...]
    seconds: float | None = None
    relevance: float | None = None
    score: float | None = None
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of a question of a store's own collection."""

    store: str
    question: Question
    hits: Hits
    reply: Reply

    @property
    def first_is_right(self) -> bool:
        return 1 in self.hits.ranks

    def as_json(self) -> dict[str, Any]:
        """Names the question by its place: its text may not be ours to pass on."""
        reply = self.reply
        return {
            "store": self.store,
            "question": self.question.number,
            "kind": self.question.kind,
            "ranks": list(self.hits.ranks),
            "evidence": self.hits.evidence,
            "ms": None if reply.seconds is None else round(reply.seconds * MS, 3),
            "relevance": reply.relevance,
            "score": reply.score,
        }


class Store:
    """A collection in a store, and the server that keeps it; made by `opened`."""

    def __init__(
        self, collection: Collection, start: Callable[[], Server], running: ExitStack
    ) -> None:
        self.collection = collection
        self._start = start
        self._running = running
        self._ids: dict[str, str] = {}
        self._grep = Grep(collection.memories)
        self._server = self._started()

    def ask(self, method: str, questions: Sequence[Question]) -> list[Outcome]:
        """Ask a warm server the collection's own questions.

        Raises:
            UnknownArguments: the server ignores what makes this method.
        """
        if method != GREP:
            for question in questions[:_WARM_UP]:
                ignored = self.reply(question.text, method).ignored
                if ignored:
                    raise UnknownArguments(", ".join(ignored))
        return [self._outcome(method, question) for question in questions]

    def reply(self, text: str, method: str = DEFAULT) -> Reply:
        """The first ten memories a method finds."""
        if method == GREP:
            found = (self._ids[key] for key in self._grep.find(text, DEPTH))
            return Reply(tuple(dict.fromkeys(found)))
        arguments = {"query": text, "limit": DEPTH, "reinforce": False, **METHODS[method]}
        answer = self._call("mimir_recall", arguments)
        items = answer.result["items"]
        top = items[0] if items else {"relevance": 0.0, "score": 0.0}
        return Reply(
            tuple(item["id"] for item in items),
            answer.seconds,
            top.get("relevance"),
            top["score"],
            tuple(answer.result.get("ignored_arguments", ())),
        )

    def fill(self) -> None:
        """Remember everything, in order, and wait until it can be found by meaning."""
        for memory in self.collection.memories:
            self._ids[memory["key"]] = self._call("mimir_remember", memory).result["id"]
        for _ in range(_VECTOR_CHECKS):
            if not self._call("mimir_stats", {}).result["pending_chunks"]:
                return
            time.sleep(_VECTOR_CHECK_S)
        raise BenchError(f"{self.collection.name}: vectors are still missing")

    def _outcome(self, method: str, question: Question) -> Outcome:
        reply = self.reply(question.text, method)
        # Two keys with the same text are one memory; what is not stored is never found.
        wanted = {self._ids.get(key, key) for key in question.keys}
        ranks = tuple(rank for rank, id in enumerate(reply.ids, start=1) if id in wanted)
        return Outcome(self.collection.name, question, Hits(ranks, len(wanted)), reply)

    def _call(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        if time.perf_counter() - self._server.started > _RENEWED_AFTER_S:
            self._running.close()
            self._server = self._started()
        return self._server.call(tool, arguments)

    def _started(self) -> Server:
        server = self._running.enter_context(self._start())
        server.initialize()
        # The first search of a process also loads the model.
        server.call("mimir_recall", {"query": self.collection.name, "reinforce": False})
        return server


@contextmanager
def opened(
    program: Program, collection: Collection, path: Path, ranking: Path | None
) -> Iterator[Store]:
    """A store at `path`, still empty, whose server ranks with the constants in `ranking`."""
    command = [program.path, "serve", "--db", path]
    fitted = {} if ranking is None else {_RANKING_FILE: str(ranking)}
    environment = program.environment | fitted
    with ExitStack() as running:
        yield Store(collection, lambda: Server(command, program.log, environment), running)
