"""The socket door: frames in, one verb, frames out. The room does the sending; no connection has a channel."""

import asyncio
import logging
import time
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from classrooms import access, messages
from classrooms.access import Seat
from classrooms.actions import Verdict
from classrooms.closes import Close
from classrooms.counters import tally
from classrooms.hub import STAFF_SPREAD, Hub, get_hub
from classrooms.lane import Lane
from classrooms.messages import Hello, Op, Pong, Signal, Sync, Time, Unreadable
from classrooms.meter import Meter
from classrooms.models import Lesson
from classrooms.presence import Person
from classrooms.refusals import Code, Refused
from classrooms.roles import STAFF
from classrooms.room import Connection, Room
from classrooms.socket_writer import SocketWriter

logger = logging.getLogger(__name__)

HELLO_WITHIN = 10.0  # s
MAX_UNREADABLE = 20  # frames a client may send that nobody can read
FRAMES = (200.0, 1000)  # of any type: a second, and at once. Whoever sends more does not pace themselves at all
SYNCS = (1.0, 10)  # each may cost a read of the log and a ring full of events

RESTART = 500  # ms before anybody comes back to a server that ends, or has too much to do: it needs a moment

WRITER = "lectern.writer"  # what a server that knows better than `send` offers in its scope's extensions

NO_TEXT = Unreadable(None, Code.BAD_FRAME)  # what a binary message is


