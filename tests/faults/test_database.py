"""A database that cannot be written to: SQLite locked by somebody else, and a disk that is full.

Bounds: while it lasts, signals pass with p90 < 0.5 s, a client that was cut off is live again within 3 s with
everything that is committed, and the state door answers within 3 s. A lock of 3 s is waited out, one of 12 s is
answered `try_again`; a full disk is answered within 3 s. Nobody is disconnected. 5 s after it is over (10 s where ops
had been refused) every op is in the log once.
"""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.crowd import Crowd, Steady, in_time, signals_pass
from tests.support.server import Server
from tests.support.waiting import until_async

LIVE_AGAIN = STATE_WITHIN = REFUSED_WITHIN = 3.0  # s


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Hold the write lock of the server's database by another connection."""
    connection = sqlite3.connect(server.data / "lectern.sqlite3", isolation_level=None, timeout=10)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


async def still_serves(crowd: Crowd, server: Server, giver: Steady, taker: Steady, dropped: Steady) -> None:
    """Check what needs no writing: signals, coming back, and the state."""
    await signals_pass(giver, taker)
    closes = len(dropped.closes)
    dropped.drop()
    since = time.monotonic()
    await until_async(lambda: len(dropped.closes) > closes and dropped.live, saying="the dropped one is back")
    assert time.monotonic() - since < LIVE_AGAIN
    seconds, (status, state) = await in_time(lambda: server.request("GET", taker.seat["state"], ticket=taker.ticket))
    assert (status, seconds < STATE_WITHIN) == (200, True)
    assert state["seq"] <= crowd.head()


def refusals(crowd: Crowd) -> int:
    """Return how often anybody was told to try again."""
    frames = [frame for client in crowd.clients for frame in client.frames.get("refused", [])]
    assert {frame["code"] for frame in frames} <= {"try_again"}
    return len(frames)


@pytest.mark.timeout(90)
@pytest.mark.parametrize(("held", "refused", "quiet_within"), [(3.0, False, 5.0), (12.0, True, 10.0)])
async def test_a_locked_database_delays_ops_and_nothing_else(held: float, refused: bool, quiet_within: float) -> None:
    with Server() as server:
        lesson = await asyncio.to_thread(server.start_lesson)
        async with Crowd(server, lesson) as crowd:
            teacher, helper = await crowd.staff(server), await crowd.staff(server, "assistant")
            ana, ben = await crowd.guest(server, "Ana"), await crowd.guest(server, "Ben")
            crowd.work(teacher, helper, rate=15, seed=1)
            crowd.work(ana, rate=4, seed=2)
            await crowd.reach(60)
            with locked(server):
                since = time.monotonic()
                await until_async(lambda: not crowd.answered, saying="ops wait")
                await still_serves(crowd, server, ana, teacher, ben)
                await until_async(lambda: time.monotonic() > since + held, timeout=held + 1)
            assert (refusals(crowd) > 0) == refused
            assert await crowd.rest() < quiet_within
            assert [client.closes for client in (teacher, helper, ana) if client.closes] == []
            await crowd.reconcile()


@pytest.mark.timeout(90)
async def test_a_full_disk_refuses_ops_for_now_and_stops_nothing_else() -> None:
    with Server(patch="tests.faults.patches.fills") as server:
        lesson = await asyncio.to_thread(server.start_lesson)
        async with Crowd(server, lesson) as crowd:
            teacher, helper = await crowd.staff(server), await crowd.staff(server, "assistant")
            ana, ben = await crowd.guest(server, "Ana"), await crowd.guest(server, "Ben")
            crowd.work(teacher, helper, rate=15, seed=1)
            crowd.work(ana, rate=4, seed=2)
            await crowd.reach(60)
            (server.data / "full").touch()
            await until_async(lambda: refusals(crowd), timeout=15, saying="somebody is refused")
            since = time.monotonic()
            op = ben.give("chat.post", {"text": "Is anybody there? " * 100})
            await until_async(lambda: op in [f["id"] for f in ben.frames.get("refused", [])], saying="a refusal")
            assert time.monotonic() - since < REFUSED_WITHIN
            await still_serves(crowd, server, ana, teacher, ben)
            (server.data / "full").unlink()
            assert await crowd.rest() < 10.0
            assert [client.closes for client in (teacher, helper, ana) if client.closes] == []
            await crowd.reconcile()
