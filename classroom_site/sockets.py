"""Sockets on Daphne: a writer of prebuilt frames, a bounded inbox, and no more memory than is needed.

What Daphne does for each message and each connection is right for an application that it knows nothing of. A room
writes the same bytes to hundreds of sockets, so here a frame is built once and goes straight to each
(docs/decisions/0012-straight-to-the-socket.md). The application gets the writer as
`scope["extensions"]["lectern.writer"]`; without it, it works through plain ASGI.

Private attributes of Twisted's transport and of Autobahn that are used here are held by tests/test_sockets.py.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings
from twisted.internet import tcp

from classroom_site.bounds import Readers, unread
from classrooms.closes import Close
from classrooms.counters import tally
from classrooms.meter import Meter

WRITER = "lectern.writer"  # the extension of the scope
MAX_WAITING = 1024 * 1024  # bytes that were written and not taken by the network, before a client is dropped
FRAMES = (
    400.0,
    2000,
)  # of a socket: a second, and at once. Twice what the door forgives with a word
MOST_WAITING = 64  # messages of a client that wait for the application: from here nothing more is read from it,
FEW_WAITING = 16  # until only so many wait

OPTIONS = frozenset(WebSocketProtocol.CONFIG_ATTRS)  # which Autobahn would copy from the factory to each connection
ONCE = {  # what only the handshake reads
    "_raw_query_string", "_transport_details", "_wskey", "application_deferred", "http_headers", "http_request_data",
    "http_request_host", "http_request_params", "http_request_path", "http_request_uri", "http_response_data",
    "http_status_line", "protocol_to_accept", "websocket_extensions", "websocket_origin", "websocket_protocols",
}  # fmt: skip

TEXT = 0x81  # a whole text message in one frame


class Prebuilt:
    """The last message as the network takes it: a server's frames are not masked, so all who get it get these bytes."""

    __slots__ = ("message", "wire")

    def __init__(self) -> None:
        self.message: bytes | None = None
        self.wire = b""

    def of(self, message: bytes) -> bytes:
        """Return a text message as one WebSocket frame (RFC 6455 section 5.2), the last one as it was built."""
        if message is not self.message:
            size = len(message)
            if size < 126:
                head = bytes((TEXT, size))
            elif size < 65536:
                head = bytes((TEXT, 126)) + size.to_bytes(2)
            else:
                head = bytes((TEXT, 127)) + size.to_bytes(8)
            self.message, self.wire = message, head + message
        return self.wire


prebuilt = Prebuilt()


class DirectWriter:
    """Writes to one open socket (classrooms.connection.Writer), and is its transport's producer.

    With `straight`, a frame goes to the network at once when nothing waits before it; what the network does not take,
    and everything else, waits in the transport. `drained` is called when a transport that was full is empty again.
    """

    __slots__ = ("_protocol", "_straight", "_transport", "closed", "drained")

    def __init__(self, protocol: "Socket", *, straight: bool) -> None:
        self.closed = False
        self.drained: Callable[[], None] | None = None
        self._protocol = protocol
        self._transport: Any = protocol.transport
        self._straight = straight and isinstance(protocol.transport, tcp.Connection)

    @property
    def buffered(self) -> int:
        """Bytes that were written and not yet taken by the network."""
        return unread(self._transport)

    def write(self, frame: bytes) -> None:
        """Send one text message; a client for which too much waits is dropped, and resumes when it comes back."""
        protocol = self._protocol
        if self.closed or protocol.state != protocol.STATE_OPEN:
            return
        wire = prebuilt.of(frame)
        transport = self._transport
        if self._straight and not transport.dataBuffer and not transport._tempDataLen:
            try:
                taken = transport.socket.send(wire)
            except OSError:  # the network takes nothing now, or is gone: the transport finds out which
                taken = 0
            if taken == len(wire):
                return
            wire = wire[taken:]
        transport.write(wire)
        if unread(transport) > MAX_WAITING:
            self.abort()

    def close(self, code: int) -> None:
        """Close after what waits."""
        if not self.closed:
            self.closed = True
            tally.closes[int(code)] += 1
            self._protocol.sendClose(code=int(code))

    def abort(self) -> None:
        """Drop what waits, and the connection: a word about it would have to wait behind what is not being read."""
        if not self.closed:
            self.closed = True
            tally.closes[int(Close.TOO_SLOW)] += 1
            self._transport.abortConnection()

    # --- the producer of its transport, in Twisted's words ----------------------------------------------------------

    def pauseProducing(self) -> None:  # noqa: N802
        """More than 64 KiB wait. Cursors look at `buffered` themselves."""

    def resumeProducing(self) -> None:  # noqa: N802
        """All that waited is gone."""
        if self._transport.disconnecting:  # it would wait for us to produce more before it ends
            self._transport.unregisterProducer()
        elif self.drained is not None and not self.closed:
            self.drained()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is gone; the application hears of it by `websocket.disconnect`."""
        self.closed = True


class Inbox:
    """Messages to the application of one socket. While many wait, nothing is read from the network."""

    __slots__ = ("_messages", "_paused", "_transport", "_wanted")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._messages: list[dict[str, Any]] = []
        self._wanted: asyncio.Future[None] | None = None
        self._paused = False

    def put_nowait(self, message: dict[str, Any]) -> None:
        """Take a message from the network."""
        self._messages.append(message)
        if self._wanted is not None and not self._wanted.done():
            self._wanted.set_result(None)
        if not self._paused and len(self._messages) >= MOST_WAITING:
            self._paused = True
            self._transport.pauseProducing()

    async def get(self) -> dict[str, Any]:
        """Return the next message, for the one who reads: ASGI's `receive`."""
        while not self._messages:
            self._wanted = asyncio.get_running_loop().create_future()
            await self._wanted
        self._wanted = None
        message = self._messages.pop(0)
        if self._paused and len(self._messages) <= FEW_WAITING:
            self._paused = False
            self._transport.resumeProducing()
        return message


