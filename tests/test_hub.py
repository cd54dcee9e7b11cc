"""The hub: what is committed reaches every process's connections, whatever the channel layer and the database lose."""

import asyncio
import json
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection as database_connection

from classrooms import hub as hubs_module
from classrooms import log, replica
from classrooms.closes import Close
from classrooms.hub import Hub, get_hub, in_reader
from classrooms.lesson import Event, apply, digests, fresh
from classrooms.log import Committed, Entry
from classrooms.models import Lesson, Snapshot
from classrooms.room import Connection, Room
from tests.support.road import Desk, append, deaf, hubs, live_lesson, post, redis_layer, server_entry, sit, turn
from tests.support.services import Redis
from tests.support.waiting import until_async


@pytest.fixture
def lesson(file_database: None) -> int:
    return live_lesson()


async def enter(hub: Hub, lesson: int, participant: str = "u2") -> tuple[Room, Connection, Desk]:
    """Seat somebody who has everything so far."""
    room = await hub.room(lesson)
    connection, desk = sit(participant, now=time.monotonic())
    hub.enter(room, connection)
    connection.sent = room.head
    return room, connection, desk


async def commit(lesson: int, *entries: Entry) -> int:
    """Append and wait; return the last seq."""
    outcomes = await asyncio.wrap_future(log.append(lesson, entries))
    return outcomes[-1].seq or 0


async def sql(*statements: str) -> None:
    """Change the database behind everybody's back."""

    def run() -> None:
        with database_connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    await in_reader(run)


def reconcile(lesson: int, raws: list[bytes], *everybody: tuple[Room, Desk, int]) -> None:
    """Fail unless each got every event after their first one, once and in order, and all hold the log's own state."""
    state = fresh()
    for raw in raws:
        apply(state, Event(**json.loads(raw)))
    for room, desk, since in everybody:
        assert desk.seqs == list(range(since + 1, len(raws) + 1))
        assert desk.events == [json.loads(raw) for raw in raws[since:]]
        assert digests(room.replica.state) == digests(state)
        assert room.head == state.seq


# --- one process ---------------------------------------------------------------------------------------------------


async def test_what_is_committed_is_out_before_its_author_hears_of_it(lesson: int) -> None:
    async with hubs() as (hub,):
        room, _, desk = await enter(hub, lesson)
        seq = await commit(lesson, post("a:1"), post("a:2"))
        assert room.head == seq == 5
        assert desk.seqs == [4, 5]


