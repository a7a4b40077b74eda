"""Makes real documents for tests: PDF by its own syntax, DOCX by python-docx."""

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Final

import docx
from pypdf import PdfReader, PdfWriter

_PAGE: Final = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
    b"/Resources << /Font << /F1 3 0 R >> >> >>"
)


def pdf(*pages: str) -> bytes:
    """A PDF with a text a page."""
    return pdf_of([_shown(page) for page in pages])


def pdf_of(contents: Sequence[bytes], filters: bytes = b"") -> bytes:
    """A PDF of pages with these content streams, packed as `filters` says."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    pages = []
    for content in contents:
        head = b"<< /Length %d %s >>\nstream\n" % (len(content), filters)
        objects.append(head + content + b"\nendstream")
        objects.append(_PAGE % len(objects))
        pages.append(len(objects))
    kids = b" ".join(b"%d 0 R" % page for page in pages)
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), kids)
    file, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    count, at = len(objects) + 1, len(file)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    file += b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
    return file + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, at)


def pdf_bomb(size: int) -> bytes:
    """A PDF whose page unpacks to so many bytes."""
    return pdf_of([zlib.compress(b" " * size, 9)], b"/Filter /FlateDecode")


def locked_pdf(password: str, *pages: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(*pages))))
    writer.encrypt(password, algorithm="AES-256")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def word(*paragraphs: str, rows: Sequence[Sequence[str]] = ()) -> bytes:
    """A DOCX file; a paragraph that begins with `#` is a heading."""
    document = docx.Document()
    for paragraph in paragraphs:
        if paragraph.startswith("#"):
            marks, _, words = paragraph.partition(" ")
            document.add_heading(words, len(marks))
        else:
            document.add_paragraph(paragraph)
    if rows:
        table = document.add_table(len(rows), len(rows[0]))
        for number, row in enumerate(rows):
            for place, words in enumerate(row):
                table.cell(number, place).text = words
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def repacked(content: bytes, changed: Mapping[str, bytes]) -> bytes:
    """A ZIP file with other parts in it, or more."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            if name not in changed:
                new.writestr(name, old.read(name))
        for name, part in changed.items():
            new.writestr(name, part)
    return file.getvalue()


def _shown(text: str) -> bytes:
    lines = [b"(%s) Tj T*\n" % line.encode("latin-1") for line in text.split("\n")]
    return b"BT /F1 12 Tf 72 720 Td 14 TL\n" + b"".join(lines) + b"ET"
