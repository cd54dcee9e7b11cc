"""The bytes of a lesson's state, made once for all who ask within two seconds."""

import asyncio
import gzip
import time

from classrooms.lesson import LessonState, digests, encode_state
from classrooms.messages import state_body

MAX_AGE = 2.0  # s that an answer may be old
MAX_LAG = 500  # events that an answer may be old
KEEP = 60.0  # s that an answer nobody asks for is kept,
KEEP_MOST = 32  # and answers of one room: each page asked for is one
IN_PLACE = 64 * 1024  # bytes that are compressed on the loop, in about 2 ms; more goes to a thread


class StateBody:
    """One answer to `state`: the body at `seq`, and compressed once somebody wants that."""

    __slots__ = ("_zipping", "body", "born", "seq")

    def __init__(self, seq: int, body: bytes, born: float) -> None:
        self.seq = seq
        self.body = body
        self.born = born
        self._zipping: asyncio.Future[bytes] | None = None

    async def zipped(self) -> bytes:
        """Return the body, gzip compressed."""
        if self._zipping is None:
            if len(self.body) <= IN_PLACE:
                self._zipping = asyncio.get_running_loop().create_future()
                self._zipping.set_result(gzip.compress(self.body, 6))
            else:
                self._zipping = asyncio.ensure_future(asyncio.to_thread(gzip.compress, self.body, 6))
        return await asyncio.shield(self._zipping)


class States:
    """The answers of one room. Boards that did not change are not encoded again."""

    def __init__(self) -> None:
        self._kept: dict[str | None, StateBody] = {}  # by page; "" is no board, None is all of them

    def body(self, epoch: str, state: LessonState, boards: str | None, at_least: int) -> StateBody:
        """Return an answer up to 2 s or 500 events old, but not below the seq `at_least`, nor from before the end.

        `boards`: None for all of them, "current", or a page's id; an unknown page has no board.
        """
        if state.status == "ended":
            at_least = state.seq  # whoever is told no more by a socket has to learn it here
        now = time.monotonic()
        page = state.current if boards == "current" else boards
        key = page if page is None or page in state.boards else ""
        kept = self._kept.get(key)
        if kept is None or not self._serves(kept, state.seq, at_least, now):
            self._drop(now)
            wanted = None if key is None else {key}
            body = state_body(epoch, state.seq, state.at, digests(state), encode_state(state, wanted))
            kept = self._kept[key] = StateBody(state.seq, body, now)
        return kept

    def _drop(self, now: float) -> None:
        """Forget answers that are old, and the oldest of too many."""
        by_age = sorted(self._kept.items(), key=lambda item: -item[1].born)
        self._kept = dict(item for item in by_age[: KEEP_MOST - 1] if now - item[1].born < KEEP)

    @staticmethod
    def _serves(kept: StateBody, head: int, at_least: int, now: float) -> bool:
        if kept.seq == head:
            return True
        return kept.seq >= at_least and now - kept.born <= MAX_AGE and head - kept.seq <= MAX_LAG
