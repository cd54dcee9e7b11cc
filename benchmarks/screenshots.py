"""Draws every page and state, three widths, light and dark: `python -m benchmarks.screenshots` fills docs/screenshots/.

A picture is called STATE-WIDTH-SCHEME.webp. Names, pages and ink are the same at every run; clocks that show a time of
day stand still, and nothing moves.
"""

import argparse
import io
import math
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from tests.support.browser import People, chromium
from tests.support.desk import Desk, Point
from tests.support.run import ROOT, Run, running
from tests.support.wifi import Wifi

OUT = ROOT / "docs" / "screenshots"
SIZES = {390: 844, 820: 1180, 1440: 900}
SCHEMES = ("light", "dark")
QUALITY = 72
PASSWORD = "chalk and blackboard"
CODE = "TRYME2"
SEATS = 9
# A lesson's moments, which are others at every run.
STILL = """() => {
  for (const cell of document.querySelectorAll("td, .readonly")) cell.textContent = cell.textContent
    .replace(/^\\d\\d:\\d\\d$/, "09:00").replace(/\\d+ \\w+ \\d{4}, \\d\\d:\\d\\d/, "2 Mar 2026, 09:00");
}"""


class Album:
    """Takes the pictures of one state after the other and keeps those whose name is asked for."""

    def __init__(self, out: Path, only: str) -> None:
        self.out, self.only = out, only
        out.mkdir(parents=True, exist_ok=True)

    def keep(self, page: Page, state: str) -> None:
        """Picture a page as it is now, in every size and scheme."""
        if self.only not in state:
            return
        before = page.viewport_size
        for width, height in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
                page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
                shot = page.screenshot()
                Image.open(io.BytesIO(shot)).convert("RGB").save(
                    self.out / f"{state}-{width}-{scheme}.webp", quality=QUALITY, method=6
                )
        if before:
            page.set_viewport_size(before)


def way(start: Point, end: Point, bend: float) -> Iterator[Point]:
    """Points of a curve from start to end, as a hand would draw it: `bend` is how far it leaves the straight line."""
    for step in range(25):
        part = step / 24
        sway = bend * math.sin(math.pi * part)
        yield start[0] + (end[0] - start[0]) * part + sway, start[1] + (end[1] - start[1]) * part + sway / 2


def ask(page: Page, name: str, code: str = CODE) -> None:
    """Fill the form of the home page and send it."""
    page.goto(f"/j/{code}/")
    page.get_by_role("textbox", name="Your name").fill(name)
    page.keyboard.press("Enter")


def student(people: People, url: str, name: str) -> Desk:
    """Join the demo's lesson."""
    page = people.window(url)
    ask(page, name)
    page.wait_for_url("**/lessons/*/")
    return Desk(page).ready()


def policy(desk: Desk, **changes: str) -> None:
    """Set what is allowed, as the switches of the page do."""
    desk.page.evaluate("(changes) => lectern.session.propose('policy.set', changes)", changes)
    desk.settle()


def doors(album: Album, people: People, run: Run) -> None:
    """Pages that need no lesson."""
    page = people.window(run.url)
    page.goto("/")
    album.keep(page, "home")
    ask(page, "Ana", "AAAAAA")
    expect(page.locator("#code-wrong")).to_be_visible()
    album.keep(page, "unknown-code")
    page.goto("/lessons/999/")
    album.keep(page, "not-found")
    page.goto("/teach/")
    album.keep(page, "sign-in")


def sign_in(people: People, run: Run) -> Page:
    """Sign in as the demo's teacher."""
    page = people.window(run.url)
    page.goto("/teach/")
    page.locator("[name=login]").fill("teacher")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your classrooms")).to_be_visible()
    return page


