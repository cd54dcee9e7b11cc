"""A patch of the served process: a page holds three items, and the log fails the first time it is told "unlucky"."""

from collections.abc import Sequence
from concurrent.futures import Future

from classrooms import lesson as fold
from classrooms import log, messages
from classrooms.log import Entry, Outcome
from classrooms.refusals import Code

messages.LIMITS["items"] = 3
vars(fold)["MAX_ITEMS"] = 3
append = log.append
unlucky = [True]


def failing(lesson: int, entries: Sequence[Entry]) -> "Future[list[Outcome]]":
    """Refuse where the test says so, once."""
    if unlucky and any("unlucky" in entry.text for entry in entries):
        unlucky.clear()
        future: Future[list[Outcome]] = Future()
        future.set_result([Outcome(code=Code.TRY_AGAIN)] * len(entries))
        return future
    return append(lesson, entries)


log.append = failing
