"""Daphne as Lectern runs it: its flags, word when it listens, and an end that does not drag on."""

import contextlib
import os
import resource
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from daphne.cli import CommandLineInterface
from daphne.server import twisted_loop as twisted_loop

APPLICATION = "classroom_site.asgi:application"
LOOPBACK = "127.0.0.1"  # where a process of `serve` can be reached by itself
BACKLOG = 4096  # a school that comes back after a break connects within a second
FRAME_BYTES = 128 * 1024  # twice the protocol's limit: a frame somewhat too large is refused by its code, not cut off
DESCRIPTORS = 65_536  # each connection takes one
CLOSING = 5  # s for a client to answer a close frame, before the connection is reset and what is on its way is lost.
# Autobahn cuts the end of the wait to a whole second: its own 1 s is anything down to nothing.
FAREWELL = 1.0  # s that a laptop takes to drain at most: whoever pressed Ctrl-C waits for the prompt
LAST = 0.5  # s from there to the end; what a thread does after that is cut off, as by a power cut


def endpoint(host: str, port: int) -> str:
    """Return Twisted's words for an IP address and a port."""
    interface = host.strip("[]").replace(":", r"\:")
    return f"tcp:port={port}:interface={interface}:backlog={BACKLOG}"


def inherited(descriptor: int) -> str:
    """Return Twisted's words for a listening IPv4 socket that this process was started with."""
    return f"fd:fileno={descriptor}"


def flags(*where: str, application: str = APPLICATION) -> list[str]:
    """Return Daphne's command line for one or several endpoints."""
    return [
        *(word for one in where for word in ("--endpoint", one)),
        "--websocket_timeout", "-1",  # a lesson lasts as long as it lasts
        "--websocket-max-message-size", str(FRAME_BYTES),
        "--websocket-max-frame-size", str(FRAME_BYTES),
        "--ping-interval", "86400",  # our own pings find the dead; Daphne's would go to all at the same moment
        "--no-server-name",
        "--verbosity", "0",
        application,
    ]  # fmt: skip


def serve(*where: str, listening: Callable[[], None], application: str = APPLICATION, bound: float = FAREWELL) -> None:
    """Serve in this thread until SIGINT or SIGTERM; `listening` is called once all endpoints accept connections.

    The first signal drains (classroom_site/drain.py) for `bound` seconds at most; the second ends the process.
    """
    from twisted.internet import error, reactor  # the import settles which reactor it is: Daphne's must come first

    from classroom_site.bounds import Readers
    from classroom_site.bounds import bound as bounded
    from classroom_site.drain import drain
    from classroom_site.sockets import LeanServer, Socket

    class Announcing(LeanServer):
        accepted = 0.0  # when the last connection came, monotonic seconds
        leaving: Any = None

        def __init__(self, **options: Any) -> None:
            # Twisted leaves a SIGINT handler of ours alone, and an exception raised by one is lost in whatever runs.
            super().__init__(signal_handlers=False, **options)
            self.ports: list[Any] = []

        def listen_success(self, port: Any) -> None:
            super().listen_success(port)
            self.ports.append(port)
            if len(self.ports) < len(where):
                return
            self.readers = Readers()
            bounded(self, self.readers)
            self.ws_factory.protocol = Socket
            self.ws_factory.setProtocolOptions(closeHandshakeTimeout=CLOSING)
            build = self.http_factory.buildProtocol

            def arrive(address: object) -> object:
                self.accepted = time.monotonic()
                return build(address)

            self.http_factory.buildProtocol = arrive
            listening()

        def timeout_checker(self) -> None:
            self.readers.look(time.monotonic())
            super().timeout_checker()

        async def leave(self) -> None:
            await drain(self, bound)
            with contextlib.suppress(error.ReactorNotRunning):
                reactor.stop()  # type: ignore[misc]  # the stub has it as an attribute

    interface = CommandLineInterface()
    interface.server_class = Announcing

    def end(number: int) -> None:
        server = interface.server
        if server.leaving is not None:
            _cut_off(128 + number)
        for port in server.ports:
            port.stopListening()
        _hurry(bound + LAST)
        server.leaving = twisted_loop.create_task(server.leave())

    _open_more()
    for number in (signal.SIGINT, signal.SIGTERM):
        twisted_loop.add_signal_handler(number, end, number)  # wakes the loop whichever thread the signal comes to
    reactor.addSystemEventTrigger("before", "shutdown", _hurry)  # type: ignore[arg-type]  # Twisted's stub is wrong
    interface.run(flags(*where, application=application))


def _open_more() -> None:
    """Raise the number of files that this process may have open: most begin at 1,024, and a school has more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if most == resource.RLIM_INFINITY else min(DESCRIPTORS, most)
    with contextlib.suppress(ValueError, OSError):  # some systems have a limit below the one that they tell
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _hurry(within: float = LAST) -> None:
    timer = threading.Timer(within, os._exit, [0])
    timer.daemon = True
    timer.start()


def _cut_off(code: int) -> NoReturn:
    os._exit(code)
