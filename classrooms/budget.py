"""PURE. A lesson's budget: how many ops its students may send together, and whose turn it is when they are too many.

protocol.md section 5: a hundred thousand deliveries a second are shared by who is present, and a lesson takes 5 to 200
ops a second of its students. Staff are not counted.
"""

from classrooms.meter import Meter

DELIVERIES = 100_000  # a second
LEAST, MOST = 5.0, 200.0  # ops a second
RESTED = 2.0  # s of the rate that may come at once after a rest
WRITING = 2.0  # s that somebody counts as an author


def rate(present: int) -> float:
    """Return the ops a second that the students of a lesson may send together."""
    return min(MOST, max(LEAST, DELIVERIES / max(1, present)))


class Budget:
    """Admits ops up to a rate. `now` is any clock in seconds.

    While the budget is short, its last half is for authors who have had less than their share: whoever writes without
    end waits, and the first stroke of somebody else does not.
    """

    def __init__(self) -> None:
        self._all = Meter()
        self._shares: dict[str, Meter] = {}
        self._last: dict[str, float] = {}
        self._swept = 0.0

    def take(self, author: str, present: int, now: float) -> float:
        """Admit an op and return 0.0, or refuse it and return the seconds after which it is worth another try."""
        self._sweep(now)
        self._last[author] = now
        each, authors = rate(present), len(self._last)
        burst = max(2.0, each * RESTED)
        greedy = self._shares.setdefault(author, Meter()).wait(now, each / authors, max(1.0, burst / authors)) > 0
        wait = self._all.wait(now, each, burst / 2 if greedy else burst)
        if wait:
            return wait + authors / each  # all who are refused come again: in about the time that a turn of all takes
        self._all.take(now, each, burst)
        self._shares[author].take(now, each / authors, max(1.0, burst / authors))
        return 0.0

    def _sweep(self, now: float) -> None:
        """Forget, every second or so, who has not written for a while."""
        if now - self._swept < 1.0:
            return
        self._swept = now
        self._last = {author: at for author, at in self._last.items() if at > now - WRITING}
        self._shares = {author: meter for author, meter in self._shares.items() if author in self._last}
