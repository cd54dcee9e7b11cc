"""A server that dies at each switch point of an op's road, fifty times at each, and comes back.

Bounds: every acknowledged op is in the log exactly once, every other one arrives by being sent again, in order. 15 s
after the server's last start everybody is live, and within 5 s after the last op everything is answered and applied.
"""

import asyncio
import random
import signal

import pytest

from tests.faults.warm import WarmServer
from tests.support.crowd import Crowd

DEATHS = 50
POINTS = ["received", "written", "committed", "announced"]
LIVE_AGAIN = 15.0  # s
QUIET_WITHIN = 5.0  # s


@pytest.mark.timeout(240)
@pytest.mark.parametrize("point", POINTS)
async def test_no_op_is_lost_or_doubled_by_a_server_that_dies_when_it_is(point: str) -> None:
    chance = random.Random(point)
    with WarmServer(patch="tests.faults.patches.dies", env={"DIE_AFTER": "3"}) as server:
        lesson = await asyncio.to_thread(server.start_lesson)
        async with Crowd(server, lesson) as crowd:
            writers = [await crowd.staff(server), await crowd.staff(server, "assistant")]
            student = await crowd.guest(server, "Ana")
            await crowd.guest(server, "Ben")
            crowd.work(*writers, rate=40, seed=1)
            crowd.work(student, rate=8, seed=2)
            server.env["DIE_AT"] = point
            await asyncio.to_thread(server.restart)
            told_early = untold = 0
            for death in range(1, DEATHS + 1):
                assert await asyncio.to_thread(server.wait_ended) == -signal.SIGKILL
                await crowd.wait_cut()
                told_early += told_before_the_author(crowd)
                untold += crowd.head() > max(client.state.seq for client in crowd.clients)
                server.env |= {"DIE_AT": point if death < DEATHS else "", "DIE_AFTER": str(chance.randint(1, 8))}
                await asyncio.to_thread(server.start)
            await crowd.wait_live(LIVE_AGAIN)
            assert await crowd.rest() < QUIET_WITHIN
            assert sum(len(client.closes) for client in crowd.clients) >= 2 * DEATHS, "they died among themselves"
            await crowd.reconcile()
            # That the switch points are where they should be:
            assert untold >= DEATHS * 0.6 or point != "committed"
            assert told_early >= DEATHS * 0.3 or point != "announced"


def told_before_the_author(crowd: Crowd) -> bool:
    """Whether somebody has applied an op whose author waits for it."""
    waiting = {(client.id, op) for client in crowd.clients for op in client.unanswered}
    return any(waiting & {(by, op) for _, by, op in client.seen[-20:]} for client in crowd.clients)
