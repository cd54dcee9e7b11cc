"""Retention: the logs of lessons that are not to be kept any longer are deleted, a little at a time.

What was shown, drawn and said goes: events, snapshots, and the lesson's hold on its decks. The lesson's row, its
participants and their attendance stay: when a class met and who was there is asked for long after its boards.
A lesson is marked first, so that nobody reads half of it. Whoever is interrupted goes on at the next sweep.
"""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.db import Error, connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from classrooms import log
from classrooms.models import Classroom, Lesson, LessonDeck, Snapshot

logger = logging.getLogger(__name__)

EVERY = 3600.0  # s between two sweeps
EVENTS = 500  # of a transaction: about 10 ms, for which the log's writer waits on SQLite
MOST_REST = 1.0  # s between two transactions at most


def due(keep: int, now: datetime) -> QuerySet[Lesson]:
    """Return the ended lessons whose students' days, and `keep` more, are over, and that nobody has marked yet."""
    days = Classroom.objects.order_by().values_list("retention", flat=True).distinct()
    over = Q(pk=None)
    for retention in days:
        over |= Q(classroom__retention=retention, ended_at__lt=now - timedelta(days=retention + keep))
    return Lesson.objects.filter(over, status=Lesson.Status.ENDED, emptied_at=None)


def sweep(keep: int, now: datetime | None = None, rest: Callable[[float], None] = time.sleep) -> tuple[int, int]:
    """Delete what is due, and what an earlier sweep left. Blocking, for long. Returns how many lessons and events.

    After each transaction it rests for as long as that took: half of the time is left to the log's writer.
    """
    now = now or timezone.now()
    due(keep, now).update(emptied_at=now)
    lessons = events = 0
    for lesson in list(_left()):
        lessons += 1
        for deleted, took in _emptied(lesson):
            events += deleted
            rest(min(took, MOST_REST))
        logger.info("a lesson is not kept any more", extra={"lesson": lesson})
    return lessons, events


def keep_on(keep: int) -> None:
    """Sweep once an hour, for ever."""
    while True:
        try:
            sweep(keep)
        except Error:
            logger.exception("lessons that are not to be kept could not be deleted")
        finally:
            connection.close()
        time.sleep(EVERY)


def _left() -> QuerySet[Lesson, int]:
    """Return the marked lessons of which something is there."""
    folded, decks = (Exists(model.objects.filter(lesson=OuterRef("pk"))) for model in (Snapshot, LessonDeck))
    marked = Lesson.objects.filter(status=Lesson.Status.ENDED, emptied_at__isnull=False)
    return marked.filter(log.is_there() | folded | decks).order_by("pk").values_list("pk", flat=True)


def _emptied(lesson: int) -> Iterator[tuple[int, float]]:
    """Delete what a lesson has, in transactions; yield of each how many events it deleted and the seconds it took."""
    since = time.monotonic()
    for snapshot in list(Snapshot.objects.filter(lesson=lesson).values_list("pk", flat=True)):
        Snapshot.objects.filter(pk=snapshot).delete()  # one of a full board has a megabyte
        yield 0, time.monotonic() - since
        since = time.monotonic()
    while deleted := log.forget(lesson, EVENTS):
        yield deleted, time.monotonic() - since
        since = time.monotonic()
    LessonDeck.objects.filter(lesson=lesson).delete()  # last: whoever is interrupted finds it
