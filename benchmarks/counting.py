"""What counting costs a delivery: the shipped fan-out beside itself without its counting lines, and a scrape's time.

`python -m benchmarks.counting`: 8,000 connections with writers that do nothing, so that nothing hides the cost.
"""

import ast
import asyncio
import inspect
import os
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from classrooms import cursors, metrics
from classrooms.connection import Connection
from classrooms.hub import get_hub
from classrooms.lesson import fresh
from classrooms.presence import Person
from classrooms.replica import Replica
from classrooms.ring import Ring
from classrooms.room import Room

CONNECTIONS = 8_000
ROUNDS = 30
TURNS = 9
EVENT = b'{"seq":1,"kind":"chat.posted","by":"u1","at":1764000000000,"op":"a:1","data":{"text":"' + b"x" * 60 + b'"}}'


class Nowhere:
    """A writer that does nothing."""

    buffered = 0

    def write(self, frame: bytes) -> None:
        """Lose a frame."""

    def close(self, code: int) -> None:
        """Close nothing."""

    def abort(self) -> None:
        """Drop nothing."""


class Uncounted(ast.NodeTransformer):
    """Takes every statement that counts out of a module."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | None:
        """Drop `tally.… += …`."""
        return None if ast.unparse(node.target).startswith("tally.") else node


def uncounted() -> type[cursors.Cursors]:
    """Return the shipped class without its counting."""
    tree = ast.parse(inspect.getsource(cursors))
    space: dict[str, Any] = {"__name__": "uncounted"}
    exec(compile(ast.fix_missing_locations(Uncounted().visit(tree)), "uncounted", "exec"), space)
    assert "tally.deliveries +=" not in ast.unparse(tree)
    found: type[cursors.Cursors] = space["Cursors"]
    return found


async def unread(since: int, limit: int) -> list[bytes]:
    """Stand in for the log, which nobody reads here."""
    return []


def crowd(kind: type[cursors.Cursors]) -> tuple[cursors.Cursors, Ring]:
    """Return 8,000 connections at the head of an empty ring."""
    ring = Ring(0, 0)
    made = kind(ring, unread)
    for number in range(CONNECTIONS):
        one = Connection(Person(f"u{number}", "", "student", ""), "c", Nowhere(), 0.0)
        one.sent = 0
        made.add(one)
    return made, ring


async def fan_out(made: cursors.Cursors, ring: Ring) -> float:
    """Return the CPU seconds of one delivery, over ROUNDS events to everybody."""
    begun = time.process_time()
    for _ in range(ROUNDS):
        ring.push(EVENT, 0)
        made.flush(time.monotonic())
        while made._flushing:  # noqa: ASYNC110 - a turn of the loop is what a slice waits for
            await asyncio.sleep(0)
    return (time.process_time() - begun) / (ROUNDS * CONNECTIONS)


async def main() -> None:
    """Print both, in turns, and a scrape."""
    counted, bare = crowd(cursors.Cursors), crowd(uncounted())
    took: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(TURNS):
        took["with"].append(await fan_out(*counted))
        took["without"].append(await fan_out(*bare))
    with_, without = (min(found) * 1e9 for found in took.values())
    print(f"a delivery to a writer that does nothing: {with_:.0f} ns counted, {without:.0f} ns not, least of {TURNS}")
    print(f"  counting costs {with_ - without:.0f} ns a delivery")
    hub = get_hub()
    room = Room(Replica(1, "", fresh(), Ring(0, 0)), lambda lesson, since, limit: unread(since, limit), lambda _: None)
    for one in counted[0]:
        room.connections.add(one)
    hub.rooms[1] = room
    begun = time.process_time()
    for _ in range(20):
        size = len(metrics.page())
    print(f"/metrics with {CONNECTIONS} connections: {(time.process_time() - begun) / 20 * 1e3:.1f} ms, {size} bytes")


if __name__ == "__main__":
    asyncio.run(main())
