"""What a million events do to the log: bytes an event, insert rate, and how long reads take, as the table grows.

    python -m benchmarks.growth [--events 1000000] [--lessons 300] [--vendors postgres sqlite]

The events are committed by the log itself, through as many authors as there are lessons, so that lessons lie among each
other in the table as they do on a school's server. Half of them are strokes of 80 points, then moves, erasing, pages,
hands and chat. At a tenth, a quarter, a half and all of them it prints

    events/s  of the last 50,000
    since     the last 100 events of a lesson, and `page` its last 1,000
    load      a snapshot and the 250 events after it, folded
    repeat    the look-up of 200 ops of as many lessons
    bytes     an event: of the table, and of each index

Times are medians of 40, of lessons drawn at random, in ms. PostgreSQL with fsync on, SQLite with synchronous=FULL.
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator

from benchmarks.databases import again, machine, on

STEPS = (0.1, 0.25, 0.5, 1.0)
TIMED = 50_000  # events whose rate is told
PEOPLE = 30
TRIES = 40
TAIL = 250  # events after the snapshot


class Teacher:
    """Writes the log of one lesson: the events of a class, without end."""

    def __init__(self, number: int) -> None:
        self.random = random.Random(number)
        self.made = 0
        self.alive: list[tuple[str, str]] = []
        self.page = "p1"

    def entry(self) -> tuple[str, str, str, str]:
        """Return the next event: kind, author, op and data."""
        from tests.support.strokes import stroke

        self.made += 1
        by, dice = f"u{self.random.randint(1, PEOPLE)}", self.random.random()
        op = f"{int(by[1:]) * 0x9F3A01C2 % 2**32:08x}:{self.made}"
        if dice < 0.50 or not self.alive:
            item = f"{by}.9f3a01c2.{self.made}"
            self.alive = [*self.alive[-199:], (self.page, item)]
            return "board.edited", by, op, stroke(self.random.randrange(1000), item, self.page)
        if dice < 0.75:
            page, item = self.random.choice(self.alive)
            at = [self.random.randint(0, 6400) / 4, self.random.randint(0, 3600) / 4]
            return "board.edited", by, op, _json(page=page, edits=[["set", item, {"at": at}]])
        if dice < 0.90:
            page, item = self.alive.pop(self.random.randrange(len(self.alive)))
            return "board.edited", by, op, _json(page=page, edits=[["remove", item]])
        if dice < 0.93:
            self.page = f"p{self.random.randint(1, 10)}"
            return "page.shown", "u1", op, _json(page=self.page)
        if dice < 0.95:
            return "hand.raised", by, op, "{}"
        return "chat.posted", by, op, _json(text="Why is it that the leaves are green? " * self.random.randint(1, 3))

    def beginning(self) -> Iterator[tuple[str, None, str, str]]:
        """Yield the events that a lesson starts with."""
        pages = [{"page": f"p{number}", "kind": "blank", "title": ""} for number in range(1, 11)]
        yield "lesson.started", None, "started", _json(title="Bench", policy={"edit": "shared"}, pages=pages)
        for number in range(1, PEOPLE + 1):
            key, role = f"u{number}", "instructor" if number == 1 else "student"
            yield "person.joined", None, f"joined:{key}", _json(participant=key, name=key, role=role, color="#336699")


def _json(**data: object) -> str:
    return json.dumps(data, separators=(",", ":"))


async def write(teachers: dict[int, Teacher], events: int) -> float:
    """Commit so many events, each lesson one after the other; return how many a second."""
    from classrooms import log

    left = iter(range(events))

    async def teach(lesson: int, teacher: Teacher) -> None:
        for _ in left:
            [outcome] = await asyncio.wrap_future(log.append(lesson, [log.Entry(*teacher.entry())]))
            assert outcome == (outcome.seq, False, None), outcome

    since = time.monotonic()
    await asyncio.gather(*(teach(lesson, teacher) for lesson, teacher in teachers.items()))
    return events / (time.monotonic() - since)


def timed(function: Callable[[int], object], lessons: list[int]) -> float:
    """Return the median of a read in ms, over lessons drawn at random."""
    took = []
    for lesson in random.choices(lessons, k=TRIES):
        since = time.perf_counter()
        function(lesson)
        took.append((time.perf_counter() - since) * 1000)
    return statistics.median(took)


def sizes() -> dict[str, int]:
    """Return the bytes of the event table and of each of its indexes."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.execute(
                "SELECT s.name, SUM(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name"
                " WHERE m.tbl_name = 'classrooms_event' GROUP BY s.name ORDER BY m.type DESC, s.name"
            )
        else:
            cursor.execute("VACUUM (ANALYZE) classrooms_event")
            cursor.execute(
                "SELECT 'classrooms_event', pg_table_size('classrooms_event') UNION ALL"
                " SELECT indexrelid::regclass::text, pg_relation_size(indexrelid) FROM pg_index"
                " WHERE indrelid = 'classrooms_event'::regclass"
            )
        return dict(cursor.fetchall())


