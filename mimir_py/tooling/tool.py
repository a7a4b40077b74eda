"""A tool is one class: fields are its arguments, the docstring its description, `run` what it does.

The return type of `run` is a TypedDict, the shape of the answer. Everything else that speaks of
the tool (listing, validation, hints, reference page, contract tests) is made from the class.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mimir_py.errors import InvalidInput, MimirError
from mimir_py.security import Trust
from mimir_py.tooling.answer import MOST_NAME_CHARS, clipped
from mimir_py.values import GLOBAL_WORKSPACE, unstorable_character, walk_strings

RoomT = TypeVar("RoomT")
Report = Callable[[int, int | None, str], Awaitable[None]]

ALL_WORKSPACES = "*"
# An argument of every tool that changes something, beside its own.
IDEMPOTENCY_KEY: Final = "idempotency_key"
MOST_KEY_CHARS: Final = 200
_MOST_FAULTS_NAMED = 3


class Effect(Enum):
    """What a call may do to the store; becomes the hints hosts act on."""

    READS = "reads"
    WRITES = "writes"
    DESTROYS = "destroys"


@dataclass(frozen=True)
class Scope:
    """The workspace of calls that name none: `None` leaves them unscoped."""

    workspace: str | None = None

    def reads(self, named: str | None) -> tuple[str, ...] | None:
        """Workspaces a read may see; `None` is all. Unnamed: this project's and the global one."""
        if named == ALL_WORKSPACES:
            return None
        if named is not None:
            return (named,)
        if self.workspace is None:
            return None
        return tuple(dict.fromkeys((self.workspace, GLOBAL_WORKSPACE)))

    def writes(self, named: str | None) -> str:
        """The workspace a write goes to.

        Raises:
            InvalidInput: a write must name one workspace.
        """
        if named == ALL_WORKSPACES:
            raise InvalidInput("workspace_hash", '"*" means every workspace and is for reading')
        if named is not None:
            return named
        return self.workspace or GLOBAL_WORKSPACE


async def _silent(done: int, total: int | None, message: str) -> None:
    pass


@dataclass(frozen=True)
class Call:
    """What a call brings along beside its arguments.

    `report` tells the caller of progress: (done, total if known, what). `trust` is that of the
    channel; no argument can raise it.
    """

    scope: Scope = Scope()
    max_answer_bytes: int = 0
    report: Report = _silent
    trust: Trust = Trust.AGENT


@dataclass(frozen=True)
class ToolSpec:
    """What the class cannot say: wire name, title, effect, room, and an example that runs.

    `failure` begins messages of failed calls; `soft_errors` answers failures as `{"error": ...}`,
    which the contract has for some tools. `long` calls do not hold up the ones behind them. A tool
    that `fits` keeps its answers under the cap by itself. A lean listing leaves `lean_hides`
    out of the arguments, which stay valid. `words` are the arguments that are stored as a person
    or agent wrote them, in which secrets are looked for; a tool that writes must say which, if any.
    """

    name: str
    title: str
    effect: Effect
    room: type
    example: Mapping[str, Any]
    idempotent: bool = False
    failure: str = ""
    soft_errors: bool = False
    lean: bool = False
    lean_hides: tuple[str, ...] = ()
    long: bool = False
    fits: bool = False
    words: tuple[str, ...] | None = None

    @property
    def suffix(self) -> str:
        return self.name.removeprefix("mimir_")

    def refusal(self, error: MimirError) -> str:
        """What the caller reads of an error: which tool, what is wrong, what to do."""
        if error.code == "invalid_input":
            return f"Invalid {self.suffix} arguments: {error}"
        return f"{self.failure}: {error}" if self.failure else str(error)


class Tool(BaseModel, Generic[RoomT]):
    """Base of every tool. Types are strict; null on an optional argument means "not given"."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)
    spec: ClassVar[ToolSpec]

    @classmethod
    def parse(cls, arguments: Mapping[str, Any]) -> tuple[Self, list[str]]:
        """The tool with its arguments, and the names of those that were sent but are not its own.

        Raises:
            InvalidInput: names each wrong argument and what it must be.
        """
        for path, text in walk_strings(dict(arguments), ""):
            fault = unstorable_character(text)
            if fault is not None:
                raise InvalidInput(
                    clipped(path, MOST_NAME_CHARS) or "arguments",
                    f"holds {fault}, which cannot be stored",
                )
        given = {
            name: value
            for name, value in arguments.items()
            if name in cls.model_fields
            and (value is not None or cls.model_fields[name].is_required())
        }
        known = {*cls.model_fields, *cls.shared_arguments()}
        try:
            return cls.model_validate(given), sorted(set(arguments) - known)
        except ValidationError as error:
            raise _explained(error) from None

    @classmethod
    def shared_arguments(cls) -> Mapping[str, Mapping[str, Any]]:
        """The schemas of the arguments that calls of this tool take beside its fields."""
        if cls.spec.effect is Effect.READS:
            return {}
        return {IDEMPOTENCY_KEY: {"type": "string"}}

    @classmethod
    def idempotency_key(cls, arguments: Mapping[str, Any]) -> str | None:
        """The key under which a call wants to be made only once, if it has one.

        Raises:
            InvalidInput: it is no text, or empty or too long.
        """
        key = arguments.get(IDEMPOTENCY_KEY) if cls.shared_arguments() else None
        if key is None:
            return None
        if not isinstance(key, str):
            raise InvalidInput(IDEMPOTENCY_KEY, "must be a string")
        if not 0 < len(key) <= MOST_KEY_CHARS:
            raise InvalidInput(
                IDEMPOTENCY_KEY, f"has {len(key)} characters; it must have 1 to {MOST_KEY_CHARS}"
            )
        return key

    async def run(self, room: RoomT, call: Call) -> Mapping[str, Any]:
        raise NotImplementedError


AnyTool = Tool[Any]


def _explained(error: ValidationError) -> InvalidInput:
    faults = []
    for fault in error.errors()[:_MOST_FAULTS_NAMED]:
        place = ".".join(str(part) for part in fault["loc"]) or "arguments"
        faults.append((place, fault["msg"][0].lower() + fault["msg"][1:]))
    # A name may be anything a caller sends; the message must stay readable.
    faults = [(clipped(place, MOST_NAME_CHARS), problem) for place, problem in faults]
    first, *rest = faults
    problem = "; ".join([first[1], *(f"{place}: {message}" for place, message in rest)])
    return InvalidInput(first[0], problem)
