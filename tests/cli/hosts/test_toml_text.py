import tomllib

import pytest

from mimir_py.cli.hosts import HOSTS, edit, toml_text
from mimir_py.cli.hosts.models import EditError

CODEX = HOSTS["codex"]
FIELDS = {"command": "/bin/mimir", "args": ["serve", "--workspace", "auto"]}
OTHER_FIELDS = {"command": 'C:\\Program Files\\"mimir".exe', "args": []}
BLOCK = '[mcp_servers.mimir]\ncommand = "/bin/mimir"\nargs = ["serve", "--workspace", "auto"]\n'

LAYOUTS = {
    "empty": "",
    "comment": "# mine\n",
    "settings": 'model = "x"\n\n[tools]\nweb = true\n',
    "other server": "[mcp_servers.x]\ncommand = 'y' # c\n\n[z]\nk = 1\n",
    "crlf": "a = 1\r\n\r\n[mcp_servers.x]\r\ncommand = 'y'\r\n",
    "dotted keys": "mcp_servers.x.command = 'y'\n[t]\n",
    "header of the container": "[mcp_servers]\nx = { command = 'y' }\n[q]\n",
    "inline container": "mcp_servers = { x = {command='y' } } # c\nb = 1\n",
    "empty inline container": "mcp_servers = {}\n",
    "our header inside a string": "a = '''\n[mcp_servers.mimir]\n'''\n",
    "quotes beside triple quotes": 'a = """\\""""\nb = """c"""""\n' + "d = '''e''''\n",
    "our header in a comment": "#[mcp_servers.mimir]\n[[p]]\na = [\n  1, # ]\n  {b = 2} ]\n",
    "quoted names": '\'a=b\'."c\\"d" = 1\n[ \'x y\' . z ]\nk = "v # no comment"\n',
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_an_entry_goes_in_and_out_again_without_a_trace(text: str) -> None:
    connected = edit.insert_entry(CODEX, text, "mimir", FIELDS)
    changed = edit.insert_entry(CODEX, connected, "mimir", OTHER_FIELDS)

    assert tomllib.loads(changed)["mcp_servers"]["mimir"] == OTHER_FIELDS
    assert edit.remove_entry(CODEX, changed, "mimir", prune=True) == text


def test_a_missing_final_newline_is_added_before_the_table() -> None:
    assert edit.insert_entry(CODEX, "a = 1", "mimir", FIELDS) == f"a = 1\n\n{BLOCK}"


def test_the_table_takes_over_the_line_ends() -> None:
    connected = edit.insert_entry(CODEX, "a = 1\r\n", "mimir", FIELDS)

    assert connected == ("a = 1\n\n" + BLOCK).replace("\n", "\r\n")


def test_an_entry_is_replaced_where_it_stands_with_its_subtables() -> None:
    text = (
        "[mcp_servers.mimir]\ncommand = 'old'\n# mine\n[mcp_servers.mimir.env]\nA = 'b'\n"
        "\n[z]\nk = 1\n"
    )

    changed = edit.insert_entry(CODEX, text, "mimir", {**FIELDS, "env": {"A": "b"}})

    assert changed == f'{BLOCK}env = {{A = "b"}}\n# mine\n\n[z]\nk = 1\n'


@pytest.mark.parametrize(
    "ours",
    [
        "mimir = { command = 'old' }\n",
        "mimir.command = 'old'\nmimir.args = [\n  'a',\n]\n",
    ],
)
def test_an_entry_inside_its_container_stays_there(ours: str) -> None:
    text = f"[mcp_servers]\nx = {{}}\n{ours}y = {{}}\n[q]\n"

    changed = edit.insert_entry(CODEX, text, "mimir", FIELDS)
    removed = edit.remove_entry(CODEX, changed, "mimir", prune=False)

    assert changed.startswith("[mcp_servers]\nx = {}\nmimir = {command")
    assert removed == "[mcp_servers]\nx = {}\ny = {}\n[q]\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = \n", 1),
        ("a = 1\n[b\n", 2),
        ("a = 1\na = 2\n", 2),
        ("mcp_servers = 3\n", None),
        ("[[mcp_servers]]\nx = 1\n", None),
    ],
)
def test_a_broken_text_is_refused(text: str, line: int | None) -> None:
    with pytest.raises(EditError) as caught:
        edit.insert_entry(CODEX, text, "mimir", FIELDS)

    assert caught.value.line == line


def test_an_inline_container_of_an_array_table_is_not_taken_for_the_top_one() -> None:
    text = "[[profiles]]\nmcp_servers = {x = 1}\n"

    connected = edit.insert_entry(CODEX, text, "mimir", FIELDS)

    assert connected == f"{text}\n{BLOCK}"
    assert toml_text.outline(connected, "mcp_servers", "mimir").entry == FIELDS
