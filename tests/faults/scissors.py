"""A proxy that cuts the connections it carries after so many bytes, in the middle of whatever they say."""

import asyncio
import contextlib

from tests.support.proxy import Proxy


class Scissors(Proxy):
    """`left` bytes, both ways together, until the next cut; None: no cut. `cuts` so far."""

    left: int | None = None
    cuts = 0

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(65536):
                    passing = data if self.left is None else data[: self.left]
                    writer.write(passing)
                    await writer.drain()
                    self._count(len(passing))
        finally:
            self._streams.discard(writer)
            writer.close()

    def _count(self, passed: int) -> None:
        if self.left is not None:
            self.left -= passed
            if self.left <= 0:
                self.left = None
                self.cuts += 1
                self.cut()
