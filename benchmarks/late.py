"""A late joiner: how long until the exact board of a long lesson is drawn in Chromium."""

import statistics
import subprocess
import sys

from playwright.sync_api import sync_playwright

from benchmarks import machine
from benchmarks.long_lesson import HEIGHT, MARK
from benchmarks.seats import code_of
from benchmarks.systems import Lectern
from tests.support.browser import People, chromium
from tests.support.desk import Desk
from tests.support.server import ROOT

TRIES = 5  # newcomers of each lesson; one before them wakes it and is not counted

# Resolves with the ms from the start of the navigation until a frame in which so many items live, the last one painted.
DRAWN = """([items, height]) => new Promise((done) => {
  const painted = () => {
    const canvas = document.getElementById("board-ink");
    const row = Math.round(canvas.height * height);
    const { data } = canvas.getContext("2d").getImageData(canvas.width >> 1, row, 1, 1);
    return data[0] > 200 && data[1] < 60 && data[2] < 60 && data[3] > 200;
  };
  const look = () => {
    const { lectern } = window;
    const board = lectern?.session.status.phase === "live" && lectern.store.lesson.boards.get("p1");
    if (board && board.live === items && painted()) requestAnimationFrame(() => done(performance.now()));
    else requestAnimationFrame(look);
  };
  look();
})"""


def late(system: Lectern, events: int, items: int) -> dict[str, list[float]]:
    """Return the ms until the board is drawn, of newcomers to the long lesson and to the short one."""
    assert system.server is not None
    command = [sys.executable, "-m", "benchmarks.long_lesson", str(events), str(items)]
    subprocess.run(command, cwd=ROOT, env=system.server.env, check=True)
    took: dict[str, list[float]] = {"long": [], "short": []}
    pictures = set()
    with machine.pinned(system.load_core), sync_playwright() as playwright, chromium(playwright) as browser:
        for turn in range(TRIES + 1):
            for room, ways in enumerate(took):
                people = People(browser)
                page = people.window(system.server.url)
                joined = page.request.post("/api/join/", data={"code": code_of(room), "name": f"Late {turn}"})
                assert joined.status == 201, joined.text()[:200]
                page.goto(f"/lessons/{system.lessons[room]}/", wait_until="commit")
                drawn = float(page.evaluate(DRAWN, [items, MARK / HEIGHT]))
                pictures.add(Desk(page).pixels())
                people.close()
                if turn:
                    took[ways].append(drawn)
    assert len(pictures) == 1, f"the boards are not the same: {pictures}"
    return took


def summary(took: dict[str, list[float]]) -> dict[str, float]:
    """Return the figures: the medians, the worst, and how the long lesson's compares with the short one's."""
    long, short = statistics.median(took["long"]), statistics.median(took["short"])
    return {"long ms": long, "long worst ms": max(took["long"]), "short ms": short, "long / short": long / short}
