"""The connections of a room, as cursors into its ring: written to in slices, and none at the cost of another."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

from classrooms.connection import Connection
from classrooms.counters import tally
from classrooms.load import TICK, load
from classrooms.messages import MAX_EVENTS_IN_FRAME, events_frame
from classrooms.ring import Ring, cut

logger = logging.getLogger(__name__)

SLICE = 200  # connections written to before the loop turns to others
NO_MORE_SIGNALS = 64 * 1024  # bytes that wait for one connection: from here no signals,
NO_MORE_EVENTS = 256 * 1024  # from here its cursor rests until they are gone,
NO_MORE = 1024 * 1024  # and from here it is dropped,
TOO_SLOW = 30.0  # or after so many seconds of rest: it comes back and resumes

Write = Callable[[Connection], None]
Read = Callable[[int, int], Awaitable[list[bytes]]]


class Cursors:
    """All who are in one room of this process. Runs on the event loop.

    `read(since, limit)` is the way to events below the ring's floor.
    """

    def __init__(self, ring: Ring, read: Read) -> None:
        self._ring = ring
        self._read = read
        self._all: dict[Connection, None] = {}
        self._tabs: dict[str, list[Connection]] = {}
        self._reads: dict[int, asyncio.Future[list[bytes]]] = {}
        self._bringing: set[asyncio.Task[None]] = set()
        self._flushing = False
        self._flush_again = False
        self._began = 0.0  # when the last round did, monotonic seconds
        self._later: asyncio.TimerHandle | None = None  # the next round, while the process is busy
        self._since: float | None = None  # when what is being flushed was committed, or was heard of
        self._since_next: float | None = None  # and what comes in the next round

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._all))

    def __contains__(self, connection: object) -> bool:
        return connection in self._all

    def of(self, participant: str) -> list[Connection]:
        """Return one participant's connections, the oldest first."""
        return list(self._tabs.get(participant, ()))

    def add(self, connection: Connection) -> None:
        """Take a connection in."""
        self._all[connection] = None
        self._tabs.setdefault(connection.participant, []).append(connection)

    def drop(self, connection: Connection) -> bool:
        """Write to a connection no more; False when it is not here."""
        if connection not in self._all:
            return False
        del self._all[connection]
        tabs = self._tabs[connection.participant]
        tabs.remove(connection)
        if not tabs:
            del self._tabs[connection.participant]
        return True

    def too_slow(self, now: float) -> list[Connection]:
        """Return who has rested too long, or has too much waiting."""
        return [
            one
            for one in self._all
            if (one.rested is not None and now - one.rested > TOO_SLOW) or one.writer.buffered > NO_MORE
        ]

    # --- writing -------------------------------------------------------------------------------------------------

    def advance(self, connection: Connection) -> None:
        """Write everything after the connection's cursor, as far as it takes it."""
        while connection.sent is not None and connection.sent < self._ring.head and not connection.reading:
            if connection not in self._all:
                return
            if connection.writer.buffered > NO_MORE_EVENTS:
                connection.rested = connection.rested or time.monotonic()
                return
            if connection.sent < self._ring.floor:
                self._bring(connection, connection.sent)
                break
            before = connection.sent
            frame, connection.sent = self._ring.frame(before)
            connection.writer.write(frame)
            tally.frames += 1
            tally.deliveries += connection.sent - before
        connection.rested = None

    def flush(self, since: float | None = None) -> None:
        """Advance all: the first slice now, the others when the loop has looked around. Never two rounds at once.

        While the process is busy (classrooms/load.py), rounds begin in ticks of 10 ms, with all that came between.
        `since`: when the news was committed or heard of, monotonic seconds; None where nobody knows. News that comes
        in the middle of a round is timed by the round's own, which is older: what is measured is never too little.
        """
        now = time.monotonic()
        if self._flushing or self._later is not None:
            self._flush_again = self._flushing
            self._since_next = since if self._since_next is None else self._since_next
        elif now - self._began < TICK and load.busy(now):
            self._since_next = since
            self._later = asyncio.get_running_loop().call_later(self._began + TICK - now, self._flush_next)
        else:
            self._flushing = True
            self._began = now
            self._since = since
            self._write_slice(deque(self._all), self.advance, self._flushed)

    def _flushed(self) -> None:
        self._flushing = False
        self._since = None
        if self._flush_again:
            self._flush_again = False
            asyncio.get_running_loop().call_soon(self._flush_next)

    def _flush_next(self) -> None:
        self._later = None
        since, self._since_next = self._since_next, None
        self.flush(since)

    def tell(self, frame: bytes) -> None:
        """Write one frame to all."""
        self.each(lambda connection: connection.writer.write(frame))

    def signal(self, frame: bytes) -> None:
        """Write a frame that may be lost, to all who keep up."""

        def write(connection: Connection) -> None:
            if connection.sent is not None and connection.writer.buffered <= NO_MORE_SIGNALS:
                connection.writer.write(frame)
                tally.signals_delivered += 1
            else:
                tally.signals_skipped += 1

        self.each(write)

    def each(self, write: Write) -> None:
        """Do something for all, in slices."""
        self._write_slice(deque(self._all), write, None)

    def _write_slice(self, queue: deque[Connection], write: Write, done: Callable[[], None] | None) -> None:
        began, before = time.monotonic(), tally.deliveries
        for _ in range(min(SLICE, len(queue))):
            connection = queue.popleft()
            if connection not in self._all:
                continue
            try:
                write(connection)
            except Exception:
                logger.exception("a connection could not be written to")
                with suppress(Exception):
                    connection.writer.abort()
        now = time.monotonic()
        load.spent(now - began, now)
        if self._since is not None and tally.deliveries > before:  # the slice's own: nothing else ran meanwhile
            tally.delivery.add(now - self._since, tally.deliveries - before)
        if queue:
            asyncio.get_running_loop().call_soon(self._write_slice, queue, write, done)
        elif done is not None:
            done()

    # --- below the floor -----------------------------------------------------------------------------------------

    async def read(self, since: int) -> list[bytes]:
        """Return events from below the ring's floor, as many as a frame may hold; all who ask at once share a read."""
        reading = self._reads.get(since)
        if reading is None:
            reading = self._reads[since] = asyncio.ensure_future(self._read(since, MAX_EVENTS_IN_FRAME))
            reading.add_done_callback(lambda done: self._was_read(since, done))
        return await asyncio.shield(reading)

    def _was_read(self, since: int, done: "asyncio.Future[list[bytes]]") -> None:
        del self._reads[since]
        if not done.cancelled():
            done.exception()  # whoever still waits has it too; if nobody does, it is nobody's

    def _bring(self, connection: Connection, sent: int) -> None:
        connection.reading = True
        task = asyncio.get_running_loop().create_task(self._read_for(connection, sent))
        self._bringing.add(task)
        task.add_done_callback(self._bringing.discard)

    async def _read_for(self, connection: Connection, sent: int) -> None:
        """Bring a reader from below the floor one frame on."""
        events: list[bytes] = []
        try:
            events = cut(await self.read(sent))
        except Exception:
            logger.exception("events after %d could not be read for a connection", sent)
        connection.reading = False
        if connection not in self._all:
            return
        if connection.sent == sent:  # else it asked to be elsewhere meanwhile
            if events:
                connection.writer.write(events_frame(events))
                tally.frames += 1
                tally.deliveries += len(events)
            connection.sent = sent + len(events) if events else None  # None: the next ping makes it ask again
        self.advance(connection)
