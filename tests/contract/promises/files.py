"""Examples of the tool on files."""

from typing import Final

from tests.contract.promises.kinds import Call, Promise, Refusal


def _call(command: str, **arguments: object) -> Call:
    return ("memories", {"command": command, **arguments})


_A: Final = _call("create", path="/memories/a.md", file_text="line\n")
_B: Final = _call("create", path="d/b.md", file_text="one\ntwo\n")

PROMISES: Final = (
    Promise(
        "5.28",
        "the root lists all files, sorted",
        _call("view"),
        {"directory": "/memories", "files": ["a.md", "d/b.md"], "total": 2},
        before=(_B, _A),
    ),
    Promise(
        "5.28",
        "a file is shown with numbered lines",
        _call("view", path="a.md"),
        {"path": "/memories/a.md", "content": "     1\tline\n"},
        before=(_A,),
    ),
    Promise("5.28", "creating", _A, {"path": "/memories/a.md", "action": "created"}),
    Promise(
        "5.28",
        "creating again writes over it",
        _call("create", path="a.md", file_text="other"),
        {"path": "/memories/a.md", "action": "created"},
        before=(_A,),
    ),
    Promise(
        "5.28",
        "replacing",
        _call("str_replace", path="/a.md", old_str="line", new_str="row"),
        {"path": "/memories/a.md", "action": "replaced"},
        before=(_A,),
    ),
    Promise(
        "5.28",
        "inserting",
        _call("insert", path="memories/a.md", insert_line=0, insert_text="first"),
        {"path": "/memories/a.md", "action": "inserted", "at_line": 0},
        before=(_A,),
    ),
    Promise(
        "5.28",
        "a line beyond the file is its end",
        _call("insert", path="a.md", insert_line=9, insert_text="last"),
        {"path": "/memories/a.md", "action": "inserted", "at_line": 1},
        before=(_A,),
    ),
    Promise(
        "5.28",
        "deleting",
        _call("delete", path="a.md"),
        {"path": "/memories/a.md", "action": "deleted"},
        before=(_A,),
    ),
    Promise(
        "5.28",
        "renaming",
        _call("rename", old_path="a.md", new_path="d/a.md"),
        {"from": "/memories/a.md", "to": "/memories/d/a.md", "action": "renamed"},
        before=(_A, _B),
    ),
)

REFUSALS: Final = (
    Refusal("5.28", _call("view", path="none.md"), "file not found: "),
    Refusal("5.28", _call("view", path="../etc/passwd"), "invalid path: "),
    Refusal("5.28", _call("create", path=""), "invalid path: "),
    Refusal("5.28", _call("delete", path="none.md"), "file not found: "),
    Refusal("5.28", _call("copy", path="a.md"), "command"),
)
