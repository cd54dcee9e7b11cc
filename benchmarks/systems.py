"""What is measured: Lectern and its rivals, each started the same way, with rooms for the same people."""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from benchmarks import machine
from benchmarks.load.speech import Digests, Seat, digest
from classrooms.counters import SECONDS
from tests.support.metrics import scrape
from tests.support.server import ROOT, Server
from tests.support.services import Postgres, Redis
from tests.support.serving import Serving
from tests.support.waiting import answers, free_port, until

LAG = "lectern_loop_lag_seconds"


class Log(NamedTuple):
    """A room's messages as they were stored: the newest number, and per author the counts of their ops in order."""

    head: int
    digests: Digests
    ops: dict[str, list[int]]
    whole: bool


class System(ABC):
    """A server with what it needs. Use it as a context; `seats` are there once it has started."""

    speech = ""
    stored = False  # whether it keeps what it delivers

    def __init__(self, name: str, rooms: int, each: int, staff: int) -> None:
        self.name = name
        self.rooms, self.each, self.staff = rooms, each, staff
        self.core, self.load_core = machine.cores()
        self.port = 0
        self.seats: list[Seat] = []
        self.helpers: list[Any] = []  # services beside it, which run on the core of the load

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def start(self) -> None:
        """Start it, and wait until it answers."""

    @abstractmethod
    def close(self) -> None:
        """End it and all that belongs to it."""

    @abstractmethod
    def pids(self) -> list[int]:
        """Return the processes that serve."""

    @abstractmethod
    def lag(self) -> Callable[[], float]:
        """Begin to look at the server's event loop; the function returned says how late it was since, p99 in ms."""

    def helping(self) -> list[int]:
        """Return the processes of the services beside it."""
        return [pid for one in self.helpers if one.process is not None for pid in machine.family(one.process.pid)]

    def log(self, room: int) -> Log | None:
        """Return what a room has stored, None where nothing is."""
        return None

    def help_with(self, service: Any) -> Any:
        """Start a service on the core of the load."""
        self.helpers.append(service)
        with machine.pinned(self.load_core):
            service.start()
        return service

    def close_helpers(self) -> None:
        """End the services."""
        for service in self.helpers:
            service.close()
        self.helpers.clear()


class Durable(Postgres):
    """PostgreSQL that writes what it has committed to the disk, as in production."""

    def command(self) -> list[str]:
        return [word for word in super().command() if word != "-F"]


