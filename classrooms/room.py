"""A room: one lesson as this process holds it. Its replica, its ring, and its connections as cursors into the ring."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec

from classrooms import attendance, messages, replica
from classrooms.budget import Budget
from classrooms.closes import Close
from classrooms.connection import Connection
from classrooms.counters import tally
from classrooms.cursors import Cursors
from classrooms.lesson import Event, apply, permit
from classrooms.meter import Meter
from classrooms.presence import NAMED_UP_TO, Change, Person, Presence, count_frame, names_frames
from classrooms.refusals import Code, Refused
from classrooms.roles import STAFF, Role
from classrooms.signals import Signals
from classrooms.states import StateBody, States

__all__ = ["Connection", "Room"]

logger = logging.getLogger(__name__)

RESUME_BELOW_FLOOR = 2000  # events: further back than this a snapshot is cheaper than the events
PAGE = 1000  # events read at once
FAREWELL = 30.0  # s between `lesson.ended` and the close of every connection
BURST = 10  # events since the last ping of all that make a burst; 2 s after it ends everybody is told the head
DRAWING = frozenset({"ink", "drag"})  # signals that need the right to draw

_decode = msgspec.json.Decoder(Event).decode
_page = msgspec.json.Decoder(dict[str, Any])


class Reader(Protocol):
    """The hub's way to the log."""

    async def __call__(self, lesson: int, since: int, limit: int) -> list[bytes]:
        """Return the events after `since`, oldest first, as ready bytes."""


