"""Edits of a configuration text, each parsed again and compared before it is handed out."""

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mimir_py.cli.hosts.models import EditError, Host, Outline, Splice

# JSON allows these unescaped, YAML and TOML do not; escaped they mean the same in all three.
_ESCAPED: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
_BY_HAND: Final = (
    "the entry cannot be changed here without touching other settings; edit the file by hand"
)


def one_line(value: object) -> str:
    """`value` as JSON in one line, which is also valid as a YAML flow value."""
    text = json.dumps(value, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def newline_of(text: str) -> str:
    """The line ending the text uses."""
    return "\r\n" if "\r\n" in text else "\n"


def line_start(text: str, index: int) -> int:
    """Where the line that holds `index` begins."""
    return text.rfind("\n", 0, index) + 1


def line_number(text: str, index: int) -> int:
    """The number of that line, counted from one."""
    return text.count("\n", 0, index) + 1


def splice(text: str, splices: Sequence[Splice]) -> str:
    """`text` with all splices done; insertions at one place keep their order."""
    parts: list[str] = []
    done = 0
    for one in sorted(splices, key=lambda each: (each.start, each.end)):
        parts += [text[done : one.start], one.text]
        done = one.end
    return "".join([*parts, text[done:]])


def outline_of(config: Mapping[str, Any], container: str, name: str) -> Outline:
    """The outline of a parsed configuration."""
    servers = config.get(container, {})
    if not isinstance(servers, dict):
        raise EditError(f"`{container}` is not a table of servers; correct or remove it")
    rest = {key: value for key, value in servers.items() if key != name}
    others = {key: value for key, value in config.items() if key != container}
    entry = servers.get(name)
    return Outline(
        others={**others, container: rest} if rest else others,
        has_container=container in config,
        has_entry=name in servers,
        entry=entry if isinstance(entry, dict) else {},
    )


def insert_entry(host: Host, text: str, name: str, fields: Mapping[str, Any]) -> str:
    """The text with the entry put in or replaced."""
    before = host.editor.outline(text, host.container, name)
    after_text = splice(text, host.editor.put(text, host.container, name, fields))
    after = _reread(host, after_text, name)
    if after.others != before.others or after.entry != fields:
        raise EditError(_BY_HAND)
    return after_text


def remove_entry(host: Host, text: str, name: str, *, prune: bool) -> str:
    """The text without the entry, and with `prune` without a container left empty by that."""
    before = host.editor.outline(text, host.container, name)
    after_text = splice(text, host.editor.drop(text, host.container, name))
    if prune:
        _reread(host, after_text, name)
        after_text = splice(after_text, host.editor.prune(after_text, host.container))
    after = _reread(host, after_text, name)
    if after.others != before.others or after.has_entry:
        raise EditError(_BY_HAND)
    return after_text


def _reread(host: Host, text: str, name: str) -> Outline:
    # A problem found only now is one the edit made; its line would mislead.
    try:
        return host.editor.outline(text, host.container, name)
    except EditError as problem:
        raise EditError(_BY_HAND) from problem


def unified_diff(before: str, after: str, label: str) -> str:
    """A unified diff for people to read; line endings are shown as plain newlines."""
    rows = difflib.unified_diff(_lines(before), _lines(after), label, label)
    return "".join(rows)


def _lines(text: str) -> list[str]:
    rows = text.replace("\r\n", "\n").split("\n")
    last = [f"{rows[-1]}\n\\ No newline at end of file\n"] if rows[-1] else []
    return [f"{row}\n" for row in rows[:-1]] + last
