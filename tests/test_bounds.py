"""What one connection may cost the server, however much it sends and however little it reads."""

import resource
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from classroom_site.bounds import STUCK, UNREAD, UNREAD_BY_ALL, Readers
from classrooms.closes import Close
from tests.support.server import Server
from tests.support.waiting import until

MEGABYTE = 1024 * 1024
PAGE = "/static/staticfiles.json"  # the longest text that is to be had without a ticket


class Pipe:
    """A transport of which the network takes nothing."""

    def __init__(self, waiting: int) -> None:
        self.dataBuffer = b"x" * 10
        self.offset = 10
        self._tempDataLen = waiting
        self.cut = False

    def abortConnection(self) -> None:  # noqa: N802 - Twisted's name
        self.cut = True


def test_who_asks_for_more_before_reading_what_they_got_is_cut_off() -> None:
    readers, modest, greedy = Readers(), Pipe(UNREAD), Pipe(UNREAD + 1)
    assert readers.asks(modest, 0.0)
    assert not readers.asks(greedy, 0.0)
    assert (modest.cut, greedy.cut) == (False, True)


def test_who_reads_nothing_for_long_is_cut_off_and_who_reads_slowly_is_not() -> None:
    readers, stuck, slow = Readers(), Pipe(0), Pipe(0)
    assert readers.asks(stuck, 0.0)
    assert readers.asks(slow, 0.0)
    stuck._tempDataLen = slow._tempDataLen = 2 * UNREAD
    readers.look(1.0)
    for second in range(2, int(STUCK) + 4):
        slow._tempDataLen -= 1
        readers.look(second)
    assert (stuck.cut, slow.cut) == (True, False)


def test_while_too_much_waits_in_all_those_for_whom_most_waits_are_cut_off() -> None:
    readers = Readers()
    pipes = [Pipe(0) for _ in range(4)]
    for pipe, share in zip(pipes, (0.1, 0.7, 0.2, 0.3), strict=True):
        readers.asks(pipe, 0.0)
        pipe._tempDataLen = int(share * UNREAD_BY_ALL)
    readers.look(1.0)
    assert [pipe.cut for pipe in pipes] == [False, True, False, False]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(env={"DECK_MAX_BYTES": str(MEGABYTE)}) as server:
        yield server


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as connection:
        yield connection


def ask(connection: socket.socket, line: str, *headers: str) -> None:
    connection.sendall("\r\n".join([f"{line} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]).encode())


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the other side ends, one way or the other."""
    parts = []
    try:
        while part := connection.recv(MEGABYTE):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


def test_many_questions_at_once_and_no_answer_read_end_the_connection(server: Server) -> None:
    with connected(server) as connection:
        ask(connection, f"GET {PAGE}", "Connection: close")
        once = len(read_all(connection))
    times = 30 * MEGABYTE // once  # the kernel takes some megabytes by itself
    with connected(server) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(times):
            try:
                ask(connection, f"GET {PAGE}")
            except ConnectionError:
                break
        assert len(read_all(connection)) < times * once / 2


@pytest.mark.parametrize("length", ["Content-Length: 100000000", "Transfer-Encoding: chunked"])
def test_a_body_without_end_is_not_kept(server: Server, length: str) -> None:
    chunk = b"x" * 65536
    piece = chunk if "Length" in length else b"10000\r\n" + chunk + b"\r\n"
    sent = 0
    with connected(server) as connection:
        ask(connection, "POST /api/join/", "Content-Type: application/json", length)
        try:
            while sent < 50 * MEGABYTE:
                connection.sendall(piece)
                sent += len(chunk)
        except ConnectionError:
            pass
    assert sent < 40 * MEGABYTE


def test_a_body_that_is_somewhat_too_large_still_gets_its_sentence(server: Server) -> None:
    body = b'{"code":"' + b"x" * (MEGABYTE + MEGABYTE // 2) + b'"}'
    with connected(server) as connection:
        ask(connection, "POST /api/join/", "Content-Type: application/json", f"Content-Length: {len(body)}",
            "Connection: close")  # fmt: skip
        connection.sendall(body)
        assert b'"too_large"' in read_all(connection)


FRAMES = {"parts of a message": b"\x00", "pings": b"\x89", "pongs": b"\x8a"}


EMPTY_TEXT = b"\x81\x80\x00\x00\x00\x00"  # masked, as a client's frames are


def upgrade(connection: socket.socket) -> None:
    """Make a socket of lesson 1 of a connection; no `hello` is said."""
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    ask(connection, "GET /live/lessons/1/socket/", "Upgrade: websocket", "Connection: Upgrade", key,
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: lectern.1")  # fmt: skip
    assert connection.recv(4096).startswith(b"HTTP/1.1 101")


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_that_are_no_messages_are_counted_too(server: Server, kind: str) -> None:
    with connected(server) as connection:
        connection.settimeout(5)  # a socket without `hello` is closed after 10 s in any case
        upgrade(connection)
        empty = b"\x80\x00\x00\x00\x00"  # masked, as a client's frames are
        with suppress(ConnectionError):
            connection.sendall(b"\x01" + empty + (FRAMES[kind] + empty) * 10_000)
        read_all(connection)


def patience(server: Server, phase: float) -> float:
    """Return for how many seconds a server keeps a connection whose close frame nobody answers.

    `phase` is the fraction of a second at which the server closes.
    """
    with connected(server) as connection:
        upgrade(connection)
        until(lambda: phase <= time.monotonic() % 1 < phase + 0.1)
        connection.sendall(EMPTY_TEXT)  # no `hello`
        since = time.monotonic()
        said = read_all(connection)
    assert b"\x88\x02" + Close.BAD_HELLO.to_bytes(2, "big") in said
    return time.monotonic() - since


def test_a_client_far_away_has_time_to_answer_a_close(server: Server) -> None:
    with ThreadPoolExecutor() as pool:
        waits = list(pool.map(lambda phase: patience(server, phase), (0.0, 0.2, 0.4, 0.6, 0.8)))
    assert min(waits) > 3
    assert max(waits) < 8


def test_a_server_opens_as_many_files_as_the_system_lets_it() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    try:
        with Server() as server:
            assert server.process is not None
            limits = Path(f"/proc/{server.process.pid}/limits").read_text()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    allowed = next(line.split()[3] for line in limits.splitlines() if line.startswith("Max open files"))
    assert int(allowed) > 256


def test_what_askers_do_wrong_hardly_fills_the_log_and_static_files_are_what_they_say(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 400")
    with connected(server) as connection:
        ask(connection, "GET /nothing", "Connection: close")
        assert read_all(connection).startswith(b"HTTP/1.1 404")
    with connected(server) as connection:
        ask(connection, f"GET {PAGE}", "Connection: close")
        assert b"x-content-type-options: nosniff" in read_all(connection).lower()
    told = server.log.splitlines()
    assert len(told) == 1
    assert "evil.example" in told[0], "an operator may have forgotten this name"


def test_json_beyond_what_django_reads_is_refused_like_any_other(server: Server) -> None:
    with connected(server) as connection:
        ask(connection, "POST /api/join/", "Content-Type: application/json", "Content-Length: 2500000",
            "Connection: close")  # fmt: skip
        connection.sendall(b" " * 2_500_000)
        assert b'"too_large"' in read_all(connection)
