"""Redis and PostgreSQL as Debian ships them, each started on a port of its own and stopped by its pid."""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import psycopg

from tests.support.waiting import answers, free_port, until

S = TypeVar("S", bound="Service")

NODE_MODULES = Path(__file__).resolve().parents[2] / "node_modules"
TUTORIALS = Path("/usr/share/doc/packaging-tutorial")  # Debian's package of that name: a Beamer lecture, translated


def redis_program() -> str | None:
    """Return the path of redis-server, or None where it is not installed."""
    return shutil.which("redis-server")


def postgres_programs() -> Path | None:
    """Return the directory of the newest PostgreSQL's programs, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def chromium_program() -> str | None:
    """Return the path of Debian's Chromium, or None."""
    return shutil.which("chromium")


def nginx_program() -> str | None:
    """Return the path of nginx, which is not in everybody's PATH, or None."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


class Service(ABC):
    """A child process with a directory of its own, listening on `port` of 127.0.0.1."""

    def __init__(self, name: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self.home = Path(tempfile.mkdtemp(prefix=f"lectern-{name}-"))
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Return what to run."""

    def user(self) -> str | None:
        """Return the account to run as; None is our own."""
        return None

    def start(self) -> None:
        """Start and wait until it accepts connections; the data of an earlier start is kept."""
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, user=self.user(), cwd=self.home)
        until(self.ready, timeout=20, saying=f"{self.command()[0]} answers")

    def ready(self) -> bool:
        """Return whether it accepts connections; AssertionError with its log when it has ended."""
        assert self.process is not None
        assert self.process.poll() is None, (self.home / "log").read_text(errors="replace")[-4000:]
        return answers(self.port)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Stop it without closing anything: connections hang."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop it, if it runs, and delete its data."""
        if self.process is not None and self.process.poll() is None:
            self.thaw()
            self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(20)


class Redis(Service):
    """A Redis that keeps nothing on disk."""

    def __init__(self, port: int | None = None) -> None:
        super().__init__("redis", port)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        program = redis_program()
        assert program, "redis-server is not installed"
        return [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]

    def ask(self, *words: str) -> str:
        """Return what redis-cli answers to a command, e.g. `ask("CLIENT", "KILL", "TYPE", "pubsub")`."""
        done = subprocess.run(
            ["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True, check=True, timeout=10
        )
        return done.stdout.strip()


class Postgres(Service):
    """A PostgreSQL cluster of its own. It refuses to run as root, so root lends it to `postgres`."""

    def __init__(self, port: int | None = None) -> None:
        super().__init__("postgres", port)
        if account := self.user():
            shutil.chown(self.home, account)
        self._initialise()

    @property
    def url(self) -> str:
        return f"postgres://lectern@127.0.0.1:{self.port}/postgres"

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        name = f"lectern_{secrets.token_hex(4)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url.removesuffix("postgres") + name

    def user(self) -> str | None:
        return "postgres" if os.geteuid() == 0 else None

    def command(self) -> list[str]:
        return [
            self._program("postgres"), "-D", str(self.home / "data"), "-p", str(self.port),
            "-h", "127.0.0.1", "-k", str(self.home), "-N", "60", "-F",  # no test cuts the power
        ]  # fmt: skip

    def ready(self) -> bool:
        if not super().ready():
            return False
        asked = [self._program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, check=False).returncode == 0

    def stop(self) -> None:
        """Stop at once with a clean shutdown ("fast": open connections are cut)."""
        self._end(signal.SIGINT)

    def _program(self, name: str) -> str:
        programs = postgres_programs()
        assert programs, "PostgreSQL is not installed"
        return str(programs / name)

    def _initialise(self) -> None:
        command = [self._program("initdb"), "-D", str(self.home / "data"), "-U", "lectern", "-A", "trust", "-E", "UTF8"]
        command += ["--locale=C.UTF-8", "--no-sync"]
        subprocess.run(command, check=True, user=self.user(), cwd=self.home, stdout=subprocess.DEVNULL)


def missing_services() -> dict[str, str]:
    """Return {pytest marker: the package that is not installed}."""
    found = {
        "redis": ("redis-server", redis_program()),
        "postgres": ("postgresql", postgres_programs() and (os.geteuid() != 0 or _has_account("postgres"))),
        "browser": ("chromium", chromium_program()),
        "nginx": ("nginx", nginx_program()),
        "node": ("nodejs", shutil.which("node")),
        "npm": ("what package.json names", NODE_MODULES.exists()),
        "systemd": ("systemd", shutil.which("systemd-analyze")),
        "tutorials": ("packaging-tutorial", TUTORIALS.exists()),
    }
    return {marker: package for marker, (package, there) in found.items() if not there}


def _has_account(name: str) -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwnam(name))
    return False


@contextlib.contextmanager
def running(service: S) -> Iterator[S]:
    """Start `service` and delete it after use."""
    try:
        service.start()
        yield service
    finally:
        service.close()
