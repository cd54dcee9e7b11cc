"""A patch of the served process: a page holds three items, and the log fails the first time it is told "unlucky"."""

from collections.abc import Sequence
from concurrent.futures import Future

from classrooms import lesson, log, messages
from classrooms.log import Entry, Outcome
from classrooms.refusals import Code

lesson.MAX_ITEMS = messages.LIMITS["items"] = 3  # type: ignore[misc]
append = log.append
unlucky = [True]


def failing(number: int, entries: Sequence[Entry]) -> "Future[list[Outcome]]":
    """Refuse where the test says so, once."""
    if unlucky and any("unlucky" in entry.text for entry in entries):
        unlucky.clear()
        future: Future[list[Outcome]] = Future()
        future.set_result([Outcome(code=Code.TRY_AGAIN)] * len(entries))
        return future
    return append(number, entries)


log.append = failing