class Lectern(System):
    """The build that ships, by `manage.py serve`: on SQLite alone, or on PostgreSQL and Redis."""

    speech = "lectern"
    stored = True

    def __init__(
        self,
        name: str,
        rooms: int,
        each: int,
        staff: int,
        *,
        processes: int = 1,
        postgres: bool = False,
        patch: str = "",
    ) -> None:
        super().__init__(name, rooms, each, staff)
        self.processes = processes
        self.postgres = postgres
        self.patch = patch  # a fault to be found, for the tests of this
        self.server: Server | None = None
        self.redis: Redis | None = None
        self.lessons: list[int] = []

    def start(self) -> None:
        database = redis = ""
        if self.postgres:
            database = self.help_with(Durable()).new_database()
            self.redis = self.help_with(Redis())
            redis = self.redis.url
        if self.patch:
            self.server = Server(database=database, redis=redis, patch=self.patch)
        else:
            options = ["--processes", str(self.processes), "--no-worker"]
            self.server = Serving(*options, database=database, redis=redis)
        self.server.env |= {"SQLITE_SYNCHRONOUS": "FULL", "DJANGO_SETTINGS_MODULE": "classroom_site.settings"}
        self.server.env.pop("PYTHONWARNINGS", None)
        self._seed()
        with machine.pinned(self.core):
            self.server.start()
        self.port = self.server.port

    def _seed(self) -> None:
        assert self.server is not None
        command = [sys.executable, "-m", "benchmarks.seats", str(self.rooms), str(self.each), str(self.staff)]
        done = subprocess.run(command, cwd=ROOT, env=self.server.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        for room, line in enumerate(done.stdout.splitlines()):
            told = json.loads(line)
            self.lessons.append(told["lesson"])
            path = f"/live/lessons/{told['lesson']}/socket/"
            for participant, ticket in told["seats"]:
                self.seats.append(Seat(len(self.seats), room, path, participant, ticket, told["epoch"]))

    def close(self) -> None:
        if self.server is not None:
            if self.server.process is not None and isinstance(self.server, Serving):
                self.server.stop()
            self.server.close()
        self.close_helpers()

    def pids(self) -> list[int]:
        assert self.server is not None
        if isinstance(self.server, Serving):
            return sorted(self.server.serving())
        assert self.server.process is not None
        return [self.server.process.pid]

    def metrics(self) -> dict[str, float]:
        """Return what a process tells of itself; of several, the one that answers."""
        assert self.server is not None
        return scrape(self.server)

    def lag(self) -> Callable[[], float]:
        before = self.metrics()

        def since() -> float:
            now = self.metrics()
            total = now[f"{LAG}_count"] - before[f"{LAG}_count"]
            for bound in SECONDS:
                name = f'{LAG}_bucket{{le="{bound}"}}'
                if now[name] - before[name] >= 0.99 * total:
                    return bound * 1000
            return float("inf")

        return since

    def log(self, room: int) -> Log:
        assert self.server is not None
        lesson = self.lessons[room]
        columns = 'SELECT seq, kind, "by", at, op, data FROM classrooms_event WHERE lesson_id = ? ORDER BY seq'
        rows = self.server.rows(columns, lesson)
        head = int(self.server.rows("SELECT head FROM classrooms_lesson WHERE id = ?", lesson)[0][0])
        ops: dict[str, list[int]] = {}
        digests: Digests = {}
        for seq, kind, by, at, op, data in rows:
            digests[seq] = digest(seq, kind, by, at, op, data.encode())
            if by:
                client, _, n = op.partition(":")
                ops.setdefault(client, []).append(int(n))
        return Log(head, digests, ops, [row[0] for row in rows] == list(range(1, head + 1)))


class Rival(System):
    """A rival's server process, with Redis."""

    def start(self) -> None:
        redis = self.help_with(Redis())
        self.port = free_port()
        with machine.pinned(self.core):
            self.process = subprocess.Popen(
                self.command(self.port, redis.url), cwd=ROOT, env=os.environ | self.env(redis.url),
                stdout=subprocess.DEVNULL, stderr=None,
            )  # fmt: skip
        until(self._answers, timeout=30, saying=f"{self.name} answers")
        self.seats = [
            Seat(client, client // self.each, self.path(client // self.each))
            for client in range(self.rooms * self.each)
        ]

    process: "subprocess.Popen[bytes] | None" = None

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"{self.name} has ended"
        return answers(self.port)

    @abstractmethod
    def command(self, port: int, redis: str) -> list[str]:
        """Return what to run."""

    def env(self, redis: str) -> dict[str, str]:
        """Return further environment."""
        return {}

    @abstractmethod
    def path(self, room: int) -> str:
        """Return where a room's socket is."""

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)
        self.close_helpers()

    def pids(self) -> list[int]:
        assert self.process is not None
        return [self.process.pid]

    def lag(self) -> Callable[[], float]:
        def ask() -> float:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/lag", timeout=60) as answer:
                return float(json.load(answer)["p99"])

        ask()
        return ask


class Bare(Rival):
    """What a connection costs before anybody does anything with it: an application that accepts, under stock Daphne."""

    speech = "plain"
    server = "daphne"

    def command(self, port: int, redis: str) -> list[str]:
        return [sys.executable, "-m", "benchmarks.rivals.bare", self.server, str(port)]

    def path(self, room: int) -> str:
        return "/"


class BareLectern(Bare):
    """The same application under Daphne as Lectern runs it."""

    server = "lectern"


class Channels(Rival):
    """A stock consumer of Channels under stock Daphne."""

    speech = "plain"
    layer = ""

    def command(self, port: int, redis: str) -> list[str]:
        where = f"tcp:port={port}:interface=127.0.0.1:backlog=4096"
        application = "benchmarks.rivals.channels_room:application"
        options = ["-e", where, "--websocket_timeout", "-1", "-v", "0"]
        return [str(Path(sys.executable).parent / "daphne"), *options, application]

    def env(self, redis: str) -> dict[str, str]:
        return {"RIVAL_LAYER": self.layer, "RIVAL_REDIS": redis, "PYTHONPATH": str(ROOT)}

    def path(self, room: int) -> str:
        return f"/room/{room}/"


class ChannelsCore(Channels):
    """With the core layer."""

    layer = "channels_redis.core.RedisChannelLayer"


class ChannelsPubSub(Channels):
    """With the pub/sub layer."""

    layer = "channels_redis.pubsub.RedisPubSubChannelLayer"


class Polling(Rival):
    """A Django view that is polled, under Daphne."""

    def command(self, port: int, redis: str) -> list[str]:
        where = f"tcp:port={port}:interface=127.0.0.1:backlog=4096"
        options = ["-e", where, "-v", "0", "--http-timeout", "3600"]
        return [str(Path(sys.executable).parent / "daphne"), *options, "benchmarks.rivals.polling_room:application"]

    def env(self, redis: str) -> dict[str, str]:
        self.data = tempfile.TemporaryDirectory(prefix="lectern-polling-")
        return {"POLLING_DATA": self.data.name, "PYTHONPATH": str(ROOT)}

    def path(self, room: int) -> str:
        return f"/room/{room}/"

    def close(self) -> None:
        super().close()
        self.data.cleanup()

    data: "tempfile.TemporaryDirectory[str]"


class SocketIO(Rival):
    """Socket.IO with its Redis adapter."""

    speech = "socketio"
    batch = 0  # ms

    def command(self, port: int, redis: str) -> list[str]:
        return ["node", "benchmarks/rivals/socketio.mjs", str(port), redis, str(self.batch)]

    def env(self, redis: str) -> dict[str, str]:
        return {"NODE_ENV": "production"}

    def path(self, room: int) -> str:
        return "/socket.io/?EIO=4&transport=websocket"


class SocketIOBatched(SocketIO):
    """The same, gathering the messages of a room for 10 ms."""

    batch = 10


Make = Callable[[int, int, int], System]  # rooms, clients of each, and how many of those are staff

SYSTEMS: dict[str, Make] = {
    "lectern": lambda rooms, each, staff: Lectern("Lectern, SQLite", rooms, each, staff),
    "lectern-pg": lambda rooms, each, staff: Lectern("Lectern, PostgreSQL + Redis", rooms, each, staff, postgres=True),
    "lectern-pg-2": lambda rooms, each, staff: Lectern(
        "Lectern, PostgreSQL + Redis, 2 processes", rooms, each, staff, postgres=True, processes=2
    ),
    "socketio": lambda rooms, each, staff: SocketIO("Socket.IO", rooms, each, staff),
    "socketio-10ms": lambda rooms, each, staff: SocketIOBatched("Socket.IO, 10 ms batches", rooms, each, staff),
    "bare-daphne": lambda rooms, each, staff: Bare("an empty application, Daphne", rooms, each, staff),
    "bare-lectern": lambda rooms, each, staff: BareLectern(
        "an empty application, Lectern's Daphne", rooms, each, staff
    ),
    "polling": lambda rooms, each, staff: Polling("polling every 500 ms", rooms, each, staff),
    "channels-core": lambda rooms, each, staff: ChannelsCore("Channels, core layer", rooms, each, staff),
    "channels-pubsub": lambda rooms, each, staff: ChannelsPubSub("Channels, pub/sub layer", rooms, each, staff),
}
