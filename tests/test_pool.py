"""PostgreSQL's pool: nobody takes more connections than it has, everybody gives theirs back, the log has its own."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from classrooms import log
from classrooms.hub import READERS, in_reader
from classrooms.log import Outcome
from classrooms.refusals import Code
from classrooms.writers import how_many
from tests.support.crowd import Crowd
from tests.support.road import append, live_lesson, post
from tests.support.server import Server
from tests.support.services import Postgres
from tests.support.waiting import until, until_async

POOL = 5


@contextmanager
def watched(address: str) -> Iterator[list[int]]:
    """How many connections servers have to a database, looked at as often as it answers."""
    counts: list[int] = []
    over = threading.Event()

    def look() -> None:
        with psycopg.connect(address, autocommit=True) as own:
            while not over.is_set():
                row = own.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name = 'lectern'"
                ).fetchone()
                assert row is not None
                counts.append(row[0])

    with ThreadPoolExecutor(1) as thread:
        looking = thread.submit(look)
        try:
            yield counts
        finally:
            over.set()
            looking.result(10)


@pytest.mark.postgres
@pytest.mark.timeout(90)
async def test_a_server_under_load_keeps_to_its_connections_and_gives_them_back(postgres: Postgres) -> None:
    database = postgres.new_database()
    with Server(database=database, env={"DATABASE_POOL": str(POOL)}) as server, watched(database) as counts:
        lesson = await asyncio.to_thread(server.start_lesson)
        async with Crowd(server, lesson) as crowd:
            teacher, helper = await crowd.staff(server), await crowd.staff(server, "assistant")
            ana = await crowd.guest(server, "Ana")
            crowd.work(teacher, helper, rate=20, seed=1)
            crowd.work(ana, rate=5, seed=2)
            with ThreadPoolExecutor(20) as browsers:  # pages and reads: four times as many as there are connections
                asked = [
                    browsers.submit(server.request, "GET", path, as_="teacher")
                    for _ in range(20)
                    for path in ("/api/classrooms/", f"/api/lessons/{lesson}/", "/api/decks/")
                ]
                await crowd.reach(80)
                await until_async(lambda: all(one.done() for one in asked), timeout=40, saying="all are answered")
            assert {one.result()[0] for one in asked} == {200}
            assert await crowd.rest() < 10.0
            await crowd.reconcile()
        assert max(counts) <= POOL
        assert max(counts) > 2, "the load was one"
        # Whoever still held one would hold up these, which take all the pool has but the writers'.
        again = [await asyncio.to_thread(server.request, "GET", "/api/classrooms/", as_="teacher") for _ in range(12)]
        assert {status for status, _ in again} == {200}


@contextmanager
def emptied_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take every connection that the pool has to give; whoever wants one waits 0.3 s in vain."""
    pool: Any = connection.pool  # type: ignore[attr-defined]
    connection.close()
    monkeypatch.setattr(pool, "timeout", 0.3)
    taken: list[Any] = []
    try:
        while True:
            try:
                taken.append(pool.getconn(timeout=0.3))
            except psycopg.OperationalError:
                break
        yield
    finally:
        for one in taken:
            pool.putconn(one)


@pytest.mark.postgres
def test_the_log_goes_on_when_pages_have_taken_the_pool(on_postgres: None, monkeypatch: pytest.MonkeyPatch) -> None:
    lessons = [live_lesson() for _ in range(how_many())]  # each writer has its connection
    with emptied_pool(monkeypatch):
        with pytest.raises(OperationalError):
            log.heads(lessons)
        for lesson in lessons:
            assert append(lesson, post("a:1"), post("a:2")) == [Outcome(4), Outcome(5)]
    assert log.heads(lessons)[lessons[0]].seq == 5


@pytest.mark.postgres
def test_a_writer_without_a_connection_says_try_again_until_it_gets_one(
    on_postgres: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = live_lesson()
    log.stop()
    with emptied_pool(monkeypatch):
        outcomes = append(lesson, post("a:1"), post("a:2"))
        assert [outcome.retry for outcome in outcomes] == [True, True]
    assert append(lesson, post("a:1"), post("a:2")) == [Outcome(4), Outcome(5)]


@pytest.mark.postgres
async def test_readers_give_back_what_they_took(on_postgres: None) -> None:
    pool: Any = connection.pool  # type: ignore[attr-defined]

    def taken() -> int:
        stats = pool.get_stats()
        return int(stats["pool_size"] - stats["pool_available"])

    before = taken()  # by the fixtures
    lesson = await in_reader(live_lesson)
    assert taken() > before, "a writer keeps its own"
    await asyncio.gather(*(in_reader(log.since, lesson, 0) for _ in range(10 * READERS)))
    await in_reader(log.stop)
    await asyncio.to_thread(until, lambda: taken() == before, saying="every connection is back in the pool")


@pytest.mark.postgres
def test_a_connection_that_is_lost_while_rows_are_copied_costs_nothing(
    on_postgres: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = live_lesson()
    insert, torn = log._insert, [True]

    def tear(cursor: Any, batches: Any) -> None:
        if torn:
            cursor.connection.pgconn.finish()  # as a reset by the network, between two statements
        insert(cursor, batches)

    monkeypatch.setattr(log, "_insert", tear)
    again = append(lesson, post("a:1"), post("a:2"))
    assert [outcome.code for outcome in again] == [Code.TRY_AGAIN] * 2, "and not that the frames are bad"
    torn.clear()
    assert append(lesson, post("a:1"), post("a:2")) == [Outcome(4), Outcome(5)]


@pytest.mark.postgres
def test_a_long_query_that_holds_a_lesson_holds_up_none_of_another_writer(
    on_postgres: None, postgres: Postgres
) -> None:
    held, other = live_lesson(), live_lesson()
    assert held % how_many() != other % how_many()
    address = postgres.url.removesuffix("postgres") + connection.settings_dict["NAME"]
    overtaken = []
    with psycopg.connect(address) as long_one:
        long_one.execute("SELECT 1 FROM classrooms_lesson WHERE id = %s FOR UPDATE", [held])
        for number in range(5):  # of a busy machine one has to see it
            waiting = log.append(held, [post("a:1")])
            assert append(other, post(f"a:{number}")) == [Outcome(4 + number)]
            overtaken.append(not waiting.done())
            assert waiting.result(20)[0].code is Code.TRY_AGAIN
    assert any(overtaken)
    assert append(held, post("a:1")) == [Outcome(4)]