def teachers(album: Album, page: Page, data: Path) -> None:
    """The teachers' pages; a deck stands still at its third page."""
    album.keep(page, "classrooms")
    for state, path in (
        ("classroom", "classrooms/classroom/1/change/"), ("decks", "whiteboard/deck/"),
        ("upload", "whiteboard/deck/add/"), ("lessons", "classrooms/lesson/"), ("deck", "whiteboard/deck/1/change/"),
    ):  # fmt: skip
        page.goto(f"/teach/{path}")
        page.wait_for_load_state("networkidle")
        album.keep(page, state)
    deck(data, "converting", 3)
    page.route("**/progress/**", lambda route: None)  # asked, and not answered
    page.goto("/teach/whiteboard/deck/1/change/")
    page.locator("#pages").evaluate("(pages) => [...pages.children].slice(3).forEach((page) => page.remove())")
    album.keep(page, "deck-converting")
    page.unroute_all(behavior="ignoreErrors")
    page.goto("/teach/")
    deck(data, "ready", 0)


def deck(data: Path, status: str, done: int) -> None:
    """Say how far the demo's deck is converted, behind the server's back."""
    database = sqlite3.connect(data / "lectern.sqlite3", timeout=10)
    with database:
        database.execute(
            "UPDATE whiteboard_deck SET status = ?, pages_done = CASE ? WHEN 'ready' THEN pages ELSE ? END",
            (status, status, done),
        )
    database.close()


def lesson(album: Album, people: People, run: Run, teacher: Page) -> None:
    """The lesson with a class in it."""
    teacher.goto("/lessons/1/")
    desk = Desk(teacher).ready()
    album.keep(teacher, "alone")
    ana, ben, chidi, dunja = (student(people, run.url, name) for name in ("Ana", "Ben", "Chidi", "Dunja"))
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
    for one in (desk, ana):
        one.wait("lectern.store.applied >= " + str(dunja.state()["seq"]))
    album.keep(teacher, "instructor")
    album.keep(ana.page, "student")
    teacher.get_by_role("button", name="Call on Dunja").click()
    expect(dunja.page.locator("#turn")).to_be_visible()
    album.keep(teacher, "calls-on")
    album.keep(dunja.page, "called-on")
    dunja.page.get_by_role("button", name="Done").click()
    for one, words in (
        (desk, "Where does the oxygen come from?"),
        (ben, "From the water"),
        (chidi, "It is split by light"),
    ):
        one.page.get_by_role("tab", name="Chat").click()
        if one is not desk:
            one.page.locator("#messages > .message").first.hover()
            one.page.locator("[data-replies]").first.click()
        one.page.get_by_role("textbox", name="Message to the class").fill(words)
        one.page.get_by_role("button", name="Send").click()
        one.settle()
    album.keep(teacher, "chat")
    teacher.get_by_role("tab", name="People").click()
    for state in ("share", "more", "keys", "end-lesson"):
        teacher.evaluate("(id) => document.getElementById(id).showModal()", state)
        album.keep(teacher, state)
        teacher.evaluate("(id) => document.getElementById(id).close()", state)
    teacher.evaluate("() => document.querySelector('[data-page-menu]').click()")
    album.keep(teacher, "page-menu")
    teacher.keyboard.press("Escape")
    wall = teacher.context.new_page()
    wall.goto(f"{run.url}/lessons/1/?view=projector")
    Desk(wall).ready()
    album.keep(wall, "projector")
    wall.close()
    ana.page.locator("#previous").click()
    expect(ana.page.locator("#follow")).to_be_visible()
    album.keep(ana.page, "behind")
    ana.page.locator("#follow").click()
    policy(desk, draw="staff")
    expect(ana.page.locator("#tools-words")).to_be_visible()
    album.keep(ana.page, "may-not-draw")
    policy(desk, draw="everyone")
    expect(ana.page.locator("#tools-words")).to_be_hidden()
    lost(album, people, run, desk)
    turned_away(album, people, run, desk, ben)
    teacher.locator("#end-lesson").evaluate("(dialog) => dialog.showModal()")
    teacher.locator("#end-now").click()
    for page, state in ((teacher, "ended-instructor"), (ana.page, "ended")):
        expect(page.get_by_role("heading", name="The lesson has ended")).to_be_visible()
        album.keep(page, state)
    ana.page.reload()
    ana.wait("lectern.session.status.phase === 'ended' && lectern.store.loaded(lectern.store.page)")
    album.keep(ana.page, "looks-back")


