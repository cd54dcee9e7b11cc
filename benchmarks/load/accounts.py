"""What the load measures: counts and histograms, which add up over processes."""

from dataclasses import dataclass, field

BINS_A_SECOND = 5_000  # of latencies: 0.2 ms each
BINS = 30 * BINS_A_SECOND  # the last one has everything later


@dataclass(slots=True)
class Sample:
    """What one process, or several together, saw between two moments.

    bins     latencies of events, from sending to reading, of the clients that are measured; `ink` those of signals
    busy     the longest round of the loop in s; `behind` how late a timer was, the worst, in s
    """

    frames: int = 0
    events: int = 0
    inks: int = 0
    read: int = 0  # bytes
    bins: list[int] = field(default_factory=lambda: [0] * BINS)
    ink: list[int] = field(default_factory=lambda: [0] * BINS)
    rounds: list[int] = field(default_factory=lambda: [0] * 5000)  # of 0.2 ms
    busy: float = 0.0
    behind: float = 0.0
    began: float = 0.0
    ended: float = 0.0
    cpu: float = 0.0
    shares: list[float] = field(default_factory=list)

    def lag(self, took: float) -> None:
        """A round of the loop took so long: whatever came meanwhile was read as late."""
        self.rounds[min(4999, int(took * BINS_A_SECOND))] += 1
        self.busy = max(self.busy, took)

    def late(self, by: float) -> None:
        """A timer was so late."""
        self.behind = max(self.behind, by)

    def mark(self, now: float, cpu: float, *, begin: bool) -> None:
        """The window begins or ends; `cpu` is what the process has used in all."""
        if begin:
            self.began, self.cpu = now, cpu
        else:
            self.ended, self.cpu = now, cpu - self.cpu
            self.shares = [self.cpu / max(1e-9, self.ended - self.began)]

    def add(self, other: "Sample") -> None:
        """Take in another process's."""
        self.frames += other.frames
        self.events += other.events
        self.inks += other.inks
        self.read += other.read
        for mine, others in ((self.bins, other.bins), (self.ink, other.ink), (self.rounds, other.rounds)):
            for number, count in enumerate(others):
                if count:
                    mine[number] += count
        self.busy = max(self.busy, other.busy)
        self.behind = max(self.behind, other.behind)
        self.began = max(self.began, other.began)
        self.ended = max(self.ended, other.ended)
        self.cpu += other.cpu
        self.shares += other.shares

    @property
    def seconds(self) -> float:
        """How long the window was."""
        return self.ended - self.began


def at(bins: list[int], share: float) -> float:
    """Return the latency in ms below which `share` of all are, NaN where nothing was measured."""
    wanted = sum(bins) * share
    seen = 0
    for number, count in enumerate(bins):
        seen += count
        if count and seen >= wanted:
            return (number + 0.5) * 1000 / BINS_A_SECOND
    return float("nan")
