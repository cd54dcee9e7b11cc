"""What the benchmark does to a system, and which figures come of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks import machine
from benchmarks.clicks import clicks
from benchmarks.drawing import drawing, full_page
from benchmarks.late import late, summary
from benchmarks.load.accounts import at
from benchmarks.load.driver import SOON, Driver, FailedError, Window, poll
from benchmarks.load.pollers import Asked
from benchmarks.load.speech import Seat
from benchmarks.seats import code_of
from benchmarks.systems import Lectern, Polling, System

BUSY = 0.8  # of a core: a load that needs more measures itself, and the figure is void
WARM = 2.0  # s of the same work before it is measured
SETTLE = 1.0  # s for what was sent at the end of a part to arrive
GATHER = 0.002  # s between rounds of the load where deliveries are counted and not timed


class VoidError(Exception):
    """The load was too busy to measure anything but itself."""


@dataclass(slots=True)
class Given:
    """How large a row is made."""

    rooms: int = 1
    each: int = 400  # clients of a room
    seconds: float = 10.0  # that are measured
    rate: float = 4.0  # events a second in each room
    warm: float = WARM
    events: int = 50_000  # of a long lesson; a tenth of them are items that live
    changes: int = 200  # of the page that is shown
    newcomers: int = 0  # who join while it runs
    windows: tuple[int, ...] = (1, 4, 16, 64, 256)  # messages that are under way at once, one after the other


@dataclass(slots=True)
class Figures:
    """What one run of one system has shown: numbers by name, in order, and how it was reconciled."""

    numbers: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    reconciled: str = ""


LESSONS = {"typical": 0.5, "busy": 20.0}  # events a second

Do = Callable[[System, Given], Figures]


def teachers(system: System) -> list[Seat]:
    """Return the first seat of each room."""
    return system.seats[:: system.each]


def strain(figures: Figures, window: Window, *, name: str = "") -> None:
    """Note what a window cost, and raise VoidError where the load was too busy."""
    seconds = window.sample.seconds
    rounds = window.sample.rounds
    figures.numbers |= {
        f"{name}server CPU": window.server / seconds,
        f"{name}services CPU": window.services / seconds,
        f"{name}driver CPU": window.driver,
        f"{name}server lag p99 ms": window.lag,
        f"{name}driver lag p99 ms": at(rounds, 0.99),
    }
    if window.driver >= BUSY:
        raise VoidError(f"the load used {window.driver:.0%} of a core")


def saturation(system: System, given: Given) -> Figures:
    """One room, ever more messages under way: the most deliveries a second, in frames and in events."""
    figures = Figures()
    best: dict[str, float] = {"frames/s": 0.0, "events/s": 0.0}
    with Driver(system) as driver:
        driver.connect()
        windows = [one for one in given.windows if system.speech != "plain" or one <= 16]
        for under_way in windows:
            since = time.monotonic() + SOON + given.warm / 2
            until = since + given.seconds
            authors = system.seats[: system.staff]
            driver.rota(authors, "move", since - given.warm / 2, until, under_way)
            window = driver.measure(since, until, gather=GATHER if under_way >= 64 else 0.0, every=8)
            driver.rest()
            sample = driver.settled()
            frames, events = sample.frames / sample.seconds, sample.events / sample.seconds
            note = (
                f"{under_way} under way: {frames:,.0f} frames/s, {events:,.0f} events/s,"
                f" p90 {at(sample.bins, 0.9):.1f} ms, server {window.server / sample.seconds:.0%},"
                f" driver {window.driver:.0%}, services {window.services / sample.seconds:.0%}"
            )
            figures.notes.append(note)
            if window.driver >= BUSY:
                figures.notes[-1] += ": VOID"
                continue
            best["frames/s"] = max(best["frames/s"], frames)
            if events > best["events/s"]:
                best["events/s"] = events
                strained = Figures()
                strain(strained, window)
                figures.numbers = best | {"p90 ms then": at(sample.bins, 0.9)} | strained.numbers
        figures.reconciled = driver.reconcile()
    figures.numbers |= best
    if not best["events/s"]:
        raise VoidError("the load was too busy throughout")
    return figures


def latency(system: System, given: Given) -> Figures:
    """Rooms in which a teacher gives so many events a second: how late everybody has them."""
    figures = Figures()
    with Driver(system) as driver:
        driver.connect()
        since = time.monotonic() + SOON + given.warm
        until = since + given.seconds
        driver.author(teachers(system), "move", since - given.warm, until, given.rate)
        window = driver.measure(since, until)
        figures.reconciled = driver.reconcile()
        bins = driver.settled().bins
    figures.numbers = {
        "p50 ms": at(bins, 0.5),
        "p90 ms": at(bins, 0.9),
        "p99 ms": at(bins, 0.99),
        "max ms": at(bins, 1),
    }
    figures.numbers["CPU s/million"] = window.server / window.sample.events * 1e6
    strain(figures, window)
    return figures


def ink(system: System, given: Given) -> Figures:
    """Rooms in which the teacher draws without pause and a student commits a stroke every two seconds."""
    figures = Figures()
    with Driver(system) as driver:
        driver.connect()
        since = time.monotonic() + SOON + given.warm
        until = since + given.seconds
        driver.author(system.seats[1 :: system.each], "stroke", since - given.warm, until, 0.5)
        driver.author(teachers(system), "ink", since - given.warm, until, 20)
        window = driver.measure(since, until)
        figures.reconciled = driver.reconcile()
        settled = driver.settled()
    events, signals = settled.bins, settled.ink
    figures.numbers = {
        "event p50 ms": at(events, 0.5), "event p90 ms": at(events, 0.9), "event p99 ms": at(events, 0.99),
        "ink p50 ms": at(signals, 0.5), "ink p90 ms": at(signals, 0.9), "ink p99 ms": at(signals, 0.99),
        "ink frames/s": window.sample.inks / window.sample.seconds,
    }  # fmt: skip
    strain(figures, window)
    return figures


def memory(system: System, given: Given) -> Figures:
    """What the server's resident memory grows by with each client, and what that is for 200 more."""
    figures = Figures()
    with Driver(system) as driver:
        few = min(200, len(system.seats) // 4)  # what the first ones load is no cost of a connection
        driver.connect(system.seats[:few])
        time.sleep(2)
        before = machine.resident(system.pids())
        driver.connect(system.seats[few:])
        time.sleep(max(2.0, given.seconds))
        after = machine.resident(system.pids())
        figures.reconciled = driver.reconcile()
    figures.numbers = {
        "KB a connection": (after - before) / (len(system.seats) - few) / 1000,
        "resident MB": after / 1e6,
        "connections": len(system.seats),
    }
    return figures


def herd(system: System, given: Given) -> Figures:
    """Everybody is cut off at once and comes back as the server asked, while the teacher goes on."""
    assert isinstance(system, Lectern)
    figures = Figures()
    with Driver(system) as driver:
        driver.connect()
        start = time.monotonic() + SOON
        driver.author(teachers(system), "move", start, start + 120, given.rate)
        driver.measure(start, start + given.warm)
        reads, busy = system.metrics()["lectern_log_reads_total"], machine.cpu(system.pids())
        told = driver.cut(teachers(system), deadline=60.0)
        busy, reads = machine.cpu(system.pids()) - busy, system.metrics()["lectern_log_reads_total"] - reads
        driver.hush()
        figures.reconciled = driver.reconcile()
    took = [one for part in told for one in part["took"]]
    back = sorted(one for one in took if one is not None)
    spread = max(part["spread"] for part in told) / 1000
    figures.numbers = {
        "all level s": back[-1] if len(back) == len(took) else float("inf"),
        "spread s": spread,
        "beyond spread s": back[-1] - spread,
        "p50 s": back[len(back) // 2],
        "server CPU ms a client": busy / len(took) * 1000,
        "log reads": reads,
        "snapshots": sum(part["snapshots"] for part in told),
    }
    return figures


def rush(system: System, given: Given) -> Figures:
    """Everybody connects as fast as the server takes them in: no spread, nothing else."""
    figures = Figures()
    with Driver(system) as driver:
        busy = machine.cpu(system.pids())
        took = driver.connect(rate=100_000.0)
        busy = machine.cpu(system.pids()) - busy
        figures.reconciled = driver.reconcile()
    clients = len(system.seats)
    figures.numbers = {"s": took, "clients/s": clients / took, "server CPU ms a client": busy / clients * 1000}
    return figures


def frozen_redis(system: System, given: Given) -> Figures:
    """Redis stops for the middle third of the run: latencies before, meanwhile and after."""
    assert isinstance(system, Lectern)
    assert system.redis is not None
    figures = Figures()
    third = given.seconds
    with Driver(system) as driver:
        driver.connect()
        start = time.monotonic() + SOON
        driver.author(teachers(system), "move", start, start + given.warm + 3 * third + 10, given.rate)
        parts = {"before": None, "stopped": system.redis.freeze, "after": system.redis.thaw}
        for name, change in parts.items():
            if change is not None:
                change()
            since = time.monotonic() + SOON + (given.warm if change is None else 0.0)
            window = driver.measure(since, since + third)
            time.sleep(SETTLE)
            bins = driver.settled().bins
            figures.numbers |= {f"{name} p90 ms": at(bins, 0.9), f"{name} p99 ms": at(bins, 0.99)}
        strain(figures, window)
        driver.hush()
        figures.reconciled = driver.reconcile()
    return figures


def joins(system: System, given: Given) -> Figures:
    """Newcomers join one lesson by its code while another one runs: how long they take, and what that one notices."""
    figures = Figures()
    quiet = max(1.0, given.seconds / 3)
    with Driver(system) as driver:
        driver.connect([*system.seats[: system.each], system.seats[system.each]])
        start = time.monotonic() + SOON
        driver.author(system.seats[:1], "move", start, start + given.warm + quiet + given.seconds + 2, given.rate)
        window = driver.measure(start + given.warm, start + given.warm + quiet)
        bins = window.sample.bins
        figures.numbers = {"before p90 ms": at(bins, 0.9), "before p99 ms": at(bins, 0.99)}
        since = time.monotonic() + SOON
        starts = [since + number * given.seconds / given.newcomers for number in range(given.newcomers)]
        driver.join(code_of(1), 1, starts)
        window = driver.measure(since, since + given.seconds)
        took = driver.joined(given.newcomers)
        bins = window.sample.bins
        figures.numbers |= {
            "meanwhile p90 ms": at(bins, 0.9), "meanwhile p99 ms": at(bins, 0.99),
            "join p50 s": took[len(took) // 2], "join p95 s": took[len(took) * 95 // 100], "join max s": took[-1],
        }  # fmt: skip
        strain(figures, window)
        driver.hush()
        figures.reconciled = driver.reconcile()
    return figures


def polling(system: System, given: Given) -> Figures:
    """One room, first a typical lesson and then a busy one: what each delivered event costs, pushed or polled."""
    figures = Figures()
    if isinstance(system, Polling):
        for room, (name, rate) in enumerate(LESSONS.items()):
            clients, core = len(system.seats), system.load_core
            polled, server = poll(system, Asked(system.port, room, clients, rate, given.warm, given.seconds, core))
            if polled.missing:
                raise FailedError(f"{polled.missing} pollers miss something")
            if polled.cpu / polled.seconds >= BUSY:
                raise VoidError(f"the load used {polled.cpu / polled.seconds:.0%} of a core")
            _costs(figures, name, server, polled.events, polled.bytes, polled.requests, polled.bins)
            figures.reconciled = f"each of {len(system.seats)} got all {polled.given} of the busy lesson"
        return figures
    with Driver(system) as driver:
        driver.connect()
        for name, rate in LESSONS.items():
            since = time.monotonic() + SOON + given.warm
            driver.author(teachers(system), "move", since - given.warm, since + given.seconds, rate)
            window = driver.measure(since, since + given.seconds)
            driver.rest()
            sample = driver.settled()
            _costs(figures, name, window.server, sample.events, sample.read, 0, sample.bins)
        strain(figures, window)
        figures.reconciled = driver.reconcile()
    return figures


def clicking(system: System, given: Given) -> Figures:
    """The instructor turns pages in one tab of Chromium, a student looks in another, everybody else listens."""
    assert isinstance(system, Lectern)
    figures = Figures()
    with Driver(system) as driver:
        driver.connect()
        found = clicks(system, given.changes)
        figures.reconciled = driver.reconcile()
    for stage in found[0]:
        taken = sorted(one[stage] for one in found)
        figures.numbers |= {f"{stage} p{share} ms": taken[len(taken) * share // 100] for share in (50, 90)}
    figures.numbers["changes"] = len(found)
    return figures


def late_joins(system: System, given: Given) -> Figures:
    """Newcomers to a lesson of five hours, and to one that has the same board by as few events as possible."""
    assert isinstance(system, Lectern)
    took = late(system, given.events, given.events // 10)
    note = f"the pixels of {2 * len(took['long']) + 2} boards agree"
    return Figures(summary(took), reconciled=note)


def draw_on(system: System, given: Given) -> Figures:
    """Somebody draws in a tab of Chromium on a page of nearly 5,000 items while 30 others draw on it."""
    assert isinstance(system, Lectern)
    figures = Figures()
    full_page(system)
    with Driver(system) as driver:
        driver.connect(system.seats[system.each :])
        figures.numbers = drawing(system, driver, given.seconds)
        figures.reconciled = driver.reconcile()
    return figures


def _costs(figures: Figures, name: str, server: float, events: int, size: int, requests: int, bins: list[int]) -> None:
    events = max(1, events)
    figures.numbers |= {
        f"{name}: CPU µs a delivery": server / events * 1e6,
        f"{name}: bytes a delivery": size / events,
        f"{name}: requests a delivery": requests / events,
        f"{name}: p50 ms": at(bins, 0.5),
        f"{name}: p90 ms": at(bins, 0.9),
    }
