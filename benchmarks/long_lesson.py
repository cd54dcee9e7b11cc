"""Fills two lessons that end up with the same board: `python -m benchmarks.long_lesson EVENTS ITEMS`.

Runs with the environment of the server, after `benchmarks.seats`: the first lesson gets there by EVENTS events, most of
them moves of its ITEMS items, the second by as few events as possible.
"""

import os
import sys
from collections.abc import Iterator
from typing import Any

import django

AUTHOR = "u1"
CLIENT = "1a7e0000"
STYLE = {"color": "#2f5fd0", "width": 4}
RED = "#ff0000"
MARK = 18  # units from the top of the page, which is HEIGHT high
HEIGHT = 900
EDITS = 50  # of one op at most
BATCH = 500  # entries handed to the log at once


def place(number: int, turn: int) -> list[float]:
    """Return where an item is after so many moves."""
    return [40 + (number * 17 + turn * 5) % 1480, 40 + (number * 29 + turn * 7) % 800]


def long_way(events: int, items: int) -> Iterator[list[list[Any]]]:
    """Yield the edits of each event: every item is added, then all are moved in turn."""
    for number in range(items):
        yield [added(number, 0) if number < items - 1 else mark(number)]
    for move in range(events - items):
        turn, number = divmod(move, items - 1)  # the last one stays where it is
        yield [["set", name(number), {"at": place(number, turn + 1)}]]


def short_way(events: int, items: int) -> Iterator[list[list[Any]]]:
    """Yield the edits of as few events as possible that make the same board."""
    moves, movable = events - items, items - 1
    final = [added(number, (moves - number + movable - 1) // movable) for number in range(movable)] + [mark(movable)]
    for start in range(0, items, EDITS):
        yield final[start : start + EDITS]


def mark(number: int) -> list[Any]:
    """Return the edit that adds the last item, which lies above all others and alone at MARK: a board is painted from
    below, so when this is there, all is."""
    return ["add", name(number), "line", {"at": [200, MARK], "box": [1200, 0], "style": {"color": RED, "width": 8}}]


def name(number: int) -> str:
    """Return an item's id."""
    return f"{AUTHOR}.{CLIENT}.{number + 1}"


def added(number: int, turn: int) -> list[Any]:
    """Return the edit that adds an item where it is after so many moves."""
    return ["add", name(number), "line", {"at": place(number, turn), "box": [30, 20], "style": STYLE}]


def fill(events: int, items: int) -> None:
    """Commit both lessons."""
    from classrooms import log, messages
    from classrooms.models import Lesson

    for lesson, ways in zip(Lesson.objects.order_by("pk"), (long_way, short_way), strict=False):
        entries = []
        for number, edits in enumerate(ways(events, items), 1):
            draft = messages.draft("board.edited", f"{CLIENT}:{number}", {"page": "p1", "edits": edits})
            entries.append(log.Entry(draft.kind, AUTHOR, draft.op, draft.text))
        for start in range(0, len(entries), BATCH):
            outcomes = log.append(lesson.pk, entries[start : start + BATCH]).result(60)
            assert all(outcome.seq for outcome in outcomes), outcomes
    log.stop()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom_site.settings")
    django.setup()
    fill(int(sys.argv[1]), int(sys.argv[2]))
