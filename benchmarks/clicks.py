"""From the instructor's click to a student's pixels: two tabs of Chromium in a room full of other listeners.

The instructor turns between a page with a thick line and an empty one. The student's tab looks at one pixel of the
board's canvas in every frame of the screen. A change is parted where it passes a socket: the click until the op is
sent,
from there until the student's tab gets the event, and from there until the pixel has changed. Both tabs run on one
machine, and their times are compared by `performance.timeOrigin`.
"""

import random
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks import machine
from benchmarks.load.driver import FailedError
from benchmarks.seats import code_of
from benchmarks.systems import Lectern
from tests.support.browser import People, chromium
from tests.support.desk import Desk
from tests.support.visits import log_in

PAUSE = (150, 350)  # ms between a change and the next click
PATIENCE = 20_000  # ms

# What a tab notes, by kind, in ms since 1970: when the newest op was sent, or event came, of a page being shown.
WATCH = """() => {
  const now = () => performance.timeOrigin + performance.now();
  window.noted = { sent: 0, came: 0, clicked: 0, changed: 0 };
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) {
    if (typeof data === "string" && data.includes('"page.show"')) noted.sent = now();
    return send.call(this, data);
  };
  const Plain = WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...options) {
      super(...options);
      this.addEventListener("message", ({ data }) => {
        if (data.includes('"page.shown"')) noted.came = now();
      });
    }
  };
  addEventListener("click", (event) => { noted.clicked = performance.timeOrigin + event.timeStamp; }, true);
}"""
# Resolves with the moment of the first frame in which the middle of the board is inked, or is not.
PIXEL = """(inked) => new Promise((done) => {
  const look = () => {
    const canvas = document.getElementById("board-ink");
    const { data } = canvas.getContext("2d").getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1);
    if (data[3] > 0 === inked) done(performance.timeOrigin + performance.now());
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""


def clicks(system: Lectern, count: int) -> list[dict[str, float]]:
    """Turn pages so often; return for each change the ms of each stage, and in all."""
    assert system.server is not None
    with machine.pinned(system.load_core), sync_playwright() as playwright, chromium(playwright) as browser:
        people = People(browser)
        teacher, student = people.window(system.server.url), people.window(system.server.url)
        for page in (teacher, student):
            page.context.add_init_script(f"({WATCH})()")
        log_in(teacher)
        _enter(teacher, system)
        seat = student.request.post(f"{system.server.url}/api/join/", data={"code": code_of(0), "name": "Watcher"})
        if seat.status != 201:
            raise FailedError(f"the student could not join: {seat.text()[:200]}")
        _enter(student, system)
        Desk(teacher).draw((0.3, 0.5), (0.7, 0.5))
        Desk(teacher).settle()
        _pixel(student, inked=True)
        found = [_change(teacher, student, number) for number in range(count)]
        people.close()
    return found


def _enter(page: Page, system: Lectern) -> None:
    page.goto(f"/lessons/{system.lessons[0]}/")
    Desk(page).ready()


def _pixel(page: Page, *, inked: bool) -> float:
    page.set_default_timeout(PATIENCE)
    return float(page.evaluate(PIXEL, inked))


def _change(teacher: Page, student: Page, number: int) -> dict[str, float]:
    """Turn to the other page, and part what it took."""
    away = number % 2 == 0
    button = teacher.locator("#next" if away else "#previous")
    box = button.bounding_box()
    assert box is not None
    student.evaluate("(inked) => { window.changed = (%s)(inked); }" % PIXEL, not away)  # noqa: UP031 - braces
    teacher.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    changed = float(student.evaluate("() => window.changed"))
    asked: dict[str, Any] = teacher.evaluate("() => noted")
    seen: dict[str, Any] = student.evaluate("() => noted")
    teacher.wait_for_timeout(random.uniform(*PAUSE))
    return {
        "click to op": asked["sent"] - asked["clicked"],
        "op to event": seen["came"] - asked["sent"],
        "event to pixels": changed - seen["came"],
        "in all": changed - asked["clicked"],
    }
