"""The socket door: frames in, one verb, frames out. The hub does the sending; no connection has a channel of its own."""

import asyncio
import logging
import time
from collections import deque
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from classrooms import access, messages
from classrooms.access import Seat
from classrooms.actions import Verdict
from classrooms.hub import get_hub
from classrooms.lane import Lane
from classrooms.closes import Close
from classrooms.messages import Hello, Op, Pong, Signal, Sync, Time, Unreadable
from classrooms.models import Lesson
from classrooms.presence import Person
from classrooms.refusals import Code, Refused
from classrooms.room import Connection, Room

logger = logging.getLogger(__name__)

HELLO_WITHIN = 10.0  # s
MAX_UNREADABLE = 20  # frames a client may send that nobody can read


class LessonConsumer(AsyncWebsocketConsumer):
    """One client of one lesson."""

    # A name that is not configured: Channels then gives this consumer no channel, no task for it and no SUBSCRIBE.
    channel_layer_alias = "none"

    connection: Connection | None = None
    room: Room
    lane: Lane
    unreadable = 0

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call the handler at once; Channels would hop to Django's one database thread first, for every frame."""
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def connect(self) -> None:
        """Accept the socket and wait for `hello`, for 10 s."""
        if messages.SUBPROTOCOL not in self.scope["subprotocols"]:
            await self.close()
            return
        await self.accept(subprotocol=messages.SUBPROTOCOL)
        self.writer = SocketWriter(self)
        self.patience = asyncio.get_running_loop().call_later(HELLO_WITHIN, self.bye, Close.NO_HELLO)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Handle one message: a frame or an array of frames."""
        for frame in messages.read(text_data if text_data is not None else bytes_data or b""):
            if self.writer.closed:
                return
            if self.connection is None:
                await self.greet(frame)
            else:
                self.connection.heard = time.monotonic()
                await self.handle(frame)

    async def disconnect(self, code: int) -> None:
        """The client is gone."""
        if hasattr(self, "writer"):
            self.writer.closed = True
            self.patience.cancel()
        if self.connection is not None:
            self.room.leave(self.connection)

    # --- frames --------------------------------------------------------------------------------------------------

    async def greet(self, frame: messages.Frame | Unreadable) -> None:
        """Take the first frame: a `hello` with a ticket, answered by `welcome`."""
        if not isinstance(frame, Hello):
            return self.bye(Close.BAD_HELLO)
        if messages.PROTOCOL not in frame.protocol:
            return self.bye(Close.PROTOCOL)
        lesson = int(self.scope["url_route"]["kwargs"]["lesson"])
        try:
            seat = access.by_ticket(frame.ticket)
        except Refused:
            return self.bye(Close.TICKET)
        if seat.lesson != lesson:
            return self.bye(Close.TICKET)
        try:
            room = await get_hub().room(lesson)
        except Lesson.DoesNotExist:
            return self.bye(Close.ENDED)
        if room.removed(seat.participant):
            return self.bye(Close.REMOVED)
        if room.ended or room.head == 0:
            return self.bye(Close.ENDED)
        if not self.writer.closed:
            await self.welcome(room, seat, frame)

    async def welcome(self, room: Room, seat: Seat, hello: Hello) -> None:
        """Seat the connection and set its cursor."""
        resumes = await room.resumes(hello.epoch, hello.since, hello.at)
        person = Person(seat.participant, seat.name, seat.role, seat.color)
        self.room, self.connection = room, Connection(person, hello.client, self.writer, time.monotonic())
        self.patience.cancel()
        me = room.person(self.connection)
        limits = messages.limits(room.role_of(seat.participant))
        self.lane = Lane(room, seat, admit=self.admit, answer=self.answer)
        get_hub().enter(room, self.connection)
        self.writer.write(
            messages.encode(
                messages.Welcome(
                    protocol=messages.PROTOCOL,
                    epoch=room.epoch,
                    head=room.head,
                    mode="resume" if resumes else "snapshot",
                    me=me.told(),
                    ticket=access.ticket(seat),
                    limits=limits,
                    pace=room.pace,
                    retry=room.retry,
                    now=time.time_ns() // 1_000_000,
                )
            )
        )
        room.greet(self.connection)
        if resumes:
            self.connection.sent = hello.since
            room.advance(self.connection)

    async def handle(self, frame: messages.Frame | Unreadable) -> None:
        """Do what a seated client's frame asks."""
        assert self.connection is not None
        if isinstance(frame, Op):
            self.lane.take(frame)
            if self.lane.flooding:
                self.bye(Close.FLOODING)
        elif isinstance(frame, Signal):
            self.signal(frame)
        elif isinstance(frame, Sync):
            await self.sync(frame)
        elif isinstance(frame, Time):
            self.writer.write(messages.encode(messages.TimeAnswer(t=frame.t, now=time.time_ns() // 1_000_000)))
        elif isinstance(frame, Unreadable):
            self.unreadable += 1
            self.refuse(frame.id, Refused(frame.code))
            if self.unreadable > MAX_UNREADABLE:
                self.bye(Close.FLOODING)
        elif not isinstance(frame, Pong):
            self.refuse(None, Refused(Code.BAD_FRAME))  # a second hello

    def signal(self, frame: Signal) -> None:
        """Pass a signal on; one that is too fast or not allowed is dropped, as any signal may be."""
        assert self.connection is not None
        try:
            self.room.signal(self.connection.participant, frame.kind, messages.read_signal(frame))
        except Refused as refusal:
            self.refuse(None, refusal)

    async def sync(self, frame: Sync) -> None:
        """Set the cursor where the client says it is; a client that cannot go on from there fetches the state."""
        assert self.connection is not None
        if await self.room.resumes(self.room.epoch, frame.since, frame.at):
            self.connection.sent = frame.since
            self.room.advance(self.connection)
        else:
            self.bye(Close.RESYNC)

    # --- answers -------------------------------------------------------------------------------------------------

    def admit(self) -> float:
        """Return 0.0, or the seconds until this participant may send an op."""
        assert self.connection is not None
        return self.room.admit_op(self.connection.participant)

    def answer(self, verdicts: list[Verdict]) -> None:
        """Tell verdicts: a new event is its own acknowledgement, all else is said."""
        for verdict in verdicts:
            if verdict.refused is not None:
                self.refuse(verdict.op, verdict.refused)
            elif verdict.repeat:
                self.writer.write(messages.encode(messages.Done(id=verdict.op, seq=verdict.seq)))

    def refuse(self, op: str | None, refusal: Refused) -> None:
        """Tell a refusal."""
        self.writer.write(messages.encode(messages.RefusedFrame.of(op, refusal)))

    def bye(self, code: Close) -> None:
        """Say why, then close."""
        if self.connection is not None:
            self.room.leave(self.connection)
        self.writer.write(messages.encode(messages.Bye.of(code)))
        self.writer.close(code)


class SocketWriter:
    """Writes to a socket through plain ASGI `send`: what waits is sent by one task, which lives only while it must."""

    def __init__(self, consumer: LessonConsumer) -> None:
        self.closed = False
        self._consumer = consumer
        self._waiting: deque[bytes] = deque()
        self._code: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._bytes = 0

    @property
    def buffered(self) -> int:
        """Bytes not yet handed to the server."""
        return self._bytes

    def write(self, frame: bytes) -> None:
        """Send one text message."""
        if not self.closed:
            self._waiting.append(frame)
            self._bytes += len(frame)
            self._run()

    def close(self, code: int) -> None:
        """Close after what waits."""
        if not self.closed:
            self.closed = True
            self._code = code
            self._run()

    def abort(self) -> None:
        """Drop what waits and close."""
        self._waiting.clear()
        self.close(Close.TOO_SLOW)

    def _run(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._waiting:
                frame = self._waiting.popleft()
                await self._consumer.send(text_data=frame.decode())
                self._bytes -= len(frame)
                if self._bytes == 0 and not self.closed and self._consumer.connection is not None:
                    self._consumer.room.advance(self._consumer.connection)
            if self._code is not None:
                await self._consumer.close(code=self._code)
        except Exception as error:  # the socket went away under us; `disconnect` follows
            logger.debug("a socket could not be written to: %r", error)
            self._waiting.clear()
        finally:
            self._task = None
