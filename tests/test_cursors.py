"""Cursors: every reader gets every event once, in slices, and a slow one costs only itself."""

import asyncio

import pytest

from classrooms.cursors import NO_MORE, NO_MORE_EVENTS, NO_MORE_SIGNALS, SLICE, TOO_SLOW
from classrooms.room import Room
from tests.support.road import sit, turn
from tests.support.rooms import FakeLog, clocked, enter
from tests.support.waiting import until_async

# --- cursors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behind", [1, 3, 1999])
async def test_a_reader_from_below_the_floor_gets_every_event_once(long_room: Room, log: FakeLog, behind: int) -> None:
    since = long_room.ring.floor - behind
    _, desk = enter(long_room, sent=since)
    long_room.receive(log.posts(3))
    await until_async(lambda: desk.seqs and desk.seqs[-1] == 5003)
    assert desk.seqs == list(range(since + 1, 5004))
    assert max(desk.sizes) <= 128 * 1024


async def test_readers_below_the_floor_share_a_read(long_room: Room, log: FakeLog) -> None:
    log.gate.clear()
    since = long_room.ring.floor - 150
    desks = [enter(long_room, f"u{n}", sent=since)[1] for n in range(50)]
    checks = [asyncio.create_task(long_room.resumes("5be0c41d", since, log.at(since))) for _ in range(50)]
    await turn()
    log.gate.set()
    await until_async(lambda: all(desk.seqs and desk.seqs[-1] == 5000 for desk in desks))
    assert all(await asyncio.gather(*checks))
    assert sorted(log.reads) == [(since - 1, 200), (since, 200)]
    assert desks[7].seqs == list(range(since + 1, 5001))


async def test_a_read_that_fails_leaves_the_client_to_ask_again(
    long_room: Room, log: FakeLog, caplog: pytest.LogCaptureFixture
) -> None:
    log.broken = True
    connection, desk = enter(long_room, sent=long_room.ring.floor - 5)
    await turn()
    assert desk.seqs == []
    assert connection.sent is None
    long_room.receive(log.posts(1))
    assert desk.seqs == [], "never a hole"
    connection.sent = long_room.ring.floor
    long_room.advance(connection)
    assert desk.seqs[0] == long_room.ring.floor + 1


async def test_a_log_without_the_events_below_the_floor_is_not_asked_for_ever(long_room: Room, log: FakeLog) -> None:
    since = long_room.ring.floor - 5
    log.raws = log.raws[:10]
    connection, _ = enter(long_room, sent=since)
    await turn()
    assert len(log.reads) == 1
    assert connection.sent is None


async def test_a_reader_who_goes_elsewhere_while_a_read_is_under_way_gets_no_event_twice(
    long_room: Room, log: FakeLog
) -> None:
    log.gate.clear()
    connection, desk = enter(long_room, sent=long_room.ring.floor - 5)
    await turn()
    connection.sent = 4990  # it has fetched the state meanwhile, and said sync
    long_room.advance(connection)
    log.gate.set()
    await turn()
    assert desk.seqs == list(range(4991, 5001))


async def test_a_reader_who_left_while_a_read_is_under_way_is_not_written_to(long_room: Room, log: FakeLog) -> None:
    log.gate.clear()
    connection, desk = enter(long_room, sent=long_room.ring.floor - 500)
    await turn()
    long_room.leave(connection)
    desk.code = 1000
    log.gate.set()
    await turn()
    assert desk.frames == []
    assert len(log.reads) == 1


