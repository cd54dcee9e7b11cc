"""The hub of one process: rooms wake once, hear every commit, are put away and come back."""

import asyncio
import time
from typing import Any

import pytest

from classrooms import hub as hubs_module
from classrooms import log, replica
from classrooms.closes import Close
from classrooms.hub import get_hub, in_reader
from classrooms.log import Committed
from classrooms.models import Lesson, Snapshot
from tests.support.road import append, commit, deaf, enter, hubs, live_lesson, post, server_entry, sit, turn
from tests.support.waiting import until_async


@pytest.fixture
def lesson(file_database: None) -> int:
    return live_lesson()


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


async def test_a_roster_told_before_a_removal_does_not_bring_the_person_back(lesson: int) -> None:
    async with hubs() as (hub,):
        room, _, _ = await enter(hub, lesson, "u1")
        await commit(lesson, server_entry("person.removed", "gone", participant="u2"))
        people = [["u2", "Ana", "student", "#17694f"], ["u3", "Ben", "student", "#17694f"]]
        hub._hear_others({"type": "roster", "lesson": lesson, "from": "p2", "news": [1, None, people, []]})
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
