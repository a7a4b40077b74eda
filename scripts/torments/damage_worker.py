"""Opens stores and asks them what it is told to, a line of JSON each: `damage_worker SABOTAGE`."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mimir_py.errors import MimirError
from mimir_py.library import Memory, open_memory
from torments.sabotage import SABOTAGES


async def main() -> None:
    if sys.argv[1]:
        SABOTAGES[sys.argv[1]]()
    for number, line in enumerate(sys.stdin):
        # The meaning of words takes a model; one in five is enough of that.
        mode = "hybrid" if number % 5 == 0 else "fts5"
        print(json.dumps(await _report(json.loads(line), mode)), flush=True)


async def _report(question: Mapping[str, Any], mode: str) -> Mapping[str, Any]:
    try:
        async with open_memory(Path(question["path"])) as memory:
            return {
                "got": [await _tried(memory, "get_entity", id=id) for id in question["ids"]],
                "recalled": [
                    await _tried(memory, "recall", query=words, mode=mode)
                    for words in question["words"]
                ],
            }
    except MimirError as error:
        return {"start": str(error)}
    except Exception as error:  # noqa: BLE001  # what the door would call unexpected is the finding
        return {"start": f"failed unexpectedly ({type(error).__name__}: {error})"}


async def _tried(memory: Memory, tool: str, **arguments: Any) -> Mapping[str, Any]:
    try:
        return await memory.run(tool, **arguments)
    except MimirError as error:
        return {"error": str(error)}
    except Exception as error:  # noqa: BLE001  # as above
        return {"error": f"failed unexpectedly ({type(error).__name__}: {error})"}


asyncio.run(main())
