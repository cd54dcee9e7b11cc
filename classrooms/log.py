"""The log: the only writer of events. One thread a process commits what waits, in the order the database gives."""

import logging
import queue
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
from django.utils import timezone

from classrooms import lesson as fold
from classrooms.counters import tally
from classrooms.messages import event_bytes
from classrooms.models import Event, Lesson, draw_epoch
from classrooms.refusals import Code

logger = logging.getLogger(__name__)

BATCH = 500  # entries a transaction takes at most: about 20 ms on SQLite, so a burst cannot starve the next lesson
PATIENCE = 8.0  # s after which a batch is tried no further: SQLite alone waits 5 s for a lock at each attempt
MAX_WAITING = 10_000  # units: while the database hangs, more are told to come again and memory stays bounded

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
    _writer.take(unit)
    return unit.future


def subscribe(listener: Listener) -> Callable[[], None]:
    """Have `listener` called in the writer's thread after each commit, before any future is resolved.

    Returns the function that ends the subscription.
    """
    _writer.listeners.append(listener)

    def unsubscribe() -> None:
        with suppress(ValueError):
            _writer.listeners.remove(listener)

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


def waiting() -> int:
    """Return how many units wait for the writer."""
    return _writer.waiting


def stop() -> None:
    """Commit what waits and end the writer's thread. The next append starts a new one."""
    _writer.stop()


_Queue = queue.SimpleQueue[_Unit | None]


