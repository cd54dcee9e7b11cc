"""Who waits for a lesson to start: from memory, with one query a second for all of them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from classrooms.models import Lesson
from classrooms.refusals import Code, Refused

logger = logging.getLogger(__name__)

CHECK_EVERY = 1.0  # s between two looks at the database while somebody waits
SPREAD_EACH = 5  # ms of spread for each who waits: 200 joins a second
MAX_SPREAD = 10_000  # ms
MAX_CODES = 2_000  # codes watched at once: a guesser cannot make the one query large

Reader = Callable[..., Coroutine[Any, Any, dict[str, int]]]


def live_lessons(codes: list[str]) -> dict[str, int]:
    """Return the live lesson of each of these codes' classrooms, where there is one. Blocking: one query."""
    rows = Lesson.objects.filter(status=Lesson.Status.LIVE, classroom__code__in=codes)
    return dict(rows.values_list("classroom__code", "pk"))


class Waiting:
    """Requests that wait for a code's lesson. `read` runs a blocking function in a reader's thread."""

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._waiters: dict[str, set[asyncio.Future[tuple[int, int]]]] = {}
        self._watch: asyncio.Task[None] | None = None
        self._look = asyncio.Event()
        self._closed = asyncio.Event()

    async def lesson(self, code: str, patience: float) -> tuple[int, int] | None:
        """Wait up to `patience` seconds for a lesson. Returns its id, and the ms over which all should spread joining.

        An unknown code waits like any other: nothing is learnt here by guessing. Raises Refused once this is closed.
        """
        if self._closed.is_set() or (code not in self._waiters and len(self._waiters) >= MAX_CODES):
            await self.in_vain(patience)
            return None
        future: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        waiters = self._waiters.setdefault(code, set())
        waiters.add(future)
        if self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._run())
        try:
            return await asyncio.wait_for(future, patience)
        except TimeoutError:
            return None
        finally:
            waiters.discard(future)
            if not waiters and self._waiters.get(code) is waiters:
                del self._waiters[code]

    async def in_vain(self, patience: float) -> None:
        """Wait up to `patience` seconds for nothing. Raises Refused once this is closed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), patience)
            raise _elsewhere()

    def close(self) -> None:
        """Send everybody away to ask again: this process ends."""
        self._closed.set()
        for future in [future for waiters in self._waiters.values() for future in waiters]:
            if not future.done():
                future.set_exception(_elsewhere())

    def __len__(self) -> int:
        """Return how many requests wait."""
        return sum(map(len, self._waiters.values()))

    def look(self) -> None:
        """Look at the database now, not at the next second: a lesson has started."""
        self._look.set()

    def stop(self) -> None:
        """End the watch."""
        if self._watch is not None:
            self._watch.cancel()

    async def _run(self) -> None:
        """Look once a second while somebody waits; the crowd that comes meanwhile costs no query of its own."""
        try:
            while self._waiters:
                self._look.clear()
                try:
                    self._tell(await self._read(live_lessons, list(self._waiters)))
                except Exception:
                    logger.exception("nobody could look for lessons that start")
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._look.wait(), CHECK_EVERY)
        finally:
            self._watch = None

    def _tell(self, lessons: dict[str, int]) -> None:
        for code, lesson in lessons.items():
            waiters = self._waiters.get(code, set())
            spread = min(MAX_SPREAD, SPREAD_EACH * len(waiters))
            for future in waiters:
                if not future.done():
                    future.set_result((lesson, spread))


def _elsewhere() -> Refused:
    return Refused(Code.TRY_AGAIN, retry=True, after=1000)
