"""A success that is reported as a failure: COMMIT succeeds and raises, or the author is told `try_again`.

Bounds: of 300 ops, every seventh commit and every fifth verdict denied, each is exactly one event, in the order given;
everything is answered within 5 s after the last op was given; nobody is disconnected.
"""

import asyncio

import pytest

from tests.support.crowd import Crowd
from tests.support.server import Server
from tests.support.services import Redis

OPS = 300
QUIET_WITHIN = 5.0  # s
DENIED = 20  # at least


@pytest.mark.redis
@pytest.mark.timeout(120)
async def test_a_success_reported_as_a_failure_is_one_event(redis: Redis) -> None:
    patch = "tests.faults.patches.denies"
    with Server(redis=redis.url, patch=patch, env={"LOG_LEVEL": "INFO"}) as one:
        lesson = await asyncio.to_thread(one.start_lesson)
        with Server(data=one.data, redis=redis.url) as two:
            async with Crowd(one, lesson) as crowd:
                writers = [await crowd.staff(one), await crowd.staff(two, "assistant"), await crowd.guest(one, "Ana")]
                await crowd.guest(two, "Ben")
                crowd.work(*writers[:2], rate=25, seed=1)
                crowd.work(writers[2], rate=6, seed=2)
                await crowd.reach(OPS)
                assert await crowd.rest() < QUIET_WITHIN
                assert [client.closes for client in crowd.clients if client.closes] == []
                await crowd.reconcile(one, two)
                refused = sum(len(client.frames.get("refused", [])) for client in crowd.clients)
                repeats = sum(len(client.frames.get("done", [])) for client in crowd.clients)
                assert refused >= DENIED
                assert repeats >= DENIED / 2
                assert one.log.count("closed the connection unexpectedly") >= DENIED
