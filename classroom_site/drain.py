"""How a serving process ends: it takes nobody in any more, sees everybody off, and finishes what it has begun."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from classrooms import readiness
from classrooms.hub import get_hub

logger = logging.getLogger(__name__)

BOUND = 10.0  # s that a process of `serve` takes at most
HANDSHAKE = 0.5  # s: who connected no longer ago may be about to send a handshake, and has a right to a word too
LOOK_EVERY = 0.02  # s


async def drain(server: Any, bound: float) -> None:
    """See everybody off a Daphne server that has stopped listening, within `bound` seconds.

    Sockets get `bye` 4112 in slices, those that still come in too; requests are answered; attendance and snapshots are
    stored. Never raises: what cannot be done within the bound is cut off, and loses nothing that was acknowledged.
    """
    readiness.leave()
    try:
        async with asyncio.timeout(bound):
            hub = get_hub()  # even where nobody has come by now: somebody may be coming
            await hub.see_off()
            await _until(lambda: _quiet(server))
            await hub.stop()
    except TimeoutError:
        logger.warning("not everything was finished within %g s", bound)
    except Exception:
        logger.exception("the end went wrong")


async def _until(what: Callable[[], bool]) -> None:
    while not what():  # noqa: ASYNC110 - Daphne tells nobody when an application has ended
        await asyncio.sleep(LOOK_EVERY)


def _quiet(server: Any) -> bool:
    """Whether no request is being answered and nobody has connected just now."""
    if time.monotonic() - server.accepted < HANDSHAKE:
        return False
    applications = (details.get("application_instance") for details in server.connections.values())
    return all(one is None or one.done() for one in applications)
