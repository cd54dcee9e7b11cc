"""Whatever a page shows can be said in another language: every text of ours went through a catalogue."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support import pseudo
from tests.support.browser import People
from tests.support.cast import CODE, PASSWORD
from tests.support.desk import Desk
from tests.support.server import Server

DATA = {  # said by the cast, or called so everywhere
    "Lectern", "Photosynthesis", "photosynthesis", "Teacher", "teacher", "Assistant", "assistant", "Ana", CODE, "PDF",
    "Ctrl", "Shift", "Alt", "Tab", "Enter", "Esc", "Home", "End", "Delete", "Backspace",
    "Page Up", "Page Down", "Authorization: Token …",
}  # fmt: skip

# Every text and every spoken attribute of the page, hidden parts too: what is shown later is said there already.
TEXTS = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walk.currentNode; node; node = walk.nextNode()) {
    if (node.nodeType === 3) {
      if (!node.parentElement.closest("script, style, code, svg, textarea")) found.push(node.data);
    } else for (const name of ["alt", "title", "aria-label", "placeholder"]) found.push(node.getAttribute(name) ?? "");
  }
  return [document.title, ...found];
}"""


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that speaks ⟦⟧ to who asks for it."""
    with Server(patch=pseudo.PATCH, env=pseudo.make(Path(tmp_path_factory.mktemp("words")))) as server:
        yield server


@pytest.fixture
def look(speaking: Server) -> Callable[[Page, str], None]:
    """Return what reads a page and fails where it says something in English by itself."""
    known = pseudo.theirs()

    def read(page: Page, where: str) -> None:
        bare = []
        for text in page.evaluate(TEXTS):
            said = " ".join(text.split()).strip('·:…"“” .')
            for known_data in DATA:
                said = re.sub(rf"\b{re.escape(known_data)}\b", "", said)
            if not {"⟦", "⟧"} & set(text) and re.search(r"[^\W\d_]{3,}", said) and text.strip() not in known:
                bare.append(text.strip())
        bare = [
            text
            for text in bare
            if not re.match(r"(https?://)?127\.0\.0\.1|\d+ \w+ \d{4}, \d\d:\d\d$|\d of \d selected|Select this", text)
        ]
        assert not bare, f"{where}: {bare}"

    return read


def window(people: People, server: Server) -> Page:
    return people.window(server.url, locale=pseudo.LANGUAGE)


def test_the_way_in(speaking: Server, people: People, look: Callable[[Page, str], None]) -> None:
    speaking.end_lessons()
    page = window(people, speaking)
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", pseudo.LANGUAGE)
    look(page, "home")
    people.expected.append("404")
    page.locator("#code").fill("ZZZZZZ")
    page.locator("#name").fill("Ana")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    look(page, "home, a wrong code")
    page.goto("/nowhere/")
    look(page, "404")
    page.goto("/teach/")
    look(page, "sign in")


def sign_in(page: Page) -> None:
    page.goto("/teach/")
    page.locator("#id_login").fill("teacher")
    page.locator("#id_password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("form[action$='/logout/']")).to_be_visible()


TEACH = [
    "", "classrooms/classroom/", "classrooms/classroom/add/", "classrooms/classroom/1/change/",
    "classrooms/classroom/1/start/", "classrooms/classroom/1/code/", "classrooms/classroom/1/projector/",
    "classrooms/classroom/1/owner/", "classrooms/classroom/1/leave/", "classrooms/classroom/1/roster/",
    "classrooms/classroom/1/delete/", "classrooms/lesson/", "whiteboard/deck/", "whiteboard/deck/add/", "account/",
    "classrooms/rosterentry/", "classrooms/lesson/1/change/", "classrooms/lesson/1/end/",
]  # fmt: skip


def test_the_teachers_pages(speaking: Server, people: People, look: Callable[[Page, str], None]) -> None:
    speaking.end_lessons()
    speaking.start_lesson()
    page = window(people, speaking)
    people.expected.append("403")
    sign_in(page)
    for address in TEACH:
        page.goto(f"/teach/{address}")
        look(page, address)
    page.goto("/teach/whiteboard/deck/add/")
    page.locator("#id_file").set_input_files("demo/photosynthesis.pdf")
    page.locator("#upload button[type=submit]").click()
    page.wait_for_url("**/change/")
    look(page, "a deck that converts")
    page.reload()
    look(page, "a deck")
    for address in ("whiteboard/deck/", "classrooms/classroom/1/start/"):
        page.goto(f"/teach/{address}")
        look(page, f"{address} with a deck")


def test_the_lesson(speaking: Server, people: People, look: Callable[[Page, str], None]) -> None:
    speaking.end_lessons()
    lesson = speaking.start_lesson()
    page = window(people, speaking)
    sign_in(page)
    page.goto(f"/lessons/{lesson}/")
    teacher = Desk(page).ready()
    student = window(people, speaking)
    student.goto(f"/j/{CODE}/")
    student.locator("#name").fill("Ana")
    student.keyboard.press("Enter")
    student.wait_for_url("**/lessons/*/")
    ana = Desk(student).ready()
    ana.draw((0.2, 0.2), (0.6, 0.6))
    ana.settle()
    student.locator("#raise").click()
    teacher.wait("lectern.store.shown.hands.length === 1")
    for who, one in (("teacher", page), ("student", student)):
        look(one, who)
        for dialog in one.locator("dialog").all():
            name = dialog.get_attribute("id")
            one.evaluate("(name) => document.getElementById(name).showModal()", name)
            look(one, f"{who}, {name}")
            one.evaluate("(name) => document.getElementById(name).close()", name)
    page.goto(f"/lessons/{lesson}/?view=projector")
    page.wait_for_timeout(500)
    look(page, "projector")
    speaking.end_lessons()
    student.locator("#over").wait_for()
    look(student, "ended")
