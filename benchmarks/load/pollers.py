"""Clients who poll: each asks every half second over a connection that is kept, and one of them gives messages."""

import http.client
import os
import random
import re
import resource
import select
import socket
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from benchmarks.load.accounts import BINS, BINS_A_SECOND
from benchmarks.load.speech import Plain, Seat

EVERY = 0.5  # s between two questions of a client
LENGTH = re.compile(rb"(?i)content-length: (\d+)")
HEAD = re.compile(rb'^\{"head":(\d+)')
OPS = re.compile(rb'"op":"[0-9a-f]{8}:(\d+)"')


@dataclass(slots=True)
class Polled:
    """What the pollers saw between two moments; bytes are those of HTTP, both ways, headers too."""

    requests: int = 0
    events: int = 0
    bytes: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    given: int = 0
    bins: list[int] = field(default_factory=lambda: [0] * BINS)
    missing: int = 0


class Poller:
    """One client."""

    def __init__(self, port: int, room: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.path = f"/room/{room}/"
        self.port = port
        self.since = 0
        self.answer = b""
        self.asking = False
        self.seen: list[int] = []

    def ask(self) -> int:
        """Ask for what is new; return the bytes that were sent."""
        self.asking = True
        text = f"GET {self.path}?since={self.since} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode()
        self.sock.sendall(text)
        return len(text)

    def take(self, data: bytes) -> bytes | None:
        """Take a part of an answer; return its body once it is whole."""
        self.answer += data
        head, end, body = self.answer.partition(b"\r\n\r\n")
        if not end:
            return None
        length = LENGTH.search(head)
        if head.startswith(b"HTTP/1.1 200") and (length is None or len(body) < int(length[1])):
            return None
        self.answer = b""
        self.asking = False
        return body


@dataclass(frozen=True, slots=True)
class Asked:
    """What pollers are to do: so many clients in a room where so many events a second come, for so many seconds."""

    port: int
    room: int
    clients: int
    rate: float
    warm: float
    seconds: float
    core: int | None


def main(pipe: Connection, asked: Asked) -> None:
    """Be a process of pollers: send a Polled when it is over."""
    core, port = asked.core, asked.port
    if core is not None:
        os.sched_setaffinity(0, {core})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    pollers = {one.sock.fileno(): one for one in (Poller(port, asked.room) for _ in range(asked.clients))}
    epoll = select.epoll()
    for fd in pollers:
        epoll.register(fd, select.EPOLLIN)
    start = time.monotonic()
    since, until = start + asked.warm, start + asked.warm + asked.seconds
    sent: dict[int, float] = {}
    giver = threading.Thread(target=_give, args=(asked, until, sent), daemon=True)
    giver.start()
    due = sorted((start + random.uniform(0, EVERY), fd) for fd in pollers)
    polled = Polled()
    busy = 0.0
    begun = False
    pipe.send("running")
    while True:
        now = time.monotonic()
        if not begun and now >= since:
            begun, busy = True, _cpu()
            pipe.send("begin")
        if begun and not polled.seconds and now >= until:
            polled.seconds, polled.cpu = now - since, _cpu() - busy
            pipe.send("end")
        if now > until + 30 or (
            now > until and not giver.is_alive() and all(len(one.seen) == len(sent) for one in pollers.values())
        ):
            break
        while due and due[0][0] <= now:
            moment, fd = due.pop(0)
            if not pollers[fd].asking:
                size = pollers[fd].ask()
                if since <= now < until:
                    polled.requests += 1
                    polled.bytes += size
            due.append((max(moment + EVERY, now), fd))
        for fd, _ in epoll.poll(max(0.0, due[0][0] - time.monotonic())):
            _read(pollers[fd], polled, sent, since, until)
    polled.given = len(sent)
    polled.missing = sum(sorted(sent) != one.seen for one in pollers.values())
    pipe.send(polled)


def _read(poller: Poller, polled: Polled, sent: dict[int, float], since: float, until: float) -> None:
    data = poller.sock.recv(65536)
    assert data, "the server has closed a connection"
    now = time.monotonic()
    if since <= now < until:
        polled.bytes += len(data)
    body = poller.take(data)
    if not body:
        return
    head = HEAD.search(body)
    assert head is not None, body[:100]
    poller.since = int(head[1])
    for n in map(int, OPS.findall(body)):
        poller.seen.append(n)
        if since <= now < until:
            polled.events += 1
        if since <= sent[n] < until:
            polled.bins[min(BINS - 1, int((now - sent[n]) * BINS_A_SECOND))] += 1


def _give(asked: Asked, until: float, sent: dict[int, float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", asked.port, timeout=30)
    seat = Seat(0, 0)
    n, due = 0, time.monotonic()
    while due < until:
        time.sleep(max(0.0, due - time.monotonic()))
        n += 1
        sent[n] = time.monotonic()
        connection.request("POST", f"/room/{asked.room}/", Plain().op(seat, n, "move"))
        connection.getresponse().read()
        due += 1 / asked.rate


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
