"""Signals of a lesson: how often they may come, and the tick in which those of a crowd are gathered."""

import asyncio
import time
from collections.abc import Callable

from classrooms.load import load
from classrooms.messages import MAX_FRAME_OUT, signals_frame

ENVELOPE = len(signals_frame([]))
AT_ONCE_UP_TO = 3  # people who signal: so few are passed on at once
WRITING = 2.0  # s that somebody counts as signalling


class Signals:
    """What participants of one lesson send that is never logged. `send` passes a batch on, here and elsewhere."""

    def __init__(self, send: Callable[[list[bytes]], None]) -> None:
        self._send = send
        self._waiting: list[bytes] = []
        self._size = ENVELOPE
        self._last: dict[str, float] = {}
        self._tick: asyncio.TimerHandle | None = None

    @property
    def pace(self) -> int:
        """Milliseconds between two signals of one client: 50 to 250 (board.md section 6).

        The more people signal, and the busier the process is, the more.
        """
        now = time.monotonic()
        self._last = {who: at for who, at in self._last.items() if at > now - WRITING}
        return min(250, round(max(50, 8 * len(self._last)) * load.slower(now)))

    def take(self, participant: str, raw: bytes) -> None:
        """Pass a signal on: at once while few signal and there is time, else with others in a tick."""
        self._last[participant] = time.monotonic()
        if self._size + len(raw) + 1 > MAX_FRAME_OUT:
            return
        self._waiting.append(raw)
        self._size += len(raw) + 1
        if self._tick is None:
            pace = self.pace
            if len(self._last) <= AT_ONCE_UP_TO and not load.busy(time.monotonic()):
                self._flush()
            else:
                self._tick = asyncio.get_running_loop().call_later(pace / 1000, self._flush)

    def _flush(self) -> None:
        self._tick = None
        signals, self._waiting, self._size = self._waiting, [], ENVELOPE
        self._send(signals)
