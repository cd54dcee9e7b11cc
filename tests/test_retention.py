"""Retention: what is over goes a little at a time, what lives is never touched, and who was there stays."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from classroom_site import worker
from classrooms import access, actions, log, replica, retention
from classrooms.attendance import Span, note
from classrooms.log import Outcome
from classrooms.models import Attendance, Classroom, Event, Lesson, LessonDeck, Participant, Snapshot
from classrooms.refusals import Code, Refused
from classrooms.roles import Role
from tests.support.decks import make_deck
from tests.support.road import append, hubs, live_lesson, post, server_entry, stored
from tests.support.waiting import until

NOW = timezone.now()


def ended_lesson(days: float, *, retention: int = 30, posts: int = 20) -> int:
    """Make a lesson with a snapshot and somebody in it that ended so many days ago; its log has `posts` + 4 events."""
    lesson = live_lesson(posts)
    append(lesson, server_entry("lesson.ended", "ended"))
    kept = replica.load(lesson)
    replica.store(lesson, kept.epoch, kept.state.seq, kept.state.at, replica.freeze(kept))
    Lesson.objects.filter(pk=lesson).update(ended_at=NOW - timedelta(days=days))
    Classroom.objects.filter(lessons=lesson).update(retention=retention)
    Participant.objects.create(lesson_id=lesson, number=2, name="Ana", color="#000000")
    note(lesson, [Span("u2", 1, 1000)])
    return lesson


def due(keep: int) -> set[int]:
    return set(retention.due(keep, NOW).values_list("pk", flat=True))


def quick(seconds: float) -> None:
    """Rest for no time."""


# --- what is due -----------------------------------------------------------------------------------------------------


def test_a_lesson_is_due_when_the_days_of_its_own_classroom_are_over(database: str) -> None:
    short, long_ = ended_lesson(8, retention=7), ended_lesson(8, retention=9)
    border = ended_lesson(6.99, retention=7)
    assert due(0) == {short}
    assert due(1) == set()
    Lesson.objects.filter(pk=long_).update(ended_at=NOW - timedelta(days=365))
    assert due(1) == {long_}
    assert due(400) == set()
    assert retention.due(0, NOW + timedelta(hours=1)).filter(pk=border).exists()


def test_a_lesson_that_is_live_or_starting_is_never_touched(database: str) -> None:
    live = live_lesson(20)
    Lesson.objects.filter(pk=live).update(started_at=NOW - timedelta(days=900), ended_at=NOW - timedelta(days=900))
    before = stored(live)
    assert retention.sweep(0, NOW, quick) == (0, 0)
    assert Lesson.objects.get(pk=live).emptied_at is None, "nobody is kept from reading it either"
    Lesson.objects.filter(pk=live).update(emptied_at=NOW)  # nothing does this; and still
    assert retention.sweep(0, NOW, quick) == (0, 0)
    Lesson.objects.filter(pk=live).update(emptied_at=None, status=Lesson.Status.STARTING)
    assert retention.sweep(0, NOW, quick) == (0, 0)
    assert stored(live) == before


# --- deleting --------------------------------------------------------------------------------------------------------


def test_what_was_drawn_and_said_goes_in_small_parts_and_who_was_there_stays(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, young = ended_lesson(40), ended_lesson(20)
    monkeypatch.setattr(retention, "EVENTS", 5)
    counts: list[int] = []

    def rest(seconds: float) -> None:
        assert not connection.in_atomic_block
        counts.append(Event.objects.filter(lesson=old).count())

    assert retention.sweep(0, NOW, rest) == (1, 24)
    assert counts == [24, 19, 14, 9, 4, 0], "one rest after the snapshot, and one after every five events"
    assert not Snapshot.objects.filter(lesson=old).exists()
    row = Lesson.objects.get(pk=old)
    assert (row.title, row.head, row.emptied_at) == ("Leaves", 24, NOW)
    assert Attendance.objects.filter(lesson=old, participant__name="Ana", present=999).count() == 1
    assert len(stored(young)) == 24
    assert Snapshot.objects.filter(lesson=young).count() == 1
    assert retention.sweep(0, NOW, rest) == (0, 0)


@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_sweep_that_is_interrupted_is_gone_on_with(
    database: str, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    lessons = [ended_lesson(40), ended_lesson(41)]
    monkeypatch.setattr(retention, "EVENTS", 10)
    rests: list[float] = []

    def rest(seconds: float) -> None:
        rests.append(seconds)
        if len(rests) == after:
            raise OperationalError("the connection is lost")

    with pytest.raises(OperationalError):
        retention.sweep(0, NOW, rest)
    left = Event.objects.filter(lesson__in=lessons).count()
    assert left == 48 - min(24, 10 * (after - 1))
    for lesson in lessons:  # whatever is left of it, nobody reads half a lesson
        with pytest.raises(Refused) as refused:
            access.may_read(lesson, access.READER)
        assert refused.value.code is Code.ENDED
    assert retention.sweep(0, NOW, quick)[1] == left
    assert Event.objects.filter(lesson__in=lessons).count() == Snapshot.objects.count() == 0


def test_lessons_are_taught_while_others_are_deleted(database: str) -> None:
    old, live = ended_lesson(40, posts=3000), live_lesson()
    swept: list[Any] = []

    def sweep() -> None:
        try:
            swept.append(retention.sweep(0, NOW))
        finally:
            connection.close()

    sweeping = threading.Thread(target=sweep)
    sweeping.start()
    number = 0
    while sweeping.is_alive() or number < 20:
        assert append(live, post(f"a:{number}")) == [Outcome(number + 4)]
        number += 1
    sweeping.join()
    assert swept == [(1, 3004)]
    assert [seq for seq, _, _ in stored(live)] == list(range(1, number + 4))
    assert stored(old) == []


# --- afterwards ------------------------------------------------------------------------------------------------------


def test_the_log_takes_nothing_more_and_no_snapshot_comes_back(database: str) -> None:
    lesson = ended_lesson(40)
    retention.sweep(0, NOW, quick)
    assert append(lesson, post("late:1")) == [Outcome(code=Code.ENDED)]
    with pytest.raises(Lesson.DoesNotExist):
        replica.load(lesson)
    state = replica.current(lesson)
    assert (state.status, len(state.pages), state.people) == ("ended", 0, {})
    replica.store(lesson, "epoch", 24, 1, b"{}")  # by a process that held it all the while
    assert retention.sweep(0, NOW, quick) == (1, 0)
    assert not Snapshot.objects.filter(lesson=lesson).exists()


async def test_no_hub_wakes_it(file_database: None) -> None:
    from classrooms.hub import in_reader

    lesson = await in_reader(ended_lesson, 40)
    await in_reader(retention.sweep, 0, NOW, quick)
    async with hubs() as [hub]:
        with pytest.raises(Lesson.DoesNotExist):
            await hub.room(lesson)


@pytest.fixture
def emptied(transactional_db: None, classroom: Classroom, teacher: User) -> Iterator[Lesson]:
    """A lesson of the teacher's with a deck, emptied."""
    lesson = actions.start(classroom, title="Leaves", decks=[make_deck(teacher, "Leaves")], by=teacher)
    actions.end(lesson, by=teacher)
    Lesson.objects.filter(pk=lesson.pk).update(ended_at=NOW - timedelta(days=40))
    assert LessonDeck.objects.filter(lesson=lesson).count() == 1
    retention.sweep(0, NOW, quick)
    lesson.refresh_from_db()
    yield lesson
    log.stop()


