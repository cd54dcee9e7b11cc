"""The socket's writer: in order, one task at most, bounded, and whole to its end."""

import asyncio
from typing import Any

import pytest
from autobahn.exception import Disconnected

from classrooms.closes import Close
from classrooms.socket_writer import MAX_WAITING, SocketWriter
from tests.support.waiting import until_async


class Wire:
    """A server whose network takes what comes while `open` is set."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.sent: list[str] = []
        self.code: int | None = None
        self.error: Exception | None = None

    async def send(self, message: dict[str, Any]) -> None:
        await self.open.wait()
        if self.error is not None:
            raise self.error
        if message["type"] == "websocket.send":
            self.sent.append(message["text"])
        else:
            self.code = message["code"]
            assert type(self.code) is int, "Autobahn takes nothing else"


@pytest.fixture
async def wire() -> Wire:
    return Wire()


def writer_of(wire: Wire) -> SocketWriter:
    return SocketWriter(wire.send)


async def idle(writer: SocketWriter) -> None:
    await until_async(lambda: writer._task is None, saying="nothing is being sent")


async def test_what_is_written_goes_out_in_order_before_the_close(wire: Wire) -> None:
    writer = writer_of(wire)
    for number in range(100):
        writer.write(b"%d" % number)
    writer.close(Close.ENDED)
    writer.write(b"too late")
    await idle(writer)
    assert wire.sent == [str(number) for number in range(100)]
    assert wire.code == 4004
    assert writer.buffered == 0


async def test_what_the_network_does_not_take_is_counted_and_bounded(wire: Wire) -> None:
    wire.open.clear()
    writer = writer_of(wire)
    frame = b"x" * 1024
    for number in range(1, 101):
        writer.write(frame)
        assert writer.buffered == number * 1024
    for _ in range(2 * MAX_WAITING // 1024):
        writer.write(frame)
    assert writer.closed
    assert len(writer._waiting) == 0
    wire.open.set()
    await idle(writer)
    assert wire.code == Close.TOO_SLOW


async def test_a_second_close_says_nothing_else(wire: Wire) -> None:
    writer = writer_of(wire)
    writer.close(Close.REMOVED)
    writer.close(Close.ENDED)
    writer.abort()
    await idle(writer)
    assert wire.code == Close.REMOVED


@pytest.mark.parametrize("gone", [ConnectionResetError(), Disconnected("a closed protocol")])
async def test_a_network_that_is_gone_is_no_error_of_ours(
    wire: Wire, caplog: pytest.LogCaptureFixture, gone: Exception
) -> None:
    wire.error = gone
    writer = writer_of(wire)
    writer.write(b"x")
    await idle(writer)
    assert caplog.text == ""
    wire.error = ZeroDivisionError()
    writer.write(b"x")
    await idle(writer)
    assert "a socket could not be written to" in caplog.text


async def test_a_connection_goes_on_from_where_it_rested_once_all_is_sent(wire: Wire) -> None:
    writer = writer_of(wire)
    went_on: list[int] = []
    writer.drained = lambda: went_on.append(writer.buffered)
    writer.write(b"one")
    writer.write(b"two")
    await idle(writer)
    assert went_on == [0]
