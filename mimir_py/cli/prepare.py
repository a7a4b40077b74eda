"""`mimir prepare`: what an agent should know before a task, for hooks that run before a prompt."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from mimir_py.cli.session import Db, Json, print_json, settings_for, with_app

_NOTHING: Final = "<memory-prep>\n\n*Nothing could be recalled.*\n\n</memory-prep>"

Most = Annotated[int, typer.Option(min=0, max=100)]


def add_commands(app: typer.Typer) -> None:
    app.command()(prepare)


def prepare(
    db: Db = None,
    task: Annotated[str, typer.Option(help="What the agent is about to do.")] = "",
    recall_when_limit: Most = 10,
    context_limit: Most = 10,
    workspace: Annotated[str | None, typer.Option(help="Only this workspace.")] = None,
    max_context_chars: Annotated[int | None, typer.Option(min=0, help="200 to 200000.")] = None,
    model: Annotated[str | None, typer.Option(help="The model it is for.")] = None,
    legacy_context: Annotated[
        bool, typer.Option("--legacy-context", help="The latest memories, whatever the task.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print what is remembered for a task. Never fails: a prompt must not wait for a repair."""
    from mimir_py.context.models import Mode, Wanted, budget_of
    from mimir_py.workspaces import resolve

    mode = Mode.ALWAYS_INJECT if legacy_context else Mode.ON_DEMAND
    budget = budget_of(mode, model, max_context_chars)

    async def work(app: Any) -> dict[str, Any]:
        scope = resolve(settings_for(db).workspace, Path.cwd(), Path.home())
        wanted = Wanted(task, mode, context_limit, budget, workspaces=scope.reads(workspace))
        made = await app.contexts.prepare(wanted, recall_when_limit)
        return _answer(task, mode.value, budget or None, made)

    try:
        answer = with_app(db, work)
    except typer.Exit:
        # Why was said on stderr.
        answer = _answer(task, mode.value, budget or None, None)
    text = answer.pop("text")
    if as_json:
        print_json(answer)
    else:
        print(text)


def _answer(task: str, mode: str, budget: int | None, made: Any) -> dict[str, Any]:
    from mimir_py.entities.items import ITEM_FIELDS, item, with_body_fields

    brought_up = [] if made is None else made.brought_up
    return {
        "task": task,
        "recall_when": [with_body_fields(item(entity), ITEM_FIELDS) for entity in brought_up],
        "recall_when_count": len(brought_up),
        "context_markdown": "" if made is None else made.block.markdown,
        "context_mode": mode,
        "context_budget_chars": budget,
        "context_entities_injected": 0 if made is None else made.block.injected,
        "context_warnings": [] if made is None else list(made.block.warnings),
        "text": _NOTHING if made is None else made.markdown,
    }
