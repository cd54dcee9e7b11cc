"""Replicas: a snapshot and its tail are the full fold, and a snapshot that cannot be trusted is not used."""

import gc
import gzip
import json
import random

import pytest

from classrooms import log, replica
from classrooms.lesson import LessonState, state_json
from classrooms.models import Lesson, Snapshot
from classrooms.replica import Replica
from tests.support.road import append, joined, live_lesson, post, server_entry


def add(op: str, by: str = "u1") -> list[object]:
    """Return an edit that adds a line."""
    return ["add", f"{by}.{op.replace(':', '.')}", "line", {"at": [1, 2], "ends": [0, 0, 8, 8]}]


def lively_lesson(count: int) -> int:
    """Make a lesson of pages, ink, chat, people and policies, drawn from a seed; return its id."""
    dice = random.Random(7)
    lesson = live_lesson()
    entries = []
    for n in range(count - 3):
        op = f"9f3a01c2:{n}"
        entries.append(
            dice.choice([
                post(op, f"line {n}"),
                server_entry("board.edited", op, page="p1", edits=[add(op)]),
                server_entry("page.added", op, page=f"q{n}", kind="blank", title=f"Page {n}"),
                server_entry("page.shown", op, page=dice.choice(["p1", "q3", "q9"])),
                server_entry("policy.set", op, draw=dice.choice(["everyone", "chosen", "staff"])),
                joined(f"u{n + 10}", f"Somebody {n}"),
                server_entry("unheard.of", op, later="versions"),
            ])
        )  # fmt: skip
    append(lesson, *entries)
    return lesson


def same(one: LessonState, other: LessonState) -> bool:
    return (one.seq, one.at, state_json(one)) == (other.seq, other.at, state_json(other))


def store(kept: Replica) -> None:
    replica.store(kept.lesson, kept.epoch, kept.state.seq, kept.state.at, replica.freeze(kept))


@pytest.fixture
def lesson(file_database: None) -> int:
    return lively_lesson(400)


def test_a_snapshot_and_its_tail_are_the_full_fold(database: str) -> None:
    lesson = lively_lesson(40)
    for n in range(6):
        store(replica.load(lesson))
        append(lesson, *(post(f"tail:{n}:{m}") for m in range(3)))
    with_snapshot = replica.load(lesson)
    assert with_snapshot.snapshot_seq == 55
    Snapshot.objects.all().delete()
    from_zero = replica.load(lesson)
    assert from_zero.snapshot_seq == 0
    assert from_zero.state.seq == 58
    assert same(with_snapshot.state, from_zero.state)


def test_a_woken_ring_is_warm_beyond_the_snapshot(lesson: int, monkeypatch: pytest.MonkeyPatch) -> None:
    store(replica.load(lesson))
    append(lesson, post("tail:1"))
    woken = replica.load(lesson)
    assert (woken.ring.floor, woken.ring.head) == (0, 401), "who comes back after a restart costs no query"
    monkeypatch.setattr("classrooms.replica.MAX_EVENTS", 50)
    woken = replica.load(lesson)
    assert (woken.ring.floor, woken.ring.head) == (351, 401)
    monkeypatch.setattr("classrooms.replica.MAX_EVENTS", 1)
    woken = replica.load(lesson)
    assert (woken.ring.floor, woken.ring.head) == (400, 401), "the events after the snapshot are always there"
    assert woken.ring.time_of(400) == json.loads(log.since(lesson, 399)[0])["at"]
    assert same(woken.state, replica.load(lesson).state)


def test_a_snapshot_that_cannot_be_read_is_passed_over(lesson: int, caplog: pytest.LogCaptureFixture) -> None:
    whole = replica.load(lesson)
    good = {}
    for body in (b"not gzip at all", gzip.compress(b"{not json"), gzip.compress(b'{"title":1}')):
        store(whole)
        good[whole.state.seq] = True
        append(lesson, post(f"more:{len(good)}"))
        whole = replica.load(lesson)
        Snapshot.objects.create(lesson_id=lesson, epoch=whole.epoch, seq=whole.state.seq, at=0, body=body)
        append(lesson, post(f"still:{len(good)}"))
        woken = replica.load(lesson)
        assert woken.snapshot_seq in (*good, 0)
        Snapshot.objects.all().delete()
        assert same(woken.state, replica.load(lesson).state)
        whole = replica.load(lesson)
    assert caplog.text.count("cannot be read") >= 3


