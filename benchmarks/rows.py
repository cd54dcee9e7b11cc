"""The rows of the benchmark: what is measured, what is wanted, on what systems, how large."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.load.speech import SIZE
from benchmarks.scenarios import (
    WARM,
    Do,
    Given,
    clicking,
    draw_on,
    frozen_redis,
    herd,
    ink,
    joins,
    late_joins,
    latency,
    memory,
    polling,
    rush,
    saturation,
)  # fmt: skip

BOTH = ("lectern", "lectern-pg")
SOCKETIO = ("socketio", "socketio-10ms")
CHANNELS = ("channels-core", "channels-pubsub")


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its name, what it is, what is wanted of it, on what systems, and how large."""

    name: str
    title: str
    target: str
    do: Do
    systems: tuple[str, ...]
    given: Given
    staff: int = 1  # of each room
    more: tuple[str, ...] = ()  # figures of which more is better, to be compared with the rivals,
    less: tuple[str, ...] = ()  # and those of which less is


ROWS: Sequence[Row] = (
    Row(
        "room-400", "One room of 400 at saturation", f"≥ Socket.IO in frames, ≥ 3× in events ({SIZE} bytes each)",
        saturation, (*BOTH, *SOCKETIO, *CHANNELS), Given(1, 400, 5), staff=100, more=("frames/s", "events/s"),
    ),
    Row(
        "room-8000", "One room of 8,000, 4 events/s", "better than Socket.IO; p90 < 60 ms, p99 < 100 ms",
        latency, (*BOTH, "socketio"), Given(1, 8000, 20), less=("p50 ms", "p90 ms", "p99 ms"),
    ),
    Row(
        "rooms-20", "20 rooms × 400, 4 events/s each", "p90 < 8 ms, p99 < 20 ms",
        latency, (*BOTH, *SOCKETIO), Given(20, 400, 20), less=("p50 ms", "p90 ms", "p99 ms"),
    ),
    Row(
        "ink-200", "200 rooms × 40: ink without pause, a stroke every 2 s", "event p90 < 50 ms, ink p90 < 250 ms",
        ink, BOTH, Given(200, 40, 20),
    ),
    Row(
        "memory", "Memory a connection", "≤ 22 KB with everything on; goal ≤ 17",
        memory, (*BOTH, "bare-daphne", "bare-lectern", "socketio"), Given(1, 8000, 3), less=("KB a connection",),
    ),
    Row(
        "herd", "8,000 come back, each obeying `retry`", "all level ≤ spread + 3 s; ≤ 1 ms CPU a client; no query",
        herd, BOTH, Given(1, 8000, 10),
    ),
    Row(
        "rush", "8,000 connect as fast as they are taken in", "reported",
        rush, (*BOTH, "bare-daphne", "socketio"), Given(1, 8000, 0), less=("s", "server CPU ms a client"),
    ),
    Row(
        "joins-400", "400 join for the first time in 30 s beside a running lesson of 400",
        "join p95 < 2 s; that lesson's p90 unchanged", joins, BOTH, Given(2, 400, 30, newcomers=400),
    ),
    Row(
        "joins-100-a-second", "100 joins a second for 10 s beside a running lesson of 400", "reported; no loss",
        joins, BOTH, Given(2, 400, 10, newcomers=1000),
    ),
    Row(
        "polling", "A lesson of 400 at 0.5 and at 20 events/s, pushed or polled every 500 ms",
        "typical lesson ≥ 10× cheaper; a busy one reported",
        polling, (*BOTH, "polling"), Given(1, 400, 20),
        less=("typical: CPU µs a delivery", "typical: bytes a delivery", "busy: CPU µs a delivery"),
    ),
    Row(
        "late-join", "Late join: 50,000 events, 5,000 live items, drawn in Chromium",
        "< 1 s, and within 20 % of the same board by few events", late_joins, BOTH, Given(2, 2),
    ),
    Row(
        "drawing", "Drawing on a page of nearly 5,000 items while 30 others draw: main thread, ms a frame",
        "p95 ≤ 8 ms",
        draw_on, ("lectern",), Given(2, 30, 20),
    ),
    Row(
        "clicks-400", "Instructor's click to a student's pixels, two tabs of Chromium, 400 listen", "p90 < 60 ms",
        clicking, BOTH, Given(1, 400),
    ),
    Row(
        "clicks-8000", "Instructor's click to a student's pixels, two tabs of Chromium, 8,000 listen", "p90 < 100 ms",
        clicking, BOTH, Given(1, 8000),
    ),
    Row(
        "redis-stopped", "Redis stopped for 30 s in the middle, 20 rooms × 400", "no loss; p90 < 500 ms meanwhile",
        frozen_redis, ("lectern-pg",), Given(20, 400, 30, 1.0),
    ),
    Row(
        "second-process", "Server CPU for a million deliveries, two processes and one", "≤ 1.15 × that with one",
        latency, ("lectern-pg", "lectern-pg-2"), Given(20, 400, 20), less=("CPU s/million",),
    ),
)  # fmt: skip


def sized(row: Row, *, rooms: int | None, clients: int | None, seconds: float | None) -> Given:
    """Return how large a row is made when so many rooms, clients in all, or seconds are asked for."""
    given = replace(row.given)
    if rooms is not None:
        given.rooms = rooms
    if clients is not None:
        given.rooms = min(given.rooms, max(1, clients // 4))
        given.each = max(1, clients // given.rooms)
        given.events = min(given.events, 50 * clients)
        given.changes = min(given.changes, 20)
        given.newcomers = min(given.newcomers, clients)
    if seconds is not None:
        given.seconds = seconds
        given.warm = min(WARM, seconds)
        given.windows = given.windows if seconds >= 1 else given.windows[1::2]
    return given
