"""A process that stands still: its event loop blocked, or all of it stopped.

Bounds: blocked for 3 s, twice, and stopped for 3 s: nobody reconnects, everything is answered within 5 s after that.
"""

import asyncio
import signal
import time
from collections.abc import Callable

import pytest

from tests.support.crowd import Crowd
from tests.support.server import Server
from tests.support.waiting import until_async

STILL = 3.0  # s
QUIET_WITHIN = 5.0  # s


def block(server: Server) -> None:
    """Block the event loop for 3 s."""
    assert server.process is not None
    server.process.send_signal(signal.SIGUSR1)


@pytest.mark.timeout(90)
@pytest.mark.parametrize(("stall", "times"), [(block, 2), (Server.freeze, 1)], ids=["blocked", "stopped"])
async def test_nobody_reconnects_for_three_seconds_of_silence(stall: Callable[[Server], None], times: int) -> None:
    with Server(patch="tests.faults.patches.blocks") as server:
        lesson = await asyncio.to_thread(server.start_lesson)
        async with Crowd(server, lesson) as crowd:
            writers = [await crowd.staff(server), await crowd.guest(server, "Ana")]
            for number in range(4):
                await crowd.guest(server, f"Reader {number}")
            crowd.work(*writers, rate=8)
            for round_ in range(1, times + 1):
                await crowd.reach(40 * round_)
                stall(server)
                since = time.monotonic()
                await until_async(lambda: time.monotonic() > since + STILL, timeout=STILL + 1)  # noqa: B023
                server.thaw()
            assert await crowd.rest() < QUIET_WITHIN
            assert max(crowd.latencies()) > STILL / 2, "it did not stand still"
            assert [client.closes for client in crowd.clients if client.closes] == []
            await crowd.reconcile()
