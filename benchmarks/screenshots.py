"""Takes the pictures of README from a real lesson: `python -m benchmarks.screenshots` writes docs/screenshots/."""

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.support.browser import People, chromium
from tests.support.desk import Desk, Point
from tests.support.run import ROOT, Run, running

OUT = ROOT / "docs" / "screenshots"
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
PASSWORD = "chalk and blackboard"
CLASS = ("Ana", "Ben", "Chidi", "Dunja")


def way(start: Point, end: Point, bend: float) -> Iterator[Point]:
    """Points of a curve from start to end, as a hand would draw it: `bend` is how far it leaves the straight line."""
    for step in range(25):
        part = step / 24
        sway = bend * math.sin(math.pi * part)
        yield start[0] + (end[0] - start[0]) * part + sway, start[1] + (end[1] - start[1]) * part + sway / 2


def teacher(people: People, run: Run) -> Desk:
    """Log in and open the lesson of the demo classroom."""
    page = people.window(run.url, viewport={"width": 1440, "height": 900})
    page.goto("/teach/")
    page.locator("[name=login]").fill("teacher")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your classrooms")).to_be_visible()
    page.goto("/lessons/1/")
    return Desk(page).ready()


def student(people: People, run: Run, name: str, **options: object) -> Desk:
    """Join by the demo's code."""
    page = people.window(run.url, **options)
    page.goto("/j/TRYME2/")
    page.get_by_role("textbox", name="Your name").fill(name)
    page.keyboard.press("Enter")
    page.wait_for_url("**/lessons/1/")
    return Desk(page).ready()


def keep(page: Page, name: str) -> None:
    """Save the window as a picture."""
    page.screenshot(path=OUT / f"{name}.png", animations="disabled")


def main() -> None:
    """Teach the demo's last page to four students and take the pictures."""
    OUT.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        running(Path(data), DEMO_PASSWORD=PASSWORD) as run,
        sync_playwright() as playwright,
        chromium(playwright) as browser,
    ):
        people = People(browser)
        desk = teacher(people, run)
        ana, ben, chidi, dunja = (student(people, run, name, **(PHONE if name == "Ana" else {})) for name in CLASS)
        desk.turn_to(6)
        for one in (ana, ben, chidi, dunja):
            one.wait("lectern.store.page === lectern.store.lesson.current")
        for one in (desk, ben, chidi, dunja):
            one.page.get_by_role("radio", name="Blue").click()
        ben.draw(*way((0.42, 0.82), (0.315, 0.62), -0.05))
        chidi.draw(*way((0.315, 0.60), (0.44, 0.34), 0.03))
        dunja.draw(*way((0.18, 0.86), (0.305, 0.60), 0.05))
        desk.draw(*way((0.46, 0.32), (0.60, 0.22), 0.03))
        dunja.page.get_by_role("button", name="Raise hand").click()
        for one in (desk, ben, chidi, dunja):
            one.settle()
        keep(desk.page, "lesson")
        keep(ana.page, "phone")
        people.close()


if __name__ == "__main__":
    main()
