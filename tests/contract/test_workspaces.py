"""Workspaces keep to themselves, in every mode and through every tool."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from mimir_py.workspaces.scope import project_workspace
from tests.server.program import Program, environment, run, serving

_MODES: Final = ("", "hybrid", "dense", "fts5")
_PLACES: Final = {"a": "in the cellar", "b": "in the attic", "": "in the yard"}
_FACT: Final = "the spare keys are kept"


def _remember_everywhere(program: Program, category: str) -> dict[str, str]:
    """One fact a workspace, alike but for the place; ids by workspace."""
    return {
        workspace: program.call(
            "remember",
            category=category,
            key="keys",
            body_json=f"{_FACT} {place}",
            workspace_hash=workspace,
        )["id"]
        for workspace, place in _PLACES.items()
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspaces") / "memory.db"


@pytest.fixture(scope="module")
def unscoped(store: Path) -> Iterator[Program]:
    with serving(store) as program:
        _remember_everywhere(program, "fact")
        yield program


@pytest.fixture(scope="module")
def session(unscoped: Program, store: Path) -> Iterator[Program]:
    """A session of workspace `a` on the same store."""
    with serving(store, "--workspace", "a") as program:
        yield program


def _seen(items: list[dict[str, Any]]) -> set[str]:
    return {item["workspace_hash"] for item in items}


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("query", ["", "where are the spare keys", "keys"])
@pytest.mark.parametrize("workspace", ["a", "b", "", "elsewhere"])
def test_a_named_workspace_is_all_that_recall_sees(
    unscoped: Program, workspace: str, query: str, mode: str
) -> None:
    arguments = {"query": query, "mode": mode, "category": "fact", "workspace_hash": workspace}

    items = unscoped.call("recall", **arguments)["items"]

    assert _seen(items) == ({workspace} & set(_PLACES))


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("workspace", [{}, {"workspace_hash": "*"}], ids=["unnamed", "all"])
def test_an_unscoped_session_sees_every_workspace(
    unscoped: Program, workspace: dict[str, str], mode: str
) -> None:
    items = unscoped.call("recall", query="spare keys", mode=mode, category="fact", **workspace)

    assert _seen(items["items"]) == set(_PLACES)


@pytest.mark.parametrize("mode", _MODES)
def test_archived_memories_keep_to_their_workspace(unscoped: Program, mode: str) -> None:
    _remember_everywhere(unscoped, f"archived-{mode}")
    unscoped.call("forget", category=f"archived-{mode}", key="keys")

    items = unscoped.call(
        "recall",
        query="spare keys kept",
        mode=mode,
        category=f"archived-{mode}",
        include_archived=True,
        workspace_hash="b",
    )["items"]

    assert _seen(items) == {"b"}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("semantic_search", {"query": "spare keys", "category": "fact"}),
        ("semantic_search", {"query": "", "category": "fact"}),
        ("recall", {"query": "keys", "category": "fact", "content_weight": 1.0}),
        ("recall", {"query": "kept", "category": "fact", "expansion": {"enabled": True}}),
    ],
    ids=str,
)
def test_a_named_workspace_is_all_that_other_searches_see(
    unscoped: Program, tool: str, arguments: dict[str, Any]
) -> None:
    items = unscoped.call(tool, **arguments, workspace_hash="b")["items"]

    assert _seen(items) == {"b"}


def test_a_layer_is_that_of_the_workspace(unscoped: Program) -> None:
    # Those that were recalled before may have left it.
    _remember_everywhere(unscoped, "layered")

    items = unscoped.call("recall_layer", layer="buffer", workspace_hash="b")["items"]

    assert _seen(items) == {"b"}


def test_the_list_of_categories_is_that_of_the_workspace(unscoped: Program) -> None:
    unscoped.call("remember", category="only-b", key="k", body_json="x", workspace_hash="b")

    in_a = unscoped.call("workspace_list", workspace_hash="a")
    in_b = unscoped.call("workspace_list", workspace_hash="b")

    assert "only-b" not in in_a["categories"]
    assert "only-b" in in_b["categories"]
    assert [found["workspace_hash"] for found in in_a["workspaces"]] == ["a"]


def test_one_name_is_another_memory_in_each_workspace(unscoped: Program) -> None:
    ids = _remember_everywhere(unscoped, "named")

    unscoped.call("remember", category="named", key="keys", body_json="moved", workspace_hash="b")
    unscoped.call("forget", category="named", key="keys", workspace_hash="a")

    assert len(set(ids.values())) == 3
    assert unscoped.call("get_entity", id=ids["a"])["archived"] is True
    assert unscoped.call("get_entity", id=ids["b"])["body_json"] == '{"content": "moved"}'
    assert unscoped.call("get_entity", id=ids[""])["archived"] is False


def test_a_repeat_in_another_workspace_is_no_repeat(unscoped: Program) -> None:
    """Otherwise an answer would tell what another workspace holds."""
    fact = {"category": "secret", "body_json": "the safe opens with 4711 and a left turn"}
    unscoped.call("remember", **fact, key="safe", workspace_hash="a")

    answer = unscoped.call("remember", **fact, key="other", workspace_hash="b")
    swallowed = unscoped.call("remember", **fact, key="third", workspace_hash="c", dedup="near")

    assert [answer["action"], swallowed["action"]] == ["created", "created"]
    assert "near_duplicates" not in answer


def test_embedding_one_memory_leaves_those_of_other_workspaces(unscoped: Program) -> None:
    ids = _remember_everywhere(unscoped, "embedded")

    for workspace in ("a", "b"):
        arguments = {"category": "embedded", "key": "keys", "workspace_hash": workspace}
        assert unscoped.call("embed", **arguments)["id"] == ids[workspace]
    message = unscoped.refusal("embed", category="embedded", key="keys", workspace_hash="c")
    assert "not found" in message


def test_embedding_a_category_keeps_to_the_workspace_it_is_given(tmp_path: Path) -> None:
    lines = tmp_path / "two.jsonl"
    lines.write_text(
        "".join(
            f'{{"category":"c","key":"{w}","workspace_hash":"{w}","body_json":"\\"text {w}\\""}}\n'
            for w in ("a", "b")
        ),
        encoding="utf-8",
    )
    store = tmp_path / "memory.db"
    run("import", lines, "--no-embed", "--db", store, home=tmp_path)

    with serving(store) as program:
        first = program.call("embed", batch_category="c", workspace_hash="a")
        second = program.call("embed", batch_category="c", workspace_hash="b")

    assert [first["embedded"], second["embedded"]] == [1, 1]


def test_writing_to_every_workspace_is_refused(unscoped: Program) -> None:
    arguments = {"category": "c", "key": "k", "body_json": "x", "workspace_hash": "*"}

    assert "workspace_hash" in unscoped.refusal("remember", **arguments)
    assert "workspace_hash" in unscoped.refusal("forget", **{**arguments, "body_json": None})


@pytest.mark.parametrize("mode", _MODES)
def test_a_session_sees_its_workspace_and_the_global_one(session: Program, mode: str) -> None:
    arguments = {"query": "spare keys", "mode": mode, "category": "fact"}

    assert _seen(session.call("recall", **arguments)["items"]) == {"a", ""}
    assert _seen(session.call("recall", **arguments, workspace_hash="*")["items"]) == set(_PLACES)
    assert _seen(session.call("recall", **arguments, workspace_hash="b")["items"]) == {"b"}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("recall", {"query": "", "category": "fact"}),
        ("semantic_search", {"query": "spare keys", "category": "fact"}),
        ("recall_layer", {"layer": "buffer", "limit": 1_000}),
    ],
)
def test_a_session_sees_no_other_workspace_through_other_searches(
    session: Program, tool: str, arguments: dict[str, Any]
) -> None:
    assert _seen(session.call(tool, **arguments)["items"]) == {"a", ""}


def test_a_session_lists_its_workspace_and_the_global_one(session: Program) -> None:
    session.call("remember", category="only-b2", key="k", body_json="x", workspace_hash="b")

    answer = session.call("workspace_list")

    assert [found["workspace_hash"] for found in answer["workspaces"]] == ["", "a"]
    assert answer["session_workspace"] == "a"
    assert "only-b2" not in answer["categories"]
    assert "only-b2" in session.call("workspace_list", workspace_hash="*")["categories"]


def test_a_session_writes_and_forgets_in_its_own_workspace(session: Program) -> None:
    ids = _remember_everywhere(session, "own")

    again = session.call("remember", category="own", key="keys", body_json="moved")
    session.call("forget", category="own", key="keys")

    archived = {w: session.call("get_entity", id=id)["archived"] for w, id in ids.items()}
    assert (again["id"], again["action"]) == (ids["a"], "updated")
    assert archived == {"a": True, "b": False, "": False}


def test_a_session_embeds_only_what_it_sees(session: Program) -> None:
    session.call("remember", category="lone", key="k", body_json="x", workspace_hash="b")

    assert "not found" in session.refusal("embed", category="lone", key="k")
    assert session.call("embed", category="lone", key="k", workspace_hash="b")["embedded"] == 1


def test_a_session_embeds_a_global_memory_by_name(session: Program) -> None:
    written = session.call("remember", category="common", key="k", body_json="x", workspace_hash="")

    assert session.call("embed", category="common", key="k")["id"] == written["id"]


def test_a_session_in_a_clone_belongs_to_its_project(tmp_path: Path) -> None:
    urls = {"one": "git@example.com:team/shop.git", "two": "https://example.com/team/shop"}
    for name, url in urls.items():
        git = tmp_path / name / ".git"
        git.mkdir(parents=True)
        (git / "config").write_text(f'[remote "origin"]\n\turl = {url}\n', encoding="utf-8")
    home = tmp_path / "home"
    env = environment(home, MIMIR_WORKSPACE="auto")

    with Program(home=home, cwd=tmp_path / "one", env=env) as program:
        program.initialize()
        named = program.call("workspace_list")["session_workspace"]

    assert named == project_workspace(tmp_path / "two", home) != ""