class _Writer:
    """The thread that commits, and the queue to it."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self._queue: _Queue = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def take(self, unit: _Unit) -> None:
        with self._lock:
            if self._queue.qsize() < MAX_WAITING:
                self._queue.put(unit)
                if self._thread is None:
                    self._thread = threading.Thread(
                        target=self._run, args=[self._queue], name="log-writer", daemon=True
                    )
                    self._thread.start()
                return
        unit.refuse(Code.TRY_AGAIN)
        unit.future.set_result(unit.outcomes)

    def stop(self) -> None:
        with self._lock:  # what comes from now on goes to the next thread, by a queue of its own
            thread, self._thread = self._thread, None
            ending, self._queue = self._queue, queue.SimpleQueue()
        if thread is not None:
            ending.put(None)
            thread.join()

    def _run(self, waiting: _Queue) -> None:
        try:
            while units := self._next_batch(waiting):
                self._settle(units)
        finally:
            connection.close()

    @staticmethod
    def _next_batch(waiting: _Queue) -> list[_Unit]:
        """Wait for a unit, then take all that wait behind it. Empty when asked to stop."""
        unit = waiting.get()
        units: list[_Unit] = []
        size = 0
        while unit is not None:
            units.append(unit)
            size += len(unit.entries)
            if size >= BATCH or waiting.empty():
                return units
            unit = waiting.get()
        if units:  # asked to stop with work in hand: this batch first
            waiting.put(None)
        return units

    def _settle(self, units: list[_Unit]) -> None:
        """Give every entry an outcome. Whatever happens, the thread lives on and nobody waits for ever."""
        units = [unit for unit in units if unit.future.set_running_or_notify_cancel()]
        try:
            self._commit_or_divide(units, give_up_at=time.monotonic() + PATIENCE)
            if connection.vendor != "sqlite":
                connection.close()  # back to the pool; SQLite's stays open, opening a file is the dear part
        except Exception:
            logger.exception("the log's writer failed")
        for unit in units:
            unit.refuse(Code.TRY_AGAIN)  # what has no outcome, if anything
            unit.future.set_result(unit.outcomes)

    def _commit_or_divide(self, units: list[_Unit], *, give_up_at: float, again: bool = True) -> None:
        """Commit these units together; where that fails, part by part, so that one bad entry hurts nobody else.

        When the database itself fails, each lesson is tried once more and then told to come `again`. That second try is
        also the look-up after a COMMIT of unknown outcome: entries that made it are found as repeats, with their seqs.
        """
        if time.monotonic() > give_up_at:
            return _refuse(units)
        try:
            self._commit(units)
        except Exception as error:  # noqa: BLE001 - whatever one entry does to us, the others go through
            if not _is_of_the_database(error):
                logger.info("a batch of %d units is tried again in parts: %r", len(units), error)
                return self._divide(units, give_up_at, again)
            logger.warning("the database refuses work: %s", error)
            connection.close()
            if not again:
                return _refuse(units)
            for part in _by_lesson(units):
                self._commit_or_divide(part, give_up_at=give_up_at, again=False)
        return None

    def _divide(self, units: list[_Unit], give_up_at: float, again: bool) -> None:
        """Try a failed batch lesson by lesson, unit by unit, entry by entry; refuse the entry that fails alone."""
        unit = units[0]
        if len(units) > 1:
            lessons = _by_lesson(units)
            for part in lessons if len(lessons) > 1 else [[unit] for unit in units]:
                self._commit_or_divide(part, give_up_at=give_up_at, again=again)
        elif len(unit.rest) > 1:
            self._one_by_one(unit, give_up_at, again)
        else:
            entry = unit.rest[0]
            where = {"lesson": unit.lesson, "participant": entry.by}
            logger.warning("the database cannot keep a %s", entry.kind, exc_info=True, extra=where)
            unit.refuse(Code.BAD_FRAME)

    def _one_by_one(self, unit: _Unit, give_up_at: float, again: bool) -> None:
        """Commit a unit's entries one by one; after one that may be retried all later ones wait for it."""
        for entry in unit.rest:
            single = _Unit(unit.lesson, [entry], born=unit.born)
            self._commit_or_divide([single], give_up_at=give_up_at, again=again)
            unit.outcomes += single.outcomes
            if single.outcomes[0].retry:
                unit.refuse(Code.TRY_AGAIN)
                break

    def _commit(self, units: list[_Unit]) -> None:
        """Write the units in one transaction and tell the listeners, in `head` also of what only a look-up found."""
        begun = time.monotonic()
        with transaction.atomic():
            written = [self._write(part[0].lesson, part) for part in _by_lesson(units)]
        at = time.monotonic()
        tally.transaction.add(at - begun)
        for unit in units:
            tally.commit.add(at - unit.born)
        for _, settled in written:
            for unit, outcomes in settled:
                unit.outcomes += outcomes
        committed = [record._replace(at=at) for record, _ in written if record is not None]
        tally.committed += sum(len(record.events) for record in committed)
        for listener in tuple(self.listeners):
            try:
                listener(committed)
            except Exception:  # a hub that is going away must not take acknowledged work with it
                logger.exception("a listener of the log failed")

    def _write(self, lesson: int, units: list[_Unit]) -> tuple[Committed | None, list[tuple[_Unit, list[Outcome]]]]:
        """Lock the lesson's row, number what is new and insert it."""
        with connection.cursor() as cursor:
            # The lock makes commit order equal seq order: whoever numbers next waits here until we have committed.
            cursor.execute(
                "UPDATE classrooms_lesson SET head = head WHERE id = %s RETURNING epoch, head, last_at", [lesson]
            )
            row = cursor.fetchone()
            if row is None:
                gone = Outcome(code=Code.ENDED)
                return None, [(unit, [gone] * len(unit.rest)) for unit in units]
            batch = _Batch(lesson, Head(row[0], row[1]), max(time.time_ns() // 1_000_000, row[2]))
            batch.learn_repeats(cursor, [entry for unit in units for entry in unit.rest])
            settled = [(unit, [batch.number(entry) for entry in unit.rest]) for unit in units]
            batch.insert(cursor)
        return Committed(lesson, batch.head, batch.events), settled


class _Batch:
    """What one transaction adds to one lesson."""

    def __init__(self, lesson: int, head: Head, at: int) -> None:
        self.lesson = lesson
        self.head = head
        self.at = at
        self.events: list[bytes] = []
        self._seen: dict[tuple[str, str], int] = {}
        self._rows: list[tuple[Any, ...]] = []
        self._status: str | None = None

    def learn_repeats(self, cursor: Any, entries: list[Entry]) -> None:
        """Find which of these entries the log has already."""
        keys = {(entry.by or "", entry.op) for entry in entries}
        if not keys:
            return
        marks = ",".join(["(%s, %s)"] * len(keys))
        # CROSS JOIN makes SQLite look up each key in the unique index; a row-value IN would walk the whole log.
        cursor.execute(
            f"WITH wanted (by, op) AS (VALUES {marks}) SELECT wanted.by, wanted.op, event.seq FROM wanted"  # noqa: S608
            " CROSS JOIN classrooms_event event"
            " WHERE event.lesson_id = %s AND event.by = wanted.by AND event.op = wanted.op",
            [*(part for key in keys for part in key), self.lesson],
        )
        self._seen = {(by, op): seq for by, op, seq in cursor.fetchall()}

    def number(self, entry: Entry) -> Outcome:
        """Give an entry the next seq, unless it has one. Raises msgspec.DecodeError where its text is no JSON."""
        key = (entry.by or "", entry.op)
        if key in self._seen:
            return Outcome(self._seen[key], repeat=True)
        seq = self.head.seq + 1
        self.head = Head(self.head.epoch, seq)
        self._seen[key] = seq
        self._rows.append((self.lesson, seq, entry.kind, key[0], entry.op, self.at, entry.text))
        raw = event_bytes(seq, entry.kind, entry.by, self.at, entry.op, entry.text)
        _readable(raw)  # an event that no replica can read would stop its lesson for good
        self.events.append(raw)
        if entry.by is None:  # a participant's `lesson.ended` may be void: `mark_ended` follows once it was folded
            statuses = {"lesson.started": Lesson.Status.LIVE, "lesson.ended": Lesson.Status.ENDED}
            self._status = statuses.get(entry.kind, self._status)
        return Outcome(seq)

    def insert(self, cursor: Any) -> None:
        """Write the new rows, the new head, and the status that two kinds of event carry."""
        if not self._rows:
            return
        cursor.executemany(
            "INSERT INTO classrooms_event (lesson_id, seq, kind, by, op, at, data) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            self._rows,
        )
        cursor.execute(
            "UPDATE classrooms_lesson SET head = %s, last_at = %s WHERE id = %s", [self.head.seq, self.at, self.lesson]
        )
        if self._status is not None:
            ended = timezone.now() if self._status == Lesson.Status.ENDED else None
            Lesson.objects.filter(pk=self.lesson).update(status=self._status, ended_at=ended)


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


_writer = _Writer()