class LessonConsumer(AsyncWebsocketConsumer):
    """One client of one lesson."""

    # A name that is not configured: Channels then gives this consumer no channel, no task for it and no SUBSCRIBE.
    channel_layer_alias = "none"

    seated = False  # after `hello`; only then are there:
    room: Room
    connection: Connection
    lane: Lane

    hub: Hub | None = None  # once the socket is accepted
    patience: asyncio.TimerHandle | None = None
    unreadable = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one socket. However it ends, the room is told."""
        self.lesson = int(scope["url_route"]["kwargs"]["lesson"])
        self.writer = scope.get("extensions", {}).get(WRITER) or SocketWriter(send)
        self.writer.drained = self.go_on
        self.frames = Meter()
        self.syncs = Meter()
        self.scope = scope
        self.base_send = send
        tally.sockets += 1
        try:
            # Channels would have a task for each message, to hear a channel layer besides.
            while (message := await receive())["type"] != "websocket.disconnect":
                await self.dispatch(message)
        finally:
            tally.sockets -= 1
            self.forget()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call the handler at once; Channels would hop to Django's one database thread first, for every frame."""
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def connect(self) -> None:
        """Accept the socket and wait for `hello`, for 10 s."""
        if messages.SUBPROTOCOL not in self.scope["subprotocols"]:
            await self.close()
            return
        await self.accept(subprotocol=messages.SUBPROTOCOL)
        self.patience = asyncio.get_running_loop().call_later(HELLO_WITHIN, self.bye, Close.NO_HELLO)
        self.hub = get_hub()
        self.hub.visit(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Handle one message: a frame or an array of frames. A failure of ours ends the socket, not the server."""
        if self.writer.closed:
            return
        try:
            for frame in messages.read(text_data) if text_data is not None else [NO_TEXT]:
                await self.take(frame)
        except Exception:
            logger.exception("a frame failed", extra=self.known)
            self.bye(Close.INTERNAL)

    def forget(self) -> None:
        """Leave the room and stop every timer; safe to call twice."""
        self.writer.closed = True
        if self.patience is not None:
            self.patience.cancel()
        if self.seated:
            self.room.leave(self.connection)
            logger.info("a client has left", extra=self.known)
        if self.hub is not None:
            self.hub.visitors.pop(self, None)

    @property
    def known(self) -> dict[str, Any]:
        """What a line of the log says of this socket."""
        return {"lesson": self.lesson} | ({"participant": self.connection.participant} if self.seated else {})

    # --- frames --------------------------------------------------------------------------------------------------

    async def take(self, frame: messages.Frame | Unreadable) -> None:
        """Take one frame, unless too many came."""
        if self.writer.closed:
            return
        now = time.monotonic()
        if self.frames.take(now, *FRAMES):
            self.bye(Close.FLOODING)
        elif not self.seated:
            await self.greet(frame)
        else:
            self.connection.heard = now
            await self.handle(frame)

    async def greet(self, frame: messages.Frame | Unreadable) -> None:
        """Take the first frame: a `hello` with a ticket, answered by `welcome`."""
        if self.patience is not None:
            self.patience.cancel()
        if not isinstance(frame, Hello):
            self.bye(Close.BAD_HELLO)
        elif messages.PROTOCOL not in frame.protocol:
            self.bye(Close.PROTOCOL)
        elif (seat := self.ticketed(frame)) is None:
            self.bye(Close.TICKET)
        elif (spread := get_hub().admit(self.lesson, seat.participant)) is not None:
            self.bye(Close.OVERLOADED, after=RESTART, spread=spread)
        else:
            await self.come_in(seat, frame)

    def ticketed(self, hello: Hello) -> Seat | None:
        """Return the seat of a ticket for this lesson."""
        try:
            seat = access.by_ticket(hello.ticket)
        except Refused:
            return None
        return seat if seat.lesson == self.lesson else None

    async def come_in(self, seat: Seat, hello: Hello) -> None:
        """Wait for all that must be read, then judge and enter in one go: what is judged holds when we are in."""
        try:
            room = await get_hub().room(self.lesson)
        except Lesson.DoesNotExist:
            return self.bye(Close.ENDED)
        await room.look_for(seat.since)
        resumes = await room.resumes(hello.epoch, hello.since, hello.at)
        if room.ended or room.head == 0:
            return self.bye(Close.ENDED)
        return self.enter(room, seat, hello, resumes=resumes)

    def enter(self, room: Room, seat: Seat, hello: Hello, *, resumes: bool) -> None:
        """Become a connection of the room, with its cursor where the client is; with none it fetches a snapshot."""
        if self.writer.closed:
            return
        person = Person(seat.participant, seat.name, seat.role, seat.color)
        self.room, self.connection = room, Connection(person, hello.client, self.writer, time.monotonic())
        self.lane = Lane(room, seat, admit=self.admit, answer=self.answer)
        get_hub().enter(room, self.connection)
        self.seated = not self.writer.closed
        if not self.seated:
            return
        logger.info("a client has come", extra=self.known)
        self.welcome(seat, resumes=resumes)
        room.greet(self.connection)
        tally.resumes += resumes
        tally.starts += not resumes
        if resumes:
            self.connection.sent = hello.since
            room.advance(self.connection)

    def welcome(self, seat: Seat, *, resumes: bool) -> None:
        """Tell a newcomer who they are, what they may, and whether events follow or a snapshot is to be fetched."""
        self.write(
            messages.Welcome(
                protocol=messages.PROTOCOL,
                epoch=self.room.epoch,
                head=self.room.head,
                mode="resume" if resumes else "snapshot",
                me=self.room.person(self.connection).told(),
                ticket=access.ticket(seat),
                limits=messages.limits(self.room.role_of(seat.participant)),
                pace=self.room.pace,
                retry=self.room.retry,
                now=time.time_ns() // 1_000_000,
            )
        )

    async def handle(self, frame: messages.Frame | Unreadable) -> None:
        """Do what a seated client's frame asks."""
        if isinstance(frame, Op):
            self.lane.take(frame)
            if self.lane.flooding:
                self.bye(Close.FLOODING)
            elif self.lane.astray:
                self.bye(Close.RESYNC)
        elif isinstance(frame, Signal):
            self.signal(frame)
        elif isinstance(frame, Sync):
            await self.sync(frame)
        elif isinstance(frame, Time):
            self.write(messages.TimeAnswer(t=frame.t, now=time.time_ns() // 1_000_000))
        elif isinstance(frame, Unreadable):
            self.unreadable += 1
            tally.unreadable += 1
            self.refuse(frame.id, Refused(frame.code))
            if self.unreadable > MAX_UNREADABLE:
                self.bye(Close.FLOODING)
        elif not isinstance(frame, Pong):
            self.refuse(None, Refused(Code.BAD_FRAME))  # a second hello

    def signal(self, frame: Signal) -> None:
        """Pass a signal on; one that is too fast, read or not, or not allowed is dropped, as any signal may be."""
        if not self.room.admit_signal(self.connection.participant):
            return
        try:
            self.room.signal(self.connection.participant, frame.kind, messages.read_signal(frame))
        except Refused as refusal:
            self.refuse(None, refusal)

    async def sync(self, frame: Sync) -> None:
        """Set the cursor where the client says it is; a client that cannot go on from there fetches the state."""
        if self.syncs.take(time.monotonic(), *SYNCS):
            self.bye(Close.FLOODING)
        elif await self.room.resumes(self.room.epoch, frame.since, frame.at):
            self.connection.sent = frame.since
            self.room.advance(self.connection)
        else:
            self.bye(Close.RESYNC)

    # --- answers -------------------------------------------------------------------------------------------------

    def admit(self) -> Refused | None:
        """Return why this participant may not send an op now, None when they may."""
        return self.room.admit_op(self.connection.participant)

    def answer(self, verdicts: list[Verdict]) -> None:
        """Tell verdicts: a new event is its own acknowledgement, all else is said.

        While a client fetches a snapshot, that may swallow the event, so the acknowledgement is said then too.
        """
        for verdict in verdicts:
            if verdict.refused is not None:
                self.refuse(verdict.op, verdict.refused)
            elif verdict.repeat or self.connection.sent is None:
                self.write(messages.Done(id=verdict.op, seq=verdict.seq))

    def refuse(self, op: str | None, refusal: Refused) -> None:
        """Tell a refusal."""
        self.write(messages.RefusedFrame.of(op, refusal))

    def write(self, frame: messages.DownFrame) -> None:
        """Send a frame to this client alone."""
        self.writer.write(messages.encode(frame))

    def go_on(self) -> None:
        """All that waited has been taken: write what comes after it."""
        if self.seated:
            self.room.advance(self.connection)

    def see_off(self, spread: int) -> None:
        """Say that the server restarts, after all that is committed: back within `spread` ms, staff sooner."""
        if self.writer.closed:
            return
        if self.seated:
            self.room.advance(self.connection)
            if self.room.role_of(self.connection.participant) in STAFF:
                spread = min(spread, STAFF_SPREAD)
        self.bye(Close.RESTARTING, after=RESTART, spread=spread)

    def bye(self, code: Close, *, after: int = 0, spread: int = 0) -> None:
        """Say why, and when to come back, then close."""
        if self.seated:
            self.room.leave(self.connection)
        self.write(messages.Bye.of(code, after=after, spread=spread))
        self.writer.close(code)
