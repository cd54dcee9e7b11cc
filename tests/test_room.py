"""A room: the order of events, who may go on from where, and who is seen off when."""

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from classrooms import room as rooms
from classrooms.closes import Close
from classrooms.lesson import state_json
from classrooms.refusals import Code, Refused
from classrooms.room import Room
from tests.support.road import sit, turn
from tests.support.rooms import FakeLog, clocked, enter
from tests.support.waiting import until_async

# --- order ---------------------------------------------------------------------------------------------------------


async def test_the_next_event_is_sent_at_once_and_an_old_one_dropped(room: Room, log: FakeLog) -> None:
    _, desk = enter(room)
    first, second = log.posts(2)
    room.receive([first])
    assert desk.seqs == [4]
    room.receive([first, second, first])
    assert desk.seqs == [4, 5]
    assert log.reads == []


async def test_a_hole_is_one_read(room: Room, log: FakeLog) -> None:
    _, desk = enter(room)
    raws = log.posts(10)
    for raw in raws[3:]:
        room.receive([raw])
    await turn()
    assert desk.seqs == list(range(4, 14))
    assert len(log.reads) <= 2
    assert room.replica.state.seq == 13


async def test_a_hole_seen_while_a_read_is_under_way_is_not_forgotten(room: Room, log: FakeLog) -> None:
    log.gate.clear()
    room.catch_up()
    await turn()
    assert len(log.reads) == 1, "this read has begun, and saw nothing new"
    room.receive(log.posts(2)[1:])
    log.gate.set()
    await turn()
    assert room.head == 5


async def test_any_loss_repeat_and_disorder_ends_with_the_log_itself(room: Room, log: FakeLog) -> None:
    for seed in range(30):
        dice = random.Random(seed)
        _, desk = enter(room, client=f"{seed:08x}")
        start = room.head
        heard = [[raw] for raw in log.posts(40)]
        heard = [batch for batch in heard * 2 if dice.random() > 0.3]
        dice.shuffle(heard)
        for batch in heard:
            room.receive(batch)
            if dice.random() < 0.3:
                await asyncio.sleep(0)
        room.catch_up()
        await turn()
        assert desk.seqs == list(range(start + 1, log.head + 1))
        assert room.head == log.head


async def test_a_long_absence_is_read_in_pages(room: Room, log: FakeLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "PAGE", 50)
    log.posts(230)
    room.catch_up()
    await until_async(lambda: room.head == 233)


async def test_a_read_that_fails_is_made_good_by_the_next(
    room: Room, log: FakeLog, caplog: pytest.LogCaptureFixture
) -> None:
    log.broken = True
    log.posts(1)
    room.catch_up()
    reaching = asyncio.create_task(room.reach(4))
    await turn()
    assert not reaching.done()
    assert "could not be read on" in caplog.text
    log.broken = False
    room.catch_up()
    await asyncio.wait_for(reaching, 5)
    assert room.head == 4


async def test_reach_waits_for_the_fold(room: Room, log: FakeLog) -> None:
    await room.reach(3)
    log.gate.clear()
    reaching = [asyncio.create_task(room.reach(seq)) for seq in (5, 4, 5)]
    await turn()
    raws = log.posts(2)
    room.receive(raws[:1])
    await turn()
    assert [one.done() for one in reaching] == [False, True, False]
    room.receive(raws[1:])
    await asyncio.gather(*reaching)
    log.gate.set()


async def test_nobody_waits_in_a_room_that_was_given_up(room: Room, log: FakeLog) -> None:
    log.gate.clear()
    reaching = asyncio.create_task(room.reach(9))
    gone = asyncio.create_task(room.reach(9))
    await turn()
    gone.cancel()
    await turn()
    room.close(Close.RESYNC)
    for wait in (reaching, room.reach(9)):
        with pytest.raises(Refused) as refused:
            await wait
        assert (refused.value.code, refused.value.retry) == (Code.TRY_AGAIN, True)
    log.gate.set()


async def test_look_for_reads_what_was_committed_before_it_was_asked(room: Room, log: FakeLog) -> None:
    log.gate.clear()
    room.catch_up()
    await turn()
    log.posts(2)
    looking = asyncio.create_task(room.look_for(5))
    await turn()
    log.gate.set()
    await looking
    assert room.head == 5
    reads = len(log.reads)
    await room.look_for(5)
    assert len(log.reads) == reads
    await room.look_for(10**9)
    assert len(log.reads) == reads + 1


async def test_a_broken_event_does_not_hold_up_those_before_it(room: Room, log: FakeLog) -> None:
    _, desk = enter(room)
    with pytest.raises(msgspec.DecodeError):
        room.receive([*log.posts(1), b"{"])
    assert desk.seqs == [4]


@pytest.mark.parametrize("how", ["other event at the same seq", "newest event gone", "another event before new ones"])
async def test_a_log_with_another_history_is_noticed(room: Room, log: FakeLog, how: str) -> None:
    _, desk = enter(room)
    room.receive(log.posts(2))
    del log.raws[3:]
    log.at = lambda seq: 1_764_000_099_000 + seq  # type: ignore[method-assign]
    if how == "other event at the same seq":
        room.receive(log.posts(1))
    elif how == "newest event gone":
        room.catch_up()
    else:
        log.posts(5)
        room.catch_up()
    await turn()
    assert room.doubtful
    room.receive(log.posts(3))
    assert desk.seqs == [4, 5], "nothing is built on phantoms"


