"""Load: the share of the loop's time that goes into writing, and what follows from it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classrooms import cursors
from classrooms.connection import Connection
from classrooms.cursors import Cursors
from classrooms.load import BUSY, SLOWEST, TICK, WINDOW, Load
from classrooms.presence import Person
from classrooms.ring import Ring
from classrooms.signals import Signals
from tests.support.waiting import until_async


def worked(share: float, seconds: float = 1.0, step: float = 0.01) -> tuple[Load, float]:
    """A process that has written for a share of the time, and the time."""
    load, now = Load(), 100.0
    while now < 100.0 + seconds:
        now += step
        load.spent(step * share, now)
    return load, now


@given(st.floats(0.0, 1.0))
def test_the_share_is_what_was_spent(share: float) -> None:
    load, now = worked(share)
    assert load.share(now) == pytest.approx(share, abs=0.12)


def test_a_process_that_rests_is_busy_no_more() -> None:
    load, now = worked(0.9)
    assert load.busy(now)
    assert load.slower(now) == SLOWEST
    assert load.busy(now + WINDOW / 2)
    assert not load.busy(now + 2 * WINDOW)
    assert load.slower(now + 2 * WINDOW) == 1.0


def test_a_burst_makes_busy_before_its_window_is_over() -> None:
    load = Load()
    load.spent(0.0, 100.0)
    load.spent(WINDOW * BUSY * 1.1, 100.0 + WINDOW / 2)
    assert load.busy(100.0 + WINDOW / 2)


class Writer:
    """Takes frames, and the moment of each."""

    buffered = 0

    def __init__(self) -> None:
        self.frames: list[tuple[float, bytes]] = []

    def write(self, frame: bytes) -> None:
        self.frames.append((time.monotonic(), frame))

    def close(self, code: int) -> None: ...

    def abort(self) -> None: ...


def room() -> tuple[Ring, Cursors, Writer]:
    async def read(since: int, limit: int) -> list[bytes]:
        raise AssertionError("nothing is below the floor")

    ring, writer = Ring(0, None), Writer()
    cursors = Cursors(ring, read)
    connection = Connection(Person("u1", "Ana", "student", "#000000"), "c", writer, 0.0)
    connection.sent = 0
    cursors.add(connection)
    return ring, cursors, writer


async def test_while_there_is_time_each_event_goes_out_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursors, "load", Load())
    ring, all_, writer = room()
    for number in range(5):
        ring.push(b'{"n":%d}' % number, number)
        all_.flush()
        assert len(writer.frames) == number + 1


async def test_while_busy_a_room_gathers_what_comes_within_a_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Load()
    busy.spent(10.0, time.monotonic())
    monkeypatch.setattr(cursors, "load", busy)
    ring, all_, writer = room()
    for number in range(5):
        ring.push(b'{"n":%d}' % number, number)
        all_.flush()
    assert len(writer.frames) == 1, "the first after a rest waits for nothing"
    await until_async(lambda: len(writer.frames) == 2, saying="the others come together")
    assert all(b'{"n":%d}' % number in writer.frames[1][1] for number in range(1, 5))
    assert writer.frames[1][0] - writer.frames[0][0] >= TICK * 0.9


async def test_while_busy_even_a_lone_signal_waits_for_its_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Load()
    monkeypatch.setattr("classrooms.signals.load", busy)
    sent: list[list[bytes]] = []
    signals = Signals(sent.append)
    signals.take("u1", b"{}")
    assert len(sent) == 1
    assert signals.pace == 50
    busy.spent(10.0, time.monotonic())
    signals.take("u1", b"{}")
    assert len(sent) == 1
    assert signals.pace == 250
    await until_async(lambda: len(sent) == 2, saying="the tick has come")
