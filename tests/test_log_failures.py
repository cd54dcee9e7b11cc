"""The log when things go wrong: an outcome for every entry, nothing lost, and nobody hurt by another's trouble."""

import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import (
    DatabaseError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)

from classrooms import log
from classrooms.log import Entry, Outcome
from classrooms.models import Lesson
from classrooms.refusals import Code
from classrooms.writers import how_many
from tests.support.road import STARTED, append, live_lesson, new_lesson, post, stored
from tests.support.writer import held

TRY_AGAIN = Outcome(code=Code.TRY_AGAIN)

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


@pytest.mark.parametrize(
    "trouble",
    [
        InternalError("cannot execute UPDATE in a read-only transaction"),  # PostgreSQL, after a change of primary
        ProgrammingError("permission denied for table classrooms_event"),
        DatabaseError("database disk image is malformed"),  # SQLite
        OperationalError("database or disk is full"),
        InterfaceError("connection already closed"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_trouble_of_the_database_refuses_an_op_for_good(database: str, in_writer: Any, trouble: Exception) -> None:
    lesson = live_lesson()
    broken = True

    def commit(really: Callable[[], None]) -> None:
        if broken:
            raise trouble
        really()

    in_writer("_commit", commit)
    assert append(lesson, post("a:1"), post("a:2")) == [TRY_AGAIN, TRY_AGAIN]
    broken = False
    assert [outcome.seq for outcome in append(lesson, post("a:1"), post("a:2"))] == [4, 5]


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
    database: str, in_writer: Any, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.LOG_WRITERS = 1
    log.stop()
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
    monkeypatch.setattr("classrooms.writers.MAX_WAITING", 2 * how_many())
    with held():
        futures = [log.append(lesson, [post(f"a:{n}")]) for n in range(4)]
        assert [future.done() for future in futures] == [False, False, True, True]
        if how_many() > 1:
            other = lesson + 1
            assert not log.append(other, [post("a:1")]).done(), "what another writer takes is not refused for it"
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
