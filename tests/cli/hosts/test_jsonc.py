import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_py.cli.hosts import HOSTS, edit, jsonc
from mimir_py.cli.hosts.jsonc_tree import read_tree
from mimir_py.cli.hosts.models import EditError

CURSOR = HOSTS["cursor"]
FIELDS = {"command": "/bin/mimir", "args": ["serve", "--workspace", "auto"]}
OTHER_FIELDS = {"command": 'C:\\Program Files\\"mimir".exe', "args": []}

LAYOUTS = {
    "empty object": "{}",
    "single line": '{"a": 1}',
    "single line, empty container": '{"mcpServers": {}}',
    "single line, other server": '{"mcpServers": {"x": {"command": "y"}}, "a": 1}',
    "single line, trailing comma": '{"mcpServers": {"x": 1,},}',
    "two spaces": '{\n  "a": 1,\n  "mcpServers": {\n    "x": {}\n  }\n}\n',
    "four spaces": '{\n    "mcpServers": {\n        "x": {}\n    },\n    "b": [1, 2]\n}\n',
    "tabs": '{\n\t"mcpServers": {\n\t\t"x": {}\n\t}\n}\n',
    "no indentation": '{\n"a": 1\n}\n',
    "empty container": '{\n  "mcpServers": {}\n}\n',
    "comment before container": '{\n  // servers\n  "mcpServers": {\n    "x": {}\n  }\n}\n',
    "comment inside, before": '{\n  "mcpServers": {\n    // mine\n    "x": {}\n  }\n}\n',
    "comment inside, after": '{\n  "mcpServers": {\n    "x": {} // mine\n    /* z */\n  }\n}\n',
    "only a comment inside": '{\n  "mcpServers": {\n    // none yet\n  }\n}\n',
    "comment beside brace": '{\n  "mcpServers": { // none\n  }\n}\n',
    "comment after container": '{\n  "mcpServers": {\n    "x": {}\n  } // end\n  // more\n}\n',
    "comment around document": '// top\n{\n  "a": 1\n}\n// bottom',
    "block comment in one line": '{"mcpServers": { /* none */ }}',
    "trailing commas": '{\n  "mcpServers": {\n    "x": {},\n  },\n}\n',
    "trailing comma and comment": '{\n  "mcpServers": {\n    "x": {}, // c\n    // d\n  },\n}\n',
    "braces in strings": '{\n  "a": "}{ // \\" /*",\n  "mcpServers": {\n    "}": "{"\n  }\n}\n',
    "crlf": '{\r\n  "mcpServers": {\r\n    "x": {} // c\r\n  }\r\n}\r\n',
    "no final newline": '{\n  "a": 1\n}',
    "brace on the last line": '{\n  "a": 1}',
    "same name elsewhere": '{\n  "mimir": {"mcpServers": {"mimir": 1}},\n  "a": []\n}\n',
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_an_entry_goes_in_and_out_again_without_a_trace(text: str) -> None:
    had_container = jsonc.outline(text, "mcpServers", "mimir").has_container

    connected = edit.insert_entry(CURSOR, text, "mimir", FIELDS)
    changed = edit.insert_entry(CURSOR, connected, "mimir", OTHER_FIELDS)

    assert jsonc.outline(changed, "mcpServers", "mimir").entry == OTHER_FIELDS
    assert edit.remove_entry(CURSOR, changed, "mimir", prune=not had_container) == text


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_inserting_only_adds(text: str) -> None:
    splices = jsonc.put(text, "mcpServers", "mimir", FIELDS)

    assert [text[each.start : each.end].strip() for each in splices] == [""] * len(splices)


def test_the_entry_takes_over_tabs_line_ends_and_trailing_comma() -> None:
    text = '{\r\n\t"mcpServers": {\r\n\t\t"x": {}, // c\r\n\t},\r\n}'

    connected = edit.insert_entry(CURSOR, text, "mimir", FIELDS)

    assert connected == (
        '{\r\n\t"mcpServers": {\r\n\t\t"x": {}, // c\r\n'
        '\t\t"mimir": {\r\n'
        '\t\t\t"command": "/bin/mimir",\r\n'
        '\t\t\t"args": ["serve", "--workspace", "auto"]\r\n'
        "\t\t},\r\n"
        "\t},\r\n}"
    )


def test_a_comma_goes_before_the_comment_of_the_last_server() -> None:
    text = '{\n  "mcpServers": {\n    "x": {} // mine\n  }\n}\n'

    connected = edit.insert_entry(CURSOR, text, "mimir", FIELDS)

    assert '"x": {}, // mine\n    "mimir": {\n' in connected


@pytest.mark.parametrize("text", ["", " \n", "// settings of mine\n", "/* none */"])
def test_a_text_without_a_value_counts_as_empty(text: str) -> None:
    connected = edit.insert_entry(CURSOR, text, "mimir", FIELDS)

    assert connected.startswith(text)
    assert jsonc.outline(connected, "mcpServers", "mimir").entry == FIELDS


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"mcpServers": {"mimir": {}, "x": 1}}', '{"mcpServers": {"x": 1}}'),
        ('{"mcpServers": {"a": 1, "mimir": {}, "x": 1}}', '{"mcpServers": {"a": 1, "x": 1}}'),
        ('{"mcpServers": {\n "mimir": {}, "x": 1\n}}', '{"mcpServers": {\n "x": 1\n}}'),
        ('{"mcpServers": {\n "mimir": {}, // mine\n}}', '{"mcpServers": {\n // mine\n}}'),
        ('{"mcpServers": {\n "a": 1, // c\n "mimir": {} }}', '{"mcpServers": {\n "a": 1 // c\n }}'),
        ('{"mcpServers": {\n "mimir": {},\n\n "x": 1\n}}', '{"mcpServers": {\n\n "x": 1\n}}'),
        ('{"mcpServers": { "mimir": {} }}', '{"mcpServers": {}}'),
    ],
)
def test_only_the_entry_is_taken_out(text: str, left: str) -> None:
    assert edit.remove_entry(CURSOR, text, "mimir", prune=False) == left


