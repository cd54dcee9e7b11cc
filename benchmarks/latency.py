"""How long a committed event takes from its author to everybody else: one room, one process, nothing but SQLite.

    python -m benchmarks.latency [--clients 40] [--rate 20] [--seconds 30] [--runs 3]

The server is what `make run` starts (`manage.py run`), on a data directory of its own. The clients live in this
process: each keeps a socket of its own, decodes and folds every event, and stands for a student who joined by code.
Ops go out at fixed times, whatever the answers do: seven in ten are strokes of about 80 points, the others small.
Measured is the time from an op's sending to its event being folded by each other client. Afterwards a separate program
reads the database and reconciles: sent = committed = applied by each. One missing event, and the run FAILED (exit 1).
"""

import argparse
import asyncio
import math
import os
import platform
import random
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django  # noqa: E402

django.setup()

from tests.support.cast import CODE  # noqa: E402
from tests.support.crowd import Crowd, Steady, percentile  # noqa: E402
from tests.support.server import Server  # noqa: E402
from whiteboard.points import encode  # noqa: E402

TARGET = 20.0  # ms, p90
WARM_UP = 2.0  # s of the same traffic, reconciled and not measured
BUSY = 0.8  # of one core: a driver that needs more measures itself
PACKAGES = ("Django", "channels", "daphne", "websockets", "msgspec")
STROKES = 0.7
POINTS = 80
STYLE = {"color": "#2f5fd0", "width": 4}
LAG_EVERY = 0.01  # s