def reads(lessons: list[int], teachers: dict[int, Teacher]) -> list[float]:
    """Return the times of the reads that the road makes."""
    from django.db import connection

    from classrooms import log, replica

    heads = log.heads(lessons)
    probe = lessons[:5]
    for lesson in probe:  # a snapshot each, and TAIL events after it
        kept = replica.load(lesson)
        replica.store(lesson, kept.epoch, kept.state.seq, kept.state.at, replica.freeze(kept))
        log.append(lesson, [log.Entry(*teachers[lesson].entry()) for _ in range(TAIL)]).result(60)

    def repeat(_: int) -> None:
        some = random.sample(lessons, min(200, len(lessons)))
        units = [log._Unit(lesson, [log.Entry("hand.raised", "u1", "9f3a01c2:1", "{}")]) for lesson in some]
        batches = {lesson: log._Batch(lesson, heads[lesson], 0) for lesson in some}
        with connection.cursor() as cursor:
            log._learn_repeats(cursor, batches, units)

    return [
        timed(lambda lesson: log.since(lesson, heads[lesson].seq - 100), lessons),
        timed(lambda lesson: log.since(lesson, max(0, heads[lesson].seq - 1000)), lessons),
        timed(replica.load, probe),
        timed(repeat, lessons),
    ]


def measure(events: int, lessons: int) -> None:
    """Grow one database and print its figures."""
    from django.db import connection

    from classrooms import log
    from classrooms.models import Classroom, Event, Lesson

    rooms = [Classroom.objects.create(title=f"Bench {number}") for number in range(lessons)]
    ids = [row.pk for row in Lesson.objects.bulk_create(Lesson(classroom=room, title=room.title) for room in rooms)]
    teachers = {lesson: Teacher(lesson) for lesson in ids}
    for lesson, teacher in teachers.items():
        log.append(lesson, [log.Entry(*entry) for entry in teacher.beginning()]).result(60)
    print(f"{'events':>9} {'events/s':>9} {'since':>7} {'page':>7} {'load':>7} {'repeat':>7}  bytes an event")
    rates = []
    for step in STEPS:
        more = int(events * step) - Event.objects.count()
        asyncio.run(write(teachers, max(0, more - TIMED)))
        rates.append(asyncio.run(write(teachers, min(TIMED, more))))
        there = Event.objects.count()
        each = ", ".join(f"{name.removeprefix('classrooms_')} {size / there:.0f}" for name, size in sizes().items())
        times = " ".join(f"{ms:7.1f}" for ms in reads(ids, teachers))
        print(f"{there:9} {rates[-1]:9.0f} {times}  {each}", flush=True)
    print(f"rate at the end / at the beginning: {rates[-1] / rates[0]:.2f}")
    log.stop()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute(
                "SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE relname IN"
                " ('classrooms_event', 'classrooms_snapshot', 'classrooms_lesson') ORDER BY relname, indexrelname"
            )
            print("scans of indexes:", ", ".join(f"{name} {scans}" for name, scans in cursor.fetchall()))


def main() -> None:
    """Measure, on databases started for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--lessons", type=int, default=300)
    parser.add_argument("--vendors", nargs="+", default=["postgres", "sqlite"], choices=["postgres", "sqlite"])
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        import django

        django.setup()
        measure(options.events, options.lessons)
        return
    print(machine())
    for vendor in options.vendors:
        print(f"\n{vendor}, {options.lessons} lessons")
        with on(vendor) as environment:
            numbers = ["--events", str(options.events), "--lessons", str(options.lessons)]
            again("benchmarks.growth", environment, *numbers, "--measure")


if __name__ == "__main__":
    main()
