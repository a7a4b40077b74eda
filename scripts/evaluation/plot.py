"""A chart of results as SVG: R@1, R@5 and R@10 of every method on every data set."""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

_MEASURES: Final = (
    ("recall@1", "#1d4ed8"),
    ("recall@5", "#60a5fa"),
    ("recall@10", "#bfdbfe"),
)
_UNIT: Final = {"turn": ", one memory per turn", "session": ", one memory per session"}
_ROW: Final = 22
_NAME: Final = 110
_WIDE: Final = 480
_TITLE: Final = 34


def charts_of(results: Path) -> list[tuple[str, dict[str, dict[str, Any]]]]:
    """The charts of a file that `scripts/eval --results` wrote."""
    document = json.loads(results.read_text(encoding="utf-8"))
    return [
        (f"{found['data_set']}{_UNIT.get(found['granularity'], '')}", found["methods"])
        for found in document["results"]
    ]


def write(path: Path, charts: Sequence[tuple[str, dict[str, dict[str, Any]]]]) -> None:
    """Draw charts, each (title, figures by method), one under another."""
    parts: list[str] = []
    top = 24
    for title, methods in charts:
        parts.append(f'<text x="0" y="{top}" font-weight="bold">{escape(title)}</text>')
        top += 10
        for method, figures in methods.items():
            parts += _bar(method, figures, top)
            top += _ROW
        top += _TITLE
    legend = "R@1 dark, R@5 lighter, R@10 lightest; a full bar is 100 %"
    parts.append(f'<text x="0" y="{top}" fill="#555">{legend}</text>')
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_NAME + _WIDE + 60}" height="{top + 16}" '
        'font-family="sans-serif" font-size="13">'
    )
    ground = '<rect width="100%" height="100%" fill="white"/>'
    path.write_text("\n".join([head, ground, *parts, "</svg>", ""]), encoding="utf-8")


def _bar(method: str, figures: dict[str, Any], top: int) -> list[str]:
    bars = [
        f'<rect x="{_NAME}" y="{top}" width="{_WIDE * figures[name]:.1f}" height="{_ROW - 6}" '
        f'fill="{colour}"/>'
        for name, colour in reversed(_MEASURES)
    ]
    share = f"{100 * figures['recall@1']:.1f}"
    return [
        f'<text x="0" y="{top + _ROW - 9}">{escape(method)}</text>',
        *bars,
        f'<text x="{_NAME + _WIDE + 8}" y="{top + _ROW - 9}">{share}</text>',
    ]
