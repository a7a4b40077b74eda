"""Pages that Mimir makes to be read: an index of each category, and a diary. Pure text.

A page says in its head what it says below, as a digest: one that a person wrote into is told from
one that may be written anew.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import groupby
from typing import Final

from mimir_py.journal.models import EVENT, NO_PAYLOAD, Recorded
from mimir_py.values import UnixMs
from mimir_py.vault import frontmatter
from mimir_py.vault.folder import file_stem
from mimir_py.vault.notes import MARK, PAGE, wiki_link
from mimir_py.vault.store import LiveKey

CATEGORIES: Final = "categories"
DAYS: Final = "days"
FOLDERS: Final = (CATEGORIES, DAYS)
# A day of more is shown by its latest entries.
MOST_ENTRIES: Final = 1_000

_MARKED: Final = re.compile(rf"(?m)^{MARK}: {PAGE}([0-9a-f]{{16}})$")
_DAY: Final = re.compile(rf"{DAYS}/([1-9][0-9]{{3}}-[01][0-9]-[0-3][0-9])\.md")
_LINKED: Final = re.compile(r"\[\[([A-Za-z0-9_-]+)")
_PAYLOADS: Final = ("evaluated", "acted", "forward")
_MOST_NAME_CHARS: Final = 100
_MOST_PAYLOAD_CHARS: Final = 400
# What Markdown, WikiLinks and HTML would read as their own.
_MARKUP: Final = re.compile(r"[\[\]|`<>*_#\\\s]+")
_DAY_MS: Final = 86_400_000
_LAST_MS: Final = 253_370_764_800_000


def category_page(category: str) -> str:
    """The file of a category's index: names that differ in case have files of their own."""
    stem = file_stem(category)
    if stem == category and category != category.lower():
        stem += f"-{hashlib.sha256(category.encode()).hexdigest()[:12]}"
    return f"{CATEGORIES}/{stem}.md"


def categories(memories: Iterable[LiveKey]) -> dict[str, str]:
    """The index of every category by its file: its memories by workspace and key."""
    ordered = sorted(memories)
    pages = {}
    for category, group in groupby(ordered, lambda memory: memory.category):
        members = list(group)
        lines = [f"{len(members):,} {'memory' if len(members) == 1 else 'memories'}.", ""]
        for workspace, found in groupby(members, lambda memory: memory.workspace_hash):
            if workspace:
                lines += [f"## {_words(workspace)}", ""]
            lines += [f"- {wiki_link(file_stem(memory.id), memory.key)}" for memory in found]
            lines.append("")
        head = (
            f"category: {frontmatter.scalar(category)}",
            f"aliases: {frontmatter.flow([category])}",
        )
        pages[category_page(category)] = _page(head, lines)
    return pages


def day_page(day: date) -> str:
    """The file of a day's diary."""
    return f"{DAYS}/{day.isoformat()}.md"


def day_named(page: str) -> date | None:
    """The day that a page of ours is about, if it is about one."""
    found = _DAY.fullmatch(page)
    return None if found is None else date.fromisoformat(found[1])


def linked(text: str) -> set[str]:
    """The notes that a page links to, as their file names without ending."""
    return set(_LINKED.findall(text))


def day_of(at: UnixMs, zone: tzinfo | None) -> date | None:
    """The day of a time where the clocks show `zone`, or this machine's; none out of all range."""
    if not _DAY_MS <= at < _LAST_MS:
        return None
    return datetime.fromtimestamp(at / 1_000, UTC).astimezone(zone).date()


def bounds(day: date, zone: tzinfo | None) -> tuple[UnixMs, UnixMs]:
    """The first and the last millisecond of a day."""
    midnights = [datetime.combine(at, time.min, zone) for at in (day, day + timedelta(days=1))]
    first, after = (int(at.astimezone(UTC).timestamp() * 1_000) for at in midnights)
    return first, after - 1


def diary(
    day: date, entries: Sequence[Recorded], live: Collection[str], zone: tzinfo | None
) -> str:
    """A day of the journal, its entries from the oldest on; `live` ids have notes to link to."""
    lines = []
    if len(entries) > MOST_ENTRIES:
        lines += [f"Only the latest {MOST_ENTRIES:,} entries; `mimir_timeline` lists all.", ""]
    for recorded in entries[-MOST_ENTRIES:]:
        entry = recorded.entry
        at = datetime.fromtimestamp(recorded.created_at_unix_ms / 1_000, UTC).astimezone(zone)
        name = "/".join(filter(None, (_words(entry.category), _words(entry.key))))
        if entry.entity_id in live:
            name = wiki_link(file_stem(entry.entity_id), entry.key)
        what = _words(entry.event_type) or "erased"
        lines.append(f"- {at:%H:%M} {what}{f': {name}' if name else ''}")
        if entry.kind == EVENT or not entry.entity_id:
            said = {part: getattr(entry, f"{part}_json") for part in _PAYLOADS}
            lines += [f"  - {part}: {_code(text)}" for part, text in said.items() if _is_said(text)]
    return _page([f"day: {day.isoformat()}"], [*lines, ""])


def is_page(text: str) -> bool:
    """Whether Mimir made it, whoever wrote into it since."""
    return _MARKED.search(text[: frontmatter.MOST_BYTES]) is not None


def is_as_made(text: str) -> bool:
    """Whether nobody wrote into a page since it was made."""
    text = text.replace("\r\n", "\n")
    found = _MARKED.search(text[: frontmatter.MOST_BYTES])
    return found is not None and found[1] == _digest(text[: found.start(1)] + text[found.end(1) :])


def _page(fields: Sequence[str], lines: Sequence[str]) -> str:
    before = "\n".join([frontmatter.FENCE, *fields, f"{MARK}: {PAGE}"])
    after = "\n".join(["", frontmatter.FENCE, "", *lines])
    return before + _digest(before + after) + after


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _words(text: str) -> str:
    return _MARKUP.sub(" ", text).strip()[:_MOST_NAME_CHARS]


def _is_said(payload: str) -> bool:
    return payload not in (NO_PAYLOAD, "")


def _code(payload: str) -> str:
    text = " ".join(payload.replace("`", "'").split())
    more = len(text) > _MOST_PAYLOAD_CHARS
    return f"`{text[:_MOST_PAYLOAD_CHARS]}{'…' if more else ''}`"
