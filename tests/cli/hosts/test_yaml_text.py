import pytest
from ruamel.yaml import YAML

from mimir_py.cli.hosts import HOSTS, edit, yaml_text
from mimir_py.cli.hosts.models import EditError

HERMES = HOSTS["hermes"]
FIELDS = {"command": "/bin/mimir", "args": ["serve", "--workspace", "auto"]}
OTHER_FIELDS = {"command": 'C:\\Program Files\\"mimir".exe', "args": []}
BLOCK = 'mimir:\n  command: "/bin/mimir"\n  args: ["serve", "--workspace", "auto"]\n'
NESTED = "".join(f"  {line}\n" for line in BLOCK.splitlines())

LAYOUTS = {
    "empty": "",
    "comment": "# mine\n",
    "document start": "---\n",
    "document end": "a: 1\n...\n",
    "settings": "model:\n  default: x # c\n\nlist:\n- a\n- b\n# tail\n",
    "other server": "mcp_servers:\n  x:\n    command: y # c\n\n# next\nb: 1\n",
    "wide indentation": "mcp_servers:\n    x:\n        command: y\nb: 1\n",
    "crlf": "a: 1\r\nmcp_servers:\r\n  x:\r\n    command: y\r\nb: 1\r\n",
    "container without value": "mcp_servers:\n  # x:\n  #   command: y\nb: 1\n",
    "comment of the server above": "mcp_servers:\n  x:\n    command: y\n    # z: 1\n  # w\nb: 1\n",
    "empty flow container": "mcp_servers: {} # c\nb: 1\n",
    "flow container": "mcp_servers: {x: {command: y}, }\n",
    "flow document": "{a: 1}\n",
    "empty flow document": "{}\n",
    "block text before": "a: |+\n  mcp_servers:\n    mimir: 1\n\n\n",
    "block text as last server": "mcp_servers:\n  x:\n    command: >-\n      a\n      b\n\nb: 1\n",
    "tags, anchors, merges": "a: !secret s\nb: &b {c: 1}\nmcp_servers:\n  x: {<<: *b}\n  y: *b\n",
    "indented document": "  a: 1\n  b:\n    c: 1\n",
    "sequence in a server": "mcp_servers:\n  x:\n    args:\n    - a\n    - b\n",
    "twice the same other key": "a: 1\na: 2\n",
    "twice the same anchor": "a: &x 1\nb: &x 2\n",
    "empty values": "mcp_servers:\n  x:\n    env:\n  y:\nb:\n",
    "not ascii": "a: '😀 é'\nmcp_servers:\n  x: {command: é}\n",
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_an_entry_goes_in_and_out_again_without_a_trace(text: str) -> None:
    had_container = yaml_text.outline(text, "mcp_servers", "mimir").has_container

    connected = edit.insert_entry(HERMES, text, "mimir", FIELDS)
    changed = edit.insert_entry(HERMES, connected, "mimir", OTHER_FIELDS)

    assert yaml_text.outline(changed, "mcp_servers", "mimir").entry == OTHER_FIELDS
    assert edit.remove_entry(HERMES, changed, "mimir", prune=not had_container) == text


def test_a_missing_final_newline_is_added_before_the_block() -> None:
    connected = edit.insert_entry(HERMES, "a: 1", "mimir", FIELDS)

    assert connected == f"a: 1\nmcp_servers:\n{NESTED}"


def test_the_entry_takes_over_indentation_and_line_ends() -> None:
    text = "mcp_servers:\r\n    x:\r\n        command: y\r\n"

    connected = edit.insert_entry(HERMES, text, "mimir", FIELDS)

    wide = NESTED.replace("  ", "    ").replace("\n", "\r\n")
    assert connected == text + wide


def test_a_comment_below_a_server_stays_with_it() -> None:
    text = "mcp_servers:\n  x:\n    command: y\n    # z: 1\n  # w\n"

    connected = edit.insert_entry(HERMES, text, "mimir", FIELDS)

    assert connected == f"mcp_servers:\n  x:\n    command: y\n    # z: 1\n{NESTED}  # w\n"


def test_an_entry_is_replaced_where_it_stands() -> None:
    text = "mcp_servers:\n  mimir:\n    command: old # c\n    on: 1\n  x: {}\n"

    changed = edit.insert_entry(HERMES, text, "mimir", {**FIELDS, "env": {"A": "b"}})

    assert changed == f'mcp_servers:\n{NESTED}    env: {{"A": "b"}}\n  x: {{}}\n'


@pytest.mark.parametrize(
    "ours",
    ["mimir:", "mimir: &m {command: old}", "mimir: old", "mimir:\n    env:", "'mimir': [\n  a]"],
)
def test_an_entry_of_any_shape_is_replaced(ours: str) -> None:
    changed = edit.insert_entry(HERMES, f"mcp_servers:\n  {ours}\nb: 1\n", "mimir", FIELDS)

    assert changed == f"mcp_servers:\n{NESTED}b: 1\n"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("mcp_servers: {mimir: {}, x: 1}\n", "mcp_servers: {x: 1}\n"),
        ("mcp_servers: {x: 1, mimir: {}}\n", "mcp_servers: {x: 1}\n"),
        ("mcp_servers: {mimir: {}, }\n", "mcp_servers: { }\n"),
        ("mcp_servers:\n  mimir:\n    a: |\n      t\n  x: 1\n", "mcp_servers:\n  x: 1\n"),
        ("mcp_servers:\n  # keep\n  mimir: {}\n", "mcp_servers:\n  # keep\n"),
    ],
)
def test_only_the_entry_is_taken_out(text: str, left: str) -> None:
    assert edit.remove_entry(HERMES, text, "mimir", prune=False) == left


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\n b: 2\n", 2),
        ("a: [1\n", 2),
        ("\ta: 1\n", 1),
        ("a: *unknown\n", 1),
        ("a: 1\n---\nb: 1\n", 2),
        ("- a\n", 1),
        ("words\n", 1),
        ("a: 1\nmcp_servers: []\n", 2),
        ("mcp_servers: null\n", 1),
        ("a: &s {x: {}}\nmcp_servers: *s\n", 2),
        ("mcp_servers:\nmcp_servers:\n", 2),
        ("a: 1\nb: |\n  text", 3),
        ("a: \x01\n", None),
        ("[" * 5000, None),
    ],
)
def test_a_broken_text_is_refused(text: str, line: int | None) -> None:
    with pytest.raises(EditError) as caught:
        edit.insert_entry(HERMES, text, "mimir", FIELDS)

    assert caught.value.line == line


def test_an_entry_that_others_refer_to_is_not_touched() -> None:
    text = "mcp_servers:\n  mimir: &m\n    command: old\nb: *m\n"

    with pytest.raises(EditError, match="by hand"):
        edit.insert_entry(HERMES, text, "mimir", FIELDS)


def test_control_characters_are_escaped_for_every_reader() -> None:
    fields = {"command": "a\x7f\x85\u2028\ufeff\t'\"\\", "args": ["é😀"]}

    connected = edit.insert_entry(HERMES, "", "mimir", fields)

    assert YAML(typ="safe", pure=True).load(connected) == {"mcp_servers": {"mimir": fields}}
    assert not any(character in connected for character in "\x7f\x85\u2028\ufeff\t")
