"""A student's TCP connection, cut at random offsets while ops flow both ways.

Bounds: 200 cuts, each 3 bytes to 25 KB after the one before, small distances as likely as large ones: they
fall into handshakes, hellos and half frames. Each time the student goes on exactly where they were; everything is
answered and applied within 5 s after the last op.
"""

import asyncio
import random

import pytest

from tests.faults.scissors import Scissors
from tests.support.crowd import Crowd
from tests.support.server import Server
from tests.support.waiting import until_async

CUTS = 200
QUIET_WITHIN = 5.0  # s


@pytest.mark.timeout(180)
async def test_a_connection_cut_two_hundred_times_anywhere_loses_and_repeats_nothing() -> None:
    chance = random.Random(7)
    with Server() as server:
        lesson = await asyncio.to_thread(server.start_lesson)
        async with Scissors(server.port) as scissors, Crowd(server, lesson) as crowd:
            teacher, ana = await crowd.staff(server), await crowd.guest(server, "Ana", port=scissors.port)
            await crowd.guest(server, "Ben")
            crowd.work(teacher, rate=40, seed=1)
            crowd.work(ana, rate=8, seed=2)
            while scissors.cuts < CUTS:
                cuts = scissors.cuts
                scissors.left = round(10 ** chance.uniform(0.5, 4.4))
                await until_async(lambda: scissors.cuts > cuts or ana.broken, timeout=15, saying=f"cut {cuts + 1}")  # noqa: B023
                ana.check()
            assert await crowd.rest() < QUIET_WITHIN
            await crowd.reconcile()
            assert len(ana.closes) >= CUTS / 8  # the other cuts fell between two times that she was live
            assert teacher.closes == []