def test_a_container_that_holds_a_comment_is_not_pruned() -> None:
    text = '{"mcpServers": {\n  // keep\n  "mimir": {}\n}}'

    assert edit.remove_entry(CURSOR, text, "mimir", prune=True) == '{"mcpServers": {\n  // keep\n}}'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"mcpServers": {', 1),
        ('{\n  "a": 1\n  "b": 2\n}', 3),
        ('{\n  "a": tru\n}', 2),
        ("{\n  'a': 1\n}", 2),
        ('{"a": 1}\n}', 2),
        ('{\n"a": "x\n"}', 2),
        ('{"a": NaN}', 1),
        ('{"a": 01}', 1),
        ('{"a": "\\q"}', 1),
        ('{"a": [1 2]}', 1),
        ("{,}", 1),
        ("/* open", 1),
        ("[1]", 1),
        ('{\n  "mcpServers": []\n}', 2),
        ('{\n  "mcpServers": null\n}', 2),
        ('{\n  "mcpServers": {},\n  "mcpServers": {}\n}', 3),
        ('{"mcpServers": {"mimir": {},\n"mimir": {}}}', 2),
        ("[" * 5000, 1),
    ],
)
def test_a_broken_text_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(EditError) as caught:
        edit.insert_entry(CURSOR, text, "mimir", FIELDS)

    assert caught.value.line == line


BLANKS = st.sampled_from(["", " ", "\n", "\t", "\r\n", " // {\n", "/* } */", '\n  // "\n  '])
WORDS = st.text(alphabet='ab{}[]"\\/*,: \t\u2028é', max_size=6)
SCALARS = st.none() | st.booleans() | st.integers() | WORDS


@st.composite
def laid_out(draw: st.DrawFn, depth: int = 3) -> str:
    """A JSON object with blanks, comments and trailing commas wherever they are allowed."""

    def value(level: int) -> str:
        kind = draw(st.sampled_from("sao")) if level else "s"
        if kind == "s":
            return json.dumps(draw(SCALARS), ensure_ascii=False)
        return members(level) if kind == "o" else items(level)

    def items(level: int) -> str:
        return fenced("[", [value(level - 1) for _ in range(draw(st.integers(0, 2)))], "]")

    def members(level: int, *extra: str) -> str:
        keys = draw(st.lists(WORDS, max_size=3, unique=True))
        rows = [f"{json.dumps(key)}{draw(BLANKS)}:{value(level - 1)}" for key in keys]
        return fenced("{", draw(st.permutations([*rows, *extra])), "}")

    def fenced(first: str, rows: list[str], last: str) -> str:
        body = ",".join(f"{draw(BLANKS)}{row}{draw(BLANKS)}" for row in rows)
        comma = "," if draw(st.booleans()) and rows else ""
        return f"{first}{body}{comma}{draw(BLANKS)}{last}"

    has_container = draw(st.booleans())
    extra = [f'"mcpServers":{draw(BLANKS)}{members(depth - 1)}'] if has_container else []
    return draw(BLANKS) + members(depth, *extra) + draw(BLANKS)


@given(laid_out())
def test_any_layout_keeps_all_it_says_and_gets_it_back(text: str) -> None:
    had_container = jsonc.outline(text, "mcpServers", "mimir").has_container
    splices = jsonc.put(text, "mcpServers", "mimir", FIELDS)

    connected = edit.insert_entry(CURSOR, text, "mimir", FIELDS)
    again = edit.remove_entry(CURSOR, connected, "mimir", prune=not had_container)

    assert not any(text[each.start : each.end].strip() for each in splices)
    assert re.sub(r"\s", "", again) == re.sub(r"\s", "", text)


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner)))
def test_plain_json_reads_as_the_standard_library_reads_it(value: object) -> None:
    text = json.dumps(value, indent=1)

    tree = read_tree(text)

    assert tree is not None
    assert tree.data == value
    assert text[tree.start : tree.end] == text
