"""PDF to text: page after page, each under a line that says which."""

import io
import re
from typing import Any, Final

from pypdf import PdfReader, overwrite_configuration
from pypdf.errors import LimitReachedError, PyPdfError

from mimir_py.parsing.models import (
    MOST_INFLATED,
    MOST_PAGES,
    MOST_PROBLEMS,
    Parsed,
    Unreadable,
    check_length,
)

_STREAM: Final = MOST_INFLATED // 4
_LIMITS: Final[dict[str, Any]] = {
    "maximum_declared_stream_length": _STREAM,
    "array_based_stream_maximum_output_length": _STREAM,
    "lzw_maximum_output_length": _STREAM,
    "run_length_maximum_output_length": _STREAM,
    "zlib_maximum_output_length": _STREAM,
    "brotli_maximum_output_length": _STREAM,
    "stream_decoding_work_maximum_length": MOST_INFLATED,
    # No picture is looked at, least of all by another program.
    "jbig2dec_binary": None,
    "disable_legacy_handling": True,
}
_SIGN: Final = b"%PDF-"
_SIGN_WITHIN: Final = 1_024
# What a page itself says must not pass for a line of ours.
_PAGE_LINE: Final = re.compile(r"^\[(page \d+)\]", re.MULTILINE)
# What parsers of Python raise on what is no sound PDF, beside their own errors.
_BROKEN: Final = (
    PyPdfError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)


def read(content: bytes) -> Parsed:
    """The text of a PDF.

    Raises:
        Unreadable: it is none, encrypted, broken, too large inside, or has no text.
    """
    if _SIGN not in content[:_SIGN_WITHIN]:
        raise Unreadable("is not a PDF file")
    overwrite_configuration(**_LIMITS)
    try:
        return _pages(PdfReader(io.BytesIO(content)))
    except LimitReachedError:
        raise Unreadable("unpacks to more than a page of text can be") from None
    except _BROKEN as fault:
        raise Unreadable(f"is a broken PDF ({_said(fault)})") from None


def _pages(reader: PdfReader) -> Parsed:
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("is encrypted with a password")
    pages: list[str] = []
    problems: list[str] = []
    length, held = 0, 0
    for number, page in enumerate(reader.pages, start=1):
        if number > MOST_PAGES:
            raise Unreadable(f"has more than {MOST_PAGES} pages")
        try:
            text = page.extract_text().strip()
        except LimitReachedError:
            raise
        except _BROKEN as fault:
            text = ""
            if len(problems) < MOST_PROBLEMS:
                problems.append(f"page {number} cannot be read ({_said(fault)})")
        length += len(text)
        held += bool(text)
        check_length(length)
        pages.append(f"[page {number}]\n" + _PAGE_LINE.sub(r"(\1)", text))
    if not held:
        why = f": {problems[0]}" if problems else "; its pages may be pictures"
        raise Unreadable(f"holds no text{why}")
    return Parsed("\n\n".join(pages), tuple(problems))


def _said(fault: Exception) -> str:
    return " ".join(str(fault).split())[:200] or type(fault).__name__
