"""The tool on files."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Final, Literal, NotRequired, TypedDict, cast

from pydantic import Field

from mimir_py.files import editing
from mimir_py.files.paths import normalised, of_file, shown
from mimir_py.files.service import Directory, File, Files
from mimir_py.tooling import AnyTool, Call, Effect, Tool, ToolSpec
from mimir_py.tooling.answer import clipped, largest, size
from mimir_py.tooling.fields import Workspace

MOST_FILES: Final = 1_000


class MemoriesAnswer(TypedDict):
    path: NotRequired[str]
    action: NotRequired[str]
    content: NotRequired[str]
    directory: NotRequired[str]
    files: NotRequired[list[str]]
    directories: NotRequired[list[str]]
    total: NotRequired[int]
    at_line: NotRequired[int]


class MemoriesTool(Tool[Files]):
    """Notes kept as files under /memories (Anthropic's memory tool). Edits and deletes go to
    history."""

    spec: ClassVar = ToolSpec(
        name="mimir_memories",
        title="Memory files",
        effect=Effect.DESTROYS,
        room=Files,
        failure="Memories failed",
        fits=True,
        words=("path", "file_text", "old_str", "new_str", "insert_text", "old_path", "new_path"),
        example={"command": "create", "path": "/memories/notes.md", "file_text": "use NATS\n"},
    )

    command: Literal["view", "create", "str_replace", "insert", "delete", "rename"]
    path: str = ""
    view_range: Annotated[list[int], Field(min_length=2, max_length=2)] | None = Field(
        None, description="First and last line; -1: the end"
    )
    file_text: str = ""
    old_str: str = ""
    new_str: str = ""
    insert_line: int = Field(0, description="Insert after it")
    insert_text: str = ""
    old_path: str = ""
    new_path: str = ""
    workspace_hash: Workspace = None

    async def run(self, room: Files, call: Call) -> MemoriesAnswer:
        workspace = call.scope.writes(self.workspace_hash)
        commands: Mapping[str, Callable[[], Awaitable[dict[str, Any]]]] = {
            "view": partial(self._view, room, workspace, call.max_answer_bytes),
            "create": partial(self._create, room, workspace, call),
            "str_replace": partial(self._replace, room, workspace, call),
            "insert": partial(self._insert, room, workspace, call),
            "delete": partial(self._delete, room, workspace),
            "rename": partial(self._rename, room, workspace),
        }
        # `from` can be no field of a class.
        return cast("MemoriesAnswer", await commands[self.command]())

    async def _view(self, room: Files, workspace: str, cap: int) -> dict[str, Any]:
        found = await room.view(normalised(self.path), workspace)
        if isinstance(found, Directory):
            return _listed(found, cap)
        return _paged(found, editing.span(found.text, self.view_range), cap)

    async def _create(self, room: Files, workspace: str, call: Call) -> dict[str, Any]:
        path = of_file(self.path)
        await room.create(path, self.file_text, workspace, call.trust)
        return {"path": shown(path), "action": "created"}

    async def _replace(self, room: Files, workspace: str, call: Call) -> dict[str, Any]:
        path = of_file(self.path)
        edit = partial(editing.replaced, old=self.old_str, new=self.new_str)
        await room.edit(path, edit, workspace, call.trust)
        return {"path": shown(path), "action": "replaced"}

    async def _insert(self, room: Files, workspace: str, call: Call) -> dict[str, Any]:
        path, at = of_file(self.path), 0

        def edit(text: str) -> str:
            nonlocal at
            changed, at = editing.inserted(text, self.insert_line, self.insert_text)
            return changed

        await room.edit(path, edit, workspace, call.trust)
        return {"path": shown(path), "action": "inserted", "at_line": at}

    async def _delete(self, room: Files, workspace: str) -> dict[str, Any]:
        path = of_file(self.path)
        count = await room.delete(path, workspace)
        return {"path": shown(path), "action": "deleted", "total": count}

    async def _rename(self, room: Files, workspace: str) -> dict[str, Any]:
        old, new = of_file(self.old_path, "old_path"), of_file(self.new_path, "new_path")
        count = await room.rename(old, new, workspace)
        return {"from": shown(old), "to": shown(new), "action": "renamed", "total": count}


def _listed(found: Directory, cap: int) -> dict[str, Any]:
    """What is in a directory, as far as it fits."""

    def listing(count: int) -> dict[str, Any]:
        answer = {
            "directory": shown(found.path),
            "files": found.files[:count],
            "directories": found.directories[:count],
            "total": len(found.files),
        }
        return answer if count >= len(found.files) else {**answer, "truncated": True}

    most = min(len(found.files), MOST_FILES)
    return listing(largest(most, lambda n: size(listing(n)) <= cap) if cap else most)


def _paged(file: File, span: tuple[int, int], cap: int) -> dict[str, Any]:
    """The lines of a file, as far as they fit; the answer says where to go on."""
    first, last = span
    lines = editing.numbered(file.text, first, last)

    def page(count: int) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "path": shown(file.path),
            "content": "".join(lines[:count]),
            "id": file.id,
        }
        if count < len(lines):
            answer |= {"truncated": True, "next_line": first + count}
        return answer

    if not cap:
        return page(len(lines))
    count = largest(len(lines), lambda n: size(page(n)) <= cap)
    if lines and not count:
        # One line alone is too long; whole it is to be had as the text of a memory.
        lines[0] = clipped(lines[0], cap // 8)
        count = 1
    return page(count)


TOOLS: Final[tuple[type[AnyTool], ...]] = (MemoriesTool,)
