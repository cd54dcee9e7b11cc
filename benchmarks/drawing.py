"""Drawing on a full page while others draw: what the main thread of Chromium does in each frame of the screen."""

import json
import os
import subprocess
import sys
import time
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks import machine
from benchmarks.load.driver import SOON, Driver
from benchmarks.seats import code_of
from benchmarks.systems import Lectern
from tests.support.browser import People, chromium
from tests.support.desk import Desk
from tests.support.server import ROOT

ITEMS = 4_500  # those drawn meanwhile bring it near the 5,000 that a page may have
FRAME = 1_000_000 / 60  # µs
STROKES = 0.5  # a second, of each of the others, while they also send wet ink
TASK = "ThreadControllerImpl::RunTask"  # whatever a thread does
CATEGORIES = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"]


def drawing(system: Lectern, driver: Driver, seconds: float) -> dict[str, float]:
    """Draw in a tab while everybody in the second lesson draws too; return what a frame cost the main thread, in ms."""
    assert system.server is not None
    others = system.seats[system.each :]
    with machine.pinned(system.load_core), sync_playwright() as playwright, chromium(playwright) as browser:
        people = People(browser)
        page = people.window(system.server.url)
        joined = page.request.post("/api/join/", data={"code": code_of(1), "name": "Ana"})
        assert joined.status == 201, joined.text()[:200]
        page.goto(f"/lessons/{system.lessons[1]}/")
        desk = Desk(page).ready()
        desk.wait(f"lectern.store.lesson.boards.get('p1').live >= {ITEMS}", timeout=60)
        start = time.monotonic() + SOON
        driver.author(others, "stroke", start, start + seconds, STROKES)
        browser.start_tracing(page=page, categories=CATEGORIES)
        strokes = 0
        while time.monotonic() < start + seconds:
            left = 0.1 + 0.02 * (strokes % 30)
            desk.draw(*((left + 0.01 * step, 0.2 + 0.05 * (step % 8)) for step in range(24)))
            strokes += 1
        busy = busy_frames(json.loads(browser.stop_tracing())["traceEvents"])
        desk.settle()
        people.close()
    return {
        "frame p50 ms": busy[len(busy) // 2],
        "frame p95 ms": busy[len(busy) * 95 // 100],
        "frame p99 ms": busy[len(busy) * 99 // 100],
        "frames": len(busy),
        "own strokes": strokes,
    }


def busy_frames(events: list[dict[str, Any]]) -> list[float]:
    """Return the ms that the page's main thread was busy in each sixtieth of a second in which it did anything, sorted.

    The page is the renderer whose main thread was busy longest.
    """
    names = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"].get("name") == "CrRendererMain"
    }
    threads: dict[tuple[int, int], dict[int, float]] = {thread: {} for thread in names}
    for event in events:
        thread = (event["pid"], event["tid"])
        if thread in threads and event["name"] == TASK and "dur" in event:
            _spread(threads[thread], event["ts"], event.get("tdur", event["dur"]))  # of the thread's own time
    busiest = max(threads.values(), key=lambda frames: sum(frames.values()))
    return sorted(took / 1000 for took in busiest.values())


def _spread(frames: dict[int, float], since: float, took: float) -> None:
    """Share a task out to the frames that it lay in."""
    while took > 0:
        frame = int(since // FRAME)
        part = min(took, (frame + 1) * FRAME - since)
        frames[frame] = frames.get(frame, 0.0) + part
        since += part
        took -= max(part, 1.0)


def full_page(system: Lectern) -> None:
    """Give the second lesson its items."""
    assert system.server is not None
    command = [sys.executable, "-m", "benchmarks.long_lesson", str(ITEMS), str(ITEMS)]
    subprocess.run(command, cwd=ROOT, env=os.environ | system.server.env, check=True)