class Room:
    """One lesson in one process. Everything here runs on the event loop.

    `publish` gives signals to the other processes. `doubtful` says that the log no longer holds what was folded here:
    the database lost commits. `closed` says that the hub has given the room up; nobody enters any more.
    """

    def __init__(self, kept: replica.Replica, read: Reader, publish: Callable[[list[bytes]], None]) -> None:
        self.replica = kept
        self.ring = kept.ring
        self.presence = Presence()
        self.rollcall = attendance.Rollcall()
        self.noting = asyncio.Lock()  # held while the rollcall is being noted
        self.connections = Cursors(kept.ring, lambda since, limit: read(kept.lesson, since, limit))
        self.idle_since: float | None = time.monotonic()
        self.doubtful = False
        self.closed = False
        self._read = read
        self._publish_signals = publish
        self._catching_up: asyncio.Task[None] | None = None
        self._look_again = False
        self._states = States()
        self._reaching: list[tuple[int, asyncio.Future[None]]] = []
        self._since_ping = 0
        self._burst_ends: float | None = None
        self._farewell: asyncio.TimerHandle | None = None
        self._signals = Signals(self._send_signals)
        self._op_meters: dict[str, Meter] = {}
        self._budget = Budget()
        self._signal_meters: dict[str, Meter] = {}
        self._small = True  # whether students are told names

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

    @property
    def ended(self) -> bool:
        """Whether the lesson is over."""
        return self.replica.state.status == "ended"

    @property
    def pace(self) -> int:
        """Milliseconds between two signals of one client."""
        return self._signals.pace

    @property
    def retry(self) -> tuple[int, int]:
        """The range in ms of a client's first retry: the more clients, the wider."""
        return 200, min(10_000, max(1_000, 5 * len(self.connections)))

    def role_of(self, participant: str) -> Role:
        """Return a participant's role; whoever has left no event yet is a student."""
        person = self.replica.state.people.get(participant)
        return Role(person.role) if person else Role.STUDENT

    def removed(self, participant: str) -> bool:
        """Whether the participant was removed from the lesson."""
        person = self.replica.state.people.get(participant)
        return person is not None and person.removed

    def person(self, connection: Connection) -> Person:
        """Who sits at a connection: as the log knows them, or as their ticket says."""
        known = self.replica.state.people.get(connection.participant)
        if known is None:
            return Person(connection.participant, connection.name, Role.STUDENT, connection.color)
        return Person(connection.participant, known.name, known.role, known.color)

    def admit_op(self, participant: str) -> Refused | None:
        """Admit one op, or say why it is refused and when the next may come. Counted over all tabs.

        A participant has a rate of their own (rate_limited), and the students of a lesson one together (overloaded).
        """
        now, role = time.monotonic(), self.role_of(participant)
        limits = messages.limits(role)
        wait = self._op_meters.setdefault(participant, Meter()).take(now, limits["ops"], limits["ops_burst"])
        if wait:
            return Refused(Code.RATE_LIMITED, retry=True, after=int(wait * 1000) + 1)
        wait = 0.0 if role in STAFF else self._budget.take(participant, len(self.presence.people), now)
        return Refused(Code.OVERLOADED, retry=True, after=int(wait * 1000) + 1) if wait else None

    def state_body(self, boards: str | None, at_least: int) -> StateBody:
        """Return an answer of the state door (`States.body`)."""
        return self._states.body(self.epoch, self.replica.state, boards, at_least)

    # --- order ---------------------------------------------------------------------------------------------------

    def receive(self, raws: Iterable[bytes], since: float | None = None) -> None:
        """Take events from wherever they come: the next is folded and sent, an old one dropped, a hole is read.

        `since`: when they were committed or heard of, monotonic seconds (`Cursors.flush`).
        """
        if not self._fold(raws, since):
            tally.holes += 1
            self.catch_up()

    def catch_up(self) -> None:
        """Read from the log what this process has not heard: one read at a time, begun after this call."""
        self._look_again = True
        if self._catching_up is None and not self.closed:
            self._catching_up = asyncio.get_running_loop().create_task(self._read_on())

    async def look_for(self, seq: int) -> None:
        """Read the log once if the room is not at `seq` yet: somebody has seen more than this process, or says so."""
        if seq > self.head:
            self.catch_up()
            if self._catching_up is not None:
                await asyncio.shield(self._catching_up)

    async def reach(self, seq: int) -> None:
        """Wait until the room has folded the event `seq`, which is known to be committed.

        Raises Refused (try_again) when the hub gives the room up.
        """
        if self.head >= seq:
            return
        if self.closed:
            raise Refused(Code.TRY_AGAIN, retry=True)
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reaching.append((seq, reached))
        self.catch_up()
        await reached

    async def _read_on(self) -> None:
        """Read until the log has no more. If that fails, the next comparison of heads begins again."""
        try:
            while self._look_again and not self.closed:
                self._look_again = False
                # From one event back: that one must be the very event that we know, or the log has another history.
                raws = await self._read(self.lesson, max(0, self.head - 1), PAGE)
                if not raws and self.head:
                    self.doubtful = True
                if not self._fold(raws):
                    logger.error("the log has a hole after %d", self.head, extra={"lesson": self.lesson})
                self._look_again |= len(raws) == PAGE
        except Exception:
            logger.exception("a lesson could not be read on", extra={"lesson": self.lesson})
        finally:
            self._catching_up = None

    def _fold(self, raws: Iterable[bytes], since: float | None = None) -> bool:
        """Fold events in order and send them; False at a hole."""
        try:
            for raw in raws:
                event = _decode(raw)
                if event.seq > self.head + 1:
                    return False
                if event.seq == self.head + 1 and not self.doubtful:
                    self._take(event, raw)
                elif self.ring.time_of(event.seq) not in (None, event.at):
                    self.doubtful = True
            return True
        finally:
            self.connections.flush(since)

    def _take(self, event: Event, raw: bytes) -> None:
        apply(self.replica.state, event)
        self.ring.push(raw, event.at)
        self._since_ping += 1
        if self._since_ping >= BURST:
            self._burst_ends = time.monotonic() + 2
        if event.kind.startswith("person."):
            self._notice(event.data.get("participant"))
        elif event.kind == "lesson.ended" and self.ended and self._farewell is None:
            self.rollcall.end(attendance.now_ms())
            self._farewell = asyncio.get_running_loop().call_later(FAREWELL, self._close_all, Close.ENDED)
        if self._reaching:
            self._wake_waiters()

    def _wake_waiters(self) -> None:
        waiting, self._reaching = self._reaching, []
        for seq, reached in waiting:
            if seq > self.head:
                self._reaching.append((seq, reached))
            elif not reached.done():
                reached.set_result(None)

    # --- seats ---------------------------------------------------------------------------------------------------

    def enter(self, connection: Connection) -> bool:
        """A client is here. Its older connection goes, and the oldest of a person with too many.

        False, and a close, for who comes too late: into a room that was given up, or after being removed.
        """
        if self.closed or self.removed(connection.participant):
            connection.bye(Close.RESYNC if self.closed else Close.REMOVED)
            return False
        for other in self.connections.of(connection.participant):
            if other.client == connection.client:
                self.leave(other)
                other.bye(Close.REPLACED)
        mine = self.connections.of(connection.participant)
        if len(mine) >= messages.LIMITS["connections"]:
            self.leave(mine[0])
            mine[0].bye(Close.TOO_MANY_TABS)
        self.connections.add(connection)
        self.idle_since = None
        self.presence.enter(self.person(connection))
        self.rollcall.enter(connection.participant, attendance.now_ms())
        return True

    def leave(self, connection: Connection) -> None:
        """A client is gone, for whatever reason; safe to call twice."""
        if self.connections.drop(connection):
            now = time.monotonic()
            self.presence.leave(connection.participant, now)
            if not self.connections.of(connection.participant):
                self.rollcall.leave(connection.participant, attendance.now_ms())
            if not self.connections:
                self.idle_since = now

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
            raws = await self.connections.read(since - 1)
            known = _decode(raws[0]).at if raws else None
        return known == at

    def advance(self, connection: Connection) -> None:
        """Write everything after the connection's cursor, as far as it takes it."""
        self.connections.advance(connection)

    def close(self, code: Close) -> None:
        """The hub gives the room up: everybody goes, and nobody waits here for what will not come."""
        self.closed = True
        if self._farewell is not None:
            self._farewell.cancel()
        self._close_all(code)
        waiting, self._reaching = self._reaching, []
        for _, reached in waiting:
            if not reached.done():
                reached.set_exception(Refused(Code.TRY_AGAIN, retry=True))

    def _notice(self, participant: object) -> None:
        """Somebody came into the log, changed or was removed; who was removed is seen off after the event is out."""
        if not isinstance(participant, str):
            return
        mine = self.connections.of(participant)
        if self.removed(participant):
            self.presence.dismiss(participant)
            asyncio.get_running_loop().call_soon(self._close, mine, Close.REMOVED)
        elif mine:
            self.presence.know(self.person(mine[0]))

    def _close_all(self, code: Close) -> None:
        self._close(list(self.connections), code)

    def _close(self, connections: list[Connection], code: Close) -> None:
        for connection in connections:
            if connection in self.connections:
                self.advance(connection)
                self.leave(connection)
                connection.bye(code)

    # --- signals -------------------------------------------------------------------------------------------------

    def admit_signal(self, participant: str) -> bool:
        """Admit one signal, or say that it comes too fast: to be asked before it is read. Counted over all tabs."""
        limits = messages.LIMITS
        meter = self._signal_meters.setdefault(participant, Meter())
        if meter.take(time.monotonic(), limits["signals"], limits["signals_burst"]):
            tally.signals_refused += 1
            return False
        tally.signals += 1
        return True

    def signal(self, participant: str, kind: str, data: bytes) -> None:
        """Pass a signal on, unless its sender has no right to it: signals may always be lost."""
        if kind in DRAWING and permit(self.replica.state, participant, "board.edited", _drawn(data)) is not None:
            return
        self._signals.take(participant, messages.signal_bytes(kind, participant, data))

    def _send_signals(self, signals: list[bytes]) -> None:
        self.forward(signals)
        self._publish_signals(signals)

    def forward(self, signals: list[bytes]) -> None:
        """Give signals, from here or from another process, to everybody who keeps up."""
        self.connections.signal(messages.signals_frame(signals))

    # --- once a second -------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Tell who came and went, and the head after a burst; drop readers that rest too long."""
        change = self.presence.tick(now)
        if change is not None:
            self._tell(change)
        if self._burst_ends is not None and now >= self._burst_ends:
            self._burst_ends, self._since_ping = None, 0
            self.connections.tell(self.ping_frame())
        for connection in self.connections.too_slow(now):
            self.leave(connection)
            connection.writer.abort()

    def ping_frame(self) -> bytes:
        """Return the head, one board's digest at that head, and the pace."""
        page = self.replica.state.current
        digest = (page, self.replica.state.boards[page].digest) if page else msgspec.UNSET
        return messages.encode(messages.Ping(head=self.head, digest=digest, pace=self._signals.pace))

    def greet(self, connection: Connection) -> None:
        """Tell a newcomer who is here: names to staff and in a small room, else the count alone."""
        people = {**self.presence.people, connection.participant: self.person(connection)}
        if len(people) <= NAMED_UP_TO or self.role_of(connection.participant) in STAFF:
            frames = names_frames(Change(len(people), list(people.values())))
        else:
            frames = [count_frame(len(people))]
        for frame in frames:
            connection.writer.write(frame)

    def _tell(self, change: Change) -> None:
        """Tell what changed to whom names are told, the count alone to the others."""
        small = change.count <= NAMED_UP_TO
        staff = names_frames(change)
        students = staff if small else [count_frame(change.count)]
        if small and not self._small:  # they have heard no names while the room was larger
            students = names_frames(Change(change.count, list(self.presence.people.values()), change.left))
        self._small = small

        def write(connection: Connection) -> None:
            for frame in staff if self.role_of(connection.participant) in STAFF else students:
                connection.writer.write(frame)

        self.connections.each(write)


def _drawn(data: bytes) -> dict[str, Any]:
    """Return the part of a drawing signal that the right to draw depends on."""
    fields = _page.decode(data)
    return {"page": fields.get("page"), "edits": [["add", fields["item"]]] if "item" in fields else []}