async def test_a_lesson_wakes_once_however_many_come(lesson: int, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[int] = []
    real = replica.load

    def load(number: int) -> replica.Replica:
        loads.append(number)
        return real(number)

    monkeypatch.setattr(replica, "load", load)
    async with hubs() as (hub,):
        rooms = await asyncio.gather(*(hub.room(lesson) for _ in range(50)))
        assert len(set(map(id, rooms))) == 1
        assert loads == [lesson]
        with pytest.raises(Lesson.DoesNotExist):
            await hub.room(10**9)
        assert hub._waking == {}
        assert replica.awake(lesson) is rooms[0].replica


async def test_one_who_gives_up_waking_a_lesson_does_not_stop_the_others(lesson: int) -> None:
    async with hubs() as (hub,):
        gone, stays = (asyncio.create_task(hub.room(lesson)) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        assert (await stays).head == 3
        missing = asyncio.create_task(hub.room(10**9))
        await asyncio.sleep(0)
        missing.cancel()
        await until_async(lambda: not hub._waking)


async def test_what_is_committed_while_a_lesson_wakes_is_not_missed(
    lesson: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = replica.load

    def load(number: int) -> Any:
        kept = real(number)
        append(number, post("late:1"))
        return kept

    monkeypatch.setattr(replica, "load", load)
    async with hubs() as (hub,):
        deaf(hub)
        room = await hub.room(lesson)
        await until_async(lambda: room.head == 4, timeout=0.9, saying="at once, not with the next comparison")


def _one_post(lesson: int) -> list[bytes]:
    """Commit a post and return what is announced of it."""
    append(lesson, post("a:1"))
    return log.since(lesson, 3)


async def test_a_failing_room_takes_nothing_from_the_others(lesson: int, caplog: pytest.LogCaptureFixture) -> None:
    other = await in_reader(live_lesson)
    async with hubs() as (hub,):
        deaf(hub)
        broken, _, _ = await enter(hub, lesson)
        _, _, desk = await enter(hub, other)

        def fail(*_: object) -> None:
            raise RuntimeError("this room is broken")

        broken.receive = fail  # type: ignore[method-assign,assignment]
        broken.tick = fail  # type: ignore[method-assign,assignment]
        head = log.Head(broken.epoch, 4)
        [raw] = await in_reader(_one_post, other)
        sound = Committed(other, log.Head(hub.rooms[other].epoch, 4), [raw])
        hub._deliver([Committed(lesson, head, [b"{}"]), sound])
        assert desk.seqs == [4]
        hub._beat(time.monotonic())
        assert caplog.text.count("this room is broken") >= 2
        assert desk.of("presence")


async def test_the_silent_are_closed_after_a_minute_and_everybody_else_is_pinged_once_a_turn(lesson: int) -> None:
    async with hubs() as (hub,):
        seats = [await enter(hub, lesson, f"u{n}") for n in range(60)]
        now = time.monotonic()
        for _, quiet, _ in seats[:20]:
            quiet.heard = now - 60.1
        for _ in range(hubs_module.WHEEL):
            hub._turn += 1
            hub._turn_wheel(now)
        for room, connection, desk in seats[:20]:
            assert desk.code == Close.SILENT
            assert connection not in room.connections
        for _, _, desk in seats[20:]:
            assert desk.code is None
            assert [frame["head"] for frame in desk.of("ping")] == [3]
        for _ in range(hubs_module.WHEEL):
            hub._turn += 1
            hub._turn_wheel(now)
        assert sum(map(len, hub._wheel)) == 40, "who is gone is forgotten with the next turn"
        slots = [len(slot) for slot in hub._wheel]
        assert max(slots) < 20, "never all at once"


async def test_an_idle_room_is_given_up_with_a_snapshot_and_wakes_again(lesson: int) -> None:
    async with hubs() as (hub,):
        room, connection, _ = await enter(hub, lesson)
        hub._beat(time.monotonic() + 1000)
        await turn()
        assert lesson in hub.rooms, "somebody is here"
        room.leave(connection)
        hub._beat(time.monotonic() + hubs_module.LINGER - 5)
        await turn()
        assert lesson in hub.rooms
        hub._beat(time.monotonic() + hubs_module.LINGER + 1)
        await until_async(lambda: lesson not in hub.rooms)
        assert room.closed
        assert replica.awake(lesson) is None
        assert await in_reader(lambda: Snapshot.objects.get(lesson=lesson).seq) == 3
        again = await hub.room(lesson)
        assert again is not room
        assert again.replica.snapshot_seq == 3


async def test_who_comes_while_an_idle_room_is_put_away_stays(lesson: int) -> None:
    async with hubs() as (hub,):
        room = await hub.room(lesson)
        room.idle_since = 0.0
        closing = asyncio.create_task(hub._close_idle(room))
        await asyncio.sleep(0)
        assert hub._freezing
        _, _, desk = await enter(hub, lesson)
        await closing
        assert hub.rooms[lesson] is room
        await commit(lesson, post("a:1"))
        assert desk.seqs == [4]


async def test_who_is_on_the_way_into_a_room_that_is_given_up_comes_again(lesson: int) -> None:
    async with hubs() as (hub,):
        room = await hub.room(lesson)
        room.idle_since = 0.0
        await hub._close_idle(room)
        connection, desk = sit()
        hub.enter(room, connection)
        assert desk.code == Close.RESYNC
        assert not any(hub._wheel)


async def test_a_room_is_frozen_once_at_a_time_and_again_after_a_failure(
    lesson: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, calls = replica.store, []

    def store(*args: Any) -> None:
        calls.append(args)
        if len(calls) == 1:
            raise OSError("the disk is full")
        real(*args)

    monkeypatch.setattr(replica, "store", store)
    async with hubs() as (hub,):
        room = await hub.room(lesson)
        await asyncio.gather(*(hub._freeze(room) for _ in range(5)))
        assert len(calls) == 1
        assert "no snapshot could be stored" in caplog.text
        await asyncio.gather(*(hub._freeze(room) for _ in range(5)))
        assert len(calls) == 2
        await hub._freeze(room)
        assert len(calls) == 2, "nothing has come since"
        await commit(lesson, post("a:1"))
        room.doubtful = True
        await hub._freeze(room)
        assert len(calls) == 2, "what the log may not hold is not stored"


async def test_a_snapshot_is_stored_every_500_events(lesson: int) -> None:
    async with hubs() as (hub,):
        await hub.room(lesson)
        await commit(lesson, *(post(f"a:{n}") for n in range(497)))
        await until_async(lambda: hub.counts["snapshots"] == 1)
        await commit(lesson, *(post(f"b:{n}") for n in range(499)))
        await turn()
        assert hub.counts["snapshots"] == 1


async def test_stopping_sees_everybody_off_and_leaves_no_task(lesson: int) -> None:
    before = asyncio.all_tasks()
    async with hubs() as (hub,):
        room, _, desk = await enter(hub, lesson)
        room.catch_up()
    assert desk.code == Close.RESTARTING
    assert await in_reader(lambda: Snapshot.objects.get(lesson=lesson).seq) == 3
    await until_async(lambda: asyncio.all_tasks() == before)


async def test_each_loop_has_one_hub_and_a_stopped_one_is_replaced(file_database: None) -> None:
    hub = get_hub()
    assert get_hub() is hub
    await hub.stop()
    other = get_hub()
    assert other is not hub
    await other.stop()


async def test_a_lesson_that_was_deleted_closes_its_room(lesson: int) -> None:
    async with hubs() as (hub,):
        _, _, desk = await enter(hub, lesson)
        await in_reader(lambda: Lesson.objects.filter(pk=lesson).delete())
        await until_async(lambda: desk.code)
        assert desk.code == Close.ENDED


# --- a database that loses commits ---------------------------------------------------------------------------------

LOSSES = {
    "the newest events are gone": 0,
    "others have taken their place, fewer": 1,
    "others have taken their place, as many": 4,
    "others have taken their place, more": 9,
}


@pytest.mark.parametrize("how", LOSSES)
@pytest.mark.parametrize("by", ["another process", "this process"])
async def test_a_database_that_lost_commits_names_a_new_history_and_everybody_comes_again(
    lesson: int, how: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs_module, "BEAT", 0.2)
    async with hubs(2) as (hub, other):
        deaf(other)
        room, _, desk = await enter(hub, lesson)
        _, _, elsewhere = await enter(other, lesson)
        await commit(lesson, *(post(f"lost:{n}") for n in range(4)))
        await until_async(lambda: elsewhere.seqs == [4, 5, 6, 7])
        if by == "another process":
            deaf(hub)
        await sql(
            f"DELETE FROM classrooms_event WHERE lesson_id = {lesson} AND seq > 3",
            f"UPDATE classrooms_lesson SET head = 3 WHERE id = {lesson}",
        )
        if LOSSES[how]:
            lost_at = room.replica.state.at  # the new events are of another millisecond than the lost ones
            await until_async(lambda: time.time_ns() // 1_000_000 > lost_at)
            await commit(lesson, *(post(f"new:{n}") for n in range(LOSSES[how])))
        if how == "others have taken their place, as many" and by == "another process":
            await commit(lesson, post("new:last"))  # the head alone tells nothing: the next event does
        await until_async(lambda: desk.code and elsewhere.code)
        assert (desk.code, elsewhere.code) == (Close.RESYNC, Close.RESYNC)
        assert max(desk.seqs) == 7, "nothing was built on phantoms"
        again = await hub.room(lesson)
        assert again.epoch != room.epoch
        assert again.epoch == (await other.room(lesson)).epoch
        assert not await again.resumes(room.epoch, 7, room.replica.state.at)
        _, _, back = await enter(hub, lesson)
        await commit(lesson, post("after:1"))
        await until_async(lambda: back.seqs)
        assert hub.counts["histories_lost"] + other.counts["histories_lost"] >= 1
        assert back.code is None


async def test_events_of_another_history_are_not_folded(lesson: int) -> None:
    async with hubs() as (hub,):
        room, _, desk = await enter(hub, lesson)
        raw = b'{"seq":4,"kind":"chat.posted","by":"u1","at":9,"op":"a:1","data":{"text":"phantom"}}'
        hub._hear_others({"type": "events", "lesson": lesson, "epoch": "0badbad0", "events": [raw]})
        assert room.head == 3
        hub._deliver([Committed(lesson, log.Head("0badbad0", 4), [raw])])
        assert desk.code == Close.RESYNC
        assert lesson not in hub.rooms


# --- two processes -------------------------------------------------------------------------------------------------


class Careless:
    """A channel layer that drops, doubles and holds back every tenth publish."""

    def __init__(self, url: str, dice: random.Random) -> None:
        self._layer = redis_layer(url)
        self._dice = dice
        self._held: list[tuple[str, Any]] = []
        self.harmed = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._layer, name)

    async def group_send(self, group: str, message: Any) -> None:
        lot = self._dice.randrange(30)
        self.harmed += lot < 3
        if lot == 1:
            await self._layer.group_send(group, message)
        if lot == 2:
            self._held.append((group, message))
        elif lot != 0:
            await self._layer.group_send(group, message)
            while self._held:
                await self._layer.group_send(*self._held.pop())


@pytest.fixture
def split() -> Iterator[Any]:
    """Have each transaction be one of either hub's process: the other hears of it by layer or database."""
    unsubscribe: list[Any] = []

    def between(*both: Hub) -> None:
        loop, dice = asyncio.get_running_loop(), random.Random(3)
        for hub in both:
            deaf(hub)

        def committed(records: list[Committed]) -> None:
            loop.call_soon_threadsafe(dice.choice(both)._deliver, records)

        unsubscribe.append(log.subscribe(committed))

    yield between
    for one in unsubscribe:
        one()


@pytest.mark.redis
async def test_rooms_of_two_processes_converge_while_every_tenth_publish_goes_wrong(
    lesson: int, redis: Redis, split: Any
) -> None:
    layers = [Careless(redis.url, random.Random(1)), Careless(redis.url, random.Random(2))]
    waiting = list(layers)
    async with hubs(2, layer=waiting.pop) as (a, b):
        split(a, b)
        here, _, mine = await enter(a, lesson)
        there, _, theirs = await enter(b, lesson)
        await until_async(lambda: all(hub._layer._joined == {lesson} for hub in (a, b)))
        for n in range(300):
            edits = [["add", f"u1.c.{n}", "line", {"at": [n, 2], "ends": [0, 0, 8, 8]}]]
            await commit(lesson, Entry("board.edited", "u1", f"c:{n}", json.dumps({"page": "p1", "edits": edits})))
        await until_async(lambda: here.head == there.head == 303)
        raws = await in_reader(log.since, lesson, 0)
        reconcile(lesson, raws, (here, mine, 3), (there, theirs, 3))
        assert sum(layer.harmed for layer in layers) > 10


@pytest.mark.redis
@pytest.mark.parametrize("how", ["frozen", "killed"])
async def test_without_redis_events_come_by_the_database_and_fast_again_when_it_is_back(
    lesson: int, redis: Redis, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("classrooms.layer.DOWN_AFTER", 1.5)
    async with hubs(2, layer=lambda: redis_layer(redis.url)) as (a, b):
        deaf(b)
        _, _, mine = await enter(a, lesson)
        there, _, theirs = await enter(b, lesson)
        await until_async(lambda: b._layer._joined == {lesson})
        (redis.freeze if how == "frozen" else redis.kill)()
        await commit(lesson, post("first:1"))
        await until_async(lambda: there.head == 4, timeout=2.5, saying="the head is compared each second")
        await until_async(lambda: not a._layer.up and not b._layer.up)
        delays = []
        for n in range(8):
            began = time.monotonic()
            seq = await commit(lesson, post(f"down:{n}"))
            assert mine.seqs[-1] == seq, "nobody waits for Redis"
            await until_async(lambda: theirs.seqs[-1] == mine.seqs[-1])
            delays.append(time.monotonic() - began)
        assert sorted(delays)[6] < 0.6
        joined = time.monotonic()
        assert (await enter(b, await in_reader(live_lesson)))[0].head == 3
        assert time.monotonic() - joined < 1
        (redis.thaw if how == "frozen" else redis.start)()
        back = time.monotonic()
        await until_async(lambda: a._layer.up and b._layer.up, timeout=3.5)
        monkeypatch.setattr(b, "_compare", _nothing)  # from here on the layer alone can bring it

        async def fast() -> bool:
            seq = await commit(lesson, post(f"back:{time.monotonic()}"))
            try:
                await until_async(lambda: theirs.seqs[-1] == seq, timeout=0.2)
            except AssertionError:
                return False
            return True

        await until_async(fast, timeout=3.5)
        assert time.monotonic() - back < 4
        assert mine.code is None
        assert theirs.code is None


async def _nothing(*_: object) -> None:
    pass


@pytest.mark.redis
async def test_people_of_another_process_are_here_and_signals_pass(lesson: int, redis: Redis) -> None:
    async with hubs(2, layer=lambda: redis_layer(redis.url)) as (a, b):
        room_a, _, mine = await enter(a, lesson, "u1")
        room_b, _, theirs = await enter(b, lesson, "u2")
        await until_async(lambda: all(hub._layer._joined == {lesson} for hub in (a, b)))
        now = time.monotonic()
        for _ in range(5):
            for hub in (a, b):
                hub._turn += 1
                hub._tick(hub.rooms[lesson], now)
        await until_async(lambda: len(room_a.presence._others) == len(room_b.presence._others) == 1)
        for room in (room_a, room_b):
            room.tick(now)
            assert set(room.presence.people) == {"u1", "u2"}
        room_a.signal("u1", "cursor", b'{"page":"p1","at":[1,2]}')
        await until_async(lambda: theirs.of("signals"))
        assert theirs.of("signals") == mine.of("signals")
        assert theirs.of("signals")[0]["signals"][0]["by"] == "u1"


async def test_a_roster_told_before_a_removal_does_not_bring_the_person_back(lesson: int) -> None:
    async with hubs() as (hub,):
        room, _, _ = await enter(hub, lesson, "u1")
        await commit(lesson, server_entry("person.removed", "gone", participant="u2"))
        people = [["u2", "Ana", "student", "#17694f"], ["u3", "Ben", "student", "#17694f"]]
        hub._hear_others({"type": "roster", "lesson": lesson, "from": "p2", "people": people})
        room.tick(0.0)
        assert set(room.presence.people) == {"u1", "u3"}


async def test_a_lesson_that_starts_has_the_waiting_look_at_once(
    file_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hubs() as (hub,):
        looked: list[bool] = []
        monkeypatch.setattr(hub.waiting, "look", lambda: looked.append(True))
        lesson = await in_reader(live_lesson)
        await until_async(lambda: looked)
        await commit(lesson, post("a:1"))
        assert len(looked) == 1
