"""Hubs of several processes: all converge on the log, whatever the channel layer and the database lose."""

import asyncio
import json
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

from classrooms import hub as hubs_module
from classrooms import log
from classrooms.closes import Close
from classrooms.hub import Hub, in_reader
from classrooms.lesson import Event, apply, digests, fresh
from classrooms.log import Committed, Entry
from classrooms.room import Room
from tests.support.road import Desk, commit, deaf, enter, hubs, live_lesson, post, redis_layer, sql
from tests.support.services import Redis
from tests.support.waiting import until_async


@pytest.fixture
def lesson(file_database: None) -> int:
    return live_lesson()


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
        await until_async(lambda: all(hub._layer.of(lesson)._joined == {lesson} for hub in (a, b)))
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
        await until_async(lambda: b._layer.of(lesson)._joined == {lesson})
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
        await until_async(lambda: all(hub._layer.of(lesson)._joined == {lesson} for hub in (a, b)))
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
