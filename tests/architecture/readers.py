"""Reads long texts made to be hard for patterns: `readers.py [NAME]`, one line a reader begun.

For each module with regular expressions there is what leads text into them. A pattern that looks at
characters again and again takes hours for what others read in less than a second.
"""

import contextlib
import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import mimir_py
from mimir_py.errors import MimirError

_CHARACTERS: Final = 100_000
_UNITS: Final = (
    "a", "A", "0", " ", "\n", "\r\n", ".", "-", "_", "/", "\\", '"', "'", "(", "[", "{", "<", ":",
    "@", "=", "#", "é", "中", "’", "A0", "aB", "a.", "a. ", "a-b ", '\\"', "\\n", "a/", "/*",
    "a@b:", "0.", '"a": ', "key: ", "token=", "AKIA", "eyJa.", "-----BEGIN ", "ignore ", "```",
    "\u200b", "&#", "%41",
)  # fmt: skip
_ENDS: Final = ("!\x7f", "", "5.")

Reader = Callable[[str], Any]


def _security() -> Mapping[str, Reader]:
    from mimir_py.security import clean_fields, count_secrets, fence, instructions, marks

    return {
        "security/guard.py": lambda text: count_secrets(json.dumps({"a": text, text: 1}), ""),
        "security/secrets.py": lambda text: clean_fields({"text": text}, ("text",)),
        "security/fence.py": lambda text: fence.unfenced(fence.fenced(text, b"s") + text, b"s"),
        "security/marks.py": marks.marks_in,
        "security/instructions.py": instructions.instruction_at,
    }


def _tried(read: Callable[[], Any]) -> Any:
    """What comes of reading a text that may be refused."""
    with contextlib.suppress(MimirError):
        return read()
    return None


def _rooms() -> Mapping[str, Reader]:
    from mimir_py import values
    from mimir_py.context import extraction
    from mimir_py.documents import places
    from mimir_py.embedding import chunking
    from mimir_py.entities import echo, similarity
    from mimir_py.graph import summaries
    from mimir_py.importers.formats import basic_memory
    from mimir_py.parsing import pdf, web, word
    from mimir_py.quality import frames
    from mimir_py.recall import dates, keywords, passages
    from mimir_py.storage import terms
    from mimir_py.vault import folder, frontmatter, notes, pages, writing
    from mimir_py.workspaces import scope

    return {
        "values.py": values.clean_text,
        "context/extraction.py": extraction.extract,
        "documents/places.py": lambda text: (
            places._heading_above(text, len(text)),
            places._heading_above(f"# {text}", len(text)),
            places._last_page(f"[page {text}", 1),
        ),
        "embedding/chunking.py": chunking.split,
        "entities/echo.py": lambda text: echo._same(text[: echo._MOST_CHARS], text),
        "entities/similarity.py": lambda text: (
            similarity.text_hash(text),
            similarity.near_query(text),
        ),
        "graph/summaries.py": summaries.terms,
        "importers/formats/basic_memory.py": lambda text: [
            [*basic_memory.links_in([start + text]), *basic_memory.tags_in([start + text])]
            for start in ("", "- ", "- [x] ", "[[a|", "- a [[")
        ],
        "parsing/pdf.py": lambda text: pdf._PAGE_LINE.sub("", f"[page {text}"),
        "parsing/web.py": lambda text: (
            web._SPACE.sub(" ", text),
            web._DECLARED.search(b"charset=" + text.encode()),
        ),
        "parsing/word.py": lambda text: (
            word._HEADING.fullmatch(f"heading {text}"),
            word._DECLARATION.search(b"<!" + text.encode()),
        ),
        "quality/frames.py": frames.frames,
        "recall/dates.py": lambda text: dates.periods(text, 1_760_000_000_000),
        "recall/keywords.py": lambda text: (
            keywords.prepare(text),
            keywords.with_variants(text, 3),
        ),
        "vault/folder.py": folder.file_stem,
        "vault/frontmatter.py": lambda text: (
            frontmatter.scalar(text),
            _tried(lambda: frontmatter.parse(f"a: {text}")),
            _tried(lambda: frontmatter.parse(text)),
        ),
        "vault/notes.py": lambda text: (
            notes.wiki_link("mem-1", text),
            [notes._LINK.fullmatch(start + text) for start in ("", "- [[", "- [[a|", "- [[a]] (")],
        ),
        "vault/pages.py": lambda text: (
            pages._words(text),
            pages.linked(text),
            pages.day_named(f"{pages.DAYS}/{text}"),
            [pages.is_as_made(start + text) for start in ("", "---\nmimir: page-")],
        ),
        "vault/writing.py": writing._CONFLICT.search,
        "recall/passages.py": lambda text: passages.best_span(["a"], text, [(0, len(text))]),
        "storage/terms.py": terms.analyse,
        "workspaces/scope.py": scope.normalise_remote,
    }


def _hosts() -> Mapping[str, Reader]:
    from mimir_py.cli.hosts import edit, jsonc, toml_text, yaml_text

    def outline(host: Any, frame: str) -> Reader:
        # Only what the format's own parser has read gets to our patterns.
        return lambda text: host.outline(frame % json.dumps(text), "servers", "mimir")

    return {
        "cli/hosts/edit.py": edit.one_line,
        "cli/hosts/jsonc_tree.py": outline(jsonc, '{"servers": {"x": %s}} // a comment'),
        "cli/hosts/toml_text.py": outline(toml_text, "[servers.x]\ny = %s # a comment\n"),
        "cli/hosts/yaml_text.py": outline(yaml_text, "servers:\n  x: %s # a comment\n"),
    }


# Modules whose patterns another one's reader leads text into, or that read names of our own.
_ELSEWHERE: Final = {
    "cli/hosts/yaml_tree.py": "cli/hosts/yaml_text.py",
    "security/kinds.py": "security/secrets.py",
    "security/looks.py": "security/secrets.py",
    "storage/backup.py": "",
}
_USES_PATTERNS: Final = re.compile(r"\bre\.[a-z]+\(")


def uncovered(readers: Mapping[str, Reader]) -> set[str]:
    """Modules of the package that have patterns and no reader."""
    package = Path(mimir_py.__file__).parent
    using = {
        file.relative_to(package).as_posix()
        for file in package.rglob("*.py")
        if _USES_PATTERNS.search(file.read_text(encoding="utf-8"))
    }
    return using - set(readers) - set(_ELSEWHERE)


def _say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def main(wanted: str = "") -> None:
    if wanted == "slow":
        readers: Mapping[str, Reader] = {"slow": re.compile(r"a+$").search}
    else:
        readers = {**_security(), **_rooms(), **_hosts()}
        _say("uncovered", *sorted(uncovered(readers)))
    for name, read in readers.items():
        if wanted in name:
            _say("reading", name)
            for number, unit in enumerate(_UNITS):
                text = (unit * (_CHARACTERS // len(unit) + 1))[:_CHARACTERS]
                # That it refuses the text is as good.
                with contextlib.suppress(Exception):
                    read(text + _ENDS[number % len(_ENDS)])
    _say("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
