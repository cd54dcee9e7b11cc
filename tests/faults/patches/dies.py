"""A server that kills itself, as a power cut would, at the DIE_AFTER-th passage of the switch point DIE_AT.

received   an op was read and has not gone to the log
written    the transaction's rows are written and COMMIT is next
committed  the transaction is committed and nobody was told
announced  some connections were given the event, and the others, mostly the author's too, get nothing more
"""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from classroom_site.sockets import DirectWriter
from classrooms import log
from classrooms.lane import Lane

passages = {"received": 0, "written": 0, "committed": 0, "announced": 0}


GRACE = 0.02  # s in which what was written leaves the process


def due(point: str) -> bool:
    """Count a passage of a switch point; return whether it is the one to die at."""
    passages[point] += 1
    return point == os.environ.get("DIE_AT") and passages[point] == int(os.environ["DIE_AFTER"])


def die() -> None:
    """End at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def passed(point: str) -> None:
    """Die, if it is time."""
    if due(point):
        die()


def before(owner: Any, name: str, point: str) -> None:
    """Have every call of a method pass a switch point first."""
    real: Callable[..., Any] = getattr(owner, name)

    def method(*args: Any, **kwargs: Any) -> Any:
        passed(point)
        return real(*args, **kwargs)

    setattr(owner, name, method)


def insert(cursor: Any, batches: list[Any]) -> None:
    """Remember that the transaction has something to commit."""
    _insert(cursor, batches)
    _writing.events = bool(batches)


def commit(self: BaseDatabaseWrapper) -> None:
    """Die instead of committing, if it is time; whatever was told too early has left the process by then."""
    if getattr(_writing, "events", False):
        _writing.events = False
        if due("written"):
            time.sleep(GRACE)
            die()
    _commit(self)


def write(self: DirectWriter, frame: bytes) -> None:
    """Write frames of events until it is time; what was written leaves the process, and nothing more."""
    global _silent
    if _silent:
        return
    _write(self, frame)
    if frame.startswith(b'{"type":"events"') and due("announced"):
        _silent = True
        asyncio.get_running_loop().call_later(GRACE, die)


_silent = False
_write = DirectWriter.write
DirectWriter.write = write  # type: ignore[method-assign]
before(Lane, "take", "received")
_writing = threading.local()
_insert, log._insert = log._insert, insert
_commit, BaseDatabaseWrapper.commit = BaseDatabaseWrapper.commit, commit  # type: ignore[method-assign]
log.subscribe(lambda committed: passed("committed") if any(one.events for one in committed) else None)
