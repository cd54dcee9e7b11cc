"""The log: one order a lesson, every entry once, and an outcome for each whatever the database does."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from classrooms import log
from classrooms.log import Committed, Entry, Outcome
from classrooms.models import Event, Lesson
from classrooms.refusals import Code
from tests.support.road import FIRST, STARTED, append, live_lesson, new_lesson, post, server_entry, stored

TRY_AGAIN = Outcome(code=Code.TRY_AGAIN)


@contextmanager
def listening() -> Iterator[list[list[Committed]]]:
    """What a listener of the log is told meanwhile."""
    told: list[list[Committed]] = []
    unsubscribe = log.subscribe(told.append)
    try:
        yield told
    finally:
        unsubscribe()


def stopped(*, at: int) -> SimpleNamespace:
    """A clock that stands at a time in ms since 1970."""
    return SimpleNamespace(time_ns=lambda: at * 1_000_000, monotonic=time.monotonic)


@contextmanager
def held() -> Iterator[None]:
    """Keep the writer in a listener, so that what is appended meanwhile waits together."""
    entered, released = threading.Event(), threading.Event()

    def hold(records: list[Committed]) -> None:
        entered.set()
        assert released.wait(20)

    unsubscribe = log.subscribe(hold)
    waiting = log.append(new_lesson(), [STARTED])
    assert entered.wait(20)
    unsubscribe()
    try:
        yield
    finally:
        released.set()
        waiting.result(20)


@pytest.fixture
def in_writer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[Any], Any]], None]:
    """Replace a step of Django's database wrapper, in the writer's thread alone; the step is given the real one."""

    def replace(name: str, step: Callable[[Any], Any]) -> None:
        original = getattr(BaseDatabaseWrapper, name)

        def either(wrapper: Any) -> Any:
            mine = threading.current_thread().name == "log-writer"
            return step(lambda: original(wrapper)) if mine else original(wrapper)

        monkeypatch.setattr(BaseDatabaseWrapper, name, either)

    return replace


# --- order ---------------------------------------------------------------------------------------------------------


def test_seqs_are_contiguous_under_eight_threads_and_three_lessons(database: str) -> None:
    lessons = [new_lesson() for _ in range(3)]

    def write(thread: int) -> list[tuple[int, int | None]]:
        futures = [
            (lesson, log.append(lesson, [post(f"{thread}:{number}", by=f"u{thread}")]))
            for number in range(25)
            for lesson in lessons
        ]
        return [(lesson, future.result(20)[0].seq) for lesson, future in futures]

    with ThreadPoolExecutor(8) as pool:
        given = [pair for pairs in pool.map(write, range(8)) for pair in pairs]
    for lesson in lessons:
        assert sorted(seq or 0 for owner, seq in given if owner == lesson) == list(range(1, 201))
        assert [seq for seq, _, _ in stored(lesson)] == list(range(1, 201))
        assert Lesson.objects.get(pk=lesson).head == 200
        for thread in range(8):  # each author's own order is kept
            ops = [op for _, by, op in stored(lesson) if by == f"u{thread}"]
            assert ops == [f"{thread}:{number}" for number in range(25)]


def test_listeners_get_the_very_bytes_that_are_read_later(database: str) -> None:
    lesson = new_lesson()
    with listening() as told:
        append(lesson, *FIRST, post("a:1", 'Grüße, 日本 \\ " \n'))
        append(lesson, post("a:2"))
    heads = [(record.head.seq, len(record.events)) for records in told for record in records]
    assert heads == [(4, 4), (5, 1)]
    assert [raw for records in told for record in records for raw in record.events] == log.since(lesson, 0)
    assert log.since(lesson, 3) == log.since(lesson, 0)[3:]
    assert log.since(lesson, 1, 2) == log.since(lesson, 0)[1:3]
    first = json.loads(log.since(lesson, 0)[0])
    assert (first["seq"], first["by"], first["op"]) == (1, None, "started")


def test_time_never_goes_back_with_the_clock(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = new_lesson()
    clock = [1_764_000_000_500, 1_764_000_000_000, 1_764_000_000_700]
    for number, now in enumerate(clock):
        monkeypatch.setattr("classrooms.log.time", stopped(at=now))
        append(lesson, post(f"a:{number}"))
    times = list(Event.objects.filter(lesson=lesson).order_by("seq").values_list("at", flat=True))
    assert times == [clock[0], clock[0], clock[2]]


def test_the_lessons_status_follows_its_events(database: str) -> None:
    lesson = new_lesson()
    assert Lesson.objects.get(pk=lesson).status == Lesson.Status.STARTING
    append(lesson, *FIRST)
    row = Lesson.objects.get(pk=lesson)
    assert (row.status, row.ended_at) == (Lesson.Status.LIVE, None)
    append(lesson, server_entry("lesson.ended", "ended"))
    row = Lesson.objects.get(pk=lesson)
    assert row.status == Lesson.Status.ENDED
    assert row.ended_at is not None


# --- once ----------------------------------------------------------------------------------------------------------


def test_a_repeat_gets_the_first_seq(database: str) -> None:
    lesson = live_lesson()
    assert append(lesson, post("a:1"), post("a:2"), post("a:1")) == [Outcome(4), Outcome(5), Outcome(4, repeat=True)]
    assert append(lesson, post("a:2"), post("a:3")) == [Outcome(5, repeat=True), Outcome(6)]
    assert append(lesson, post("a:1", by="u2")) == [Outcome(7)], "the same op id of somebody else is another op"
    assert append(lesson, *FIRST) == [Outcome(1, repeat=True), Outcome(2, repeat=True), Outcome(3, repeat=True)]
    assert len(stored(lesson)) == 7


def test_the_same_op_from_many_threads_happens_once(database: str) -> None:
    lesson = live_lesson()
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: append(lesson, post("a:1"))[0], range(40)))
    assert {outcome.seq for outcome in outcomes} == {4}
    assert sum(not outcome.repeat for outcome in outcomes) == 1


def test_a_commit_that_succeeds_and_is_reported_as_failed_ends_once(database: str, in_writer: Any) -> None:
    lesson = live_lesson()
    failures: list[int] = []

    def commit(really: Callable[[], None]) -> None:
        really()
        if not failures:
            failures.append(1)
            raise OperationalError("the connection was lost at the worst moment")

    in_writer("_commit", commit)
    with listening() as told:
        assert append(lesson, post("a:1"), post("a:2")) == [Outcome(4, repeat=True), Outcome(5, repeat=True)]
    assert failures
    assert [seq for seq, _, _ in stored(lesson)] == [1, 2, 3, 4, 5]
    assert [(record.head.seq, record.events) for records in told for record in records] == [(5, [])], "hubs hear of it"


@pytest.mark.parametrize("entries", [0, 1, 1200])
def test_a_unit_may_hold_any_number_of_entries(database: str, entries: int) -> None:
    lesson = new_lesson()
    outcomes = append(lesson, *(post(f"a:{number}") for number in range(entries)))
    assert [outcome.seq for outcome in outcomes] == list(range(1, entries + 1))


def test_repeats_are_looked_up_in_the_unique_index(database: str) -> None:
    lesson = live_lesson()
    for other in range(5):
        Event.objects.bulk_create(
            Event(lesson_id=lesson, seq=1000 * other + number, kind="chat.posted", by=f"u{other}", op=f"x:{number}",
                  at=1, data="{}")
            for number in range(100, 900)
        )  # fmt: skip
    queries: list[tuple[str, Any]] = []

    class Spy:
        def execute(self, sql: str, params: Any) -> None:
            queries.append((sql, params))

        def fetchall(self) -> list[Any]:
            return []

    log._Batch(lesson, log.Head("e", 0), 0).learn_repeats(Spy(), [post("a:1"), post("a:2")])
    [(sql, params)] = queries
    with connection.cursor() as cursor:
        if database == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            plan = "\n".join(row[3] for row in cursor.fetchall())
            assert "INDEX" in plan
            assert "(lesson_id=? AND by=? AND op=?)" in plan
            assert "SCAN event" not in plan
        else:
            cursor.execute("ANALYZE classrooms_event")
            cursor.execute(f"EXPLAIN {sql}", params)
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "event_op_once" in plan
            assert "Seq Scan" not in plan


# --- many at once --------------------------------------------------------------------------------------------------


def test_all_that_wait_take_one_transaction(database: str) -> None:
    lessons = [new_lesson() for _ in range(4)]
    with listening() as told:
        with held():
            futures = [log.append(lesson, [post(f"a:{n}")]) for n in range(20) for lesson in lessons]
        assert [future.result(20)[0].seq for future in futures] == [n for n in range(1, 21) for _ in lessons]
    assert len(told) == 2, "the one that held the writer, and the one with all that waited"
    assert [(record.lesson, len(record.events)) for record in told[1]] == [(lesson, 20) for lesson in sorted(lessons)]


def test_listeners_are_called_before_futures_resolve(database: str) -> None:
    lesson = new_lesson()
    done: list[bool] = []
    futures: list[Any] = []
    with held():
        unsubscribe = log.subscribe(lambda _: done.extend(future.done() for future in futures))
        futures += [log.append(lesson, [post(f"a:{n}")]) for n in range(3)]
    for future in futures:
        future.result(20)
    unsubscribe()
    assert done == [False, False, False]


def test_a_listener_that_fails_takes_nothing_with_it(database: str, caplog: pytest.LogCaptureFixture) -> None:
    lesson = new_lesson()

    def fail(_: list[Committed]) -> None:
        raise RuntimeError("this hub's loop is closed")

    unsubscribe = log.subscribe(fail)
    with listening() as told:
        assert append(lesson, STARTED) == [Outcome(1)]
    unsubscribe()
    unsubscribe()  # twice does no harm
    assert len(told) == 1
    assert "a listener of the log failed" in caplog.text


def test_an_append_whose_caller_has_gone_harms_nobody(database: str) -> None:
    lesson = live_lesson()
    with held():
        gone = log.append(lesson, [post("a:1")])
        stays = log.append(lesson, [post("a:2")])
        assert gone.cancel()
    assert stays.result(20) == [Outcome(4)]
    assert append(lesson, post("a:1")) == [Outcome(5)]


# --- what goes wrong -----------------------------------------------------------------------------------------------

BAD = {
    "a NUL": (Entry("chat.posted", "u1", "bad:1", '{"text":"\\u0000"}'.replace("\\u0000", "\0")), "postgres"),
    "an op id that is too long": (post("x" * 60), "postgres"),
    "half an emoji": (Entry("chat.posted", "u1", "bad:2", '{"text":"\ud83d"}'), "sqlite postgres"),
    "no text at all": (Entry("chat.posted", "u1", "bad:3", None), "sqlite postgres"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("what", BAD)
def test_one_bad_entry_hurts_nobody_else(database: str, what: str) -> None:
    bad, where = BAD[what]
    mine, other = live_lesson(), live_lesson()
    with held():
        before = log.append(mine, [post("b:1", by="u2")])
        unit = log.append(mine, [post("a:1"), bad, post("a:2")])
        after = log.append(mine, [post("b:2", by="u2")])
        elsewhere = log.append(other, [post("a:1")])
    verdicts = unit.result(20)
    if database in where:
        assert verdicts[1] == Outcome(code=Code.BAD_FRAME)
        assert not verdicts[1].retry
    assert verdicts[0].seq
    assert verdicts[2].seq
    assert before.result(20)[0].seq
    assert after.result(20)[0].seq
    assert elsewhere.result(20) == [Outcome(4)]
    assert [seq for seq, _, _ in stored(mine)] == list(range(1, len(stored(mine)) + 1))
    assert append(mine, post("c:1"))[0].seq == len(stored(mine)), "the writer goes on"


def test_a_unit_keeps_its_order_after_a_failure_that_may_be_retried(database: str, in_writer: Any) -> None:
    lesson = live_lesson()
    bad = post("bad:1")._replace(text=None)  # type: ignore[arg-type]
    commits: list[int] = []

    def commit(really: Callable[[], None]) -> None:
        commits.append(1)
        if len(commits) in (2, 3):  # one by one, because of the bad entry: the second one meets a failing database
            raise OperationalError("the disk is full")
        really()

    in_writer("_commit", commit)
    outcomes = append(lesson, post("a:1"), post("a:2"), bad, post("a:3"))
    assert outcomes == [Outcome(4), TRY_AGAIN, TRY_AGAIN, TRY_AGAIN]
    assert [op for _, _, op in stored(lesson)[3:]] == ["a:1"]
    again = append(lesson, post("a:1"), post("a:2"), post("a:3"))
    assert again == [Outcome(4, repeat=True), Outcome(5), Outcome(6)]


def test_a_lesson_that_is_gone_answers_ended(database: str) -> None:
    lesson = new_lesson()
    Lesson.objects.filter(pk=lesson).delete()
    assert append(lesson, post("a:1"), post("a:2")) == [Outcome(code=Code.ENDED)] * 2


def test_an_append_inside_an_atomic_block_raises(database: str) -> None:
    lesson = new_lesson()
    with transaction.atomic(), pytest.raises(RuntimeError, match="on_commit"):
        log.append(lesson, [STARTED])
    assert stored(lesson) == []


def test_a_locked_database_says_try_again_and_loses_nothing(
    file_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = [live_lesson(), live_lesson()]
    log.stop()  # the next writer opens the database with the timeout below
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.05)
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        futures = [log.append(lesson, [post(f"a:{n}"), post(f"b:{n}")]) for n in range(30) for lesson in lessons]
        assert [future.result(20) for future in futures] == [[TRY_AGAIN, TRY_AGAIN]] * 60
        other.execute("ROLLBACK")
    for lesson in lessons:
        assert append(lesson, post("a:0"), post("b:0")) == [Outcome(4), Outcome(5)]
    log.stop()


def test_a_database_that_stays_away_is_given_up_after_a_time(
    database: str, in_writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = [new_lesson() for _ in range(20)]
    clock = [0.0]
    monkeypatch.setattr("classrooms.log.time", SimpleNamespace(time_ns=time.time_ns, monotonic=lambda: clock[0]))
    tries: list[float] = []

    def commit(really: Callable[[], None]) -> None:
        tries.append(clock[0])
        clock[0] += 5.0
        raise OperationalError("database is locked")

    with held():
        futures = [log.append(lesson, [STARTED]) for lesson in lessons]
        in_writer("_commit", commit)
    assert [future.result(20) for future in futures] == [[TRY_AGAIN]] * 20
    assert tries == [0.0, 5.0], "not five seconds for each of twenty lessons"


@pytest.mark.postgres
def test_a_stopped_postgres_says_try_again_and_goes_on_when_it_is_back(
    on_postgres: None, postgres: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = live_lesson()
    monkeypatch.setattr(
        connection.pool,  # type: ignore[attr-defined]
        "timeout",
        0.3,
    )
    postgres.stop()
    assert append(lesson, post("a:1"), post("a:2")) == [TRY_AGAIN, TRY_AGAIN]
    postgres.start()
    outcomes = append(lesson, post("a:1"), post("a:2"))
    while outcomes == [TRY_AGAIN, TRY_AGAIN]:  # the pool connects again in its own time
        outcomes = append(lesson, post("a:1"), post("a:2"))
    assert outcomes == [Outcome(4), Outcome(5)]


@pytest.mark.postgres
def test_one_lesson_that_is_locked_elsewhere_does_not_hold_up_the_others(on_postgres: None) -> None:
    stuck, other = sorted([live_lesson(), live_lesson()])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM classrooms_lesson WHERE id = %s FOR UPDATE", [stuck])
        with ThreadPoolExecutor(1) as pool:
            with_timeout = pool.submit(_append_both, stuck, other)
            assert with_timeout.result(20) == ([TRY_AGAIN], [Outcome(4)])


def _append_both(stuck: int, other: int) -> tuple[list[Outcome], list[Outcome]]:
    log.stop()
    futures = log.append(stuck, [post("a:1")]), log.append(other, [post("a:1")])
    return futures[0].result(20), futures[1].result(20)


def test_too_many_that_wait_are_told_to_come_again_at_once(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = live_lesson()
    monkeypatch.setattr("classrooms.log.MAX_WAITING", 2)
    with held():
        futures = [log.append(lesson, [post(f"a:{n}")]) for n in range(4)]
        assert [future.done() for future in futures] == [False, False, True, True]
    assert [future.result(20) for future in futures] == [[Outcome(4)], [Outcome(5)], [TRY_AGAIN], [TRY_AGAIN]]


def test_stop_commits_what_waits_and_the_next_append_starts_anew(database: str) -> None:
    lesson = live_lesson()
    futures = [log.append(lesson, [post(f"a:{n}")]) for n in range(50)]
    log.stop()
    assert all(future.done() for future in futures)
    assert append(lesson, post("b:1")) == [Outcome(54)]
    log.stop()
    log.stop()


def test_stopping_while_others_append_leaves_nobody_waiting(database: str) -> None:
    lesson = live_lesson()

    def write(thread: int) -> int:
        return sum(append(lesson, post(f"{thread}:{n}"))[0].seq is not None for n in range(30))

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, thread) for thread in range(4)]
        while not all(one.done() for one in writing):
            log.stop()
        assert [one.result() for one in writing] == [30] * 4


# --- heads and epochs ----------------------------------------------------------------------------------------------


def test_heads_of_many_lessons_take_one_query(database: str, django_assert_num_queries: Any) -> None:
    lessons = [live_lesson(), new_lesson()]
    with django_assert_num_queries(1):
        heads = log.heads([*lessons, 10**9])
    assert {lesson: head.seq for lesson, head in heads.items()} == {lessons[0]: 3, lessons[1]: 0}


def test_an_epoch_is_renewed_by_the_first_who_asks(database: str) -> None:
    lesson = live_lesson()
    old = log.heads([lesson])[lesson].epoch
    new = log.renew_epoch(lesson, old)
    assert new != old
    assert log.renew_epoch(lesson, old) == new
    assert append(lesson, post("a:1")) == [Outcome(4)]
    assert log.heads([lesson])[lesson] == (new, 4)