async def test_a_room_of_many_is_written_to_in_slices_and_nobody_misses_what_comes_meanwhile(
    room: Room, log: FakeLog
) -> None:
    seats = [enter(room, f"u{n}") for n in range(3 * SLICE + 50)]
    room.receive(log.posts(1))
    assert sum(desk.seqs == [4] for _, desk in seats) == SLICE, "the first slice at once, then the loop looks around"
    _, late_desk = enter(room, "u9999", sent=3)
    room.leave(seats[-1][0])
    room.receive(log.posts(2))
    await asyncio.sleep(0)
    room.receive(log.posts(1))
    await turn()
    await turn()
    for _, desk in seats[:-1]:
        assert desk.seqs == [4, 5, 6, 7]
    assert late_desk.seqs == [4, 5, 6, 7]
    assert seats[-1][1].seqs == []


async def test_one_connection_that_cannot_be_written_to_costs_the_others_nothing(
    room: Room, log: FakeLog, caplog: pytest.LogCaptureFixture
) -> None:
    seats = [enter(room, f"u{n}") for n in range(SLICE + 20)]

    def fail(_: bytes) -> None:
        raise RuntimeError("this socket is broken")

    for n in (3, SLICE + 3):
        seats[n][1].write = fail  # type: ignore[method-assign,assignment]
    room.receive(log.posts(1))
    await turn()
    room.receive(log.posts(1))
    await turn()
    assert sum(desk.seqs == [4, 5] for _, desk in seats) == SLICE + 18
    assert [desk.aborted for _, desk in seats].count(True) == 2


async def test_a_client_that_fetches_a_snapshot_gets_no_events_until_it_says_sync(room: Room, log: FakeLog) -> None:
    connection, desk = sit()
    room.enter(connection)
    room.receive(log.posts(2))
    room.forward([b'{"kind":"cursor","by":"u1","data":{}}'])
    assert desk.frames == []
    connection.sent = 4
    room.advance(connection)
    assert desk.seqs == [5]


# --- slow readers --------------------------------------------------------------------------------------------------


async def test_a_slow_reader_rests_drains_and_misses_nothing(
    room: Room, log: FakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clocked(monkeypatch, "cursors")
    slow, desk = enter(room)
    _, quick = enter(room, "u1")
    room.receive(log.posts(1))
    desk.buffered = NO_MORE_EVENTS + 1
    room.receive(log.posts(1))
    room.receive(log.posts(1))
    assert desk.seqs == [4]
    assert quick.seqs == [4, 5, 6]
    now[0] += TOO_SLOW - 1
    room.tick(now[0])
    assert not desk.aborted
    desk.buffered = 0
    room.advance(slow)
    assert desk.seqs == [4, 5, 6]
    now[0] += TOO_SLOW - 1
    room.tick(now[0])
    assert not desk.aborted, "a new rest is counted anew"


async def test_a_reader_that_rests_for_30_seconds_is_dropped(
    room: Room, log: FakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clocked(monkeypatch, "cursors")
    slow, desk = enter(room)
    desk.buffered = NO_MORE_EVENTS + 1
    room.receive(log.posts(1))
    now[0] += TOO_SLOW + 0.1
    room.tick(now[0])
    assert desk.aborted
    assert slow not in room.connections


async def test_a_reader_that_caught_up_by_a_snapshot_rests_no_more(
    room: Room, log: FakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clocked(monkeypatch, "cursors")
    slow, desk = enter(room)
    desk.buffered = NO_MORE_EVENTS + 1
    room.receive(log.posts(1))
    slow.sent = room.head
    room.advance(slow)
    now[0] += TOO_SLOW * 2
    room.tick(now[0])
    assert not desk.aborted


async def test_a_reader_with_a_megabyte_waiting_is_dropped_at_once(room: Room) -> None:
    _, desk = enter(room)
    desk.buffered = NO_MORE + 1
    room.tick(0.0)
    assert desk.aborted


async def test_signals_stop_long_before_events(room: Room, log: FakeLog) -> None:
    _, desk = enter(room)
    desk.buffered = NO_MORE_SIGNALS + 1
    room.forward([b'{"kind":"cursor","by":"u1","data":{}}'])
    room.receive(log.posts(1))
    assert [frame["type"] for frame in desk.frames] == ["events"]
