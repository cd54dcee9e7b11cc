"""Signals: at once while few signal, gathered when many do, and never more than a frame holds."""

import asyncio
from types import SimpleNamespace

import pytest

from classrooms.messages import MAX_FRAME_OUT, signals_frame
from classrooms.signals import Signals
from tests.support.waiting import until_async


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("classrooms.signals.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


async def test_signals_of_three_people_pass_at_once(clock: list[float]) -> None:
    sent: list[list[bytes]] = []
    signals = Signals(sent.append)
    for who in ("u1", "u2", "u3", "u1"):
        signals.take(who, who.encode())
    assert sent == [[b"u1"], [b"u2"], [b"u3"], [b"u1"]]


async def test_signals_of_a_crowd_are_gathered_into_one_tick(clock: list[float]) -> None:
    sent: list[list[bytes]] = []
    signals = Signals(sent.append)
    for n in range(10):
        signals.take(f"u{n}", b"%d" % n)
    assert sent == [[b"0"], [b"1"], [b"2"]]
    await until_async(lambda: len(sent) == 4)
    assert sent[3] == [b"3", b"4", b"5", b"6", b"7", b"8", b"9"]
    clock[0] += 2.1  # all but the next one have stopped
    signals.take("u1", b"alone")
    assert sent[4] == [b"alone"]


async def test_the_pace_slows_with_those_who_signal_now(clock: list[float]) -> None:
    signals = Signals(lambda _: None)
    assert signals.pace == 50
    for n in range(20):
        signals.take(f"u{n}", b"")
    assert signals.pace == 160
    for n in range(200):
        signals.take(f"u{n}", b"")
    assert signals.pace == 250
    clock[0] += 2.0
    assert signals.pace == 50


async def test_a_tick_never_holds_more_than_a_frame(clock: list[float]) -> None:
    sent: list[list[bytes]] = []
    signals = Signals(sent.append)
    for n in range(100):
        signals.take(f"u{n}", b"x" * 16_000)
    await until_async(lambda: len(sent) == 4)
    assert len(sent[3]) == 8
    assert len(signals_frame(sent[3])) <= MAX_FRAME_OUT
    signals.take("u1", b"and the next tick begins anew")
    await until_async(lambda: len(sent) == 5)
    assert sent[4] == [b"and the next tick begins anew"]


async def test_a_receiver_that_fails_does_not_stop_the_next_tick(clock: list[float]) -> None:
    sent: list[list[bytes]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)

    def send(batch: list[bytes]) -> None:
        sent.append(batch)
        if len(sent) == 4:
            raise RuntimeError("once")

    signals = Signals(send)
    for n in range(5):
        signals.take(f"u{n}", b"%d" % n)
    await until_async(lambda: len(sent) == 4)
    signals.take("u1", b"again")
    await until_async(lambda: len(sent) == 5)
    assert sent[4] == [b"again"]
