"""Attendance: who was in a lesson and how long, noted by each process in batches; and lessons that nobody teaches."""

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Case, Max, Q, QuerySet, When
from django.utils import timezone

from classrooms import replica
from classrooms.models import Attendance, Lesson
from classrooms.roles import STAFF

WRITE_EVERY = 60.0  # s between two batches of a lesson
WRITE_LEFT = 5.0  # s, where somebody has left: another process may see them next
BATCH = 500  # rows of a transaction: on SQLite the log's writer waits for it
UNTAUGHT = timedelta(hours=2)  # after which a lesson without staff ends itself


class Span(NamedTuple):
    """Somebody was there from one moment to another, ms since 1970."""

    participant: str
    since: int
    until: int


class Rollcall:
    """Who has been in a lesson, as one process saw it, since it was last noted. Times in ms since 1970."""

    def __init__(self) -> None:
        self._here: dict[str, int] = {}
        self._gone: dict[str, list[Span]] = {}
        self._over = False

    @property
    def left(self) -> bool:
        """Whether somebody is gone of whom that is not noted yet."""
        return bool(self._gone)

    @property
    def over(self) -> bool:
        """Whether the lesson has ended and what is left is the last to be noted."""
        return self._over

    def enter(self, participant: str, now: int) -> None:
        """Somebody is here; nothing if they were here already."""
        if not self._over:
            self._here.setdefault(participant, now)

    def leave(self, participant: str, now: int) -> None:
        """Somebody's last connection is gone."""
        since = self._here.pop(participant, None)
        if since is not None:
            self._add(Span(participant, since, now))

    def end(self, now: int) -> None:
        """The lesson is over: everybody was here until now, and nobody is counted any more."""
        for participant in list(self._here):
            self.leave(participant, now)
        self._over = True

    def take(self, now: int) -> list[Span]:
        """Return what is to be noted, and begin anew from `now`."""
        spans = [span for gone in self._gone.values() for span in gone]
        spans += [Span(participant, since, now) for participant, since in self._here.items()]
        self._gone.clear()
        self._here = dict.fromkeys(self._here, now)
        return spans

    def put_back(self, spans: Iterable[Span]) -> None:
        """Keep what could not be noted for the next time."""
        for span in spans:
            self._add(span)

    def _add(self, span: Span) -> None:
        """Keep a span; what goes on where the last one ended makes that longer: a dead database costs no memory."""
        kept = self._gone.setdefault(span.participant, [])
        if kept and kept[-1].until == span.since:
            kept[-1] = kept[-1]._replace(until=span.until)
        else:
            kept.append(span)


def now_ms() -> int:
    """Return the time, ms since 1970."""
    return time.time_ns() // 1_000_000


def note(lesson: int, spans: list[Span]) -> None:
    """Add spans to the rows of a lesson's participants. Blocking: a transaction for every 500 rows.

    A moment counts once, however many processes saw somebody in it, and in whatever order they say so: only what lies
    after the row's `last_at` is added. Noting a span again adds nothing.
    """
    rows = [
        (since, until, until - since, lesson, number)  # in one order everywhere: no two processes wait in a circle
        for number, until, since in sorted((int(span.participant[1:]), span.until, span.since) for span in spans)
    ]
    for start in range(0, len(rows), BATCH):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO classrooms_attendance (lesson_id, participant_id, first_at, last_at, present)"
                " SELECT lesson_id, id, %s, %s, %s FROM classrooms_participant WHERE lesson_id = %s AND number = %s"
                " ON CONFLICT (participant_id) DO UPDATE SET"
                " present = classrooms_attendance.present + CASE"
                "   WHEN excluded.last_at <= classrooms_attendance.last_at THEN 0"
                "   WHEN excluded.first_at >= classrooms_attendance.last_at THEN excluded.present"
                "   ELSE excluded.last_at - classrooms_attendance.last_at END,"
                " first_at = CASE WHEN excluded.first_at < classrooms_attendance.first_at"
                "   THEN excluded.first_at ELSE classrooms_attendance.first_at END,"
                " last_at = CASE WHEN excluded.last_at > classrooms_attendance.last_at"
                "   THEN excluded.last_at ELSE classrooms_attendance.last_at END",
                rows[start : start + BATCH],
            )


def attended(lesson: int) -> QuerySet[Attendance]:
    """Return the rows of a lesson, staff and then students, in the order in which they came."""
    rows = Attendance.objects.filter(lesson=lesson).select_related("participant")
    student = Case(When(participant__role__in=STAFF, then=0), default=1)
    return rows.order_by(student, "first_at", "participant__number")


def untaught() -> list[int]:
    """Return the live lessons in which no member of staff was seen for two hours. Blocking: one query, mostly."""
    before = timezone.now() - UNTAUGHT
    of_staff = Q(attendance__participant__role__in=STAFF)
    rows = Lesson.objects.filter(status=Lesson.Status.LIVE, started_at__lt=before)
    rows = rows.annotate(seen=Max("attendance__last_at", filter=of_staff))
    unseen = Q(seen=None) | Q(seen__lt=int(before.timestamp() * 1000))
    candidates = rows.filter(unseen).values_list("pk", flat=True)
    return [lesson for lesson in candidates if not _promoted_seen(lesson, int(before.timestamp() * 1000))]


def _promoted_seen(lesson: int, since: int) -> bool:
    """Whether somebody whom the lesson itself made staff was there since: the rows know what the server gave alone."""
    people = replica.current(lesson).people
    numbers = [int(key[1:]) for key, person in people.items() if person.role in STAFF and not person.removed]
    seen = Attendance.objects.filter(lesson=lesson, participant__number__in=numbers, last_at__gte=since)
    return seen.exists()