class Socket(WebSocketProtocol):  # type: ignore[misc]  # Daphne has no types
    """One socket, bounded in what it may cost (classroom_site/bounds.py)."""

    CONFIG_ATTRS = ()  # to copy: options are the factory's (`__getattr__`)

    server: "LeanServer"
    writer: DirectWriter

    def __init__(self) -> None:
        super().__init__()
        self.frames = Meter()

    def onOpen(self) -> None:  # noqa: N802 - Autobahn's names
        """Let go of what only the handshake needed; from here the writer is told when the network has taken all."""
        super().onOpen()
        self.transport.unregisterProducer()  # the HTTP channel that the socket came by
        self.transport.registerProducer(self.writer, True)
        self.server.opened(self)
        self.clean_headers.clear()  # the scope's own list: no application reads headers after it has accepted
        self.request.headers.clear()
        # A dict that has held more than a hundred attributes keeps the room for them: a copy has only what it needs.
        self.__dict__ = {name: value for name, value in vars(self).items() if name not in ONCE}

    def __getattr__(self, name: str) -> Any:
        """Return an option that all sockets of the factory have alike."""
        if name in OPTIONS:
            return getattr(vars(self)["factory"], name)
        raise AttributeError(name)

    def admits(self) -> bool:
        """Count a frame of any kind, parts of messages too, before anything is done with it."""
        flooding = self.frames.take(time.monotonic(), *FRAMES) > 0
        if flooding:
            tally.cut_off["flooding"] += 1
            self.transport.abortConnection()
        return not flooding

    def onMessageFrameBegin(self, length: int) -> None:  # noqa: N802
        """A frame of a message begins."""
        self.admits()
        super().onMessageFrameBegin(length)

    def onPing(self, payload: bytes) -> None:  # noqa: N802
        """A ping has come."""
        if self.admits():
            super().onPing(payload)

    def onPong(self, payload: bytes) -> None:  # noqa: N802
        """A pong has come."""
        self.admits()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803
        """A message has come."""
        if self.server.readers.asks(self.transport, time.monotonic()):
            super().onMessage(payload, isBinary)


class LeanServer(Server):  # type: ignore[misc]  # Daphne has no types
    """Daphne's server with our sockets. It looks after connections that come or go, not after all every second."""

    readers: Readers
    connections: dict[Any, dict[str, Any]]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._watched: dict[Any, None] = {}

    def protocol_connected(self, protocol: Any) -> None:
        """A request or a socket begins."""
        super().protocol_connected(protocol)
        self._watched[protocol] = None

    def protocol_disconnected(self, protocol: Any) -> None:
        """A request or a socket has ended; its application may still run."""
        super().protocol_disconnected(protocol)
        self._watched[protocol] = None

    def opened(self, socket: Socket) -> None:
        """A socket has shaken hands: it has no time-out any more, and is looked after when it or its task ends."""
        self._watched.pop(socket, None)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Run the application for a request or a socket, and return its queue of messages; None if it is gone."""
        if not isinstance(protocol, Socket):
            return super().create_application(protocol, scope)
        if protocol not in self.connections:
            return None
        protocol.writer = DirectWriter(protocol, straight=settings.STRAIGHT_TO_SOCKET)
        inbox = Inbox(protocol.transport)
        scope["asgi"] = {"version": "3.0"}
        scope["extensions"] = {WRITER: protocol.writer}
        application = self.application(scope=scope, receive=inbox.get, send=partial(self.handle_reply, protocol))
        task = asyncio.ensure_future(application)
        task.add_done_callback(lambda done: self._application_ended(protocol))
        self.connections[protocol]["application_instance"] = task
        return inbox

    def _application_ended(self, protocol: Any) -> None:
        if protocol in self.connections:
            self._watched[protocol] = None

    def application_checker(self) -> None:
        """Reap what has ended, once a second."""
        self._walk(super().application_checker)

    def timeout_checker(self) -> None:
        """Find handshakes that take too long, every two seconds."""
        self._walk(super().timeout_checker)

    def _walk(self, walk: Callable[[], None]) -> None:
        """Have Daphne walk over the watched connections alone: a walk over all would stop the loop."""
        everybody = self.connections
        self.connections = watched = {one: everybody[one] for one in self._watched if one in everybody}
        before = list(watched)
        try:
            walk()
        finally:
            self.connections = everybody
            for one in before:
                if one not in watched:
                    del everybody[one], self._watched[one]

    def kill_all_applications(self) -> Any:
        """Cancel what still runs when the process ends. Daphne's own fails where an application has ended already."""
        for who in [who for who, one in self.connections.items() if "application_instance" not in one]:
            del self.connections[who]
        return super().kill_all_applications()
