"""What a socket is written to with where the server offers nothing better: plain ASGI `send`."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from autobahn.exception import Disconnected  # what Daphne raises where ASGI asks for an OSError

from classrooms.closes import Close
from classrooms.counters import tally

logger = logging.getLogger(__name__)

MAX_WAITING = 1024 * 1024  # bytes for one client

Send = Callable[[dict[str, Any]], Awaitable[None]]


class SocketWriter:
    """Writes to a socket through ASGI's `send`: what waits is sent by one task, which lives only while it must.

    `drained` is called whenever everything has been handed to the server.
    """

    def __init__(self, send: Send) -> None:
        self.closed = False
        self.drained: Callable[[], None] = lambda: None
        self._send = send
        self._waiting: deque[bytes] = deque()
        self._code: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._bytes = 0

    @property
    def buffered(self) -> int:
        """Bytes not yet handed to the server."""
        return self._bytes

    def write(self, frame: bytes) -> None:
        """Send one text message; a client for which too much waits is dropped, and resumes when it comes back."""
        if self.closed:
            return
        self._waiting.append(frame)
        self._bytes += len(frame)
        if self._bytes > MAX_WAITING:
            self.abort()
        else:
            self._run()

    def close(self, code: int) -> None:
        """Close after what waits."""
        if not self.closed:
            self.closed = True
            tally.closes[int(code)] += 1
            self._code = int(code)  # Autobahn takes no enum for a number
            self._run()

    def abort(self) -> None:
        """Drop what waits and close."""
        self._waiting.clear()
        self.close(Close.TOO_SLOW)

    def _run(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._send_all())

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                frame = self._waiting.popleft()
                await self._send({"type": "websocket.send", "text": frame.decode()})
                self._bytes -= len(frame)
                if self._bytes == 0 and not self.closed:
                    self.drained()
            if self._code is not None:
                await self._send({"type": "websocket.close", "code": self._code})
        except (OSError, Disconnected):  # the socket went away under us; `disconnect` follows
            self._waiting.clear()
        except Exception:
            logger.exception("a socket could not be written to")
            self._waiting.clear()
        finally:
            self._task = None
