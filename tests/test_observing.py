"""Alive, ready, metrics: over real sockets, with a database and a Redis that die, and numbers that add up."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing

import psycopg
import pytest

from classroom_site import bounds
from classrooms import hub, observing, readiness
from classrooms.closes import Close
from classrooms.counters import SECONDS, Histogram, tally
from classrooms.cursors import SLICE
from classrooms.room import Room
from tests.support.client import Client
from tests.support.metrics import ask, grown, read, scrape
from tests.support.road import hubs, turn
from tests.support.rooms import FakeLog, enter
from tests.support.server import Server
from tests.support.services import Postgres, Redis, running
from tests.support.waiting import until, until_async

TOKEN = "3c1f5e0b9d7a42868e6f0a1b"
OTHERS = 6


@pytest.fixture(scope="module")
def watched() -> Iterator[Server]:
    """A server that has METRICS_TOKEN, for tests that count what it does."""
    with Server(env={"METRICS_TOKEN": TOKEN}) as server:
        yield server


class Wire:
    """A transport with so many bytes waiting."""

    offset = _tempDataLen = 0  # noqa: N815

    def __init__(self, size: int) -> None:
        self.dataBuffer = bytes(size)

    def abortConnection(self) -> None:  # noqa: N802
        self.dataBuffer = b""


def ready(server: Server) -> tuple[int, dict[str, object]]:
    status, body = server.request("GET", "/readyz")
    return status, body


def alive(server: Server) -> bool:
    return server.request("GET", "/healthz") == (200, {"alive": True})


# --- metrics -------------------------------------------------------------------------------------------------------


async def test_the_numbers_of_a_lesson_add_up_to_what_its_clients_got(watched: Server) -> None:
    watched.end_lessons()
    lesson = watched.start_lesson()
    before = await asyncio.to_thread(scrape, watched)
    async with AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(await Client.staff(watched, lesson))
        everybody = [teacher]
        guests = [await Client.guest(watched, f"Guest {number}") for number in range(OTHERS)]
        everybody += [await stack.enter_async_context(guest) for guest in guests]
        for client in everybody:
            for number in range(5):
                await client.propose("chat.post", {"text": f"{number}"})
        event = await teacher.propose("hand.raise")
        again = {"type": "op", "id": event["op"], "kind": "hand.raise", "data": {}}
        await teacher.send(again)
        await until_async(lambda: teacher.outcomes[event["op"]].get("type") == "done")
        refused = await everybody[1].propose("page.show", {"page": "p1"})
        assert refused["code"] == "not_allowed"
        await everybody[1].send({"type": "no such type"})
        await until_async(lambda: "refused" in everybody[1].frames)
        ana = everybody[2]
        await ana.disconnect()
        await teacher.propose("chat.post", {"text": "while one is away"})
        await ana.connect()
        head = len(watched.events(lesson))
        for client in everybody:
            await client.reach(head)
        after = await asyncio.to_thread(scrape, watched)
        got = sum(len(client.applied) + client.repeats for client in everybody)
    ops = 5 * len(everybody) + 2
    assert grown(before, after, 'lectern_ops_total{outcome="committed"}') == ops
    assert grown(before, after, 'lectern_ops_total{outcome="repeated"}') == 1
    assert grown(before, after, 'lectern_ops_total{outcome="not_allowed"}') == 1
    assert grown(before, after, "lectern_unreadable_frames_total") == 1
    assert grown(before, after, "lectern_events_committed_total") == head - 1, "one was there before"
    assert grown(before, after, "lectern_deliveries_total") == got
    live = grown(before, after, "lectern_delivery_seconds_count")
    assert got - 3 * len(everybody) <= live <= got, "all but what brought newcomers up to date"
    units = grown(before, after, "lectern_commit_seconds_count")
    assert ops < units <= ops + 1 + len(everybody), "the repeat, and who was let in by a request"
    assert 1 <= grown(before, after, "lectern_transaction_seconds_count") <= units
    assert grown(before, after, 'lectern_joins_total{mode="resume"}') == 1
    assert grown(before, after, 'lectern_joins_total{mode="snapshot"}') == len(everybody)
    assert after['lectern_connections{door="socket"}'] == after["lectern_seated"] == len(everybody)
    assert after["lectern_rooms"] >= 1
    assert after["lectern_ring_bytes"] > head * 50
    assert after['lectern_buffered_bytes{where="writers"}'] == 0
    assert after["lectern_loop_lag_seconds_count"] > before["lectern_loop_lag_seconds_count"]
    assert after["lectern_layer_up"] == 1


async def test_who_leaves_and_whom_we_close_is_counted(watched: Server) -> None:
    watched.end_lessons()
    watched.start_lesson()
    before = await asyncio.to_thread(scrape, watched)
    ana = await Client.guest(watched, "Ana")
    async with ana:
        other = Client(watched, ana.seat)
        other.client = ana.client
        async with other:
            await until_async(
                lambda: ana.close_code == Close.REPLACED, saying="the older one of the same client is replaced"
            )
            assert grown(before, await asyncio.to_thread(scrape, watched), 'lectern_closes_total{code="4006"}') == 1
    await until_async(lambda: asyncio.to_thread(lambda: scrape(watched)["lectern_seated"] == before["lectern_seated"]))
    notes = 'lectern_attendance_total{what="noted"}'
    await until_async(lambda: asyncio.to_thread(lambda: grown(before, scrape(watched), notes) >= 1), timeout=20)


async def test_those_who_wait_for_a_lesson_are_connections_of_their_own_door(watched: Server) -> None:
    watched.end_lessons()
    waiting = asyncio.create_task(asyncio.to_thread(watched.request, "GET", "/live/waiting/ZZZZZZ/?wait=2"))
    door = 'lectern_connections{door="waiting"}'
    await until_async(lambda: asyncio.to_thread(lambda: scrape(watched)[door] == 1))
    await waiting
    assert scrape(watched)[door] == 0


def test_metrics_are_for_this_machine_and_for_who_has_the_token(watched: Server, server: Server) -> None:
    assert ask(watched, "/metrics")[0] == 200
    assert ask(watched, "/metrics", Authorization=f"Bearer {TOKEN}", X_Forwarded_For="192.0.2.7")[0] == 200
    assert ask(watched, "/metrics", Authorization=f"bearer {TOKEN}")[0] == 200
    for wrong in (
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer é"},
        {"X_Forwarded_For": "127.0.0.1"},
        {"X_Real_IP": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
    ):
        assert ask(watched, "/metrics", **wrong)[::2] == (404, ""), wrong
    assert ask(server, "/metrics")[0] == 200
    assert ask(server, "/metrics", Authorization="Bearer ")[0] == 200, "no token at all"
    assert ask(server, "/metrics", Authorization="Bearer x")[0] == 404, "no token is set"


@pytest.mark.parametrize(
    ("client", "may"),
    [
        (["127.0.0.1", 5000], True), (["127.9.9.9", 5000], True), (["::1", 5000], True),
        (["::ffff:127.0.0.1", 5000], True), (["192.0.2.7", 5000], False), (["::ffff:192.0.2.7", 5000], False),
        (["2001:db8::7", 5000], False), (["", None], False), (None, False), (["localhost", 1], False),
    ],
)  # fmt: skip
def test_only_an_address_of_this_machine_may_look_without_a_token(client: object, may: bool) -> None:
    assert observing.may_look({"client": client, "headers": []}) is may


def test_a_token_of_nothing_opens_nothing_where_none_is_set() -> None:
    for value in (b"Bearer ", b"Bearer  ", b"bearer", b"Bearer \t"):
        assert not observing.may_look({"client": ["192.0.2.7", 5000], "headers": [(b"authorization", value)]})


def test_a_page_read_carelessly_is_refused() -> None:
    for bad in ("a 1\n", "# HELP a b\na 1\n", "# HELP a_total b\n# TYPE a_total counter\na_total 1\na_total 1\n"):
        with pytest.raises(AssertionError):
            read(bad)


def test_a_histogram_counts_each_in_the_first_bucket_that_holds_it() -> None:
    histogram = Histogram()
    for seconds, times in ((0.0, 1), (0.001, 2), (0.0011, 4), (10.0, 8), (10.1, 16)):
        histogram.add(seconds, times)
    assert histogram.counts == [3, 4, *[0] * (len(SECONDS) - 3), 8, 16]
    assert histogram.sum == pytest.approx(0.002 + 0.0044 + 80 + 161.6)


async def test_a_delivery_is_timed_from_its_commit_once_for_each_who_gets_it(room: Room, log: FakeLog) -> None:
    counted, delivered, timed = list(tally.delivery.counts), tally.deliveries, tally.delivery.sum
    frames = tally.frames
    desks = [enter(room, f"u{number}")[1] for number in range(SLICE + 50)]
    room.receive(log.posts(3), time.monotonic() - 0.2)
    await until_async(lambda: len(desks[-1].seqs) == 3)
    each = 3 * len(desks)
    grew = [now - before for now, before in zip(tally.delivery.counts, counted, strict=True)]
    assert tally.deliveries - delivered == sum(grew) == each
    assert grew[SECONDS.index(0.25) :][:2] != [0, 0], "they took 0.2 s and a little"
    assert tally.delivery.sum - timed >= 0.2 * each
    assert tally.frames - frames == len(desks)
    room.receive(log.posts(1))
    await until_async(lambda: len(desks[-1].seqs) == 4)
    assert sum(tally.delivery.counts) == sum(counted) + each, "when that was committed nobody knows"
    assert tally.deliveries - delivered == each + len(desks)


async def test_news_in_the_middle_of_a_round_is_timed_from_its_commit_or_before(room: Room, log: FakeLog) -> None:
    desks = [enter(room, f"u{number}")[1] for number in range(SLICE + 50)]
    before, timed = sum(tally.delivery.counts), tally.delivery.sum
    room.receive(log.posts(1), time.monotonic() - 5)
    room.receive(log.posts(1), time.monotonic() - 1)
    await until_async(lambda: all(len(desk.seqs) == 2 for desk in desks))
    await turn()
    assert sum(tally.delivery.counts) - before == 2 * len(desks)
    assert SLICE * (5 + 1) + 50 * (5 + 5) <= tally.delivery.sum - timed < SLICE * (5 + 2) + 50 * (5 + 6)


async def test_a_hole_is_counted(room: Room, log: FakeLog) -> None:
    before = tally.holes
    room.receive(log.posts(2)[1:])
    assert tally.holes == before + 1


async def test_reads_that_wait_for_a_thread_are_seen(file_database: None) -> None:
    gate = threading.Event()
    reads = [asyncio.create_task(hub.in_reader(gate.wait, 10)) for _ in range(hub.READERS + 3)]
    try:
        await until_async(lambda: hub.reads_waiting() == 3)
    finally:
        gate.set()
        await asyncio.gather(*reads)
    assert hub.reads_waiting() == 0


def test_connections_that_are_cut_off_are_counted_by_reason() -> None:
    before = dict(tally.cut_off)
    readers = bounds.Readers()
    greedy, stuck = Wire(bounds.UNREAD + 1), Wire(bounds.UNREAD + 1)
    readers._all[stuck] = (bounds.UNREAD + 1, 0.0)
    assert not readers.asks(greedy, 0.0)
    readers.look(bounds.STUCK + 1)
    grew = {reason: number - before.get(reason, 0) for reason, number in tally.cut_off.items()}
    assert (grew["unread"], grew["stuck"]) == (1, 1)
    assert tally.unread == 0


# --- alive and ready -----------------------------------------------------------------------------------------------


def test_a_server_with_all_its_parts_is_ready(server: Server) -> None:
    assert alive(server)
    parts = {"database": "ok", "migrations": "ok", "layer": "ok", "process": "ok"}
    assert ready(server) == (200, {"ready": True} | parts)
    assert server.request("POST", "/readyz")[0] == server.request("POST", "/healthz")[0] == 405


def test_a_database_that_lacks_a_migration_is_not_ready() -> None:
    with Server() as server:
        server.stop()
        with closing(sqlite3.connect(server.data / "lectern.sqlite3")) as database:
            newest = "SELECT max(name) FROM django_migrations WHERE app = 'classrooms'"
            database.execute(f"DELETE FROM django_migrations WHERE app = 'classrooms' AND name = ({newest})")
            database.commit()
        server.start()
        status, told = ready(server)
        assert (status, told["database"], told["migrations"]) == (503, "ok", "missing")
        assert alive(server)


@pytest.mark.postgres
def test_a_dead_database_and_one_that_hangs_are_told_within_their_bound() -> None:
    with running(Postgres()) as postgres, Server(database=postgres.new_database()) as server:
        assert ready(server)[0] == 200
        postgres.stop()
        status, told = ready(server)
        assert (status, told["ready"]) == (503, False)
        assert told["database"] != "ok"
        assert told["layer"] == "ok"
        assert alive(server)
        postgres.start()
        until(lambda: ready(server)[0] == 200, timeout=20, saying="ready again")
        with psycopg.connect(server.database) as hog:
            hog.execute("LOCK django_migrations IN ACCESS EXCLUSIVE MODE")
            since = time.monotonic()
            assert ready(server)[1]["database"] == readiness.LATE
            assert ready(server)[0] == 503
            assert time.monotonic() - since < 2 * readiness.WITHIN + 1
            since = time.monotonic()
            assert alive(server)
            assert ask(server, "/metrics")[0] == 200
            assert time.monotonic() - since < 1, "nobody waits for the database"
        until(lambda: ready(server)[0] == 200, timeout=20, saying="ready again")


@pytest.mark.redis
def test_a_dead_layer_is_told_and_comes_back() -> None:
    with running(Redis()) as redis, Server(redis=redis.url) as server:
        until(lambda: ready(server)[0] == 200, saying="the first beat was heard")
        redis.kill()
        until(lambda: ready(server)[0] == 503, saying="silence is noticed")
        assert ready(server)[1] == {
            "ready": False, "database": "ok", "migrations": "ok", "layer": "does not answer", "process": "ok"
        }  # fmt: skip
        assert alive(server)
        assert scrape(server)["lectern_layer_up"] == 0
        redis.start()
        until(lambda: ready(server)[0] == 200, timeout=20, saying="heard again")
        assert server.log.count("not ready") <= 2, "said once, and before the first beat, not at every look"


@pytest.mark.redis
def test_a_server_that_has_never_heard_its_layer_is_not_ready() -> None:
    with Server(redis="redis://127.0.0.1:1/0") as server:
        assert ready(server)[0] == 503
        assert alive(server)


async def test_a_process_that_leaves_is_not_ready(file_database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    async with hubs() as (one,):
        monkeypatch.setattr(readiness, "get_hub", lambda: one)
        assert (await readiness.report()).ready
        monkeypatch.setattr(readiness, "_leaving", False)
        readiness.leave()
        assert (await readiness.report()).wrong == {"process": "is leaving"}
