"""`manage.py serve_process`: one process of `manage.py serve`, which starts it."""

import contextlib
import os
import signal
import sys
import threading
import types
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from classroom_site import daphne, drain, supervisor, worker
from classrooms import log
from classrooms.hub import get_hub

APPLICATIONS = {
    "all": "classroom_site.asgi:application",
    "live": "classroom_site.asgi:live_doors",
    "web": "classroom_site.asgi:other_doors",
}


class Command(BaseCommand):
    help = "One process of `manage.py serve`, which starts it. It ends when its stdin does."
    requires_system_checks: list[str] = []  # `serve` has run them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("part", choices=[*APPLICATIONS, "worker"])
        parser.add_argument("--descriptor", type=int, default=-1, help="the listening socket")
        parser.add_argument("--own-port", type=int, metavar="P", help="listen at this port of 127.0.0.1 too")

    def handle(self, *args: Any, part: str, descriptor: int, own_port: int | None, **options: Any) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _leave)  # until Daphne has its own
        threading.Thread(target=_end_with_supervisor, name="supervisor", daemon=True).start()
        if part == "worker":
            _say(supervisor.READY)
            worker.work()
        else:
            own = [daphne.endpoint(daphne.LOOPBACK, own_port)] if own_port else []
            daphne.serve(
                daphne.inherited(descriptor), *own, listening=_listening,
                application=APPLICATIONS[part], bound=drain.BOUND,
            )  # fmt: skip
            log.stop()
        _leave(0, None)


def _listening() -> None:
    # From the start: what this process commits for pages and REST is told to those that hold the lesson.
    daphne.twisted_loop.call_soon(get_hub)
    _say(supervisor.READY)
    _beat()


def _beat() -> None:
    """Tell the supervisor, from the event loop, that this is running."""
    _say(supervisor.ALIVE)
    daphne.twisted_loop.call_later(supervisor.BEAT, _beat)


def _say(word: bytes) -> None:
    with contextlib.suppress(OSError):  # the supervisor is gone, and so are we in a moment
        sys.stdout.buffer.write(word + b"\n")
        sys.stdout.buffer.flush()


def _end_with_supervisor() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _leave(number: int, frame: types.FrameType | None) -> NoReturn:
    """End without waiting for threads: a commit is whole or not there, and a deck is taken up again."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(0)
