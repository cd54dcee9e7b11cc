"""Lectern and its rivals under load, in one run: who delivers how much, how late, at what cost; nothing may be missing.

    python -m benchmarks.scale [--only ROW …] [--systems NAME …] [--clients N] [--rooms N] [--seconds S] [--runs N]

Without options it is `make bench-scale`: every row three times, written to benchmarks/RESULTS.md. `--list` names the
rows and the systems. With `--clients` or `--seconds` a small run takes seconds; only a run of full size is written
down, unless `--write` is given. The server's process is pinned to one core, the load and the services to the other.
Exit code 1 and FAILED where what was sent, what is stored and what each client applied do not agree.
"""

import argparse
import os
import shlex
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django  # noqa: E402

django.setup()

from benchmarks import machine, report  # noqa: E402
from benchmarks.load.driver import FailedError  # noqa: E402
from benchmarks.rows import ROWS, Row, sized  # noqa: E402
from benchmarks.scenarios import Figures, VoidError  # noqa: E402
from benchmarks.systems import SYSTEMS, Lectern  # noqa: E402

HERE = ROOT / "benchmarks"


def main(argv: list[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    asked = arguments(argv)
    if asked.list:
        for row in ROWS:
            print(f"{row.name:16} {row.title}; on {' '.join(row.systems)}")
        return 0
    machine.shared = asked.unpinned
    heading = {
        "machine": machine.machine(),
        "versions": machine.versions(ROOT),
        "switches": "SQLite synchronous=FULL; PostgreSQL fsync on; STRAIGHT_TO_SOCKET on; NODE_ENV=production",
    }
    for name, value in heading.items():
        print(f"{name:10} {value}")
    print(f"{'cores':10} server {machine.cores()[0]}, load and services {machine.cores()[1]}", flush=True)
    told = {row.name: run(row, asked) for row in ROWS if not asked.only or row.name in asked.only}
    full = asked.clients is None and asked.seconds is None and asked.rooms is None
    if asked.write or full:
        report.write(HERE / "RESULTS.md", HERE / "results.json", told, [row.name for row in ROWS], heading)
    return 1 if any(one["failed"] for one in told.values()) else 0


def run(row: Row, asked: argparse.Namespace) -> report.Told:
    """Do one row: each system in turn, so often. Print as it goes; return all of it."""
    given = sized(row, rooms=asked.rooms, clients=asked.clients, seconds=asked.seconds)
    size = f"{given.rooms} × {given.each} clients"
    print(f"\n{row.name}: {row.title} ({size}, {given.seconds:g} s). Target: {row.target}", flush=True)
    print(f"  load of the machine before it: {os.getloadavg()[0]:.1f}")
    told: report.Told = {
        "title": row.title, "target": row.target, "when": time.strftime("%Y-%m-%d %H:%M"), "size": size,
        "load": os.getloadavg()[0],
        "command": shlex.join(["python", "-m", "benchmarks.scale", "--only", row.name]),
        "runs": {}, "names": {}, "reconciled": {}, "notes": {}, "failed": [], "compared": [],
    }  # fmt: skip
    for number in range(1, asked.runs + 1):
        for name in row.systems:
            if not asked.systems or name in asked.systems:
                measure(row, name, given.rooms, given.each, number, asked, told)
    told["compared"] = report.ratios(row, told["runs"])
    for sentence in told["compared"]:
        print(f"  {sentence}")
    return told


def measure(
    row: Row, name: str, rooms: int, each: int, number: int, asked: argparse.Namespace, told: report.Told
) -> None:
    """Run one system once."""
    given = sized(row, rooms=asked.rooms, clients=asked.clients, seconds=asked.seconds)
    try:
        made = SYSTEMS[name](rooms, each, min(row.staff, each))
        if isinstance(made, Lectern):
            made.patch = asked.patch
        with made as system:
            told["names"][name] = system.name
            figures: Figures = row.do(system, given)
    except VoidError as why:
        print(f"  {name}, run {number}: VOID: {why}", flush=True)
        told["failed"].append(f"VOID: {name}, run {number}: {why}")
    except (FailedError, AssertionError) as fault:
        print(f"  {name}, run {number}: FAILED: {fault}", flush=True)
        told["failed"].append(f"FAILED: {name}, run {number}: {fault}")
    else:
        told["runs"].setdefault(name, []).append(figures.numbers)
        told["reconciled"].setdefault(name, []).append(figures.reconciled)
        told["notes"][name] = figures.notes
        print(report.line(system.name, number, figures), flush=True)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=[row.name for row in ROWS], default=[], metavar="ROW")
    parser.add_argument("--systems", nargs="+", choices=list(SYSTEMS), default=[], metavar="NAME")
    parser.add_argument("--clients", type=int, help="in all")
    parser.add_argument("--rooms", type=int)
    parser.add_argument("--seconds", type=float, help="that are measured")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--unpinned", action="store_true", help="nobody has a core: for runs that time nothing")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md whatever the size")
    parser.add_argument("--patch", default="", help="a module that Lectern's process imports first, to see it fail")
    parser.add_argument("--list", action="store_true", help="name the rows")
    return parser.parse_args(argv)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # what was started is ended too
    sys.exit(main())
