"""A server that commits and then says that it did not, in two places, one op in so many.

The database: COMMIT succeeds and raises. The verb: the log's outcomes come back as `try_again`.
"""

import itertools
import threading
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from classrooms import actions, log
from classrooms.actions import Verdict
from classrooms.refusals import Code, Refused

EVERY = {"commit": 7, "verdict": 5}
_lies = threading.local()
_counts = {name: itertools.count(1) for name in EVERY}


def due(what: str) -> bool:
    """Whether it is time for this lie."""
    return next(_counts[what]) % EVERY[what] == 0


def insert(cursor: Any, batches: list[Any]) -> None:
    """Remember that the transaction has something to commit."""
    _insert(cursor, batches)
    if batches:
        _lies.due = due("commit")


def commit(self: BaseDatabaseWrapper) -> None:
    """Commit, and deny it where it is time."""
    _commit(self)
    if getattr(_lies, "due", False):
        _lies.due = False
        raise OperationalError("server closed the connection unexpectedly")


async def propose(*args: Any) -> list[Verdict]:
    """Have an op committed and refuse it, with all behind it, where it is time."""
    verdicts: list[Verdict] = await _propose(*args)
    for index, verdict in enumerate(verdicts):
        if verdict.seq is not None and not verdict.repeat and due("verdict"):
            denied = [Verdict(one.op, refused=Refused(Code.TRY_AGAIN, retry=True)) for one in verdicts[index:]]
            return verdicts[:index] + denied
    return verdicts


_insert = log._insert
_commit = BaseDatabaseWrapper.commit
_propose = actions.propose
log._insert = insert
BaseDatabaseWrapper.commit = commit  # type: ignore[method-assign]
actions.propose = propose  # type: ignore[assignment]
