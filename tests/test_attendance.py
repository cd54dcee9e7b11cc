"""Attendance: each moment counts once, whoever saw it; what cannot be noted is kept; an untaught lesson ends."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classrooms import access, actions, attendance, log
from classrooms.attendance import Rollcall, Span, note, untaught
from classrooms.models import Attendance, Classroom, Lesson, Participant
from tests.support.client import Client
from tests.support.server import Server
from tests.support.waiting import until_async

HOUR = 3_600_000  # ms


@pytest.fixture
def live(transactional_db: None, classroom: Classroom, teacher: User) -> Iterator[Lesson]:
    yield actions.start(classroom, title="Leaves", decks=[], by=teacher)
    log.stop()


def row(lesson: Lesson, number: int = 1) -> tuple[int, int, int]:
    """Return when a participant was first and last seen, and how long they were there, ms."""
    return Attendance.objects.values_list("first_at", "last_at", "present").get(
        lesson=lesson, participant__number=number
    )


# --- the rollcall ------------------------------------------------------------------------------------------------


def test_who_is_here_is_told_at_each_call_and_who_left_once() -> None:
    roll = Rollcall()
    roll.enter("u1", 0)
    roll.enter("u2", 10)
    roll.enter("u1", 20)
    roll.leave("u2", 30)
    assert sorted(roll.take(60)) == [Span("u1", 0, 60), Span("u2", 10, 30)]
    assert roll.take(120) == [Span("u1", 60, 120)]
    roll.leave("u1", 150)
    roll.leave("u1", 160)
    assert roll.take(180) == [Span("u1", 120, 150)]
    assert roll.take(240) == []


def test_nobody_is_counted_after_the_end() -> None:
    roll = Rollcall()
    roll.enter("u1", 0)
    roll.end(60)
    roll.enter("u2", 70)
    roll.leave("u1", 90)
    assert (roll.left, roll.over) == (True, True)
    assert roll.take(100) == [Span("u1", 0, 60)]
    assert roll.take(200) == []


def test_what_is_put_back_comes_again_and_grows_by_no_row() -> None:
    roll = Rollcall()
    roll.enter("u1", 0)
    for minute in range(1, 200):
        roll.put_back(roll.take(minute * 60))
    assert roll.take(12_000) == [Span("u1", 0, 11_940), Span("u1", 11_940, 12_000)]


# --- rows --------------------------------------------------------------------------------------------------------

spans = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 40)), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=spans)
def test_however_many_saw_somebody_a_moment_counts_once(live: Lesson, told: list[tuple[int, int]]) -> None:
    Participant.objects.all().delete()
    Participant.objects.create(lesson=live, number=1, name="Ana", color="#000000")
    seen = sorted((since, since + length) for since, length in told)
    for since, until in seen:
        note(live.pk, [Span("u1", since, until)])
    note(live.pk, [Span("u1", *seen[0])])  # and again: a batch whose answer was lost
    moments = {moment for since, until in seen for moment in range(since, until)}
    assert row(live) == (seen[0][0], max(until for _, until in seen), len(moments))


def test_who_is_nobody_is_passed_over(live: Lesson) -> None:
    Participant.objects.create(lesson=live, number=2, name="Ana", color="#000000")
    note(live.pk, [Span("u9", 0, 5), Span("u2", 0, 7)])
    assert row(live, 2) == (0, 7, 7)
    assert Attendance.objects.count() == 1


def test_a_batch_of_a_large_class_is_noted_whole(live: Lesson) -> None:
    Participant.objects.bulk_create(
        Participant(lesson=live, number=n, name="A", color="#000000") for n in range(1, attendance.BATCH * 2 + 2)
    )
    note(live.pk, [Span(f"u{n}", 0, n) for n in range(1, attendance.BATCH * 2 + 2)])
    assert Attendance.objects.count() == attendance.BATCH * 2 + 1


# --- lessons that nobody teaches ---------------------------------------------------------------------------------


def test_a_lesson_is_untaught_two_hours_after_its_staff_were_seen(live: Lesson, teacher: User) -> None:
    now = attendance.now_ms()
    Lesson.objects.filter(pk=live.pk).update(started_at=timezone.now() - timedelta(hours=5))
    assert untaught() == [live.pk]
    actions.seat_staff(live, teacher)
    access.by_code(live.classroom.code, "Ana", {}, "192.0.2.1")
    note(live.pk, [Span("u1", now - 4 * HOUR, now - 2 * HOUR + 60_000), Span("u2", now - HOUR, now)])
    assert untaught() == []
    Attendance.objects.filter(participant__number=1).update(last_at=now - 2 * HOUR - 60_000)
    assert untaught() == [live.pk]
    actions.end(live, by=teacher)
    assert untaught() == []


def test_who_was_promoted_in_the_lesson_teaches_it(live: Lesson, teacher: User) -> None:
    now = attendance.now_ms()
    Lesson.objects.filter(pk=live.pk).update(started_at=timezone.now() - timedelta(hours=5))
    seat = access.by_code(live.classroom.code, "Ana", {}, "192.0.2.1")
    who = {"participant": seat.participant}
    joined = {**who, "name": "Ana", "role": "student", "color": "#000000"}
    events = [("person.joined", joined), ("person.changed", {**who, "role": "instructor"})]
    log.append(live.pk, [log.Entry(kind, None, kind, json.dumps(data)) for kind, data in events]).result(5)
    assert untaught() == [live.pk]
    note(live.pk, [Span(seat.participant, now - HOUR, now)])
    assert untaught() == []


def test_a_lesson_that_has_just_begun_waits_for_its_staff(live: Lesson) -> None:
    assert untaught() == []


# --- through the doors -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


async def test_who_came_and_left_is_on_record_within_seconds(server: Server) -> None:
    lesson = await asyncio.to_thread(server.start_lesson)
    before = attendance.now_ms()
    async with await Client.guest(server, "Ana"):
        pass

    def noted() -> list[tuple[object, ...]]:
        return server.rows(
            "SELECT p.name, a.first_at, a.last_at, a.present FROM classrooms_attendance a"
            " JOIN classrooms_participant p ON p.id = a.participant_id WHERE a.lesson_id = ?",
            lesson,
        )

    await until_async(lambda: bool(noted()))
    ((name, first, last, present),) = noted()
    assert name == "Ana"
    assert before <= int(str(first)) <= int(str(last)) <= attendance.now_ms()
    assert present == int(str(last)) - int(str(first))
