"""Rows of reading files in: a folder of Markdown, source code, HTML, PDF and DOCX."""

import io
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import docx

from benchmarks.client import BenchError
from benchmarks.corpus import Corpus
from benchmarks.measure import MB, Row, median
from benchmarks.setting import Setting

_FILES: Final = 400
_SENTENCES: Final = 40
_WORDS: Final = 25
_SEED: Final = 31
_PAGE_LINES: Final = 20


def ingest(setting: Setting) -> list[Row]:
    """Whole `mimir ingest` commands on a folder, not embedded: new, and again unchanged."""
    folder = setting.folder / "documents"
    size = _write(folder)
    first, again = [], []
    for number in range(setting.effort.rounds):
        store = setting.folder / f"documents-{number}.db"
        first.append(_ingest(setting, folder, store, "created"))
        again.append(_ingest(setting, folder, store, "unchanged"))
    return [
        _row("ingest", f"reading {_FILES} files in, not embedded", first, size),
        _row("ingest_again", "... the same again, unchanged", again, size),
    ]


def _row(name: str, what: str, seconds: list[float], size: int) -> Row:
    took = median(seconds)
    shown = f"{_FILES / took:,.0f} files/s, {size / MB / took:.2f} MB/s"
    raw = {"seconds_by_round": [round(value, 3) for value in seconds], "bytes": size}
    return Row(name, f"{what} ({size / MB:.1f} MB)", _FILES / took, shown, raw=raw)


def _ingest(setting: Setting, folder: Path, store: Path, action: str) -> float:
    started = time.perf_counter()
    answer = setting.program.run("ingest", folder, "--db", store, "--json", "--no-embed")
    seconds = time.perf_counter() - started
    if json.loads(answer)[action] != _FILES:
        raise BenchError(f"ingest: not all of {_FILES} files were {action}")
    return seconds


def _write(folder: Path) -> int:
    """Make the files; how many bytes they have."""
    folder.mkdir()
    kinds = list(_KINDS.items())
    texts = [memory.text for memory in Corpus(_SEED, _WORDS).memories(_FILES * _SENTENCES)]
    size = 0
    for number in range(_FILES):
        ending, made = kinds[number % len(kinds)]
        content = made(texts[number * _SENTENCES : (number + 1) * _SENTENCES])
        (folder / f"file{number}.{ending}").write_bytes(content)
        size += len(content)
    return size


def _markdown(texts: list[str]) -> bytes:
    return "\n\n".join(["# Notes", *texts]).encode()


def _code(texts: list[str]) -> bytes:
    return "\n".join(f"value_{n} = {text!r}" for n, text in enumerate(texts)).encode()


def _web(texts: list[str]) -> bytes:
    paragraphs = "".join(f"<p>{text.replace('<', '&lt;')}</p>\n" for text in texts)
    return f"<html><head><title>Notes</title></head><body>{paragraphs}</body></html>".encode()


def _word(texts: list[str]) -> bytes:
    document = docx.Document()
    for text in texts:
        document.add_paragraph(text)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _pdf(texts: list[str]) -> bytes:
    """A PDF with a few lines a page."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", _FONT]
    pages = []
    for start in range(0, len(texts), _PAGE_LINES):
        lines = "".join(f"<{text.encode().hex()}> Tj T*\n" for text in texts[start:][:_PAGE_LINES])
        content = f"BT /F1 8 Tf 40 740 Td 14 TL\n{lines}ET".encode()
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
        objects.append(_PAGE % len(objects))
        pages.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), b" ".join(pages))
    file, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return file + table + end % (len(objects) + 1, len(file))


_FONT: Final = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
_PAGE: Final = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
    b"/Resources << /Font << /F1 3 0 R >> >> >>"
)
_KINDS: Final[Mapping[str, Callable[[list[str]], bytes]]] = {
    "md": _markdown,
    "py": _code,
    "html": _web,
    "pdf": _pdf,
    "docx": _word,
}
