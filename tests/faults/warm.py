"""A server that starts in a twentieth of the time, because its processes are forked from a warm parent (nest.py)."""

import json
import os
import signal
import subprocess
import sys
from typing import IO

from tests.support.server import ROOT, Server


class WarmServer(Server):
    """A `Server` whose processes are forked. At most one at a time; `pid` is the one that serves now."""

    _parent: "subprocess.Popen[str] | None" = None
    pid: int | None = None

    def start(self) -> None:
        """Start and wait until it listens. `env` may have changed since the last time."""
        if self._parent is None:
            with (self.data / f"log-{self.port}").open("ab") as log:
                self._parent = subprocess.Popen(
                    [sys.executable, "-m", "tests.faults.nest", str(self.port)],
                    cwd=ROOT, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                )  # fmt: skip
        stdin, stdout = self._pipes()
        stdin.write(json.dumps(self.env) + "\n")
        stdin.flush()
        said = stdout.readline()
        assert said.startswith("forked "), self.log[-4000:]
        self.pid = int(said.split()[1])
        assert stdout.readline() == "listening\n", self.log[-4000:]

    def restart(self) -> None:
        """Kill it and start it again."""
        assert self.pid is not None
        os.kill(self.pid, signal.SIGKILL)
        self.wait_ended()
        self.start()

    def wait_ended(self, timeout: float = 20) -> int:
        """Return the exit code of the process that serves now, once it has ended by itself."""
        _, stdout = self._pipes()
        said = stdout.readline()
        assert said.startswith("ended "), f"{said}{self.log[-4000:]}"
        self.pid = None
        return int(said.split()[1])

    def close(self) -> None:
        """End it, and its parent."""
        if self._parent is not None:
            if self.pid is not None:
                os.kill(self.pid, signal.SIGKILL)
                self.wait_ended()
            stdin, stdout = self._pipes()
            stdin.close()
            self._parent.wait(20)
            stdout.close()
            self._parent = None
        super().close()

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._parent is not None
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        return self._parent.stdin, self._parent.stdout
