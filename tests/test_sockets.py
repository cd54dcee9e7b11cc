"""Sockets on Daphne: frames as RFC 6455 has them, whole and in order on a TCP connection however little it takes."""

import asyncio
import select
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import main, tcp
from websockets.frames import Frame, Opcode

from classroom_site import sockets
from classroom_site.sockets import DirectWriter, Inbox, LeanServer, Prebuilt
from classrooms.closes import Close
from tests.support.client import Client
from tests.support.server import Server
from tests.support.socket import opened


class Reactor:
    """Takes note of who wants to read and to write, and calls nobody by itself."""

    def __init__(self) -> None:
        self.readers: set[Any] = set()
        self.writers: set[Any] = set()

    def addReader(self, who: Any) -> None:  # noqa: N802 - Twisted's names, here and below
        self.readers.add(who)

    def removeReader(self, who: Any) -> None:  # noqa: N802
        self.readers.discard(who)

    def addWriter(self, who: Any) -> None:  # noqa: N802
        self.writers.add(who)

    def removeWriter(self, who: Any) -> None:  # noqa: N802
        self.writers.discard(who)


class Protocol:
    """What the writer knows of a socket's protocol."""

    STATE_OPEN = 3

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.state = self.STATE_OPEN
        self.codes: list[int] = []

    def sendClose(self, code: int) -> None:  # noqa: N802
        assert type(code) is int, "Autobahn takes nothing else"
        self.codes.append(code)


class Wire:
    """A TCP connection whose one end is Twisted's own transport, and a writer on it."""

    def __init__(self, *, straight: bool) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.far = socket.create_connection(listening.getsockname())
            near, _ = listening.accept()
        near.setblocking(False)
        self.far.settimeout(10)
        self.reactor = Reactor()
        self.ended: Any = None  # what the transport told the reactor to end the connection with
        self.transport: Any = tcp.Connection(near, object(), self.reactor)  # type: ignore[arg-type]
        self.protocol = Protocol(self.transport)
        self.writer = DirectWriter(self.protocol, straight=straight)  # type: ignore[arg-type]
        self.transport.connected = 1
        self.transport.registerProducer(self.writer, True)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        self.far.close()
        self.transport.socket.close()

    def read(self, count: int) -> bytes:
        """Read on the far side, while the reactor writes whenever the network takes something."""
        found = bytearray()
        while len(found) < count:
            writing = [self.transport] if self.transport in self.reactor.writers else []
            readable, writable, _ = select.select([self.far], writing, [], 10)
            assert readable or writable, f"stuck after {len(found)} of {count} bytes"
            for one in writable:
                self.ended = self.ended or one.doWrite()
            found += self.far.recv(1024 * 1024) if readable else b""
        return bytes(found)


@pytest.fixture(params=[True, False], ids=["straight", "by the transport"])
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    with closing(Wire(straight=request.param)) as wire:
        yield wire


@given(
    st.binary(max_size=200)
    | st.integers(60_000, 70_000).map(bytes)
    | st.sampled_from([125, 126, 65535, 65536]).map(bytes)
)
def test_a_prebuilt_frame_is_what_the_standard_says(message: bytes) -> None:
    expected = Frame(Opcode.TEXT, message).serialize(mask=False)
    prebuilt = Prebuilt()
    assert prebuilt.of(message) == expected
    assert prebuilt.of(message) is prebuilt.of(message), "built once for all who get it"
    assert prebuilt.of(b"another") != expected


def messages(count: int, size: int) -> list[bytes]:
    return [b"%d " % number + b"x" * size for number in range(count)]


def wired(sent: list[bytes]) -> bytes:
    return b"".join(Frame(Opcode.TEXT, message).serialize(mask=False) for message in sent)


def test_what_is_written_arrives_whole_and_in_order(wire: Wire) -> None:
    sent = messages(50, 100)
    for message in sent:
        wire.writer.write(message)
    assert wire.read(len(wired(sent))) == wired(sent)
    assert wire.writer.buffered == 0


def test_what_the_network_does_not_take_waits_is_counted_and_arrives(wire: Wire) -> None:
    sent = messages(60, 10_000)
    wire.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    for message in sent:
        wire.writer.write(message)
    assert 0 < wire.writer.buffered < len(wired(sent)) + 1
    more = messages(3, 10)
    for message in more:
        wire.writer.write(message)  # a short one after a frame of which half is out waits its turn
    assert wire.read(len(wired(sent + more))) == wired(sent + more)
    assert wire.writer.buffered == 0


def test_of_a_frame_that_is_taken_in_part_the_rest_follows(wire: Wire) -> None:
    wire.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
    sent = [bytes(range(33, 127)) * 8_000, b"and the next"]
    for message in sent:
        wire.writer.write(message)
    assert wire.read(len(wired(sent))) == wired(sent)


