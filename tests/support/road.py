"""The road in the test's own process: databases to run it on, lessons, entries, hubs, and connections that remember."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.core.management import call_command
from django.db import connection, connections
from pytest_django.plugin import DjangoDbBlocker

from classrooms import log
from classrooms.connection import Connection
from classrooms.hub import Hub, in_reader
from classrooms.log import Entry, Outcome
from classrooms.models import Classroom, Lesson
from classrooms.presence import Person
from classrooms.room import Room
from tests.support.services import Postgres

TABLES = "classrooms_snapshot, classrooms_event, classrooms_lesson, classrooms_classroom"
BLANK = {"page": "p1", "kind": "blank", "title": ""}
POLICY = {"draw": "everyone", "edit": "own", "roam": True, "chat": True, "door": "open", "chosen": []}

# --- databases -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, file_database: None) -> str:
    """An empty database as the product uses it: a file of SQLite, or PostgreSQL through the pool. Its vendor's name."""
    if request.param == "postgres":
        request.getfixturevalue("on_postgres")
    return str(request.param)


@pytest.fixture
def file_database(transactional_db: None) -> Iterator[None]:
    """An empty SQLite file that threads share; the log's writer lets it go afterwards."""
    yield
    log.stop()


@pytest.fixture(scope="session")
def postgres_settings(postgres: Postgres, django_db_blocker: DjangoDbBlocker) -> dict[str, Any]:
    """Settings of a migrated database on PostgreSQL."""
    settings = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": postgres.new_database().rpartition("/")[2],
        "USER": "lectern",
        "HOST": "127.0.0.1",
        "PORT": postgres.port,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 12, "timeout": 5}, "options": "-c lock_timeout=300ms"},
    }
    with swapped(settings), django_db_blocker.unblock():
        call_command("migrate", verbosity=0)
    return settings


@pytest.fixture
def on_postgres(postgres_settings: dict[str, Any], django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """PostgreSQL in the place of the default database, with empty tables."""
    log.stop()
    with swapped(postgres_settings), django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {TABLES} CASCADE")
        yield
        log.stop()


@contextmanager
def swapped(settings: dict[str, Any]) -> Iterator[None]:
    """Have every thread that connects from now on use another database."""
    before, wrapper = connections.settings["default"], connections["default"]
    connections.settings["default"] = connections.configure_settings({"default": settings})["default"]
    del connections["default"]
    try:
        yield
    finally:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        connections.settings["default"] = before
        connections["default"] = wrapper


# --- lessons and entries -------------------------------------------------------------------------------------------


def new_lesson() -> int:
    """Make a classroom with a lesson that has not started; return the lesson's id."""
    return Lesson.objects.create(classroom=Classroom.objects.create(title="Photosynthesis"), title="Leaves").pk


def server_entry(kind: str, op: str, /, **data: object) -> Entry:
    """Return an entry of the server's own."""
    return Entry(kind, None, op, json.dumps(data))


def post(op: str, text: str = "Hello", by: str = "u1") -> Entry:
    """Return an entry of a participant: a line of chat."""
    return Entry("chat.posted", by, op, json.dumps({"text": text}))


def joined(participant: str, name: str, role: str = "student") -> Entry:
    """Return the entry that brings somebody into the log."""
    data = {"participant": participant, "name": name, "role": role, "color": "#17694f"}
    return server_entry("person.joined", f"joined:{participant}", **data)


STARTED = server_entry("lesson.started", "started", title="Leaves", policy=POLICY, pages=[BLANK])
TEACHER = joined("u1", "Teacher", role="instructor")
ANA = joined("u2", "Ana")
FIRST = [STARTED, TEACHER, ANA]


def append(lesson: int, *entries: Entry) -> list[Outcome]:
    """Append and wait."""
    return log.append(lesson, entries).result(20)


def live_lesson(posts: int = 0) -> int:
    """Make a lesson whose log holds FIRST and so many posts; return its id."""
    lesson = new_lesson()
    append(lesson, *FIRST, *(post(f"a:{number}", str(number)) for number in range(1, posts + 1)))
    return lesson


def stored(lesson: int) -> list[tuple[int, str, str]]:
    """Return (seq, by, op) of a lesson's whole log."""
    with connection.cursor() as cursor:
        cursor.execute('SELECT seq, "by", op FROM classrooms_event WHERE lesson_id = %s ORDER BY seq', [lesson])
        return [tuple(row) for row in cursor.fetchall()]


# --- connections ---------------------------------------------------------------------------------------------------


class Desk:
    """A writer that keeps what it was given. `buffered` is what the network has not taken, as the test says."""

    def __init__(self) -> None:
        self.buffered = 0
        self.frames: list[dict[str, Any]] = []
        self.sizes: list[int] = []
        self.code: int | None = None
        self.aborted = False

    def write(self, frame: bytes) -> None:
        assert self.code is None, "written to after its close"
        self.frames.append(json.loads(frame))
        self.sizes.append(len(frame))

    def close(self, code: int) -> None:
        assert self.code is None, "closed twice"
        self.code = code

    def abort(self) -> None:
        self.aborted = True

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event that came, in order."""
        return [event for frame in self.of("events") for event in frame["events"]]

    @property
    def seqs(self) -> list[int]:
        return [event["seq"] for event in self.events]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the frames of a type."""
        return [frame for frame in self.frames if frame["type"] == kind]


def sit(participant: str = "u2", *, client: str | None = None, now: float = 0.0) -> tuple[Connection, Desk]:
    """Return a connection that has entered no room yet, and what it writes to."""
    desk = Desk()
    person = Person(participant, participant.upper(), "student", "#8b4fbf")
    return Connection(person, client or secrets.token_hex(4), desk, now), desk


# --- hubs ----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def hubs(count: int = 1, *, layer: Callable[[], Any] = get_channel_layer) -> AsyncIterator[Sequence[Hub]]:
    """Run hubs in one loop as if each had a process of its own; `layer` makes the channel layer of each.

    All of them hear the one log of this process, unless a test ends that with `deaf`.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("classrooms.layer.get_channel_layer", lambda alias: layer())
        running = [Hub() for _ in range(count)]
    for hub in running:
        hub.start()
    try:
        yield running
    finally:
        for hub in running:
            await hub.stop()


def redis_layer(url: str) -> RedisPubSubChannelLayer:
    """Return a channel layer with the product's own settings for Redis."""
    return RedisPubSubChannelLayer(hosts=[{"address": url, "socket_timeout": 2, "socket_connect_timeout": 2}])


def deaf(hub: Hub) -> None:
    """Have a hub hear no commit of this process: what it learns comes by the layer or from the database."""
    hub._unsubscribe()


async def enter(hub: Hub, lesson: int, participant: str = "u2") -> tuple[Room, Connection, Desk]:
    """Seat somebody who has everything so far."""
    room = await hub.room(lesson)
    connection, desk = sit(participant, now=time.monotonic())
    hub.enter(room, connection)
    connection.sent = room.head
    return room, connection, desk


async def commit(lesson: int, *entries: Entry) -> int:
    """Append and wait; return the last seq."""
    outcomes = await asyncio.wrap_future(log.append(lesson, entries))
    return outcomes[-1].seq or 0


async def sql(*statements: str) -> None:
    """Change the database behind everybody's back."""

    def run() -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    await in_reader(run)


async def turn() -> None:
    """Let everything that is ready run."""
    for _ in range(10):
        await asyncio.sleep(0)
