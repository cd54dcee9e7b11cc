"""PURE. What a process has counted since it started: plain integers, added to where things happen and read by metrics.

Nothing here is named by a label at the moment of counting: adding to one of these costs a few dozen nanoseconds
(`benchmarks/counting.py`). Rarer things, which the hub alone does, are in `Hub.counts`.
"""

from bisect import bisect_left
from collections import Counter

SECONDS = (0.001, 0.002, 0.004, 0.008, 0.012, 0.02, 0.04, 0.06, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Histogram:
    """How often something took how many seconds. `counts[i]` are those of at most `SECONDS[i]`, the last is the rest.

    One thread adds at a time; any may read.
    """

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.sum = 0.0

    def add(self, seconds: float, times: int = 1) -> None:
        """Count something that took so long, and happened so many times at once."""
        self.counts[bisect_left(SECONDS, seconds)] += times
        self.sum += seconds * times


class Tally:
    """One process's counts. The loop's thread alone adds to each, or as it says the log's writers, one at a time."""

    __slots__ = (
        "closes", "commit", "committed", "cut_off", "deliveries", "delivery", "frames", "holes", "lag", "ops", "relay",
        "resumes", "signals", "signals_delivered", "signals_refused", "signals_skipped", "sockets", "starts",
        "transaction", "unread", "unreadable",
    )  # fmt: skip

    def __init__(self) -> None:
        self.deliveries = 0  # events handed to writers, each once for each connection
        self.frames = 0  # the frames that they were in
        self.signals = 0  # admitted from clients
        self.signals_refused = 0  # too fast
        self.signals_delivered = 0  # frames of signals handed to writers
        self.signals_skipped = 0  # and kept from one who reads slowly
        self.ops: Counter[str] = Counter()  # by outcome: committed, repeated, or the code of the refusal
        self.unreadable = 0  # frames that nobody can read
        self.sockets = 0  # open now
        self.resumes = 0  # clients that went on from where they were
        self.starts = 0  # clients that were sent for a snapshot
        self.holes = 0  # times that an event came before the one it follows
        self.closes: Counter[int] = Counter()  # sockets closed by us, by code
        self.cut_off: Counter[str] = Counter()  # connections reset by bounds.py, by reason
        self.unread = 0  # bytes in the transports of all connections, when the server last looked
        self.committed = 0  # events; by the log's writers, as are the next two
        self.commit = Histogram()  # from the call of `append` to the commit, each unit
        self.transaction = Histogram()
        self.relay = Histogram()  # from another process's commit until it is heard here, by both wall clocks
        self.delivery = Histogram()  # from the commit here, or from hearing of it, to the writers; each delivery
        self.lag = Histogram()  # of the event loop


tally = Tally()
