"""How evenly connections spread over processes on one port: one shared listening socket against SO_REUSEPORT.

`python -m benchmarks.accepts` starts four processes that accept as Daphne does (Twisted's port on the asyncio reactor)
and connects to them one after the other, in a burst, and in a burst while one process is stopped. It prints how many
connections each process got, and how many got no answer within 3 s.
"""

import argparse
import asyncio
import collections
import os
import platform
import signal
import socket
import subprocess
import sys
from typing import Any

PROCESSES = 4
CONNECTIONS = 1000
PATIENCE = 3.0  # s
BACKLOG = 4096


def listening(port: int, *, reuse: bool) -> socket.socket:
    """Return a listening socket of 127.0.0.1."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuse:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind(("127.0.0.1", port))
    one.listen(BACKLOG)
    one.setblocking(False)
    return one


def accept(fd: int, work: int) -> None:
    """Accept on a descriptor, and tell each connection which process has it, after so many loops of work."""
    from twisted.internet import asyncioreactor

    asyncioreactor.install(asyncio.new_event_loop())  # type: ignore[no-untyped-call]
    from twisted.internet import protocol
    from twisted.internet import reactor as installed

    reactor: Any = installed

    class Teller(protocol.Protocol):
        transport: Any

        def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
            sum(range(work))
            self.transport.write(f"{os.getpid()}\n".encode())

    factory = protocol.Factory.forProtocol(Teller)
    reactor.adoptStreamPort(fd, socket.AF_INET, factory)
    print("listening", flush=True)
    reactor.run()


async def connect(port: int, count: int, *, at_once: bool) -> collections.Counter[str]:
    """Connect so often and return how many each process answered; "none" are those without an answer."""
    found: collections.Counter[str] = collections.Counter()
    writers = []

    async def one() -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writers.append(writer)
                found[(await reader.readline()).decode().strip() or "none"] += 1
        except (OSError, TimeoutError):
            found["none"] += 1

    if at_once:
        await asyncio.gather(*(one() for _ in range(count)))
    else:
        for _ in range(count):
            await one()
    for writer in writers:
        writer.transport.abort()
    return found


def measure(name: str, *, reuse: bool, work: int) -> None:
    """Measure one way of listening and print it."""
    first = listening(0, reuse=reuse)
    port = first.getsockname()[1]
    sockets = [first] + [listening(port, reuse=True) for _ in range(PROCESSES - 1)] if reuse else [first] * PROCESSES
    children = []
    for one in sockets:
        command = [sys.executable, "-m", "benchmarks.accepts", "--fd", str(one.fileno()), "--work", str(work)]
        children.append(subprocess.Popen(command, pass_fds=[one.fileno()], stdout=subprocess.PIPE))
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == b"listening\n"
        for how, at_once, frozen in (
            ("one by one", False, False),
            ("burst", True, False),
            ("burst, one stopped", True, True),
        ):
            if frozen:
                children[0].send_signal(signal.SIGSTOP)
            found = asyncio.run(connect(port, CONNECTIONS, at_once=at_once))
            shares = [found[str(child.pid)] for child in children]
            most, least = max(shares), min(shares[frozen:])
            ratio = f"most/least {most / max(1, least):.2f}"
            print(f"{name:12} {how:20} {shares}  {ratio}  unanswered {found['none']}", flush=True)
    finally:
        for child in children:
            child.kill()
            child.communicate()
        for one in set(sockets):
            one.close()


def main() -> None:
    """Measure both, or be one of the processes."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--fd", type=int)
    arguments.add_argument("--work", type=int, default=20_000)
    given = arguments.parse_args()
    if given.fd is not None:
        return accept(given.fd, given.work)
    print(f"{PROCESSES} processes, {CONNECTIONS} connections, {os.cpu_count()} cores, {platform.platform()}")
    measure("shared", reuse=False, work=given.work)
    measure("SO_REUSEPORT", reuse=True, work=given.work)
    return None


if __name__ == "__main__":
    main()
