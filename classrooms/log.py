"""The log: the only writer of events. Few threads a process commit what waits, in the order the database gives.

A lesson is always the same thread's (`LOG_WRITERS`), so that what is appended to it keeps its order.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from django.db import DataError, Error, IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from classrooms import lesson as fold
from classrooms.counters import tally
from classrooms.messages import event_bytes
from classrooms.models import Event, Lesson, draw_epoch
from classrooms.refusals import Code
from classrooms.writers import Writers

logger = logging.getLogger(__name__)

PATIENCE = 8.0  # s after which a batch is tried no further: SQLite alone waits 5 s for a lock at each attempt

_readable = msgspec.json.Decoder(fold.Event).decode


class Entry(NamedTuple):
    """An event to be: everything but the number and the time. `by` is a participant's id, None for the server."""

    kind: str
    by: str | None
    op: str
    text: str  # the JSON text of `data`, stored and sent as it is


class Outcome(NamedTuple):
    """What became of an entry: its seq, or the code of the refusal. `repeat` says that the log had it before."""

    seq: int | None = None
    repeat: bool = False
    code: Code | None = None

    @property
    def retry(self) -> bool:
        """Whether the same entry may be sent again and fare better."""
        return self.code is Code.TRY_AGAIN


class Head(NamedTuple):
    """Where a lesson's log stands."""

    epoch: str
    seq: int


class Committed(NamedTuple):
    """What one transaction did to one lesson: the new head, and its new events as ready bytes, in order."""

    lesson: int
    head: Head
    events: list[bytes]
    at: float | None = None  # when it was committed, monotonic seconds


Listener = Callable[[list[Committed]], None]


@dataclass(slots=True, eq=False)
class _Unit:
    """Entries of one author that keep their order: none is committed before an earlier one that may be retried."""

    lesson: int
    entries: Sequence[Entry]
    future: "Future[list[Outcome]]" = field(default_factory=Future)
    outcomes: list[Outcome] = field(default_factory=list)
    born: float = field(default_factory=time.monotonic)  # monotonic seconds

    @property
    def rest(self) -> Sequence[Entry]:
        """The entries that have no outcome yet."""
        return self.entries[len(self.outcomes) :]

    def refuse(self, code: Code) -> None:
        """Give every entry without an outcome this one."""
        self.outcomes += [Outcome(code=code)] * len(self.rest)


def append(lesson: int, entries: Sequence[Entry]) -> "Future[list[Outcome]]":
    """Hand entries of one author to the writer. The future gives one outcome for each, after the commit.

    Callable from any thread, the event loop's too. Raises RuntimeError inside an atomic block: on SQLite the writer
    would wait for the very transaction that waits for it.
    """
    if connection.in_atomic_block:
        raise RuntimeError("log.append inside an atomic block waits for itself: call the verb from on_commit")
    unit = _Unit(lesson, entries)
    if not _writers.take(unit):
        unit.refuse(Code.TRY_AGAIN)
        unit.future.set_result(unit.outcomes)
    return unit.future


def subscribe(listener: Listener) -> Callable[[], None]:
    """Have `listener` called in a writer's thread after each commit, before any future of it is resolved.

    Two threads may call it at once, of different lessons. Returns the function that ends the subscription.
    """
    _listeners.append(listener)

    def unsubscribe() -> None:
        with suppress(ValueError):
            _listeners.remove(listener)

    return unsubscribe


def since(lesson: int, seq: int, limit: int = 1000) -> list[bytes]:
    """Return the events after `seq`, oldest first, as ready bytes."""
    rows = Event.objects.filter(lesson=lesson, seq__gt=seq).order_by("seq")
    return [
        event_bytes(seq, kind, by or None, at, op, data)
        for seq, kind, by, at, op, data in rows.values_list("seq", "kind", "by", "at", "op", "data")[:limit]
    ]


def seq_of(lesson: int, by: str, op: str) -> int | None:
    """Return the seq of the event that a participant's op made, or None where it made none."""
    return Event.objects.filter(lesson=lesson, by=by, op=op).values_list("seq", flat=True).first()