def test_every_door_says_that_it_has_ended(emptied: Lesson, teacher: User) -> None:
    client = Client()
    client.force_login(teacher)
    answer = client.post(f"/api/lessons/{emptied.pk}/join/", {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "ended")
    assert "not kept any more" in answer.json()["message"]
    ticket = access.ticket(access.Seat(emptied.pk, "u1", "Teacher", "#000000", Role.INSTRUCTOR, 0))
    answer = client.get(f"/api/lessons/{emptied.pk}/events/", headers={"authorization": f"Ticket {ticket}"})
    assert (answer.status_code, answer.json()["code"]) == (409, "ended")
    row = client.get(f"/api/lessons/{emptied.pk}/").json()
    assert (row["status"], row["title"]) == ("ended", "Leaves")
    page = client.get(f"/lessons/{emptied.pk}/")
    assert page.status_code == 302
    assert client.get(page["Location"]).status_code == 200, "what is left of it: who was there"


def test_its_deck_is_free_and_nothing_goes_on_from_it(emptied: Lesson, classroom: Classroom, teacher: User) -> None:
    assert not LessonDeck.objects.filter(lesson=emptied).exists()
    with pytest.raises(Refused) as refused:
        actions.start(classroom, title="On", decks=[], last=emptied, by=teacher)
    assert refused.value.code is Code.NOT_ALLOWED


# --- who does it -----------------------------------------------------------------------------------------------------


def test_the_command_deletes_only_when_it_is_told_how_long_to_keep(database: str, settings: Any) -> None:
    lesson = ended_lesson(40)
    with pytest.raises(CommandError, match="kept for ever"):
        call_command("retain")
    with pytest.raises(CommandError, match="0 or more"):
        call_command("retain", days=-1)
    said = StringIO()
    call_command("retain", days=0, look=True, stdout=said)
    assert said.getvalue().startswith(f"{lesson}: Leaves, ended ")
    assert len(stored(lesson)) == 24
    settings.KEEP_LESSONS = 20
    call_command("retain", stdout=said)
    assert len(stored(lesson)) == 24
    settings.KEEP_LESSONS = 0
    call_command("retain", stdout=said)
    assert said.getvalue().endswith("0 lessons, 0 events deleted.\n1 lessons, 24 events deleted.\n")


class _Over(BaseException):
    """Ends a thread that runs for ever."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_worker_does_it_where_that_is_set(
    file_database: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = ended_lesson(40)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if seconds == retention.EVERY:
            raise _Over

    class Worker:
        def run(self) -> None:
            raise _Over

    monkeypatch.setattr("classrooms.retention.time.sleep", pause)
    monkeypatch.setattr(worker, "_worker", Worker)
    with pytest.raises(_Over):
        worker.work()
    assert retention.EVERY not in pauses
    settings.KEEP_LESSONS = 0
    with pytest.raises(_Over):
        worker.work()
    until(lambda: retention.EVERY in pauses, saying="the sweep is over")
    assert stored(lesson) == []


def test_a_database_in_trouble_ends_no_sweeper(
    file_database: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[datetime] = []

    def pause(seconds: float) -> None:
        if len(tries) == 2:
            raise _Over

    def sweep(keep: int) -> None:
        tries.append(timezone.now())
        raise OperationalError("the database is away")

    monkeypatch.setattr(retention, "sweep", sweep)
    monkeypatch.setattr("classrooms.retention.time.sleep", pause)
    with pytest.raises(_Over):
        retention.keep_on(0)
    assert len(tries) == 2
    assert "could not be deleted" in caplog.text
