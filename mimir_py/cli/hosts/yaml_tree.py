"""YAML, read into a tree that knows where each part stands.

Built from parser events because these, unlike composed nodes, know where an alias stands.
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.events import (
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
)

from mimir_py.cli.hosts.models import EditError

_COLON: Final = re.compile(r"[ \t]*:")


@dataclass(frozen=True, slots=True)
class Node:
    """A value in `text[start:end]`, which for block styles ends with its last word or bracket.

    `shape` is what it says, without where and in which style. `pairs` are those of a mapping.
    """

    start: int
    end: int
    shape: tuple[Any, ...]
    pairs: "tuple[Pair, ...]" = ()
    word: str = ""
    is_map: bool = False
    is_flow: bool = False
    ends_in_block_text: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written at all: `key:` and no more."""
        return self.start == self.end


Pair = tuple[Node, Node]


def read_tree(text: str) -> tuple[Node | None, int]:
    """The mapping at the top, `None` for an empty document, and where the document ends."""
    with _naming_lines():
        # The composer, too, because it is the one to notice an undefined alias.
        YAML(typ="safe", pure=True).compose(text)
        root, end = _Builder(text).document()
    if root is None or root.is_empty:
        return None, end
    if not root.is_map:
        raise EditError("the top level is not a mapping; correct it", 1)
    return root, end


def read_plain(text: str, *path: str) -> Mapping[str, Any]:
    """The mapping at `path` as plain values.

    Nothing else is built: elsewhere there may be tags that only the host knows.
    """
    with _naming_lines():
        yaml = YAML(typ="safe", pure=True)
        node = yaml.compose(text)
        for step in path:
            node = next(value for key, value in node.value if key.value == step)
        found = yaml.constructor.construct_object(node, deep=True)
    return found if isinstance(found, dict) else {}


@contextmanager
def _naming_lines() -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            # Allowed by YAML, and nothing we would change.
            warnings.simplefilter("ignore", ReusedAnchorWarning)
            yield
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problem = ", ".join(str(part) for part in (error.context, error.problem) if part)
        raise EditError(problem, line) from error
    except YAMLError as error:
        raise EditError(str(error)) from error
    except RecursionError as error:
        raise EditError("this is nested too deeply to be a configuration") from error


class _Builder:
    def __init__(self, text: str) -> None:
        self.text = text
        self.events: Iterator[Event] = YAML(typ="safe", pure=True).parse(text)

    def document(self) -> tuple[Node | None, int]:
        root, end = None, len(self.text)
        for event in self.events:
            if isinstance(event, NodeEvent):
                root = self.node(event, event.end_mark.index)
            elif isinstance(event, DocumentEndEvent) and event.explicit:
                end = event.start_mark.index
        return root, end

    def node(self, event: Event, after: int) -> Node:
        """The node that begins with `event`; what came before it ended at `after`."""
        if isinstance(event, CollectionStartEvent):
            return self.collection(event)
        start, end = event.start_mark.index, event.end_mark.index
        if start == end:
            # An empty value is reported just before the next token, which may be lines below.
            colon = _COLON.match(self.text, after)
            start = end = colon.end() if colon else after
        word, style = getattr(event, "value", ""), getattr(event, "style", None)
        shape = (word, *_label(event), getattr(event, "implicit", None))
        return Node(start, end, shape, word=word, ends_in_block_text=style in ("|", ">"))

    def collection(self, event: CollectionStartEvent) -> Node:
        children: list[Node] = []
        end = event.end_mark.index
        while not isinstance(inner := next(self.events), CollectionEndEvent):
            children.append(self.node(inner, end))
            end = children[-1].end
        is_map = isinstance(event, MappingStartEvent)
        return Node(
            event.start_mark.index,
            inner.end_mark.index if event.flow_style else end,
            (is_map, *_label(event), *(child.shape for child in children)),
            pairs=tuple(zip(children[::2], children[1::2], strict=True)) if is_map else (),
            is_map=is_map,
            is_flow=bool(event.flow_style),
            ends_in_block_text=bool(children) and children[-1].ends_in_block_text,
        )


def _label(event: Event) -> tuple[object, object]:
    return getattr(event, "anchor", None), getattr(event, "tag", None)
