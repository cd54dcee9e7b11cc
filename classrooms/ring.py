"""The ring: a lesson's newest events as ready bytes, and the frames made of them."""

from classrooms.messages import MAX_EVENTS_IN_FRAME, MAX_FRAME_OUT, events_frame

MAX_EVENTS = 2000
MAX_BYTES = 512 * 1024
KEPT_FRAMES = 16  # readers at the same place share a frame; those scattered over the ring shall not fill the memory
ENVELOPE = len(events_frame([]))
TRIM = 64  # events above a limit before the oldest are cut off: cutting a list one by one would move it each time


class Ring:
    """Events `floor` + 1 … `head`. A reader's cursor is the seq of the last event it was given."""

    def __init__(self, floor: int, at: int | None) -> None:
        self.floor = floor
        self._floor_at = at  # time of the event at `floor`, ms since 1970; None when it was not read
        self._events: list[bytes] = []
        self._times: list[int] = []
        self._bytes = 0
        self._frames: dict[int, tuple[bytes, int]] = {}

    @property
    def head(self) -> int:
        """The newest event's seq."""
        return self.floor + len(self._events)

    @property
    def size(self) -> int:
        """The bytes of its events."""
        return self._bytes

    def push(self, raw: bytes, at: int) -> None:
        """Take the event after `head`; `at` is its time in ms since 1970."""
        self._events.append(raw)
        self._times.append(at)
        self._bytes += len(raw)
        self._frames.clear()
        if len(self._events) >= MAX_EVENTS + TRIM or self._bytes > MAX_BYTES:
            self._trim()

    def time_of(self, seq: int) -> int | None:
        """Return an event's time in ms since 1970, None for one that the ring does not know."""
        if seq == self.floor:
            return self._floor_at
        if self.floor < seq <= self.head:
            return self._times[seq - self.floor - 1]
        return None

    def frame(self, sent: int) -> tuple[bytes, int]:
        """Return the frame that takes a reader on from `sent`, and the seq it takes them to.

        `floor` ≤ sent < `head`. Readers at the same place get the same bytes.
        """
        frame = self._frames.get(sent)
        if frame is None:
            if len(self._frames) >= KEPT_FRAMES:
                self._frames.clear()
            events = cut(self._events, sent - self.floor)
            frame = self._frames[sent] = (events_frame(events), sent + len(events))
        return frame

    def _trim(self) -> None:
        drop = max(0, len(self._events) - MAX_EVENTS)
        left = self._bytes - sum(map(len, self._events[:drop]))
        while left > MAX_BYTES - MAX_BYTES // 16 and drop < len(self._events) - 1:
            left -= len(self._events[drop])
            drop += 1
        self._floor_at = self._times[drop - 1] if drop else self._floor_at
        self.floor += drop
        self._bytes = left
        del self._events[:drop], self._times[:drop]


def cut(events: list[bytes], start: int = 0) -> list[bytes]:
    """Return the events from `start` that one frame may hold: at least one, at most 200 or 128 KiB."""
    size = ENVELOPE
    for end in range(start, min(len(events), start + MAX_EVENTS_IN_FRAME)):
        size += len(events[end]) + 1
        if size > MAX_FRAME_OUT and end > start:
            return events[start:end]
    return events[start : start + MAX_EVENTS_IN_FRAME]