def heads(lessons: Iterable[int]) -> dict[int, Head]:
    """Return where the logs of these lessons stand, in one query."""
    rows = Lesson.objects.filter(pk__in=list(lessons)).values_list("pk", "epoch", "head")
    return {pk: Head(epoch, head) for pk, epoch, head in rows}


def mark_ended(lesson: int) -> None:
    """Note on its row that a live lesson has ended: the fold found its `lesson.ended` good."""
    Lesson.objects.filter(pk=lesson, status=Lesson.Status.LIVE).update(
        status=Lesson.Status.ENDED, ended_at=timezone.now()
    )


def renew_epoch(lesson: int, old: str) -> str:
    """Name a new history for a lesson whose log lost commits; the first call names it. Returns the epoch in force."""
    Lesson.objects.filter(pk=lesson, epoch=old).update(epoch=draw_epoch())
    return Lesson.objects.values_list("epoch", flat=True).get(pk=lesson)


def is_there() -> Exists:
    """Return a condition on lessons: some event is there."""
    return Exists(Event.objects.filter(lesson=OuterRef("pk")))


def forget(lesson: int, most: int) -> int:
    """Delete the oldest events of a lesson that nobody reads any more, so many at most. Returns how many they were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM classrooms_event WHERE lesson_id = %s AND seq <= (SELECT MAX(seq) FROM"
            " (SELECT seq FROM classrooms_event WHERE lesson_id = %s ORDER BY seq LIMIT %s) oldest)",
            [lesson, lesson, most],
        )
        return int(cursor.rowcount)


def waiting() -> int:
    """Return how many units wait for the writers."""
    return _writers.waiting


def stop() -> None:
    """Commit what waits and end the writers' threads. The next append starts new ones."""
    _writers.stop()


def _settle(units: list[_Unit]) -> None:
    """Give every entry an outcome. Whatever happens, the thread lives on and nobody waits for ever."""
    units = [unit for unit in units if unit.future.set_running_or_notify_cancel()]
    try:
        _commit_or_divide(units, give_up_at=time.monotonic() + PATIENCE)
    except Exception:
        logger.exception("the log's writer failed")
    for unit in units:
        unit.refuse(Code.TRY_AGAIN)  # what has no outcome, if anything
        unit.future.set_result(unit.outcomes)


def _commit_or_divide(units: list[_Unit], *, give_up_at: float, again: bool = True) -> None:
    """Commit these units together; where that fails, part by part, so that one bad entry hurts nobody else.

    When the database itself fails, each lesson is tried once more and then told to come `again`. That second try is
    also the look-up after a COMMIT of unknown outcome: entries that made it are found as repeats, with their seqs.
    """
    if time.monotonic() > give_up_at:
        return _refuse(units)
    try:
        _commit(units)
    except Exception as error:  # noqa: BLE001 - whatever one entry does to us, the others go through
        if not _is_of_the_database(error):
            logger.info("a batch of %d units is tried again in parts: %r", len(units), error)
            return _divide(units, give_up_at, again)
        logger.warning("the database refuses work: %s", error)
        connection.close()
        if not again:
            return _refuse(units)
        for part in _by_lesson(units):
            _commit_or_divide(part, give_up_at=give_up_at, again=False)
    return None


def _divide(units: list[_Unit], give_up_at: float, again: bool) -> None:
    """Try a failed batch lesson by lesson, unit by unit, entry by entry; refuse the entry that fails alone."""
    unit = units[0]
    if len(units) > 1:
        lessons = _by_lesson(units)
        for part in lessons if len(lessons) > 1 else [[unit] for unit in units]:
            _commit_or_divide(part, give_up_at=give_up_at, again=again)
    elif len(unit.rest) > 1:
        _one_by_one(unit, give_up_at, again)
    else:
        entry = unit.rest[0]
        where = {"lesson": unit.lesson, "participant": entry.by}
        logger.warning("the database cannot keep a %s", entry.kind, exc_info=True, extra=where)
        unit.refuse(Code.BAD_FRAME)


