"""`manage.py serve` as a child: its processes, its one log, and its end."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.support.server import ROOT, Server
from tests.support.waiting import free_port, until

STARTED = 60.0  # s: as many processes as there are import Django at once


class Serving(Server):
    """A running `manage.py serve --insecure` with some options; otherwise as any other server of the tests."""

    def __init__(
        self, *options: str, database: str = "", redis: str = "", env: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(database=database, redis=redis, env={"LECTERN_TEST_HASH": "product"} | dict(env or {}))
        self.options = options
        self.live_port = free_port()

    def command(self) -> list[str]:
        ports = ["--port", str(self.port), "--live-port", str(self.live_port)]
        return [sys.executable, "manage.py", "serve", "--insecure", *ports, *self.options]

    def start(self) -> None:
        with (self.data / f"log-{self.port}").open("ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=ROOT, env=self.env, stdout=subprocess.PIPE, stderr=log)
        until(lambda: self._started() or "ready: " in self.log, timeout=STARTED, saying="all processes listen")
        assert self.process.poll() is None, self.log

    def _started(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None

    def children(self) -> dict[int, str]:
        """Return {pid: command line} of the processes that run now."""
        assert self.process is not None
        found = {}
        for listed in Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            for pid in listed.read_text().split():
                with contextlib.suppress(OSError):
                    found[int(pid)] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        return found

    def serving(self, part: str = "") -> set[int]:
        """Return the pids of the processes that serve a part: all, web, live or worker."""
        return {pid for pid, line in self.children().items() if f"serve_process {part}" in line}

    def signal(self, number: signal.Signals) -> None:
        """Send the supervisor a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def ends(self, timeout: float = 25) -> tuple[int, float]:
        """Return the exit code and the seconds that it took from now."""
        began = time.monotonic()
        return self.wait_ended(timeout), time.monotonic() - began