def lost(album: Album, people: People, run: Run, desk: Desk) -> None:
    """A student whose network goes away, who draws on, and whose ink is refused when it is back."""
    with Wifi(run.port) as wifi:
        emil = student(people, wifi.url, "Emil")
        for width, height in SIZES.items():  # its picture for each width comes while there is a network
            emil.page.set_viewport_size({"width": width, "height": height})
            emil.page.wait_for_load_state("networkidle")
        wifi.lose()
        emil.wait("lectern.session.status.phase !== 'live'")
        for row in range(3):
            emil.draw(*way((0.62, 0.72 + 0.08 * row), (0.85, 0.70 + 0.08 * row), 0.02))
        expect(emil.page.locator("#link-chip")).to_contain_text("3 not sent")
        album.keep(emil.page, "not-sent")
        emil.page.wait_for_function("() => Date.now() - window.lectern.session.status.since > 4_000")
        album.keep(emil.page, "reconnecting")
        policy(desk, draw="staff")
        wifi.find()
        emil.wait("lectern.store.tray.length > 0 && lectern.session.status.phase === 'live'", 60)
        album.keep(emil.page, "refused-ink")
        emil.page.locator("#tray").evaluate("(dialog) => dialog.showModal()")
        album.keep(emil.page, "tray")
        policy(desk, draw="everyone")
        emil.page.close()


def turned_away(album: Album, people: People, run: Run, desk: Desk, ben: Desk) -> None:
    """Doors that do not open."""
    guest = people.window(run.url)
    policy(desk, door="locked")
    ask(guest, "Fay")
    expect(guest.locator("#away")).to_be_visible()
    album.keep(guest, "locked")
    policy(desk, door="open")
    for number in range(SEATS):
        people.window(run.url).request.post(f"{run.url}/api/join/", data={"code": CODE, "name": f"Guest {number}"})
    ask(guest, "Fay")
    expect(guest.get_by_role("heading", name="The lesson is full")).to_be_visible()
    album.keep(guest, "full")
    participant = ben.page.evaluate("() => lectern.store.me.id")
    desk.page.evaluate("(participant) => lectern.session.propose('person.remove', { participant })", participant)
    expect(ben.page.get_by_role("heading", name="You were removed from the lesson")).to_be_visible()
    album.keep(ben.page, "removed")


def before_and_after(album: Album, people: People, run: Run, teacher: Page) -> None:
    """Waiting for the next lesson, and that lesson, which has no slides."""
    guest = people.window(run.url)
    ask(guest, "Ana")
    expect(guest.get_by_role("heading", name="Waiting for the lesson")).to_be_visible()
    album.keep(guest, "waiting")
    teacher.goto("/teach/classrooms/classroom/1/roster/")
    album.keep(teacher, "roster")
    teacher.goto("/teach/classrooms/lesson/1/change/")
    teacher.evaluate(STILL)
    album.keep(teacher, "lesson")
    teacher.goto("/teach/classrooms/classroom/1/start/")
    teacher.get_by_role("checkbox").first.check()
    album.keep(teacher, "start")
    teacher.get_by_role("checkbox").first.uncheck()
    teacher.get_by_role("button", name="Start the lesson").click()
    teacher.wait_for_url("**/lessons/*/")
    Desk(teacher).ready()
    album.keep(teacher, "no-slides")


def main() -> None:
    """Take all pictures, or with `--only WORD` those whose state has the word in its name."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--port", default="8000", help="shown in some pictures")
    asked = parser.parse_args()
    album = Album(asked.out, asked.only)
    with (
        tempfile.TemporaryDirectory() as data,
        running(Path(data), PORT=asked.port, DEMO_PASSWORD=PASSWORD, LESSON_MAX_SEATS=str(SEATS)) as run,
        sync_playwright() as playwright,
        chromium(playwright) as browser,
    ):
        people = People(browser)
        people.expected = ["Failed to load resource", "WebSocket connection", "net::ERR"]  # doors that stay shut
        doors(album, people, run)
        teacher = sign_in(people, run)
        teachers(album, teacher, Path(data))
        lesson(album, people, run, teacher)
        before_and_after(album, people, run, teacher)
        people.close()
        pictures = list(album.out.glob("*.webp"))
        size = sum(picture.stat().st_size for picture in pictures)
        print(f"{len(pictures)} pictures, {size / 1e6:.1f} MB in {album.out}")


if __name__ == "__main__":
    main()
