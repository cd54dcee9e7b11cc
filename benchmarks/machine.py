"""The machine of a measured run: who runs on which core, and what they use of it."""

import contextlib
import json
import os
import platform
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("Django", "channels", "daphne", "channels_redis", "Twisted", "autobahn", "redis", "msgspec", "psycopg")
MODULES = ("socket.io", "@socket.io/redis-adapter", "redis", "ws")
TICK = os.sysconf("SC_CLK_TCK")


shared = False  # whether nobody is given a core: where nothing is timed


def cores() -> tuple[int | None, int | None]:
    """Return the core of the server and that of the load; None where they share what there is."""
    mine = sorted(os.sched_getaffinity(0))
    return (mine[0], mine[1]) if len(mine) > 1 and not shared else (None, None)


@contextlib.contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Let what is started meanwhile run on one core, with every thread that it makes."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu(pids: Iterable[int]) -> float:
    """Return the CPU seconds that processes have used so far, children that ended aside."""
    used = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used += int(fields[11]) + int(fields[12])
    return used / TICK


def resident(pids: Iterable[int]) -> int:
    """Return the resident bytes of processes."""
    page = os.sysconf("SC_PAGE_SIZE")
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page for pid in pids)


def family(pid: int) -> list[int]:
    """Return a process and all that it has started."""
    found = [pid]
    for one in found:
        for listed in Path(f"/proc/{one}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += map(int, listed.read_text().split())
    return found


def machine() -> str:
    """Return a line about the machine."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), platform.machine())
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{model}, {os.cpu_count()} cores, {pages / 2**30:.0f} GiB, {platform.platform()}"


def versions(root: Path) -> str:
    """Return a line about the versions of what is measured."""
    found = [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    found += [f"{name} {version(name)}" for name in PACKAGES]
    for command in (["node", "--version"], ["redis-server", "--version"], ["postgres", "--version"]):
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
            found.append(" ".join(said.split()[:3]) if command[0] != "node" else f"Node {said}")
    for name in MODULES:
        with contextlib.suppress(OSError):
            described = json.loads((root / "node_modules" / name / "package.json").read_text())
            found.append(f"{name} (npm) {described['version']}")
    return ", ".join(found)