def _one_by_one(unit: _Unit, give_up_at: float, again: bool) -> None:
    """Commit a unit's entries one by one; after one that may be retried all later ones wait for it."""
    for entry in unit.rest:
        single = _Unit(unit.lesson, [entry], born=unit.born)
        _commit_or_divide([single], give_up_at=give_up_at, again=again)
        unit.outcomes += single.outcomes
        if single.outcomes[0].retry:
            unit.refuse(Code.TRY_AGAIN)
            break


def _commit(units: list[_Unit]) -> None:
    """Write the units in one transaction and tell the listeners, in `head` also of what only a look-up found."""
    begun = time.monotonic()
    with transaction.atomic(), connection.cursor() as cursor:
        batches, settled = _write(cursor, units)
    at = time.monotonic()
    for unit, outcomes in settled:
        unit.outcomes += outcomes
    committed = [Committed(batch.lesson, batch.head, batch.events, at) for batch in batches]
    _count(committed, units, begun, at)
    for listener in tuple(_listeners):
        try:
            listener(committed)
        except Exception:  # a hub that is going away must not take acknowledged work with it
            logger.exception("a listener of the log failed")


def _write(cursor: Any, units: list[_Unit]) -> tuple[list["_Batch"], list[tuple[_Unit, list[Outcome]]]]:
    """Lock the lessons' rows, number what is new and insert it: five statements, however many lessons there are.

    Each statement is a way to the database and back, which is most of what a small transaction takes.
    """
    parts = _by_lesson(units)
    batches = _locked(cursor, [part[0].lesson for part in parts])
    _learn_repeats(cursor, batches, units)
    settled = []
    for part in parts:
        batch = batches.get(part[0].lesson)
        for unit in part:
            gone = [Outcome(code=Code.ENDED)] * len(unit.rest)
            settled.append((unit, [batch.number(entry) for entry in unit.rest] if batch is not None else gone))
    _insert(cursor, [batch for batch in batches.values() if batch.rows])
    return list(batches.values()), settled


def _locked(cursor: Any, lessons: list[int]) -> dict[int, "_Batch"]:
    """Lock the rows of these lessons, in the order of ids, and begin a batch for each that is there and has a log.

    The lock makes commit order equal seq order: whoever numbers next waits here until we have committed. SQLite's is
    there since BEGIN IMMEDIATE.
    """
    marks = ",".join(["%s"] * len(lessons))
    lock = "" if connection.vendor == "sqlite" else " FOR NO KEY UPDATE"
    cursor.execute(
        "SELECT id, epoch, head, last_at FROM classrooms_lesson"  # noqa: S608
        f" WHERE id IN ({marks}) AND emptied_at IS NULL ORDER BY id{lock}",
        lessons,
    )
    now = time.time_ns() // 1_000_000
    return {pk: _Batch(pk, Head(epoch, head), max(now, last_at)) for pk, epoch, head, last_at in cursor.fetchall()}


def _learn_repeats(cursor: Any, batches: dict[int, "_Batch"], units: list[_Unit]) -> None:
    """Find which of these entries the logs have already."""
    keys = {(unit.lesson, entry.by or "", entry.op) for unit in units if unit.lesson in batches for entry in unit.rest}
    if not keys:
        return
    marks = ",".join(["(%s, %s, %s)"] * len(keys))
    # CROSS JOIN makes SQLite look up each key in the unique index; a row-value IN would walk the whole log.
    cursor.execute(
        f"WITH wanted (lesson, by, op) AS (VALUES {marks})"  # noqa: S608
        " SELECT event.lesson_id, event.by, event.op, event.seq FROM wanted CROSS JOIN classrooms_event event"
        " WHERE event.lesson_id = wanted.lesson AND event.by = wanted.by AND event.op = wanted.op",
        [part for key in keys for part in key],
    )
    for lesson, by, op, seq in cursor.fetchall():
        batches[lesson].seen[by, op] = seq