def test_a_snapshot_of_another_history_is_not_used(lesson: int) -> None:
    whole = replica.load(lesson)
    body = replica.freeze(whole)
    Snapshot.objects.create(lesson_id=lesson, epoch="0badbad0", seq=350, at=9, body=gzip.compress(body))
    assert replica.load(lesson).snapshot_seq == 0
    store(whole)
    assert replica.load(lesson).snapshot_seq == 400
    log.renew_epoch(lesson, whole.epoch)
    woken = replica.load(lesson)
    assert woken.snapshot_seq == 0
    assert woken.epoch != whole.epoch


def test_a_snapshot_beyond_the_head_tells_of_lost_commits_and_is_not_used(lesson: int) -> None:
    whole = replica.load(lesson)
    body = gzip.compress(replica.freeze(whole))
    Snapshot.objects.create(lesson_id=lesson, epoch=whole.epoch, seq=401, at=9, body=body)
    woken = replica.load(lesson)
    assert (woken.snapshot_seq, woken.state.seq) == (0, 400)


def test_the_newest_three_snapshots_and_one_for_every_2000_events_are_kept(file_database: None) -> None:
    lesson = live_lesson()
    epoch = Lesson.objects.get(pk=lesson).epoch
    for seq in range(500, 9001, 500):
        replica.store(lesson, epoch, seq, seq, b"{}")
    seqs = list(Snapshot.objects.filter(lesson=lesson).order_by("seq").values_list("seq", flat=True))
    assert seqs == [2000, 4000, 6000, 8000, 8500, 9000]


def test_uneven_snapshots_leave_one_in_every_2000(file_database: None) -> None:
    lesson = live_lesson()
    epoch = Lesson.objects.get(pk=lesson).epoch
    for seq in range(333, 9001, 333):
        replica.store(lesson, epoch, seq, seq, b"{}")
    seqs = list(Snapshot.objects.filter(lesson=lesson).order_by("seq").values_list("seq", flat=True))
    assert seqs == [2331, 4329, 6327, 8325, 8658, 8991]


def test_the_same_snapshot_from_two_processes_is_stored_once(database: str) -> None:
    lesson = live_lesson()
    kept = replica.load(lesson)
    store(kept)
    store(kept)
    assert Snapshot.objects.filter(lesson=lesson).count() == 1


def test_a_lesson_that_is_not_there_raises(file_database: None) -> None:
    with pytest.raises(Lesson.DoesNotExist):
        replica.load(10**9)
    with pytest.raises(Lesson.DoesNotExist):
        replica.current(10**9)


def test_the_replica_that_is_kept_up_to_date_is_found_until_it_is_let_go(lesson: int) -> None:
    kept = replica.load(lesson)
    replica.keep(kept)
    assert replica.current(lesson) is kept.state
    other = replica.load(lesson)
    replica.keep(other)
    replica.let_go(kept)  # which is not the one any more
    assert replica.current(lesson) is other.state
    replica.let_go(other)
    append(lesson, post("a:1"))
    assert replica.current(lesson).seq == 401, "an old one that somebody still holds is not found"
    assert other.state.seq == 400


def test_a_replica_that_its_owner_dropped_is_not_held(lesson: int) -> None:
    replica.keep(replica.load(lesson))
    gc.collect()
    assert replica.awake(lesson) is None


def test_a_lesson_that_no_hub_keeps_is_folded_once(lesson: int, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[int] = []
    load = replica.load

    def counting(lesson: int) -> Replica:
        loads.append(lesson)
        return load(lesson)

    monkeypatch.setattr(replica, "load", counting)
    assert [replica.current(lesson).seq for _ in range(3)] == [400] * 3
    append(lesson, post("x:1"))
    assert same(replica.current(lesson), load(lesson).state)
    assert loads == [lesson]
    log.renew_epoch(lesson, load(lesson).epoch)
    assert replica.current(lesson).seq == 401
    assert loads == [lesson] * 2, "another history is folded anew"


def test_of_lessons_that_no_hub_keeps_the_latest_are_remembered(
    file_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "KEEP_RESTING", 2)
    first, second, third = (live_lesson() for _ in range(3))
    replica._resting.clear()
    for lesson in (first, second, first, third):
        replica.current(lesson)
    assert list(replica._resting) == [first, third]
    kept = replica.load(first)
    replica.keep(kept)
    assert list(replica._resting) == [third], "one that a hub keeps is not kept twice"
