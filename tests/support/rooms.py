"""Rooms over a log in memory: what was committed, how often it was read, and what goes wrong, are the test's."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from classrooms.lesson import fresh
from classrooms.messages import event_bytes
from classrooms.replica import Replica
from classrooms.ring import Ring
from classrooms.room import Connection, Room
from tests.support.road import POLICY, Desk, sit

PAGES = [{"page": "p1", "kind": "blank", "title": ""}]
TEACHER = {"participant": "u1", "name": "Teacher", "role": "instructor", "color": "#17694f"}
ANA = {"participant": "u2", "name": "Ana", "role": "student", "color": "#8b4fbf"}


class FakeLog:
    """A lesson's log as the room reads it: what was committed, how often it was asked, and what goes wrong."""

    def __init__(self) -> None:
        self.raws: list[bytes] = []
        self.reads: list[tuple[int, int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken = False
        self.commit("lesson.started", None, {"title": "Leaves", "policy": POLICY, "pages": PAGES})
        self.commit("person.joined", None, TEACHER)
        self.commit("person.joined", None, ANA)

    @property
    def head(self) -> int:
        return len(self.raws)

    def commit(self, kind: str, by: str | None, data: dict[str, Any]) -> list[bytes]:
        """Commit one event and return what is announced."""
        seq = len(self.raws) + 1
        self.raws.append(event_bytes(seq, kind, by, self.at(seq), f"op:{seq}", json.dumps(data)))
        return self.raws[-1:]

    def posts(self, count: int, size: int = 5) -> list[bytes]:
        """Commit lines of chat."""
        return [raw for _ in range(count) for raw in self.commit("chat.posted", "u1", {"text": "x" * size})]

    @staticmethod
    def at(seq: int) -> int:
        return 1_764_000_000_000 + seq

    async def read(self, lesson: int, since: int, limit: int) -> list[bytes]:
        self.reads.append((since, limit))
        raws = self.raws[since : since + limit]  # what the database sees when the query begins
        await self.gate.wait()
        if self.broken:
            raise OSError("no database")
        return raws


def awake(log: FakeLog) -> Room:
    """Return a room that has folded the log so far."""
    made = Room(Replica(7, "5be0c41d", fresh(), Ring(0, 0)), log.read, lambda signals: None)
    made.receive(log.raws)
    return made


def long_lesson(log: FakeLog) -> Room:
    """Return a room of 5,000 events whose ring begins at 3,000."""
    log.posts(4997)
    made = awake(log)
    made.ring._trim()
    assert (made.ring.floor, made.head) == (3000, 5000)
    return made


def enter(room: Room, participant: str = "u2", *, sent: int | None = None, **more: Any) -> tuple[Connection, Desk]:
    """Seat somebody who has been given events up to `sent`, by default all of them."""
    connection, desk = sit(participant, **more)
    assert room.enter(connection)
    connection.sent = room.head if sent is None else sent
    room.advance(connection)
    return connection, desk


def clocked(monkeypatch: pytest.MonkeyPatch, *modules: str) -> list[float]:
    """Stop the clock of modules; the test moves it."""
    now = [1000.0]
    for module in modules:
        monkeypatch.setattr(f"classrooms.{module}.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
async def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
async def room(log: FakeLog) -> Room:
    return awake(log)


@pytest.fixture
async def long_room(log: FakeLog) -> Room:
    return long_lesson(log)
