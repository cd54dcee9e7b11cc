"""A TCP proxy in this process that passes, delays, refuses, swallows or cuts."""

import asyncio
import contextlib
import enum
from types import TracebackType
from typing import Self


class Mode(enum.Enum):
    PASS = "pass"
    REFUSE = "refuse"  # new connections are closed at once
    BLACK_HOLE = "black hole"  # connections stay open, nothing passes either way


class Proxy:
    """Listens on `port` and hands every connection on to `target`.

    `mode` and `delay` (seconds, each way) may be changed at any time and hold for open connections too. Bytes held
    by a black hole pass on when it ends, as packets sent again do.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.delay = 0.0
        self._mode = Mode.PASS
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._streams: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=256 * 1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # an aborted transport closes its socket in the loop's next turn

    @property
    def mode(self) -> Mode:
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self._mode = mode
        self._changed.set()
        self._changed = asyncio.Event()

    def cut(self) -> int:
        """Reset every open connection, mid-byte; return how many there were."""
        streams = list(self._streams)
        for writer in streams:
            writer.transport.abort()
        return len(streams) // 2

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mode is Mode.REFUSE:
            writer.transport.abort()
            return
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._carry(reader, upstream_writer)
        self._carry(upstream_reader, writer)

    def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._streams.add(writer)
        task = asyncio.ensure_future(self._pump(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(65536):
                    await self._hold()
                    writer.write(data)
                    await writer.drain()
        finally:
            self._streams.discard(writer)
            writer.close()

    async def _hold(self) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        while self._mode is Mode.BLACK_HOLE:
            await self._changed.wait()
