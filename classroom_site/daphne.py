"""Daphne as Lectern runs it: its flags, word when it listens, and an end that does not drag on."""

import contextlib
import os
import resource
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from daphne.cli import CommandLineInterface
from daphne.server import Server, twisted_loop

BACKLOG = 4096  # a school that comes back after a break connects within a second
FRAME_BYTES = 128 * 1024  # twice the protocol's limit: a frame somewhat too large is refused by its code, not cut off
DESCRIPTORS = 65_536  # each connection takes one
CLOSING = 5  # s for a client to answer a close frame, before the connection is reset and what is on its way is lost.
# Autobahn cuts the end of the wait to a whole second: its own 1 s is anything down to nothing.
FAREWELL = 1.0  # seconds that connections get to close; what a thread does after that is cut off, as by a power cut


def flags(host: str, port: int) -> list[str]:
    """Return Daphne's command line for an IP address and a port."""
    interface = host.strip("[]").replace(":", r"\:")
    return [
        "--endpoint", f"tcp:port={port}:interface={interface}:backlog={BACKLOG}",
        "--websocket_timeout", "-1",  # a lesson lasts as long as it lasts
        "--websocket-max-message-size", str(FRAME_BYTES),
        "--websocket-max-frame-size", str(FRAME_BYTES),
        "--ping-interval", "86400",  # our own pings find the dead; Daphne's would go to all at the same moment
        "--no-server-name",
        "--verbosity", "0",
        "classroom_site.asgi:application",
    ]  # fmt: skip


def serve(host: str, port: int, *, listening: Callable[[], None]) -> None:
    """Serve in this thread until SIGINT or SIGTERM; `listening` is called once connections are accepted."""
    from twisted.internet import error, reactor  # the import settles which reactor it is: Daphne's must come first

    from classroom_site.bounds import bound
    from classrooms import readiness

    class Announcing(Server):  # type: ignore[misc]  # Daphne has no types
        def __init__(self, **options: Any) -> None:
            # Twisted leaves a SIGINT handler of ours alone, and an exception raised by one is lost in whatever runs.
            super().__init__(signal_handlers=False, **options)

        def listen_success(self, port: object) -> None:
            super().listen_success(port)
            self.readers = bound(self)
            self.ws_factory.setProtocolOptions(closeHandshakeTimeout=CLOSING)
            listening()

        def timeout_checker(self) -> None:
            self.readers.look(time.monotonic())
            super().timeout_checker()

    def stop() -> None:
        readiness.leave()
        with contextlib.suppress(error.ReactorNotRunning):  # the second Ctrl-C
            reactor.stop()  # type: ignore[misc]  # the stub has it as an attribute

    _open_more()
    for number in (signal.SIGINT, signal.SIGTERM):
        twisted_loop.add_signal_handler(number, stop)  # wakes the loop whichever thread the signal comes to
    reactor.addSystemEventTrigger("before", "shutdown", _hurry)  # type: ignore[arg-type]  # Twisted's stub is wrong
    interface = CommandLineInterface()
    interface.server_class = Announcing
    interface.run(flags(host, port))


def _open_more() -> None:
    """Raise the number of files that this process may have open: most begin at 1,024, and a school has more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if most == resource.RLIM_INFINITY else min(DESCRIPTORS, most)
    with contextlib.suppress(ValueError, OSError):  # some systems have a limit below the one that they tell
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _hurry() -> None:
    timer = threading.Timer(FAREWELL, os._exit, [0])
    timer.daemon = True
    timer.start()
