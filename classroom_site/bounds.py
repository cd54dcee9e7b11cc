"""What one connection may cost the server: bytes that it sends without end, and bytes that it is sent and never reads.

Daphne hands an answer to its transport whole, and the transport keeps what the network does not take.
"""

import time
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from daphne.http_protocol import WebRequest
from django.conf import settings

from classrooms.counters import tally

UNREAD = 1024 * 1024  # bytes that wait for one connection: whoever asks for more before they are read is cut off,
STUCK = 30.0  # and whoever reads nothing of them for so many seconds;
UNREAD_BY_ALL = 128 * 1024 * 1024  # while more waits for all together, the one for whom most waits
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Transport(Protocol):
    """What is used of Twisted's transport of a TCP connection."""

    dataBuffer: bytes  # noqa: N815 - Twisted's names
    offset: int
    _tempDataLen: int  # noqa: N815

    def abortConnection(self) -> None:  # noqa: N802
        """Close at once and drop what waits."""


def unread(transport: Transport) -> int:
    """Return the bytes that were written to a connection and not yet taken by the network."""
    return len(transport.dataBuffer) - transport.offset + transport._tempDataLen


class Readers:
    """The connections of a server, and how long nothing of what waits for them was read."""

    def __init__(self) -> None:
        self._all: WeakKeyDictionary[Transport, tuple[int, float]] = WeakKeyDictionary()

    def asks(self, transport: Transport, now: float) -> bool:
        """Say whether a connection that asks for something may: it has read what it got. Else it is cut off."""
        size = unread(transport)
        self._all.setdefault(transport, (size, now))
        if size > UNREAD:
            self._cut_off(transport, "unread")
        return size <= UNREAD

    def look(self, now: float) -> None:
        """Cut off who is stuck, and then whoever has most waiting while it is too much in all."""
        waiting = {transport: unread(transport) for transport in list(self._all)}
        for transport, size in waiting.items():
            before, since = self._all[transport]
            if size <= UNREAD or size < before:
                self._all[transport] = (size, now)
            elif now - since > STUCK:
                self._cut_off(transport, "stuck")
                waiting[transport] = 0
            else:
                self._all[transport] = (size, since)
        total = sum(waiting.values())
        for transport in sorted(waiting, key=waiting.__getitem__, reverse=True):
            if total <= UNREAD_BY_ALL:
                break
            self._cut_off(transport, "unread_by_all")
            total -= waiting[transport]
        tally.unread = total

    def _cut_off(self, transport: Transport, reason: str) -> None:
        tally.cut_off[reason] += 1
        del self._all[transport]
        transport.abortConnection()


def bound(server: Any, readers: Readers) -> None:
    """Have a Daphne server that listens make bounded requests of its connections."""
    most = 2 * settings.DECK_MAX_BYTES + 1024 * 1024  # a deck that is somewhat too large is refused by a sentence

    class Request(WebRequest):  # type: ignore[misc]  # Daphne has no types
        taken = 0

        def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
            before, self.taken = self.taken, self.taken + len(data)
            if self.taken <= most:
                super().handleContentChunk(data)
            elif before <= most:
                self.channel.transport.write(TOO_LARGE)
                self.channel.transport.loseConnection()

        def process(self) -> Any:
            return super().process() if readers.asks(self.channel.transport, time.monotonic()) else None

    build = server.http_factory.buildProtocol

    def channel(address: Any) -> Any:
        made = build(address)
        made.requestFactory = Request
        return made

    server.http_factory.buildProtocol = channel
