"""The log: one order a lesson, every entry once, and those that wait together committed together."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection

from classrooms import log
from classrooms.counters import tally
from classrooms.log import Committed, Outcome
from classrooms.models import Event, Lesson
from classrooms.writers import how_many
from tests.support.road import FIRST, STARTED, append, live_lesson, new_lesson, post, server_entry, stored
from tests.support.writer import held, listening


def stopped(*, at: int) -> SimpleNamespace:
    """A clock that stands at a time in ms since 1970."""
    return SimpleNamespace(time_ns=lambda: at * 1_000_000, monotonic=time.monotonic)


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

    lessons = [lesson, live_lesson()]
    units = [log._Unit(pk, [post("a:1"), post("a:2")]) for pk in lessons]
    log._learn_repeats(Spy(), {pk: log._Batch(pk, log.Head("e", 0), 0) for pk in lessons}, units)
    [(sql, params)] = queries
    assert len(params) == 12, "both entries of both lessons"
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
    many = how_many()
    assert len(told) == 2 * many, "of each writer the one that held it, and the one with all that waited"
    waited = [[(record.lesson, len(record.events)) for record in records] for records in told[many:]]
    shares = [[lesson for lesson in lessons if lesson % many == share] for share in range(many)]
    assert sorted(waited) == sorted([(lesson, 20) for lesson in share] for share in shares)


@pytest.mark.parametrize("writers", [1, 2, 4])
@pytest.mark.postgres
def test_the_order_holds_whatever_the_number_of_writers(on_postgres: None, settings: Any, writers: int) -> None:
    settings.LOG_WRITERS = writers
    log.stop()
    lessons = [new_lesson() for _ in range(7)]
    told: list[tuple[int, int]] = []
    threads: dict[int, set[int]] = {lesson: set() for lesson in lessons}

    def listen(records: list[Committed]) -> None:
        for record in records:
            threads[record.lesson].add(threading.get_ident())
            told.extend((record.lesson, json.loads(raw)["seq"]) for raw in record.events)

    unsubscribe = log.subscribe(listen)
    before = tally.committed, sum(tally.commit.counts)

    def write(thread: int) -> None:
        for number in range(15):
            for lesson in lessons:
                append(lesson, post(f"{thread}:{number}", by=f"u{thread}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    unsubscribe()
    assert all(len(used) == 1 for used in threads.values()), "one lesson is one writer's"
    assert len({thread for used in threads.values() for thread in used}) == writers
    for lesson in lessons:
        assert [seq for pk, seq in told if pk == lesson] == list(range(1, 61)), "and is told in its order"
        assert [seq for seq, _, _ in stored(lesson)] == list(range(1, 61))
    assert (tally.committed - before[0], sum(tally.commit.counts) - before[1]) == (420, 420)


def test_a_transaction_takes_as_many_statements_for_many_lessons_as_for_one(database: str, in_writer: Any) -> None:
    lessons = [new_lesson() for _ in range(10)]
    counted: list[int] = []

    def commit(really: Callable[[], None]) -> None:
        really()
        counted.append(len(connection.queries_log))
        connection.queries_log.clear()

    def connect(really: Callable[[], None]) -> None:
        connection.force_debug_cursor = True
        really()

    with held():
        futures = [log.append(lesson, [post("a:1"), post("a:2")]) for lesson in lessons]
        in_writer("_commit", commit)
        in_writer("ensure_connection", connect)
    for future in futures:
        assert future.result(20) == [Outcome(1), Outcome(2)]
    log.stop()
    assert counted[-1] <= 6, "BEGIN, lock, look up, events, heads"


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
