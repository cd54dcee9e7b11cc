"""PURE. How busy a process is with writing to its connections, and what it does about it: fewer, fuller frames.

While there is time, whatever happens goes out at once. When writing takes a good part of the loop's time, each room's
news wait for the next of its ticks, and signals for longer ones: the same events in fewer frames cost a fraction.
"""

WINDOW = 0.1  # s over which the share is taken
BUSY = 0.35  # of the time
TICK = 0.010  # s between the beginnings of two rounds of one room, while busy
SLOWEST = 5.0  # how many times slower signals may get


class Load:
    """The share of one event loop's time that goes into writing. `now` is any monotonic clock in seconds."""

    __slots__ = ("_before", "_began", "_spent")

    def __init__(self) -> None:
        self._began = 0.0  # of the window
        self._spent = 0.0  # s in it
        self._before = 0.0  # share of the window before

    def spent(self, seconds: float, now: float) -> None:
        """Writing took so long, just now."""
        self._turn(now)
        self._spent += seconds

    def share(self, now: float) -> float:
        """Return the share of the time, 0 to 1: of the last window, or of this one where that is more already."""
        self._turn(now)
        return min(1.0, max(self._before, self._spent / WINDOW))

    def busy(self, now: float) -> bool:
        """Whether rooms should keep to ticks."""
        return self.share(now) > BUSY

    def slower(self, now: float) -> float:
        """Return how many times slower signals should come than they might: 1 while there is time."""
        return max(1.0, min(SLOWEST, self.share(now) / BUSY * 2)) if self.busy(now) else 1.0

    def _turn(self, now: float) -> None:
        passed = now - self._began
        if passed >= WINDOW:
            self._before = self._spent / passed if passed < 2 * WINDOW else 0.0
            self._began, self._spent = now, 0.0


load = Load()
