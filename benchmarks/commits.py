"""How many events and transactions a second one process commits, by writers and by lessons.

    python -m benchmarks.commits [--seconds 5] [--writers 1 2 4] [--lessons 1 20 200]

PostgreSQL with fsync on and SQLite with synchronous=FULL, each started for it. Ops come from an event loop as they do
in a hub: so many authors a lesson, each of whom gives an op, an 80-point stroke, once the one before is committed.
Printed are events and transactions a second, the events of a transaction, how long a transaction takes, how long an
author waits, and the CPU of the process. At the end the log of each lesson is counted: seqs without a hole, as many as
were answered.
"""

import argparse
import asyncio
import statistics
import time

from benchmarks.databases import again, machine, on

AUTHORS = {1: 16, 20: 8, 200: 2}  # of a lesson, by how many lessons there are; 8 for any other number


def measure(lessons: int, seconds: float) -> None:
    """Commit for so long, and print a line."""
    from classrooms import log
    from classrooms.counters import tally
    from classrooms.models import Classroom, Event, Lesson
    from classrooms.writers import how_many
    from tests.support.strokes import stroke

    room = Classroom.objects.create(title="Bench")
    rows = [Lesson(classroom=room, title=str(number), status="ended") for number in range(lessons)]
    ids = [row.pk for row in Lesson.objects.bulk_create(rows)]
    texts = [stroke(number) for number in range(50)]
    waits: list[float] = []

    async def author(lesson: int, number: int, until: float) -> int:
        made = 0
        while time.monotonic() < until:
            entry = log.Entry("board.edited", f"u{number}", f"9f3a01c2:{made}", texts[made % 50])
            since = time.monotonic()
            [outcome] = await asyncio.wrap_future(log.append(lesson, [entry]))
            waits.append(time.monotonic() - since)
            assert outcome.seq, outcome
            made += 1
        return made

    async def all_of_them(until: float) -> int:
        many = range(AUTHORS.get(lessons, 8))
        return sum(await asyncio.gather(*(author(lesson, number, until) for lesson in ids for number in many)))

    before = sum(tally.transaction.counts), tally.transaction.sum
    since, cpu = time.monotonic(), time.process_time()
    events = asyncio.run(all_of_them(since + seconds))
    took, cpu = time.monotonic() - since, time.process_time() - cpu
    commits, spent = sum(tally.transaction.counts) - before[0], tally.transaction.sum - before[1]
    for lesson in ids:
        seqs = list(Event.objects.filter(lesson=lesson).order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, len(seqs) + 1)), "a hole"
        events -= len(seqs)
    assert events == 0, "answered is not what is stored"
    quantiles = statistics.quantiles(waits, n=100)
    print(
        f"{how_many():7} {lessons:7} {len(waits) / took:9.0f} {commits / took:9.0f} {len(waits) / commits:9.1f}"
        f" {spent / commits * 1000:9.2f} {quantiles[49] * 1000:8.1f} {quantiles[98] * 1000:8.1f} {cpu / took:6.0%}",
        flush=True,
    )
    log.stop()


def main() -> None:
    """Measure, on databases started for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--writers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--lessons", type=int, nargs="+", default=[1, 20, 200])
    parser.add_argument("--measure", type=int, nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        import django

        django.setup()
        for lessons in options.measure:
            measure(lessons, options.seconds)
        return
    print(machine())
    for vendor in ("postgres", "sqlite"):
        print(f"\n{vendor}\nwriters lessons  events/s commits/s  events/c     ms/c  p50 ms   p99 ms    CPU")
        for writers in options.writers if vendor == "postgres" else [1]:
            with on(vendor, LOG_WRITERS=str(writers)) as environment:
                numbers = [str(lessons) for lessons in options.lessons]
                again("benchmarks.commits", environment, "--seconds", str(options.seconds), "--measure", *numbers)


if __name__ == "__main__":
    main()
