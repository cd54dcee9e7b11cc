"""`manage.py run` as a child: what it prints, its port, and its end."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.waiting import free_port

ROOT = Path(__file__).resolve().parents[2]


def environment(data: Path) -> dict[str, str]:
    """Return the environment of a child that keeps everything in `data`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}


class Run:
    """A running `manage.py run` and what it printed before it served."""

    def __init__(self, data: Path, settings: Mapping[str, str]) -> None:
        self.port = int(settings.get("PORT", 0)) or free_port()
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "run"], cwd=ROOT, text=True,
            env=environment(data) | {"PORT": str(self.port)} | dict(settings),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.printed = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed += line
            if "Ctrl-C" in line:
                break
        self.took = time.monotonic() - self.began

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def password(self) -> str:
        found = re.search(r"user teacher, password (\S+)", self.printed)
        assert found, self.printed + self.errors()
        return found[1]

    def errors(self) -> str:
        if self.process.poll() is None:
            self.process.kill()
        return self.process.communicate()[1]

    def end(self, number: signal.Signals) -> tuple[int, str, float]:
        """Return (exit code, what it wrote to stderr, seconds it took)."""
        began = time.monotonic()
        self.process.send_signal(number)
        errors = self.process.communicate(timeout=20)[1]
        return self.process.returncode, errors, time.monotonic() - began


@contextlib.contextmanager
def running(data: Path, **settings: str) -> Iterator[Run]:
    """Run until the context ends; `settings` are further variables, such as HOST."""
    run = Run(data, settings)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.process.kill()
        run.process.communicate()
