"""Empty a store's log again and again until stdin ends: `checkpointer.py STORE`.

Through Mimir's own storage layer, as servers that end do.
"""

import asyncio
import sys
from pathlib import Path

from mimir_py.storage.database import open_database
from mimir_py.storage.engine import load_engine

_EVERY_S = 0.2


async def main() -> None:
    over = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    async with open_database(Path(sys.argv[1]), load_engine("auto"), 30_000) as database:
        while not over.done():
            await database.checkpoint()
            await asyncio.wait((over,), timeout=_EVERY_S)


asyncio.run(main())
