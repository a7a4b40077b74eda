"""What is done between the calls: queued embedding, grooming, loading an index.

Each runs until it is cancelled, and steps aside while a call is running.
"""

import asyncio
import logging
from functools import partial
from typing import Final

from mimir_py.app.calls import App
from mimir_py.errors import MimirError
from mimir_py.lifecycle.models import Within

logger = logging.getLogger("mimir")

_QUEUE_CHECK_S: Final = 2.0
_QUEUE_RETRY_S: Final = 60.0
_GROOM_CHECK_S: Final = 60.0
_INDEX_CHECK_S: Final = 1.0
# Between two portions of loading while a call is running.
_ASIDE_S: Final = 0.02


async def embed_queue(app: App) -> None:
    """Embed queued chunks one at a time, stepping aside for calls, until cancelled.

    Erasures that were cut short are finished here, too.
    """
    while True:  # other processes fill the queue too; nothing tells us
        await asyncio.sleep(_QUEUE_CHECK_S)
        try:
            if not app.is_busy:
                await app.lifecycle.finish()
            while not app.is_busy and await app.upkeep.embed_pending(1):
                pass
        except MimirError as error:
            logger.warning("embedding queued text failed: %s", error.code)
            await asyncio.sleep(_QUEUE_RETRY_S)


async def groom(app: App, hours: int) -> None:
    """Groom the whole memory every so many hours, stepping aside for calls, until cancelled."""
    while True:
        await _until_idle(app)
        try:
            await groom_if_due(app, hours)
        except MimirError as error:
            logger.warning("grooming failed: %s", error.code)
        await asyncio.sleep(_GROOM_CHECK_S)


async def groom_if_due(app: App, hours: int) -> bool:
    """Groom the whole memory unless that was done within so many hours; whether it was due."""
    if not await app.grooming.is_due(hours):
        return False
    await app.grooming.autocohere(Within(), dry_run=False, rest=partial(_until_idle, app))
    return True


async def _until_idle(app: App) -> None:
    await asyncio.sleep(_ASIDE_S)
    while app.is_busy:  # noqa: ASYNC110  # calls end at any time
        await asyncio.sleep(_ASIDE_S)


async def load_index(app: App) -> None:
    """Load the vectors of a large store between the calls, until cancelled."""
    while True:
        try:
            while await app.database.read(app.dense.load_more):  # noqa: ASYNC110  # no wait
                await asyncio.sleep(_ASIDE_S if app.is_busy else 0)
        except MimirError as error:
            logger.warning("loading vectors failed: %s", error.code)
            await asyncio.sleep(_QUEUE_RETRY_S)
        await asyncio.sleep(_INDEX_CHECK_S)
