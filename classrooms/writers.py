"""Writers: few threads that each take what waits for their lessons, many at a time, in the order in which it came."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from django.conf import settings
from django.db import connection

BATCH = 500  # entries a transaction takes at most: about 20 ms on SQLite, so a burst cannot starve the next lesson
MAX_WAITING = 10_000  # units, of all writers: while the database hangs, more are told to come again: memory is bounded


class Unit(Protocol):
    """What waits: entries of one author for one lesson."""

    lesson: int
    entries: Sequence[Any]


U = TypeVar("U", bound=Unit)


def how_many() -> int:
    """Return how many writers a process has. SQLite has one write lock, so it has one writer."""
    return 1 if connection.vendor == "sqlite" else max(1, settings.LOG_WRITERS)


class Writers(Generic[U]):
    """The threads, each with the lessons that fall to it. `settle` is called in them, and must not raise."""

    def __init__(self, settle: Callable[[list[U]], None]) -> None:
        self._settle = settle
        self._writers: list[_Writer[U]] = []
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many units wait."""
        return sum(writer.waiting for writer in list(self._writers))

    def take(self, unit: U) -> bool:
        """Put a unit behind those of its lesson; False where too many wait already. From any thread."""
        with self._lock:
            if not self._writers:
                self._writers = [_Writer(self._settle) for _ in range(how_many())]
            writer = self._writers[unit.lesson % len(self._writers)]
            # One that is held up takes no more than its share, and what belongs to the others is still taken.
            if writer.waiting >= max(1, MAX_WAITING // len(self._writers)):
                return False
            writer.take(unit)
            return True

    def stop(self) -> None:
        """Settle what waits and end the threads. The next unit starts new ones."""
        with self._lock:  # what comes from now on goes to the next ones
            ending, self._writers = self._writers, []
        for writer in ending:
            writer.end()
        for writer in ending:
            writer.join()


class _Writer(Generic[U]):
    """A thread, and the queue to it."""

    def __init__(self, settle: Callable[[list[U]], None]) -> None:
        self._settle = settle
        self._queue: queue.SimpleQueue[U | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def take(self, unit: U) -> None:
        """Put a unit behind those that wait. One thread at a time."""
        self._queue.put(unit)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Have the thread end once it has settled what waits; nothing may be taken any more."""
        self._queue.put(None)

    def join(self) -> None:
        """Wait for the end."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        # The connection stays with the thread: pages that have taken all of the pool do not stop a lesson's log.
        try:
            while units := self._next_batch():
                self._settle(units)
        finally:
            connection.close()

    def _next_batch(self) -> list[U]:
        """Wait for a unit, then take all that wait behind it. Empty when asked to stop."""
        waiting = self._queue
        unit = waiting.get()
        units: list[U] = []
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