async def test_a_hole_in_the_log_itself_does_not_make_the_room_read_for_ever(room: Room, log: FakeLog) -> None:
    log.posts(3)
    del log.raws[3]
    room.catch_up()
    await turn()
    assert room.head == 3
    assert len(log.reads) <= 2


# --- resume or snapshot --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "resumes"),
    [("floor", True), ("floor+1", True), ("floor-1", True), ("floor-2000", True), ("floor-2001", False),
     ("head", True), ("head-1", True), ("head+1", False), ("head+1000000000", False), ("-1", False)],
)  # fmt: skip
async def test_who_is_near_enough_resumes(long_room: Room, log: FakeLog, offset: str, resumes: bool) -> None:
    since = int(eval(offset, {"floor": long_room.ring.floor, "head": long_room.head}))
    assert await long_room.resumes("5be0c41d", since, log.at(since)) is resumes


async def test_who_holds_another_history_gets_a_snapshot(long_room: Room, log: FakeLog) -> None:
    floor, head = long_room.ring.floor, long_room.head
    for since in (floor - 100, floor, floor + 5, head):
        assert await long_room.resumes("5be0c41d", since, log.at(since))
        assert not await long_room.resumes("5be0c41d", since, log.at(since) + 1)
        assert not await long_room.resumes("5be0c41d", since, None)
        assert not await long_room.resumes("0badbad0", since, log.at(since))
        assert not await long_room.resumes(None, since, log.at(since))
    assert not await long_room.resumes("5be0c41d", None, None)


async def test_who_has_nothing_yet_resumes_from_zero_while_the_log_is_short(room: Room, long_room: Room) -> None:
    assert await room.resumes("5be0c41d", 0, None)
    assert not await long_room.resumes("5be0c41d", 0, None)


async def test_a_client_that_is_ahead_of_this_process_resumes_after_one_read(room: Room, log: FakeLog) -> None:
    log.posts(2)
    assert await room.resumes("5be0c41d", 5, log.at(5))
    assert len(log.reads) == 1


async def test_a_crowd_that_resumes_in_the_ring_costs_no_query(long_room: Room, log: FakeLog) -> None:
    for since in range(long_room.ring.floor, long_room.head):
        assert await long_room.resumes("5be0c41d", since, log.at(since))
    assert log.reads == []


# --- seats ---------------------------------------------------------------------------------------------------------


async def test_the_same_client_replaces_itself(room: Room) -> None:
    first, old = enter(room, client="9f3a01c2")
    other, other_tab = enter(room, client="00000000")
    _, new = enter(room, client="9f3a01c2")
    assert old.code == Close.REPLACED
    assert old.of("bye")[0]["code"] == 4006
    assert (new.code, other_tab.code) == (None, None)
    assert first not in room.connections
    assert other in room.connections


async def test_the_same_client_name_of_somebody_else_replaces_nobody(room: Room) -> None:
    _, desk = enter(room, "u1", client="9f3a01c2")
    enter(room, "u2", client="9f3a01c2")
    assert desk.code is None


async def test_a_sixth_tab_closes_the_oldest(room: Room) -> None:
    desks = [enter(room)[1] for _ in range(5)]
    assert [desk.code for desk in desks] == [None] * 5
    enter(room)
    assert [desk.code for desk in desks] == [Close.TOO_MANY_TABS, None, None, None, None]
    assert desks[0].of("bye")[0]["code"] == 4009
    assert len(room.connections) == 5


async def test_entering_costs_the_same_in_a_full_room(room: Room) -> None:
    for n in range(2000):
        enter(room, f"u{n}")
    assert [len(room.connections.of(f"u{n}")) for n in (0, 1999, 2000)] == [1, 1, 0]
    for connection in room.connections:
        room.leave(connection)
    assert room.connections._tabs == {}
    assert room.idle_since is not None


async def test_a_removed_person_is_seen_off_after_the_event_is_out(room: Room, log: FakeLog) -> None:
    tabs = [enter(room)[1] for _ in range(2)]
    _, stays = enter(room, "u1")
    room.receive(log.commit("person.removed", "u1", {"participant": "u2"}))
    await turn()
    for desk in tabs:
        assert [frame["type"] for frame in desk.frames] == ["events", "bye"]
        assert desk.events[0]["kind"] == "person.removed"
        assert desk.code == Close.REMOVED
    assert stays.code is None
    late, desk = sit("u2")
    assert not room.enter(late), "who was let in at the door just before is not seated"
    assert desk.code == Close.REMOVED
    room.receive(log.commit("person.readmitted", "u1", {"participant": "u2"}))
    assert enter(room)[1].code is None


async def test_a_void_removal_closes_nobody(room: Room, log: FakeLog) -> None:
    _, desk = enter(room, "u1")
    room.receive(log.commit("person.removed", "u2", {"participant": "u1"}))
    await turn()
    assert desk.code is None