def test_straight_needs_no_turn_of_the_reactor() -> None:
    with closing(Wire(straight=True)) as wire:
        wire.writer.write(b"at once")
        assert not wire.reactor.writers
        assert wire.far.recv(100) == wired([b"at once"])
    with closing(Wire(straight=False)) as wire:
        wire.writer.write(b"at once")
        assert wire.reactor.writers == {wire.transport}


def test_a_reader_who_was_behind_is_written_to_again_once_all_is_taken(wire: Wire) -> None:
    went_on: list[int] = []
    wire.writer.drained = lambda: went_on.append(wire.writer.buffered)
    wire.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sent = messages(80, 10_000)
    for message in sent:
        wire.writer.write(message)
    assert not went_on
    wire.read(len(wired(sent)))
    assert went_on == [0]


def test_who_reads_nothing_is_dropped_and_costs_no_more(wire: Wire) -> None:
    aborted: list[bool] = []
    wire.transport.abortConnection = lambda: aborted.append(True)
    for message in messages(2 * sockets.MAX_WAITING // 10_000 + 800, 10_000):
        wire.writer.write(message)
    assert aborted == [True]
    assert wire.writer.closed
    assert wire.writer.buffered < sockets.MAX_WAITING + 20_000


def test_a_close_follows_what_was_written_and_is_said_once(wire: Wire) -> None:
    wire.writer.close(Close.REMOVED)
    wire.writer.close(Close.ENDED)
    wire.writer.abort()
    wire.writer.write(b"too late")
    assert wire.protocol.codes == [Close.REMOVED]
    assert wire.writer.buffered == 0


def test_nothing_follows_a_close_of_the_other_side(wire: Wire) -> None:
    wire.protocol.state = 4
    wire.writer.write(b"too late")
    wire.protocol.state = 3
    wire.writer.write(b"in time")
    assert wire.read(len(wired([b"in time"]))) == wired([b"in time"])


def test_a_full_connection_that_is_let_go_ends_once_all_is_taken(wire: Wire) -> None:
    wire.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sent = messages(80, 10_000)
    for message in sent:
        wire.writer.write(message)
    wire.transport.loseConnection()
    assert wire.read(len(wired(sent))) == wired(sent)
    assert wire.ended or wire.transport in wire.reactor.writers, "nobody would end it"
    assert (wire.ended or wire.transport.doWrite()) is main.CONNECTION_DONE


def test_a_network_that_is_gone_is_left_to_the_transport(wire: Wire) -> None:
    wire.far.close()
    for message in messages(20, 1000):
        wire.writer.write(message)  # the second finds a reset connection
    if wire.transport in wire.reactor.writers:
        wire.transport.doWrite()


async def test_while_many_messages_wait_nothing_more_is_read_and_then_all_is() -> None:
    told: list[str] = []

    class Transport:
        def pauseProducing(self) -> None:  # noqa: N802
            told.append("pause")

        def resumeProducing(self) -> None:  # noqa: N802
            told.append("resume")

    inbox = Inbox(Transport())
    waiting = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    for number in range(100):
        inbox.put_nowait({"number": number})
    assert told == ["pause"]
    found = [await waiting] + [await inbox.get() for _ in range(99)]
    assert [message["number"] for message in found] == list(range(100))
    assert told == ["pause", "resume"]


async def test_a_server_walks_only_over_connections_that_come_or_go(monkeypatch: pytest.MonkeyPatch) -> None:
    server = LeanServer(application=None, endpoints=["none"])
    server.connections = {}
    walked: list[set[str]] = []
    monkeypatch.setattr("daphne.server.Server.application_checker", lambda self: walked.append(set(self.connections)))
    for name in ("comes", "open", "gone"):
        server.protocol_connected(name)
    server.opened("open")  # type: ignore[arg-type]
    server.opened("gone")  # type: ignore[arg-type]
    server.protocol_disconnected("gone")
    server.application_checker()
    assert walked == [{"comes", "gone"}]
    assert set(server.connections) == {"comes", "open", "gone"}
    monkeypatch.setattr("daphne.server.Server.application_checker", lambda self: self.connections.pop("gone"))
    server.application_checker()
    assert set(server.connections) == {"comes", "open"}


async def test_a_lesson_runs_under_uvicorn() -> None:
    with Server(env={"LECTERN_TEST_SERVER": "uvicorn"}) as server:
        lesson = server.start_lesson()
        async with await Client.guest(server, "Ana") as ana, await Client.guest(server, "Ben") as ben:
            posted = await ben.propose("chat.post", {"text": "Hello"})
            await ana.reach(posted["seq"])
            ana.reconcile(server.events(lesson))
        async with opened(server, lesson) as connection:
            await connection.say({"type": "nonsense"})
            code, _ = await connection.closed()
            assert code == Close.BAD_HELLO
