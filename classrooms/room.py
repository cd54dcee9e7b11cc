"""A room: one lesson as this process holds it. Its replica, its ring, and its connections as cursors into the ring."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec

from classrooms import messages, replica
from classrooms.closes import Close
from classrooms.lesson import Event, apply, permit
from classrooms.meter import Meter
from classrooms.presence import NAMED_UP_TO, Person, Presence
from classrooms.roles import STAFF, Role
from classrooms.ring import cut
from classrooms.signals import Signals
from classrooms.states import StateBody, States

logger = logging.getLogger(__name__)

SLICE = 200  # connections written to before the loop turns to others
RESUME_BELOW_FLOOR = 2000  # events: further back than this a snapshot is cheaper than the events
NO_MORE_SIGNALS = 64 * 1024  # bytes that wait for one connection: from here no signals,
NO_MORE_EVENTS = 256 * 1024  # from here its cursor rests until they are gone,
TOO_SLOW = 30.0  # and after so many seconds of rest it is dropped: it comes back and resumes
FAREWELL = 30.0  # s between `lesson.ended` and the close of every connection
BURST = 10  # events since the last ping of all that make a burst; 2 s after it ends everybody is told the head
DRAWING = frozenset({"ink", "drag"})  # signals that need the right to draw

_decode = msgspec.json.Decoder(Event).decode
_page = msgspec.json.Decoder(dict[str, Any])


class Writer(Protocol):
    """What a door gives a connection to write with. Nothing here waits."""

    @property
    def buffered(self) -> int:
        """Bytes that were written and not yet taken by the network."""

    def write(self, frame: bytes) -> None:
        """Send one text message."""

    def close(self, code: int) -> None:
        """Close after what was written; a code from the closed list."""

    def abort(self) -> None:
        """Drop at once."""


class Connection:
    """One client at one door: a seat and a cursor. `sent` is None while the client fetches a snapshot."""

    __slots__ = ("client", "color", "heard", "name", "participant", "reading", "rested", "sent", "writer")

    def __init__(self, person: Person, client: str, writer: Writer, now: float) -> None:
        self.participant = person.id
        self.name = person.name
        self.color = person.color
        self.client = client
        self.writer = writer
        self.sent: int | None = None
        self.reading = False  # a range read is under way for it
        self.heard = now  # when its last frame came, monotonic seconds
        self.rested: float | None = None  # since when its cursor rests

    def bye(self, code: Close, *, after: int = 0, spread: int = 0) -> None:
        """Say why, then close."""
        self.writer.write(messages.encode(messages.Bye.of(code, after=after, spread=spread)))
        self.writer.close(code)


class Room:
    """One lesson in one process. Everything here runs on the event loop.

    `read` is the hub's way to the log: a coroutine function that returns the events after a seq as ready bytes.
    """

    def __init__(self, kept: replica.Replica, read: "Reader", publish: Callable[[list[bytes]], None]) -> None:
        self.replica = kept
        self.ring = kept.ring
        self.presence = Presence()
        self.connections: dict[Connection, None] = {}
        self.idle_since: float | None = time.monotonic()
        self._read = read
        self._publish_signals = publish
        self._catching_up: asyncio.Task[None] | None = None
        self._reads: dict[int, asyncio.Task[list[bytes]]] = {}
        self._queue: deque[Connection] = deque()
        self._again = False
        self._states = States()
        self._heads: list[tuple[int, asyncio.Future[None]]] = []
        self._since_ping = 0
        self._burst_ends: float | None = None
        self._signals = Signals(self._send_signals)
        self._op_meters: dict[str, Meter] = {}
        self._signal_meters: dict[str, Meter] = {}

    # --- what it is ----------------------------------------------------------------------------------------------

    @property
    def lesson(self) -> int:
        """The lesson's id."""
        return self.replica.lesson

    @property
    def epoch(self) -> str:
        """The name of the log's history."""
        return self.replica.epoch

    @property
    def head(self) -> int:
        """The newest event that this process knows and has folded."""
        return self.replica.state.seq

    def role_of(self, participant: str) -> Role:
        """Return a participant's role; whoever has left no event yet is a student."""
        person = self.replica.state.people.get(participant)
        return Role(person.role) if person else Role.STUDENT

    def removed(self, participant: str) -> bool:
        """Whether the participant was removed from the lesson."""
        person = self.replica.state.people.get(participant)
        return person is not None and person.removed

    @property
    def pace(self) -> int:
        """Milliseconds between two signals of one client."""
        return self._signals.pace

    @property
    def retry(self) -> tuple[int, int]:
        """The range in ms of a client's first retry: the more clients, the wider."""
        return 200, min(10_000, max(1_000, 5 * len(self.connections)))

    def admit_op(self, participant: str) -> float:
        """Admit one op and return 0.0, or return the seconds until the next may come. Counted over all tabs."""
        limits = messages.limits(self.role_of(participant))
        meter = self._op_meters.setdefault(participant, Meter())
        return meter.take(time.monotonic(), limits["ops"], limits["ops_burst"])

    @property
    def ended(self) -> bool:
        """Whether the lesson is over."""
        return self.replica.state.status == "ended"

    # --- order ---------------------------------------------------------------------------------------------------

    def receive(self, raws: Iterable[bytes]) -> None:
        """Take events from wherever they come: the next is folded and sent, an old one dropped, a hole is read."""
        for raw in raws:
            event = _decode(raw)
            if event.seq <= self.head:
                continue
            if event.seq > self.head + 1:
                self.catch_up()
                break
            self._take(event, raw)
        self.flush()

    def catch_up(self) -> None:
        """Read from the log what this process has not heard; one read at a time."""
        if self._catching_up is None:
            self._catching_up = asyncio.create_task(self._read_on())

    async def look_for(self, seq: int) -> None:
        """Read the log once if the room is not at `seq` yet: somebody has seen more than this process, or says so."""
        if seq > self.head:
            self.catch_up()
            assert self._catching_up is not None
            await asyncio.shield(self._catching_up)

    async def reach(self, seq: int) -> None:
        """Wait until the room has folded the event `seq`, which is known to be committed."""
        if self.head >= seq:
            return
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heads.append((seq, reached))
        self.catch_up()
        await reached

    async def _read_on(self) -> None:
        try:
            while raws := await self._read(self.lesson, self.head):
                self.receive(raws)
        except Exception:
            logger.exception("lesson %d could not be read on", self.lesson)
        finally:
            self._catching_up = None

    def _take(self, event: Event, raw: bytes) -> None:
        apply(self.replica.state, event)
        self.ring.push(raw, event.at)
        self._since_ping += 1
        if self._since_ping >= BURST:
            self._burst_ends = time.monotonic() + 2
        if event.kind == "person.removed":
            self._see_off(event.data.get("participant"))
        elif event.kind == "lesson.ended" and self.ended:
            asyncio.get_running_loop().call_later(FAREWELL, self.close_all, Close.ENDED)
        if self._heads:
            self._wake_waiters()

    def _wake_waiters(self) -> None:
        waiting, self._heads = self._heads, []
        for seq, reached in waiting:
            if reached.done():
                continue
            if seq <= self.head:
                reached.set_result(None)
            else:
                self._heads.append((seq, reached))

    # --- cursors -------------------------------------------------------------------------------------------------

    def enter(self, connection: Connection) -> None:
        """A client is here. Its older connection goes, and the oldest of a person with too many."""
        mine = [other for other in self.connections if other.participant == connection.participant]
        for other in mine:
            if other.client == connection.client:
                self.leave(other)
                other.bye(Close.REPLACED)
        mine = [other for other in mine if other in self.connections]
        if len(mine) >= messages.LIMITS["connections"]:
            self.leave(mine[0])
            mine[0].bye(Close.TOO_MANY_TABS)
        self.connections[connection] = None
        self.idle_since = None
        self.presence.enter(self.person(connection))

    def leave(self, connection: Connection) -> None:
        """A client is gone, for whatever reason; safe to call twice."""
        if connection in self.connections:
            del self.connections[connection]
            now = time.monotonic()
            self.presence.leave(connection.participant, now)
            if not self.connections:
                self.idle_since = now

    def person(self, connection: Connection) -> Person:
        """Who sits at a connection: as the log knows them, or as their ticket says."""
        known = self.replica.state.people.get(connection.participant)
        if known is None:
            return Person(connection.participant, connection.name, Role.STUDENT, connection.color)
        return Person(connection.participant, known.name, known.role, known.color)

    async def resumes(self, epoch: str | None, since: int | None, at: int | None) -> bool:
        """Whether a client at `since` can go on from there: the same history, near enough, and the very event."""
        if since is None or since < 0 or epoch != self.epoch:
            return False
        await self.look_for(since)
        if not self.ring.floor - RESUME_BELOW_FLOOR <= since <= self.head:
            return False
        if since == 0:
            return True
        known = self.ring.time_of(since)
        if known is None:
            raws = await self._read(self.lesson, since - 1, 1)
            known = _decode(raws[0]).at if raws else None
        return known == at

    def advance(self, connection: Connection) -> None:
        """Write everything after the connection's cursor, as far as it takes it."""
        while connection.sent is not None and connection.sent < self.ring.head and not connection.reading:
            if connection.writer.buffered > NO_MORE_EVENTS:
                connection.rested = connection.rested or time.monotonic()
                return
            connection.rested = None
            if connection.sent < self.ring.floor:
                connection.reading = True
                asyncio.create_task(self._read_for(connection, connection.sent))
                return
            frame, connection.sent = self.ring.frame(connection.sent)
            connection.writer.write(frame)

    def flush(self) -> None:
        """Advance every connection: the first slice now, the others when the loop has looked around."""
        if self._queue:
            self._again = True
        elif self.connections:
            self._queue.extend(self.connections)
            self._advance_slice()

    def _advance_slice(self) -> None:
        for _ in range(min(SLICE, len(self._queue))):
            connection = self._queue.popleft()
            if connection in self.connections:
                self.advance(connection)
        if not self._queue and self._again:
            self._again = False
            self._queue.extend(self.connections)
        if self._queue:
            asyncio.get_running_loop().call_soon(self._advance_slice)

    async def _read_for(self, connection: Connection, sent: int) -> None:
        """Bring a reader from below the ring's floor one frame on; all who are at the same place share the read."""
        read = self._reads.get(sent)
        if read is None:
            read = self._reads[sent] = asyncio.create_task(self._read(self.lesson, sent, 200))
            read.add_done_callback(lambda _: self._reads.pop(sent, None))
        try:
            events = cut(await read)
            if connection in self.connections and connection.sent == sent and events:
                connection.writer.write(messages.events_frame(events))
                connection.sent = sent + len(events)
        except Exception:
            logger.exception("lesson %d could not be read for a connection", self.lesson)
            connection.sent = None  # it hears of the head by the next ping, and asks again
        finally:
            connection.reading = False
        self.advance(connection)

    # --- signals -------------------------------------------------------------------------------------------------

    def signal(self, participant: str, kind: str, data: bytes) -> None:
        """Pass a signal on, unless its sender goes too fast or has no right to it: signals may always be lost."""
        meter = self._signal_meters.setdefault(participant, Meter())
        limits = messages.LIMITS
        if meter.take(time.monotonic(), limits["signals"], limits["signals_burst"]):
            return
        if kind in DRAWING and permit(self.replica.state, participant, "board.edited", _drawn(data)) is not None:
            return
        self._signals.take(participant, messages.signal_bytes(kind, participant, data))

    def _send_signals(self, signals: list[bytes]) -> None:
        self.forward(signals)
        self._publish_signals(signals)

    def forward(self, signals: list[bytes]) -> None:
        """Give signals, from here or from another process, to everybody who keeps up."""
        frame = messages.signals_frame(signals)
        for connection in self.connections:
            if connection.sent is not None and connection.writer.buffered <= NO_MORE_SIGNALS:
                connection.writer.write(frame)

    # --- once a second -------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Tell who came and went, and the head after a burst; drop readers that rest too long."""
        change = self.presence.tick(now)
        if change is not None:
            self._tell_presence(change.count, change.here, change.left)
        if self._burst_ends is not None and now >= self._burst_ends:
            self._burst_ends, self._since_ping = None, 0
            frame = self.ping_frame()
            for connection in self.connections:
                connection.writer.write(frame)
        for connection in [one for one in self.connections if one.rested and now - one.rested > TOO_SLOW]:
            self.leave(connection)
            connection.writer.abort()

    def ping_frame(self) -> bytes:
        """Return the head, one board's digest at that head, and the pace."""
        page = self.replica.state.current
        digest = (page, self.replica.state.boards[page].digest) if page else msgspec.UNSET
        return messages.encode(messages.Ping(head=self.head, digest=digest, pace=self._signals.pace))

    def greet(self, connection: Connection) -> None:
        """Tell a newcomer who is here."""
        people = dict(self.presence.people)
        people[connection.participant] = self.person(connection)
        connection.writer.write(self._presence_frames(len(people), list(people.values()), [])[self._named(connection)])

    def _tell_presence(self, count: int, here: list[Person], left: list[str]) -> None:
        frames = self._presence_frames(count, here, left)
        for connection in self.connections:
            connection.writer.write(frames[self._named(connection)])

    def _named(self, connection: Connection) -> bool:
        return len(self.presence.people) <= NAMED_UP_TO or self.role_of(connection.participant) in STAFF

    @staticmethod
    def _presence_frames(count: int, here: list[Person], left: list[str]) -> tuple[bytes, bytes]:
        named = messages.Presence(count=count, here=[person.told() for person in here], left=left)
        return messages.encode(messages.Presence(count=count)), messages.encode(named)

    # --- leaving -------------------------------------------------------------------------------------------------

    def _see_off(self, participant: object) -> None:
        """Close a removed person's connections, after the event that says so has gone out to them."""
        if isinstance(participant, str) and self.removed(participant):
            self.presence.dismiss(participant)
            mine = [one for one in self.connections if one.participant == participant]
            asyncio.get_running_loop().call_soon(self._close, mine, Close.REMOVED)

    def close_all(self, code: Close, *, spread: int = 0) -> None:
        """Close every connection."""
        self._close(list(self.connections), code, spread)

    def _close(self, connections: list[Connection], code: Close, spread: int = 0) -> None:
        for connection in connections:
            if connection in self.connections:
                self.advance(connection)
                self.leave(connection)
                connection.bye(code, spread=spread)

    # --- state ---------------------------------------------------------------------------------------------------

    def state_body(self, boards: str | None, at_least: int) -> StateBody:
        """Return an answer of the state door (`States.body`)."""
        return self._states.body(self.epoch, self.replica.state, boards, at_least)


def _drawn(data: bytes) -> dict[str, Any]:
    """Return the part of a drawing signal that the right to draw depends on."""
    return {"page": _page.decode(data).get("page"), "edits": []}


class Reader(Protocol):
    """The hub's way to the log."""

    async def __call__(self, lesson: int, since: int, limit: int = 1000) -> list[bytes]:
        """Return the events after `since`, oldest first."""
