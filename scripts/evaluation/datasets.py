"""Data sets: what to store (arguments of `mimir_remember`) and what to ask of it.

A file holds conversations (`{"name", "conversations": [{"id", "sessions", "questions"}]}`) or
memories and queries (`{"name", "memories", "queries"}`), these perhaps with a file of distractors
beside it.
"""

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

_SESSION_TIME: Final = "%I:%M %p on %d %B, %Y"
_CONVERSATION_KINDS: Final = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop"}

_Item = TypeVar("_Item")


class DataError(Exception):
    """A file does not hold a data set."""


class Granularity(StrEnum):
    """What one memory holds: a conversation's turn, its session, or what the file says."""

    TURN = "turn"
    SESSION = "session"
    MEMORY = "memory"


@dataclass(frozen=True)
class Question:
    """A question, the keys of the memories that answer it, and its place in the file."""

    text: str
    keys: frozenset[str]
    kind: str
    number: int


@dataclass(frozen=True)
class Collection:
    """The memories of one store, in the order they came about, and what is asked of it."""

    name: str
    memories: tuple[dict[str, Any], ...]
    questions: tuple[Question, ...]
    speakers: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataSet:
    """Collections that are measured together."""

    name: str
    granularity: Granularity
    collections: tuple[Collection, ...]

    def limited(self, count: int) -> "DataSet":
        """With `count` questions from each collection; all of them for 0."""
        return replace(
            self,
            collections=tuple(
                replace(collection, questions=tuple(spread(collection.questions, count)))
                for collection in self.collections
            ),
        )


def read(
    path: Path, granularities: Iterable[Granularity], *, timed: bool = True, dated: bool = False
) -> list[DataSet]:
    """The data sets of a file: of conversations one for each granularity, otherwise a single one.

    `timed` gives the memories of conversations the time of their session; `dated` also puts it into
    their bodies.

    Raises:
        DataError: the file cannot be read, or is of neither shape.
    """
    data = _load(path)
    try:
        if "memories" in data:
            sets = [_flat(data, path)]
        elif "conversations" in data:
            sets = [
                _conversations(data, path, granularity, timed=timed, dated=dated)
                for granularity in granularities
            ]
        else:
            raise DataError(f"{path} has neither `memories` nor `conversations`")
    except (KeyError, TypeError) as error:
        raise DataError(f"{path} is not of the expected shape: {error!r}") from None
    for collection in itertools.chain.from_iterable(data_set.collections for data_set in sets):
        _check(collection, path)
    return sets


def spread(questions: Sequence[_Item], count: int) -> list[_Item]:
    """`count` questions from the whole of the list; all of them for 0."""
    if not count or count >= len(questions):
        return list(questions)
    return [questions[index * len(questions) // count] for index in range(count)]


def _load(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}") from None
    if not isinstance(data, dict):
        raise DataError(f"{path} does not hold a JSON object")
    return data


def _flat(data: Mapping[str, Any], path: Path) -> DataSet:
    lists = [data["memories"]]
    if "distractors" in data:
        lists.append(_load(path.with_name(data["distractors"]))["memories"])
    questions = tuple(
        Question(query["query"], frozenset(query["keys"]), query.get("kind", ""), number)
        for number, query in enumerate(data["queries"])
    )
    name = data.get("name", path.stem)
    return DataSet(name, Granularity.MEMORY, (Collection(name, _in_order(lists), questions),))


def _in_order(lists: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[dict[str, Any], ...]:
    """By date; undated ones last, those of all lists evenly mixed, so that no list is newer."""
    placed = [
        (place / len(memories), _memory(memory))
        for memories in lists
        for place, memory in enumerate(memories)
    ]
    placed.sort(key=lambda item: (item[1].get("valid_from_unix_ms", float("inf")), item[0]))
    return tuple(memory for _, memory in placed)


def _memory(memory: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "category": memory.get("category", "memory"),
        "key": memory["key"],
        "body_json": _body({"content": memory["body"]}),
        "type": memory.get("type", "insight"),
        "tags": memory.get("tags", []),
        "topic_path": memory.get("topic_path", ""),
        **_since(memory.get("at")),
    }


def _since(moment: str | None) -> dict[str, int]:
    if moment is None:
        return {}
    at = datetime.fromisoformat(moment.replace("Z", "+00:00")).astimezone(UTC)
    return {"valid_from_unix_ms": int(at.timestamp() * 1000)}


def _conversations(
    data: Mapping[str, Any], path: Path, granularity: Granularity, *, timed: bool, dated: bool
) -> DataSet:
    collections = [_talk(item, granularity, timed, dated) for item in data["conversations"]]
    return DataSet(data.get("name", path.stem), granularity, tuple(collections))


def _talk(
    conversation: Mapping[str, Any], granularity: Granularity, timed: bool, dated: bool
) -> Collection:
    sessions = conversation["sessions"]
    turns = [(turn, str(session["session"])) for session in sessions for turn in session["turns"]]
    if granularity is Granularity.TURN:
        memories = [memory for session in sessions for memory in _turns(session, dated)]
        key_of = {turn["id"]: turn["id"] for turn, _ in turns}
    else:
        memories = [_session(session, dated) for session in sessions]
        key_of = {turn["id"]: session for turn, session in turns}
    if not timed:
        for memory in memories:
            del memory["valid_from_unix_ms"]
    questions = [
        Question(
            asked["question"],
            frozenset(key_of.get(turn, turn) for turn in asked["evidence"]),
            _CONVERSATION_KINDS.get(asked["category"], str(asked["category"])),
            number,
        )
        for number, asked in enumerate(conversation["questions"])
    ]
    speakers = dict.fromkeys(turn["speaker"] for turn, _ in turns)
    name = str(conversation["id"])
    return Collection(name, tuple(memories), tuple(questions), tuple(speakers))


def _turns(session: Mapping[str, Any], dated: bool) -> list[dict[str, Any]]:
    return [
        {
            "category": "turn",
            "key": turn["id"],
            "topic_path": str(session["session"]),
            "body_json": _body({"content": _said(turn)}, session if dated else None),
            **_held_at(session),
        }
        for turn in session["turns"]
    ]


def _session(session: Mapping[str, Any], dated: bool) -> dict[str, Any]:
    content = "\n".join(_said(turn) for turn in session["turns"])
    return {
        "category": "session",
        "key": str(session["session"]),
        "body_json": _body({"content": content}, session if dated else None),
        **_held_at(session),
    }


def _held_at(session: Mapping[str, Any]) -> dict[str, int]:
    """When it was said: what a client knows that remembers a talk."""
    at = datetime.strptime(session["date_time"], _SESSION_TIME).astimezone()
    return {"valid_from_unix_ms": int(at.timestamp() * 1000)}


def _said(turn: Mapping[str, Any]) -> str:
    return f"{turn['speaker']}: {turn['text']}"


def _body(body: dict[str, Any], dated_as: Mapping[str, Any] | None = None) -> str:
    when = {} if dated_as is None else {"when": dated_as["date_time"]}
    return json.dumps(body | when, ensure_ascii=False)


def _check(collection: Collection, path: Path) -> None:
    keys = Counter(memory["key"] for memory in collection.memories)
    twice = [key for key, count in keys.items() if count > 1]
    if twice:
        raise DataError(f"{path}, {collection.name}: keys used twice: {', '.join(twice[:10])}")
    if not collection.questions or not collection.memories:
        raise DataError(f"{path}, {collection.name}: nothing to store, or nothing to ask")
