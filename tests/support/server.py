"""Real servers: a Daphne process of Lectern with data of its own, or sharing another's."""

import atexit
import fcntl
import functools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from tests.support.cast import CODE
from tests.support.seed import token_of
from tests.support.waiting import free_port, until

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "LECTERN_TEST_TEMPLATE"  # names a directory that the workers of a run share; see template()


class Server:
    """A process that serves 127.0.0.1:`port`. Use it as a context, or `start` and `close` it.

    data: the `Server.data` of another one to share its database and secret key, for several processes.
    database, redis: addresses as in DATABASE_URL and REDIS_URL; SQLite and no Redis without them.
    patch: a module that the process imports before serving, to break something on purpose.
    env: further settings. The cast, its tokens and the classroom CODE are in the database (seed.py).
    """

    def __init__(
        self,
        *,
        data: Path | None = None,
        database: str = "",
        redis: str = "",
        patch: str = "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.owns_data = data is None
        self.data = data or Path(tempfile.mkdtemp(prefix="lectern-server-"))
        self.database = database
        self.process: subprocess.Popen[bytes] | None = None
        self.env = _environment(self.data, database, redis) | {"LECTERN_TEST_PATCH": patch} | dict(env or {})
        if self.owns_data:
            shutil.copytree(template(), self.data, dirs_exist_ok=True)
            if database:
                _run(["prepare"], self.env)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What the processes wrote to stderr so far."""
        path = self.data / f"log-{self.port}"
        return path.read_text(errors="replace") if path.exists() else ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(f"The server's log:\n{self.log[-4000:]}")
        self.close()

    def start(self) -> None:
        """Start and wait until it listens. The port is the same at every start."""
        with (self.data / f"log-{self.port}").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.serve", "serve", str(self.port)],
                cwd=ROOT, env=self.env, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self.process.stdout is not None
        said = self.process.stdout.readline()  # empty once the process has ended
        assert said == b"listening\n", self.log[-4000:]

    def stop(self) -> int:
        """Ask it to end, as an operator would; return its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop it without closing anything."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on."""
        self._running().send_signal(signal.SIGCONT)

    def wait_ended(self, timeout: float = 20) -> int:
        """Return the exit code of a process that ends itself (a patch may kill it at a switch point)."""
        code = self._running().wait(timeout)
        self._forget()
        return code

    def close(self) -> None:
        """End it and delete its data, unless that is another server's."""
        if self.process is not None:
            self.thaw()
            self.kill()
        if self.owns_data:
            shutil.rmtree(self.data, ignore_errors=True)

    # --- over HTTP ---------------------------------------------------------------------------------------------

    def request(
        self, method: str, path: str, body: object = None, *, as_: str = "", ticket: str = "", origin: str = ""
    ) -> tuple[int, Any]:
        """Return (status, decoded JSON or None). `as_` is one of the cast, by token; `ticket` a participant's."""
        headers = {"Accept": "application/json"}
        if as_:
            headers["Authorization"] = f"Token {token_of(as_)}"
        if ticket:
            headers["Authorization"] = f"Ticket {ticket}"
        if origin:
            headers["Origin"] = origin
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, _decoded(answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, _decoded(refused.read())

    def start_lesson(self, title: str = "Photosynthesis", *, as_: str = "teacher") -> int:
        """Start a lesson in the classroom CODE and return its id."""
        _, found = self.request("GET", "/api/classrooms/", as_=as_)
        rooms = found["results"] if isinstance(found, dict) else found
        room = next(room for room in rooms if room["code"] == CODE)
        status, lesson = self.request(
            "POST", f"/api/classrooms/{room['id']}/lessons/", {"title": title, "decks": []}, as_=as_
        )
        assert status == 201, lesson
        return int(lesson["id"])

    def end_lessons(self, *, as_: str = "teacher") -> None:
        """End the lesson that is live in the classroom CODE, if there is one."""
        _, found = self.request("GET", "/api/classrooms/", as_=as_)
        for room in found["results"]:
            if room["live_lesson"] is not None:
                self.request("POST", f"/api/lessons/{room['live_lesson']}/end/", {}, as_=as_)

    def join(self, name: str) -> dict[str, Any]:
        """Join the live lesson of CODE as a guest and return the pass."""
        status, seat = self.request("POST", "/api/join/", {"code": CODE, "name": name})
        assert status == 201, seat
        return dict(seat)

    def join_staff(self, lesson: int, *, as_: str = "teacher") -> dict[str, Any]:
        """Join a lesson as a member of its staff and return the pass."""
        status, seat = self.request("POST", f"/api/lessons/{lesson}/join/", {}, as_=as_)
        assert status == 201, seat
        return dict(seat)

    # --- in the database, behind its back ----------------------------------------------------------------------

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query (`?` marks values) by a connection of its own."""
        if self.database:
            with psycopg.connect(self.database) as connection:
                return connection.execute(sql.replace("?", "%s").encode(), values).fetchall()
        connection_ = sqlite3.connect(self.data / "lectern.sqlite3", timeout=10)
        try:
            return connection_.execute(sql, values).fetchall()
        finally:
            connection_.close()

    def events(self, lesson: int) -> list[dict[str, Any]]:
        """Return a lesson's whole log as the wire writes it, straight from the table."""
        found = self.rows(
            'SELECT seq, kind, "by", at, op, data FROM classrooms_event WHERE lesson_id = ? ORDER BY seq', lesson
        )
        return [
            {"seq": seq, "kind": kind, "by": by or None, "at": at, "op": op, "data": json.loads(data)}
            for seq, kind, by, at, op, data in found
        ]

    def _running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None, "the server is not running"
        return self.process

    def _end(self, number: signal.Signals) -> int:
        process = self._running()
        process.send_signal(number)
        code = process.wait(20)
        self._forget()
        return code

    def _forget(self) -> None:
        process, self.process = self._running(), None
        assert process.stdout is not None
        process.stdout.close()


@functools.cache
def template() -> Path:
    """Return a data directory that is ready to be copied: migrated, seeded, static files collected. Once a run."""
    home = Path(os.environ.get(TEMPLATE) or _scratch())
    data = home / "data"
    with (home / "lock").open("w") as lock:  # the first worker prepares it, the others wait
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "ready").exists():
            data.mkdir(exist_ok=True)
            _run(["prepare"], _environment(data, "", ""))
            journal = data / "lectern.sqlite3-wal"
            until(lambda: not journal.exists(), saying="SQLite has written everything to one file")
            (home / "ready").touch()
    return data


def _scratch() -> str:
    """Return a directory of this process's own, for those who come without pytest."""
    home = tempfile.mkdtemp(prefix="lectern-template-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home


def _environment(data: Path, database: str, redis: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {
        "DATA_DIR": str(data),
        "STATIC_ROOT": str(data / "static"),
        "DATABASE_URL": database,
        "REDIS_URL": redis,
        "SQLITE_SYNCHRONOUS": "NORMAL",  # tests kill processes, not the machine
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
    }


def _run(arguments: list[str], env: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.serve", *arguments],
        cwd=ROOT, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode(errors="replace")
