"""Calls of tools: what every one of them has in common."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from mimir_py.app.rooms import Rooms
from mimir_py.errors import MimirError
from mimir_py.retries import keyed
from mimir_py.security import SecretsMode, clean_fields
from mimir_py.tooling import AnyTool, Call
from mimir_py.tooling.answer import MOST_NAME_CHARS, clipped, failure, fitted, size, success

_MOST_IGNORED_NAMED: Final = 8
_MOST_FINDINGS: Final = 16
_REPLAY_BYTES: Final = size({"replayed": True, "partial": True})


class App(Rooms):
    """An open store and its rooms, for tools to be run on."""

    _running = 0

    @property
    def is_busy(self) -> bool:
        """Whether a tool is running."""
        return self._running > 0

    async def call(
        self, tool: type[AnyTool], arguments: Mapping[str, Any], call: Call
    ) -> dict[str, Any]:
        """Run a tool and wrap what comes of it; a failure is an answer too.

        Raises:
            Exception: only what is no `MimirError`, for the door to report as its own.
        """
        try:
            return success(await self.run(tool, arguments, call))
        except MimirError as error:
            return failure(tool.spec.refusal(error), soft=tool.spec.soft_errors)

    async def run(
        self, tool: type[AnyTool], arguments: Mapping[str, Any], call: Call
    ) -> dict[str, Any]:
        """Run a tool and return its payload.

        Raises:
            MimirError: the tool refused or failed.
        """
        parsed, unknown = tool.parse(arguments)
        key = tool.idempotency_key(arguments)
        # Named by the caller, so of any number and length.
        unknown = [clipped(name, MOST_NAME_CHARS) for name in unknown[:_MOST_IGNORED_NAMED]]
        notes: dict[str, Any] = {"ignored_arguments": unknown} if unknown else {}
        if tool.spec.words and self.secrets is not SecretsMode.OFF:
            parsed = self._without_secrets(parsed, tool.spec.words, notes)
        if call.max_answer_bytes and (notes or key is not None):
            taken = size(notes) + (0 if key is None else _REPLAY_BYTES)
            call = replace(call, max_answer_bytes=call.max_answer_bytes - taken)
        running = partial(self._payload, parsed, call, notes)
        if key is None:
            return await running()
        keyed_call = keyed(
            key,
            tool.spec.name,
            call.scope.workspace,
            parsed.model_dump(),
            resumable=tool.spec.long and tool.spec.idempotent,
        )
        return await self.retries.once(keyed_call, running)

    async def _payload(self, tool: AnyTool, call: Call, notes: Mapping[str, Any]) -> dict[str, Any]:
        """Run a tool; its answer under the cap, with the notes about the call."""
        self._running += 1
        try:
            payload = dict(await tool.run(self.by_class[tool.spec.room], call))
        finally:
            self._running -= 1
        if not tool.spec.fits:
            payload = fitted(payload, call.max_answer_bytes)
        ignored = [*payload.get("ignored_arguments", ()), *notes.get("ignored_arguments", ())]
        return {**payload, **notes, **({"ignored_arguments": ignored} if ignored else {})}

    def _without_secrets(
        self, parsed: AnyTool, words: tuple[str, ...], notes: dict[str, Any]
    ) -> AnyTool:
        """The call with placeholders for secrets in its words; notes what was found."""
        values = {name: getattr(parsed, name) for name in words}
        cleaned, found = clean_fields(values, words)
        if not found:
            return parsed
        listed = [{"field": f.field, "kind": f.kind, "count": f.count} for f in found]
        if self.secrets is SecretsMode.REPORT:
            notes["secrets"] = listed[:_MOST_FINDINGS]
            return parsed
        notes["redacted"] = listed[:_MOST_FINDINGS]
        return parsed.model_copy(update=cleaned)