async def test_connections_close_30_seconds_after_the_end(
    room: Room, log: FakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[float, Callable[..., None], tuple[Any, ...]]] = []
    loop = asyncio.get_running_loop()
    _, desk = enter(room)

    def call_later(delay: float, act: Callable[..., None], *args: Any) -> object:
        calls.append((delay, act, args))
        return object()

    with monkeypatch.context() as patch:
        patch.setattr(loop, "call_later", call_later)
        room.receive(log.commit("lesson.ended", "u2", {}))  # void: a student may not
        assert calls == []
        room.receive(log.commit("lesson.ended", "u1", {}))
        room.receive(log.commit("lesson.ended", "u1", {}))
    [(delay, act, args)] = calls
    assert delay == 30.0
    assert desk.of("bye") == []
    act(*args)
    assert desk.code == Close.ENDED
    assert [bye["code"] for bye in desk.of("bye")] == [4004]
    assert desk.seqs == [4, 5, 6]


async def test_nobody_enters_a_room_that_was_given_up(room: Room) -> None:
    _, desk = enter(room)
    room.close(Close.RESYNC)
    assert desk.code == Close.RESYNC
    late, late_desk = sit()
    assert not room.enter(late)
    assert late_desk.code == Close.RESYNC
    assert len(room.connections) == 0


# --- once a second -------------------------------------------------------------------------------------------------


async def test_everybody_is_told_the_head_two_seconds_after_a_burst(
    room: Room, log: FakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clocked(monkeypatch, "room")
    room.tick(now[0])
    _, desk = enter(room)
    desk.frames.clear()
    room._since_ping = 0
    room._burst_ends = None
    room.receive(log.posts(9))
    now[0] += 10
    room.tick(now[0])
    assert desk.of("ping") == [], "nine events are no burst"
    room.receive(log.posts(1))
    room.tick(now[0] + 1.9)
    assert desk.of("ping") == []
    room.tick(now[0] + 2.0)
    [ping] = desk.of("ping")
    assert ping == {"type": "ping", "head": 13, "digest": ["p1", 0], "pace": 50}
    room.tick(now[0] + 30.0)
    assert len(desk.of("ping")) == 1


async def test_names_are_told_in_a_small_room_and_to_staff_and_counts_to_the_others(room: Room) -> None:
    now = 5000.0
    _, teacher = enter(room, "u1")
    _, ana = enter(room, "u2")
    room.tick(now)
    assert [len(frame["here"]) for frame in ana.of("presence")] == [2]
    crowd = [enter(room, f"u{n}") for n in range(3, 103)]
    room.tick(now)
    assert ana.of("presence")[1] == {"type": "presence", "count": 102}
    assert len(teacher.of("presence")[1]["here"]) == 100
    newcomer, desk = enter(room, "u200")
    room.greet(newcomer)
    assert desk.of("presence") == [{"type": "presence", "count": 103}]
    for connection, _ in crowd[:50]:
        room.leave(connection)
    room.tick(now + 10**6)
    last = ana.of("presence")[-1]
    assert last["count"] == 53
    assert {person["id"] for person in last["here"]} == set(room.presence.people), "all of them: none was named before"
    assert teacher.of("presence")[-1]["left"] == [f"u{n}" for n in range(3, 53)]


async def test_a_new_name_is_told_and_a_new_role_counts_at_once(room: Room, log: FakeLog) -> None:
    _, desk = enter(room)
    room.tick(0.0)
    room.receive(log.commit("person.changed", "u1", {"participant": "u2", "name": "Anna", "role": "assistant"}))
    room.tick(1.0)
    assert desk.of("presence")[-1]["here"] == [{"id": "u2", "name": "Anna", "role": "assistant", "color": "#8b4fbf"}]


async def test_signals_of_who_may_not_draw_are_dropped(room: Room, log: FakeLog) -> None:
    published: list[list[bytes]] = []
    room._publish_signals = published.append
    _, desk = enter(room, "u1")
    room.signal("u2", "ink", b'{"page":"p1"}')
    room.signal("u2", "ink", b'{"page":"nowhere"}')
    room.receive(log.commit("policy.set", "u1", {"draw": "staff"}))
    room.signal("u2", "ink", b'{"page":"p1"}')
    room.signal("u2", "cursor", b'{"page":"p1"}')
    assert [signal["kind"] for frame in desk.of("signals") for signal in frame["signals"]] == ["ink", "cursor"]
    assert len(published) == len(desk.of("signals"))


async def test_so_many_signals_of_one_participant_are_admitted(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    clocked(monkeypatch, "room")
    assert [room.admit_signal("u2") for _ in range(51)] == [True] * 50 + [False]
    assert room.admit_signal("u3")


async def test_the_state_is_what_the_log_folds_to(room: Room, log: FakeLog) -> None:
    room.receive(log.posts(3))
    body = json.loads(room.state_body(None, 0).body)
    assert (body["epoch"], body["seq"]) == ("5be0c41d", 6)
    assert body["state"] == state_json(room.replica.state)