class Laptop(Server):
    """A classroom as `make run` serves it."""

    def __init__(self, data: Path) -> None:
        super().__init__(data=data)
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        self.env = kept | {"DATA_DIR": str(data), "PORT": str(self.port), "DEMO_CODE": CODE}

    def start(self) -> None:
        """Start it by the command line of `make run` and wait until it serves."""
        with (self.data / f"log-{self.port}").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run"], cwd=ROOT, env=self.env, stdout=subprocess.PIPE, stderr=log
            )
        assert self.process.stdout is not None
        said = any(b"Ctrl-C" in line for line in self.process.stdout)  # the last line before it serves
        assert said, self.log[-4000:]

    def cpu(self) -> float:
        """Return the CPU seconds that it has used so far."""
        fields = Path(f"/proc/{self._running().pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Run(NamedTuple):
    """What one run has shown: latencies in s, CPU as shares of a core, lag of this process's event loop in s."""

    took: list[float]
    driver: float
    server: float
    lag: list[float]

    def at(self, share: float) -> float:
        """Return a percentile of the latency in ms."""
        return percentile(self.took, share) * 1000


class Author:
    """Gives ops at random but for a seed, in the name of a client."""

    def __init__(self, client: Steady, seed: int) -> None:
        self.client = client
        self.chance = random.Random(seed)
        self.items: list[str] = []

    def act(self) -> None:
        """Give one op."""
        if not self.items or self.chance.random() < STROKES:
            self._draw()
        elif self.chance.random() < 0.5:
            at = [self.chance.randrange(800), self.chance.randrange(500)]
            self._edit(["set", self.chance.choice(self.items), {"at": at}])
        elif self.chance.random() < 0.5:
            self.client.give("chat.post", {"text": "Why is the leaf green, and not the light that it takes?"})
        else:
            self.client.give(self.chance.choice(["hand.raise", "hand.lower"]), {})

    def _draw(self) -> None:
        item = f"{self.client.id}.{self.client.client}.{len(self.client.given) + 1}"
        turn, wide = self.chance.uniform(0.05, 0.3), self.chance.uniform(20, 120)
        count = self.chance.randint(POINTS - 20, POINTS + 20)
        points = [(3 * n + wide * math.sin(n * turn), wide * math.cos(n * turn)) for n in range(count)]
        self.items.append(item)
        self._edit(["add", item, "stroke", {"at": [400, 300], "ink": encode(points, False), "style": STYLE}])

    def _edit(self, edit: list[object]) -> None:
        self.client.give("board.edit", {"page": "p1", "edits": [edit]})


def main() -> int:
    """Run, print, and return the exit code."""
    asked = arguments()
    print_machine()
    print(f"room      {asked.clients} clients, {asked.rate:g} ops/s for {asked.seconds:g} s, {asked.runs} runs")
    runs = []
    for number in range(asked.runs):
        with laptop() as server:
            runs.append(asyncio.run(measure(server, asked, number)))
    p90 = statistics.median(run.at(0.9) for run in runs)
    spread = f"{min(run.at(0.9) for run in runs):.1f} to {max(run.at(0.9) for run in runs):.1f}"
    print(f"median    p90 {p90:.1f} ms ({spread}); target p90 < {TARGET:g} ms: {'met' if p90 < TARGET else 'MISSED'}")
    if max(run.driver for run in runs) > BUSY:
        print(f"VOID      the driver used more than {BUSY:.0%} of a core: it measured itself")
        return 1
    return 0


async def measure(server: Laptop, asked: argparse.Namespace, number: int) -> Run:
    """Do one run and print its lines. Raises SystemExit where it cannot be reconciled."""
    ((lesson,),) = server.rows("SELECT id FROM classrooms_lesson WHERE status = 'live'")
    async with Crowd(server, lesson) as crowd:
        for one in range(asked.clients):
            await crowd.guest(server, f"Student {one + 1}")
        authors = [Author(client, number * 1000 + one) for one, client in enumerate(crowd.clients)]
        await give(authors, asked.rate, WARM_UP)
        lags: list[float] = []
        watch = asyncio.create_task(watch_lag(lags))
        since, driver, busy = time.monotonic(), cpu(), server.cpu()
        await give(authors, asked.rate, asked.seconds)
        until_ = time.monotonic()
        run_driver, run_server = (cpu() - driver) / (until_ - since), (server.cpu() - busy) / (until_ - since)
        watch.cancel()
        try:
            await crowd.rest()
            await crowd.reconcile()
        except AssertionError as fault:
            print(f"FAILED    run {number + 1} is not reconciled: {fault}")
            raise SystemExit(1) from None
        run = Run(crowd.latencies(since, until_), run_driver, run_server, lags)
        report(crowd, run, number)
        return run


async def give(authors: list[Author], rate: float, seconds: float) -> None:
    """Give ops at fixed times, each author in turn."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    for number in range(round(rate * seconds)):
        authors[number % len(authors)].act()
        due += 1 / rate
        await asyncio.sleep(max(0.0, due - loop.time()))


async def watch_lag(lags: list[float]) -> None:
    """Note how late this event loop is, again and again."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_EVERY
        await asyncio.sleep(LAG_EVERY)
        lags.append(loop.time() - due)


def report(crowd: Crowd, run: Run, number: int) -> None:
    """Print what a run has shown."""
    sent = sum(len(client.given) for client in crowd.clients)
    ops = sum(event["by"] is not None for event in crowd.clients[0].applied)
    print(
        f"run {number + 1}     sent {sent} = committed {ops} = applied by each of {len(crowd.clients)};"
        f" p50 {run.at(0.5):.1f}  p90 {run.at(0.9):.1f}  p99 {run.at(0.99):.1f}  max {max(run.took) * 1000:.1f} ms"
        f" of {len(run.took)} deliveries"
    )
    late = f"p90 {percentile(run.lag, 0.9) * 1000:.1f}  p99 {percentile(run.lag, 0.99) * 1000:.1f} ms"
    print(f"          CPU: driver {run.driver:.0%}, server {run.server:.0%} of a core; the driver's own lag {late}")


def print_machine() -> None:
    """Print what it runs on."""
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("Django", "channels", "daphne", "websockets", "msgspec")
    )
    print(f"machine   {os.cpu_count()} cores, {platform.platform()}, load {os.getloadavg()[0]:.1f}")
    print(f"versions  Python {platform.python_version()}, SQLite {sqlite3.sqlite_version} (WAL, FULL), {packages}")


def cpu() -> float:
    """Return the CPU seconds that this process has used so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@contextmanager
def laptop() -> Iterator[Laptop]:
    """A served classroom with a data directory of its own."""
    data = Path(tempfile.mkdtemp(prefix="lectern-bench-"))
    try:
        with Laptop(data) as server:
            yield server
    finally:
        shutil.rmtree(data, ignore_errors=True)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--rate", type=float, default=20.0, help="ops a second, all clients together")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--runs", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
