"""PostgreSQL restarted, slow, and back with less than it had.

Bounds: while it is away or 2 s slow, signals pass with p90 < 0.5 s and nobody is disconnected; ops are refused with
`try_again` or wait. 10 s after it is back (20 s where every way to it and back took 2 s) every op is in the log once.
A database that lost its newest events gets a new epoch: everybody is there again within 15 s, with what it has.
"""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from classrooms.closes import Close
from tests.support.client import Client
from tests.support.crowd import Crowd, signals_pass
from tests.support.proxy import Proxy
from tests.support.server import Server
from tests.support.services import Postgres, postgres_programs, running
from tests.support.waiting import until_async

BACK_WITHIN = 10.0  # s
SLOW_BACK_WITHIN = 20.0  # s
RENEWED_WITHIN = 15.0  # s
LOST = 5  # events

pytestmark = pytest.mark.postgres


@pytest.fixture
def own() -> Iterator[Postgres]:
    """A PostgreSQL of the test's own, to stop."""
    with running(Postgres()) as service:
        yield service


def codes(crowd: Crowd) -> set[str]:
    """Return why ops were refused."""
    return {frame["code"] for client in crowd.clients for frame in client.frames.get("refused", [])}


@pytest.mark.timeout(120)
async def test_a_restart_during_traffic_loses_nothing_and_disconnects_nobody(own: Postgres) -> None:
    with Server(database=own.new_database()) as server:
        lesson = await asyncio.to_thread(server.start_lesson)
        async with Crowd(server, lesson) as crowd:
            teacher, helper = await crowd.staff(server), await crowd.staff(server, "assistant")
            ana = await crowd.guest(server, "Ana")
            crowd.work(teacher, helper, rate=15, seed=1)
            crowd.work(ana, rate=4, seed=2)
            for ops in (40, 80):
                await crowd.reach(ops)
                await asyncio.to_thread(own.stop)
                await until_async(lambda: not crowd.answered, saying="ops wait")
                await signals_pass(ana, teacher)
                await asyncio.to_thread(own.start)
            await crowd.reach(120)
            assert await crowd.rest() < BACK_WITHIN
            assert codes(crowd) <= {"try_again"}
            assert [client.closes for client in crowd.clients if client.closes] == []
            await crowd.reconcile()


@pytest.mark.timeout(180)  # a transaction has seven ways there and back
async def test_a_database_that_is_two_seconds_away_delays_ops_and_nothing_else(own: Postgres) -> None:
    async with Proxy(own.port) as proxy:
        direct = own.new_database()
        server = Server(database=direct)
        server.env["DATABASE_URL"] = direct.replace(f":{own.port}/", f":{proxy.port}/")
        await asyncio.to_thread(server.start)
        try:
            lesson = await asyncio.to_thread(server.start_lesson)
            async with Crowd(server, lesson) as crowd:
                teacher, ana = await crowd.staff(server), await crowd.guest(server, "Ana")
                crowd.work(teacher, rate=10, seed=1)
                crowd.work(ana, rate=4, seed=2)
                await crowd.reach(30)
                proxy.delay = 1.0  # there, and 1.0 back
                head = crowd.head()
                await signals_pass(ana, teacher)
                await until_async(lambda: crowd.head() > head, timeout=40, saying="ops are committed all the same")
                await signals_pass(teacher, ana)
                proxy.delay = 0.0
                assert await crowd.rest() < SLOW_BACK_WITHIN
                assert codes(crowd) <= {"try_again"}
                assert [client.closes for client in crowd.clients if client.closes] == []
                await crowd.reconcile()
        finally:
            await asyncio.to_thread(server.close)


def lose(own: Postgres, database: str, lesson: int, events: int) -> None:
    """Take a lesson's newest events out of a database that does not run, as a restored backup would lack them."""
    programs = postgres_programs()
    assert programs is not None
    name = database.rpartition("/")[2]
    statements = (
        f"DELETE FROM classrooms_event e USING classrooms_lesson l WHERE l.id = {lesson} AND e.lesson_id = l.id"
        f" AND e.seq > l.head - {events};\n"
        f"UPDATE classrooms_lesson SET head = head - {events} WHERE id = {lesson};\n"
    )
    done = subprocess.run(
        [str(Path(programs, "postgres")), "--single", "-D", str(own.home / "data"), name],
        input=statements, text=True, capture_output=True, check=False, user=own.user(), cwd=own.home, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr, done.stderr


@pytest.mark.timeout(120)
async def test_a_database_that_comes_back_without_its_newest_events_gets_a_new_epoch(own: Postgres) -> None:
    database = own.new_database()
    with Server(database=database) as server:
        lesson = await asyncio.to_thread(server.start_lesson)
        async with (
            await Client.staff(server, lesson) as teacher,
            await Client.guest(server, "Ana") as ana,
            await Client.guest(server, "Ben") as ben,
        ):
            for number in range(LOST + 5):
                await teacher.propose("chat.post", {"text": f"Line {number}"})
            clients, head, epoch = (teacher, ana, ben), teacher.state.seq, teacher.epoch
            for client in clients:
                await client.reach(head)
            await asyncio.to_thread(own.stop)
            await asyncio.to_thread(lose, own, database, lesson, LOST)
            await asyncio.to_thread(own.start)
            await until_async(lambda: not any(client.live for client in clients), timeout=RENEWED_WITHIN)
            assert {client.close_code for client in clients} == {Close.RESYNC}
            for client in clients:
                await client.reconnect()
            assert {client.state.seq for client in clients} == {head - LOST}, "nobody keeps phantoms"
            assert {client.epoch for client in clients} & {epoch, None} == set()
            assert len({client.epoch for client in clients}) == 1
            answer = await teacher.propose("chat.post", {"text": "Where were we?"})
            assert answer["seq"] == head - LOST + 1
            events = await asyncio.to_thread(server.events, lesson)
            assert len(events) == head - LOST + 1
            for client in clients:
                await client.reach(head - LOST + 1)
            newest = (
                events[-1]["data"]["text"],
                [line["data"]["text"] for line in events if line["kind"] == "chat.posted"],
            )
            assert newest == ("Where were we?", [*(f"Line {number}" for number in range(5)), "Where were we?"])
