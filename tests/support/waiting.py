"""Waiting for a state instead of sleeping."""

import asyncio
import contextlib
import inspect
import itertools
import os
import socket
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


# None that the system gives to outgoing connections (32768 and up on Linux), or one could be gone before a server
# listens. Each process begins elsewhere, and none comes twice.
PORTS = range(11_000, 32_000)
_places = itertools.count(os.getpid() * 331)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on, and that nobody else will be given meanwhile."""
    while True:
        port = PORTS[next(_places) % len(PORTS)]
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port


def free_ports(count: int) -> int:
    """Return the first of `count` TCP ports of 127.0.0.1 in a row that nobody listens on."""
    ports = [free_port()]
    while len(ports) < count:
        port = free_port()
        ports = [*ports, port] if port == ports[-1] + 1 else [port]
    return ports[0]


def answers(port: int) -> bool:
    """Return whether somebody accepts connections on `port` of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(what: Callable[[], T], *, timeout: float = 10, saying: str = "") -> T:
    """Return the first true answer of `what`, asked every 20 ms; AssertionError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (answer := what()):
        assert time.monotonic() < deadline, f"not within {timeout} s: {saying or what}"
        time.sleep(0.02)
    return answer


async def until_async(what: Callable[[], object], *, timeout: float = 10, saying: str = "") -> None:
    """Return once `what`, asked every 10 ms, answers or has to be awaited for something true."""
    deadline = time.monotonic() + timeout
    while True:
        answer = what()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return
        assert time.monotonic() < deadline, f"not within {timeout} s: {saying or what}"
        await asyncio.sleep(0.01)
