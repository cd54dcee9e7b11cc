"""How many events a second the fold takes, in Python and in JavaScript, on the same generated log.

    python benchmarks/fold.py [events]

The log is a lesson of 30: nine events in ten are drawing (80-point strokes, moves, erasing), the rest pages, hands and
chat. Only the fold is timed: the events are decoded before. Both languages must end at the same digests.
"""

import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import msgspec  # noqa: E402

from classrooms.lesson import Event, apply, digests, fresh  # noqa: E402
from whiteboard.points import encode  # noqa: E402

RUNS = 5
STUDENTS = 29
STYLE = {"color": "#d3322b", "width": 4, "opacity": 1, "dash": "solid", "fill": "none"}

NODE = """
import { readFileSync } from "node:fs";
const { apply, digests, fresh } = await import(process.argv[2]);
const events = JSON.parse(readFileSync(process.argv[3], "utf8"));
const rates = [];
let state;
for (let run = 0; run < Number(process.argv[4]); run++) {
  state = fresh();
  const began = performance.now();
  for (const event of events) apply(state, event);
  rates.push(events.length / ((performance.now() - began) / 1000));
}
console.log(JSON.stringify({ rates, digests: Object.fromEntries(digests(state)), version: process.version }));
"""


def lesson(events: int) -> list[dict[str, Any]]:
    """Return the log of a lesson: the same for the same number of events."""
    random = Random(2)
    people = [f"u{number}" for number in range(1, STUDENTS + 2)]
    pages = [{"page": f"p{number}", "kind": "blank", "title": ""} for number in range(1, 11)]
    log: list[dict[str, Any]] = []
    alive: list[tuple[str, str]] = []
    page, made = "p1", 0

    def add(kind: str, by: str | None, data: dict[str, Any]) -> None:
        seq = len(log) + 1
        log.append({"seq": seq, "kind": kind, "by": by, "at": 1764000000000 + seq * 40, "op": f"c:{seq}", "data": data})

    add("lesson.started", None, {"title": "Bench", "policy": {"edit": "shared"}, "pages": pages})
    for key in people:
        role = "instructor" if key == "u1" else "student"
        add("person.joined", None, {"participant": key, "name": key, "role": role, "color": "#336699"})
    while len(log) < events:
        by, dice = random.choice(people), random.random()
        if dice < 0.50 or not alive:
            made += 1
            key = f"{by}.9f3a01c2.{made}"
            x, y, stroke = 0.0, 0.0, []
            for _ in range(80):
                x, y = x + random.uniform(-6, 6), y + random.uniform(-6, 6)
                stroke.append((x, y))
            fields = {
                "at": [random.randint(0, 1600), random.randint(0, 900)],
                "ink": encode(stroke, False),
                "style": STYLE,
            }
            add("board.edited", by, {"page": page, "edits": [["add", key, "stroke", fields]]})
            alive.append((page, key))
        elif dice < 0.75:
            where, key = random.choice(alive[-200:])
            at = [random.randint(0, 6400) / 4, random.randint(0, 3600) / 4]
            add("board.edited", by, {"page": where, "edits": [["set", key, {"at": at}]]})
        elif dice < 0.90:
            where, key = alive.pop(random.randrange(max(0, len(alive) - 200), len(alive)))
            add("board.edited", by, {"page": where, "edits": [["remove", key]]})
        elif dice < 0.93:
            page = f"p{random.randint(1, 10)}"
            add("page.shown", "u1", {"page": page})
        elif dice < 0.97:
            add(random.choice(["hand.raised", "hand.lowered"]), by, {})
        else:
            add("chat.posted", by, {"text": "Why is it green?"})
    return log


def python(text: bytes) -> tuple[list[float], dict[str, int]]:
    """Return the events a second of each run, and the digests."""
    events = msgspec.json.decode(text, type=list[Event])
    rates = []
    for _ in range(RUNS):
        state = fresh()
        began = time.perf_counter()
        for event in events:
            apply(state, event)
        rates.append(len(events) / (time.perf_counter() - began))
    return rates, digests(state)


def node(text: bytes) -> dict[str, Any]:
    """Return what NODE prints for the same events."""
    with tempfile.TemporaryDirectory() as folder:
        script, log = Path(folder) / "fold.mjs", Path(folder) / "log.json"
        script.write_text(NODE)
        log.write_bytes(text)
        twin = (ROOT / "static" / "js" / "lesson.js").as_uri()
        command = ["node", str(script), twin, str(log), str(RUNS)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def main() -> None:
    """Run both and print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    text = msgspec.json.encode(lesson(count))
    here, digest = python(text)
    there = node(text)
    assert digest == there["digests"], "the languages fold to different boards"
    size = len(text) / count
    print(f"fold of {count:,} events ({size:.0f} bytes each), {RUNS} runs, digests equal; {platform.machine()}")
    for name, rates in ((f"Python {platform.python_version()}", here), (f"Node {there['version']}", there["rates"])):
        print(f"{name:>16}: {statistics.median(rates):>9,.0f} events/s   ({min(rates):,.0f} to {max(rates):,.0f})")


if __name__ == "__main__":
    main()
