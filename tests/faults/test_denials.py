"""A success that is reported as a failure: COMMIT succeeds and raises, or the author is told `try_again`.

Bounds: of 300 ops, every seventh commit and every fifth verdict denied, each is exactly one event, in the order given;
everything is answered within 10 s after the last op was given; nobody is disconnected but with 4200. (An
author who gets their own event for an op that was refused does not send it again. The lane that waits for it finds out
within some 2 s and has the client begin anew.)
"""

import asyncio

import pytest

from classrooms.closes import Close
from tests.support.crowd import Crowd
from tests.support.proxy import Proxy
from tests.support.server import Server
from tests.support.services import Redis

OPS = 300
QUIET_WITHIN = 10.0  # s
DENIED = 6  # at least


@pytest.mark.redis
@pytest.mark.timeout(120)
async def test_a_success_reported_as_a_failure_is_one_event(redis: Redis) -> None:
    patch = "tests.faults.patches.denies"
    with Server(redis=redis.url, patch=patch, env={"LOG_LEVEL": "INFO"}) as one:
        lesson = await asyncio.to_thread(one.start_lesson)
        with Server(data=one.data, redis=redis.url) as two:
            async with Proxy(one.port) as slow, Crowd(one, lesson) as crowd:
                slow.delay = 0.1  # s each way: several ops are on their way when one of them is refused
                writers = [
                    await crowd.staff(one, port=slow.port),
                    await crowd.staff(two, "assistant"),
                    await crowd.guest(one, "Ana"),
                ]
                await crowd.guest(two, "Ben")
                crowd.work(*writers[:2], rate=25, seed=1)
                crowd.work(writers[2], rate=6, seed=2)
                await crowd.reach(OPS)
                assert await crowd.rest() < QUIET_WITHIN
                assert {code for client in crowd.clients for code in client.closes} <= {Close.RESYNC}
                await crowd.reconcile(one, two)
                refused = sum(len(client.frames.get("refused", [])) for client in crowd.clients)
                repeats = sum(len(client.frames.get("done", [])) for client in crowd.clients)
                assert refused >= DENIED
                assert repeats >= DENIED / 2
                assert one.log.count("closed the connection unexpectedly") >= DENIED
