"""Fixtures of all tests: the cast, real services, and what happens where a service is missing."""

import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

from classrooms.load import load
from classrooms.models import Classroom

pytest.register_assert_rewrite("tests.support")  # what the harness asserts is explained as in a test

from tests.support.api import forgotten, live  # noqa: F401 - fixtures
from tests.support.cast import make_classroom, make_user
from tests.support.road import database, file_database, on_postgres, postgres_settings  # noqa: F401 - fixtures
from tests.support.rooms import log, long_room, room  # noqa: F401 - fixtures
from tests.support.server import TEMPLATE, Server
from tests.support.services import Postgres, Redis, missing_services, running
from tests.support.writer import in_writer  # noqa: F401 - a fixture

MISSING = missing_services()
REQUIRE_ALL = os.environ.get("REQUIRE_ALL") == "1"
left_out: dict[str, int] = {}


def pytest_configure(config: pytest.Config) -> None:
    """Name one place for the servers' template; workers inherit it."""
    if TEMPLATE not in os.environ:
        os.environ[TEMPLATE] = home = tempfile.mkdtemp(prefix="lectern-template-")
        config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, package in MISSING.items():
        if item.get_closest_marker(marker):
            left_out[package] = left_out.get(package, 0) + 1
            (pytest.fail if REQUIRE_ALL else pytest.skip)(f"{package} is not installed")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for package, count in left_out.items():
        terminalreporter.write_line(f"Left out for want of {package}: {count} tests", yellow=True)


@pytest.fixture(autouse=True)
def rested() -> None:
    """A process that has written nothing yet: what tests before have done makes this one no busier."""
    load.__init__()  # type: ignore[misc]


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A real Redis, shared by the session; mark the test `redis`."""
    with running(Redis()) as service:
        yield service


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL, shared by the session; mark the test `postgres`."""
    with running(Postgres()) as service:
        yield service


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A real server that the session shares: no test stops it or changes its settings."""
    with Server() as shared:
        yield shared


@pytest.fixture(scope="session")
def impatient() -> Iterator[Server]:
    """A server with lesson 1 that waits 0.1 s for `hello`, takes staff's ops as fast as they come, and fails once."""
    with Server(patch="tests.support.impatient") as server:
        server.start_lesson()
        yield server


@pytest.fixture
def lesson(server: Server) -> int:
    """A lesson of the test's own on the shared server, with one blank page; the one before it has ended."""
    server.end_lessons()
    return server.start_lesson()


@pytest.fixture
def teacher(db: None) -> User:
    return make_user("teacher")


@pytest.fixture
def assistant(db: None) -> User:
    return make_user("assistant")


@pytest.fixture
def outsider(db: None) -> User:
    """An instructor of nothing: may open /teach/ and must see none of the others' things."""
    return make_user("outsider")


@pytest.fixture
def ana(db: None) -> User:
    """A student with an account."""
    return make_user("ana", instructor=False)


@pytest.fixture
def ben(db: None) -> User:
    """Another student with an account."""
    return make_user("ben", instructor=False)


@pytest.fixture
def classroom(teacher: User, assistant: User) -> Classroom:
    """The teacher's classroom, with the assistant on its staff."""
    return make_classroom(teacher, assistant=assistant)