def _insert(cursor: Any, batches: list["_Batch"]) -> None:
    """Write the new rows, the new heads, and the status that two kinds of event carry.

    To PostgreSQL rows go by COPY, in a fifth of the time of any INSERT (docs/decisions/0013), and heads in one
    statement; to SQLite neither makes a difference.
    """
    if not batches:
        return
    rows = [row for batch in batches for row in batch.rows]
    heads = [(batch.head.seq, batch.at, batch.lesson) for batch in batches]
    if connection.vendor == "sqlite":
        cursor.executemany(f"INSERT INTO {_COLUMNS} VALUES (%s, %s, %s, %s, %s, %s, %s)", rows)  # noqa: S608
        cursor.executemany("UPDATE classrooms_lesson SET head = %s, last_at = %s WHERE id = %s", heads)
    else:
        with connection.wrap_database_errors, cursor.copy(f"COPY {_COLUMNS} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        marks = ",".join(["(%s, %s, %s)"] * len(heads))
        cursor.execute(
            f"WITH news (head, at, id) AS (VALUES {marks}) UPDATE classrooms_lesson"  # noqa: S608
            " SET head = news.head, last_at = news.at FROM news WHERE classrooms_lesson.id = news.id",
            [part for head in heads for part in head],
        )
    for batch in batches:
        if batch.status is not None:
            ended = timezone.now() if batch.status == Lesson.Status.ENDED else None
            Lesson.objects.filter(pk=batch.lesson).update(status=batch.status, ended_at=ended)


def _count(committed: list[Committed], units: list[_Unit], begun: float, at: float) -> None:
    """Count a transaction. An addition is no single step of Python's, and writers count at once."""
    with _counting:
        tally.transaction.add(at - begun)
        for unit in units:
            tally.commit.add(at - unit.born)
        tally.committed += sum(len(record.events) for record in committed)


class _Batch:
    """What one transaction adds to one lesson."""

    def __init__(self, lesson: int, head: Head, at: int) -> None:
        self.lesson = lesson
        self.head = head
        self.at = at
        self.events: list[bytes] = []
        self.rows: list[tuple[Any, ...]] = []
        self.seen: dict[tuple[str, str], int] = {}  # by author and op: the seqs that the log has given
        self.status: str | None = None

    def number(self, entry: Entry) -> Outcome:
        """Give an entry the next seq, unless it has one. Raises msgspec.DecodeError where its text is no JSON."""
        key = (entry.by or "", entry.op)
        if key in self.seen:
            return Outcome(self.seen[key], repeat=True)
        seq = self.head.seq + 1
        self.head = Head(self.head.epoch, seq)
        self.seen[key] = seq
        self.rows.append((self.lesson, seq, entry.kind, key[0], entry.op, self.at, entry.text))
        raw = event_bytes(seq, entry.kind, entry.by, self.at, entry.op, entry.text)
        _readable(raw)  # an event that no replica can read would stop its lesson for good
        self.events.append(raw)
        if entry.by is None:  # a participant's `lesson.ended` may be void: `mark_ended` follows once it was folded
            statuses = {"lesson.started": Lesson.Status.LIVE, "lesson.ended": Lesson.Status.ENDED}
            self.status = statuses.get(entry.kind, self.status)
        return Outcome(seq)


def _is_of_the_database(error: Exception) -> bool:
    """Whether the database is in trouble (a lost connection, a full disk, a standby that may not be written to).

    Every other error is an entry's own.
    """
    return isinstance(error, Error) and not isinstance(error, DataError | IntegrityError)


def _by_lesson(units: list[_Unit]) -> list[list[_Unit]]:
    """Part units by lesson, in the order of ids: processes that lock several never wait in a circle."""
    lessons: dict[int, list[_Unit]] = defaultdict(list)
    for unit in units:
        lessons[unit.lesson].append(unit)
    return [lessons[lesson] for lesson in sorted(lessons)]


def _refuse(units: list[_Unit]) -> None:
    for unit in units:
        unit.refuse(Code.TRY_AGAIN)


_COLUMNS = "classrooms_event (lesson_id, seq, kind, by, op, at, data)"
_listeners: list[Listener] = []
_counting = threading.Lock()
_writers = Writers(_settle)
