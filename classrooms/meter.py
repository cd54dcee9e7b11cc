"""PURE. A meter: how often somebody may do something, as a leaky bucket that keeps one number (GCRA)."""


class Meter:
    """Admits `rate` acts a second, and `burst` at once after a rest. `now` is any clock in seconds."""

    __slots__ = ("_empty_at",)

    def __init__(self) -> None:
        self._empty_at = 0.0

    def wait(self, now: float, rate: float, burst: float) -> float:
        """Return the seconds after which the next act will be admitted; 0.0 is now."""
        wait = max(self._empty_at, now) + 1 / rate - now - burst / rate
        return wait if wait > 1e-9 else 0.0

    def take(self, now: float, rate: float, burst: float) -> float:
        """Admit one act and return 0.0, or refuse it and return the seconds after which it will be admitted."""
        wait = self.wait(now, rate, burst)
        if not wait:
            self._empty_at = max(self._empty_at, now) + 1 / rate
        return wait
