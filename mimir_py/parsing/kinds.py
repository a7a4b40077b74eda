"""Which files are read, by their endings; pure."""

from enum import StrEnum
from pathlib import PurePath
from typing import Final


class Kind(StrEnum):
    """How a file is read."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"


_PROSE: Final = "txt rst csv tsv json jsonl yaml yml toml log xml tex org"
_CODE: Final = """
    adoc asm awk bash bat c cc cfg clj cmake conf cpp cs css cxx dart diff el ex exs erl f90 fish fs
    go gradle graphql groovy h hh hpp hs ini ipynb java jl js jsx kt kts less lisp lua m mjs ml nim
    nix patch php pl pm proto ps1 py pyi r rb rs sass scala scm scss sh sql svelte swift tcl tf ts
    tsx v vb vim vue zig zsh
"""
KINDS: Final = {
    **dict.fromkeys((*_PROSE.split(), *_CODE.split()), Kind.TEXT),
    **dict.fromkeys(("md", "markdown"), Kind.MARKDOWN),
    **dict.fromkeys(("html", "htm", "xhtml"), Kind.HTML),
    "pdf": Kind.PDF,
    "docx": Kind.DOCX,
}
IN_WORKER: Final = frozenset({Kind.HTML, Kind.PDF, Kind.DOCX})


def kind_of(name: str) -> Kind | None:
    """How a file of that name is read; `None` if it is not."""
    return KINDS.get(ending(name))


def ending(name: str) -> str:
    """What follows the last dot of a file's name, in small letters; "" if there is none."""
    return PurePath(name).suffix.removeprefix(".").lower()
