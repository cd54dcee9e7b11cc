"""A whole lesson without a pointer, for a teacher and a student; what a screen reader hears; the map of keys."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import People
from tests.support.cast import CODE, PASSWORD
from tests.support.desk import Desk, agree
from tests.support.server import Server
from tests.support.visits import join
from tests.support.wifi import Wifi

SIZES = {
    "phone": {"width": 390, "height": 844},
    "narrow": {"width": 320, "height": 640},
    "desk": {"width": 1440, "height": 900},
}
# What has the focus, if any of it is hidden: outside the window, under something else, or not painted.
COVERED = """() => {
  const one = document.activeElement;
  if (one === null || one === document.body) return null;
  const { left, top, right, bottom } = one.getBoundingClientRect();
  const name = `${one.tagName} ${one.id} ${one.getAttribute("aria-label") ?? one.textContent.trim().slice(0, 40)}`;
  const seen = (x, y) => {
    const hit = document.elementFromPoint(x, y);
    return hit !== null && (one.contains(hit) || hit.contains(one) || hit.closest("label")?.contains(one));
  };
  const inside = left >= -1 && right <= innerWidth + 1 && top < innerHeight && bottom > 0;
  const middle = (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2;
  return inside && seen((left + right) / 2, middle) ? null : name;
}"""
STOPS = 80  # presses of Tab: more than any page here has stops


class Keyboard:
    """The keys of one person. Tab looks at where the focus comes to lie."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.desk = Desk(page)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, words: str) -> None:
        self.page.keyboard.type(words)

    def tab(self, key: str = "Tab") -> None:
        self.press(key)
        assert self.page.evaluate(COVERED) is None

    def tab_to(self, target: Locator, key: str = "Tab") -> None:
        """Go on with Tab (or another key) until `target` has the focus."""
        for _ in range(STOPS):
            if target.count() == 1 and target.evaluate("(one) => one === document.activeElement"):
                return
            self.tab(key)
        raise AssertionError(f"{key} does not come to {target}")

    def go_to(self, part: str) -> None:
        """Go on with F6 until the focus is in a part of the lesson page."""
        for _ in range(8):
            if self.page.locator(f"{part}:focus, {part} :focus").count():
                return
            self.tab("F6")
        raise AssertionError(f"F6 does not come to {part}")

    def button(self, name: str) -> None:
        """Press the button of this name."""
        self.tab_to(self.page.get_by_role("button", name=name, exact=True))
        self.press("Enter")

    def hears(self, words: str) -> None:
        """Wait until the polite region says `words`."""
        expect(self.page.locator("#polite")).to_match_aria_snapshot(f"- status: {words}")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def lesson(server: Server) -> int:
    server.end_lessons()
    return server.start_lesson()


def log_in_and_start(teacher: Keyboard) -> None:
    page = teacher.page
    page.goto("/teach/")
    teacher.tab_to(page.get_by_label("User name"))
    teacher.type("teacher")
    teacher.tab_to(page.get_by_label("Password"))
    teacher.type(PASSWORD)
    teacher.press("Enter")
    expect(page.get_by_role("heading", name="Your classrooms")).to_be_visible()
    teacher.tab_to(page.get_by_role("link", name="Start a lesson"))
    teacher.press("Enter")
    page.wait_for_url("**/start/")
    teacher.tab_to(page.get_by_role("button", name="Start the lesson"))
    teacher.press("Enter")
    page.wait_for_url("**/lessons/*/")
    teacher.desk.ready()


def come_in(student: Keyboard, name: str) -> None:
    page = student.page
    page.goto("/")
    student.tab_to(page.get_by_label("Code"))
    student.type(CODE)
    student.tab_to(page.get_by_label("Your name"))
    student.type(name)
    student.press("Enter")
    page.wait_for_url("**/lessons/*/")
    student.desk.ready()


def add_and_turn_pages(teacher: Keyboard, ana: Keyboard) -> None:
    teacher.go_to("#film")
    teacher.button("Blank page")
    teacher.desk.wait("lectern.store.shown.pages.length === 2")
    teacher.go_to("#board")
    teacher.press("PageUp")
    teacher.hears("Page 1")
    teacher.press("PageDown")
    teacher.hears("Page 2")
    ana.hears("Page 2")


def place_shape_and_text(ana: Keyboard) -> None:
    ana.go_to("#board")
    ana.press("b", "Enter")
    ana.hears("First corner set. Arrows move the other one, Enter sets it, Escape cancels.")
    ana.press("Shift+ArrowRight", "Shift+ArrowDown", "Enter")
    ana.hears("Box placed")
    ana.press("t", "Shift+ArrowLeft", "Enter")
    expect(ana.page.locator("textarea.editor")).to_be_focused()
    ana.type("Stroma")
    ana.press("Control+Enter")
    ana.hears("Text placed")


def undo(ana: Keyboard) -> None:
    ana.go_to("#board")
    ana.press("Control+z")
    ana.hears("Undone")
    ana.press("Control+Shift+z")
    ana.hears("Done again")


def look_around(ana: Keyboard) -> None:
    ana.press("PageUp")
    ana.hears("Page 1")
    ana.go_to("#pager")
    ana.button("Back to live page 2")
    ana.hears("Page 2")


def take_the_turn(teacher: Keyboard, ana: Keyboard) -> None:
    ana.go_to("#board")
    ana.press("r")
    ana.hears("Your hand is up.")
    teacher.hears("Ana raised a hand. 1 hand up.")
    teacher.go_to(".panel")
    teacher.button("Call on Ana")
    ana.hears("You are called on.")
    teacher.hears("It is the turn of Ana.")
    ana.go_to(".panel")
    ana.button("Done")
    ana.hears("Your turn is over.")


def give_the_pen(teacher: Keyboard, ana: Keyboard) -> None:
    teacher.tab_to(teacher.page.get_by_role("radio", name="Everyone"), "Shift+Tab")
    teacher.press("ArrowRight")
    expect(teacher.page.get_by_role("radio", name="Chosen")).to_be_focused()
    expect(ana.page.locator("#tools-words")).to_contain_text("Raise your hand to draw")
    teacher.button("Let Ana draw")
    expect(ana.page.locator("#tools-words")).to_be_hidden()


def talk(teacher: Keyboard, ana: Keyboard) -> None:
    ana.go_to("#board")
    ana.press("c")
    ana.type("What is a stroma?")
    ana.press("Enter")
    teacher.tab_to(teacher.page.get_by_role("tab", name="People"), "Shift+Tab")
    teacher.press("ArrowRight")
    teacher.tab_to(teacher.page.locator("#messages > .message"))
    teacher.button("Answer Ana")
    expect(teacher.page.get_by_role("textbox", name="Message to the class")).to_be_focused()
    teacher.type("The space around")
    teacher.press("Enter")
    expect(ana.page.locator("#messages")).to_contain_text("Ana: What is a stroma?")


def end(teacher: Keyboard, ana: Keyboard) -> None:
    teacher.go_to(".bar")
    teacher.button("End lesson")
    dialog = teacher.page.get_by_role("dialog", name="End the lesson for everyone?")
    teacher.tab_to(dialog.get_by_role("button", name="End lesson"))
    teacher.press("Enter")
    for person in (teacher, ana):
        expect(person.page.get_by_role("heading", name="The lesson has ended")).to_be_focused()


def test_a_whole_lesson_by_keyboard_for_a_teacher_and_a_student(server: Server, people: People) -> None:
    server.end_lessons()
    teacher, ana = Keyboard(people.window(server.url)), Keyboard(people.window(server.url))
    log_in_and_start(teacher)
    come_in(ana, "Ana")
    add_and_turn_pages(teacher, ana)
    place_shape_and_text(ana)
    undo(ana)
    look_around(ana)
    assert [item["kind"] for item in ana.page.evaluate("() => lectern.store.items(lectern.store.page)")] == [
        "box",
        "text",
    ]
    agree([teacher.desk, ana.desk])
    take_the_turn(teacher, ana)
    give_the_pen(teacher, ana)
    talk(teacher, ana)
    end(teacher, ana)


def test_these_stories_touch_no_pointer() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    found = re.findall(r"\.(?:click|dblclick|tap|hover|check|set_checked|drag_to|mouse|draw|fill|focus)\b\(?", source)
    assert found == [], found


def test_a_lost_connection_is_the_one_thing_that_interrupts(server: Server, lesson: int, people: People) -> None:
    people.expected += ["Failed to load resource", "WebSocket connection to", "net::ERR"]
    with Wifi(server.port) as wifi:
        ana = Keyboard(people.window(wifi.url))
        come_in(ana, "Ana")
        regions = ana.page.locator("[aria-live], [role=status], [role=alert], [role=log]")
        expect(regions).to_have_count(2)
        expect(ana.page.locator("#assertive")).to_match_aria_snapshot("- alert")
        expect(ana.page.locator("#assertive")).to_have_text("")
        wifi.lose()
        interrupts = "- alert: Connection lost. Your drawing is kept and will be sent."
        expect(ana.page.locator("#assertive")).to_match_aria_snapshot(interrupts, timeout=20_000)
        wifi.find()
        ana.desk.ready()
        expect(ana.page.locator("#assertive")).to_have_text("")
        ana.hears("Connected again.")


def test_the_map_of_keys_and_the_switch_for_letters(server: Server, lesson: int, people: People) -> None:
    ana = Keyboard(people.window(server.url))
    come_in(ana, "Ana")
    ana.press("?")
    dialog = ana.page.get_by_role("dialog", name="Keys and shortcuts")
    expect(dialog).to_contain_text("Raise or lower your hand")
    ana.press("Escape")
    expect(dialog).to_be_hidden()
    ana.go_to("#board")
    ana.press("b")
    chosen = ana.page.locator("#tool-choice [aria-checked=true]")
    expect(chosen).to_have_accessible_name("Box")
    ana.go_to(".bar")
    ana.button("More")
    ana.button("Keys and shortcuts")
    ana.tab_to(dialog.get_by_role("checkbox"))
    ana.press("Space", "Escape")
    ana.go_to("#board")
    ana.press("p", "r", "c", "?")
    expect(dialog).to_be_hidden()
    expect(ana.page.locator("#board")).to_be_focused()
    expect(chosen).to_have_accessible_name("Box")
    assert ana.desk.settle()["pending"] == 0
    assert ana.page.evaluate("() => lectern.store.shown.hands") == []
    ana.page.reload()
    ana.desk.ready()
    ana.go_to("#board")
    ana.press("b")
    expect(chosen).to_have_accessible_name("Pen")
    ana.press("Enter")  # named keys act as before, and letters are letters where one writes
    ana.tab_to(ana.page.get_by_role("textbox", name="Message to the class"))
    ana.type("p?")
    expect(ana.page.get_by_role("textbox", name="Message to the class")).to_have_value("p?")


@pytest.mark.parametrize("size", SIZES)
def test_the_focus_is_never_under_a_bar(server: Server, lesson: int, people: People, size: str) -> None:
    page = people.window(server.url, viewport=SIZES[size])
    ana = Keyboard(page)
    join(page, "Ana")
    for n in range(30):
        page.evaluate("(n) => { lectern.session.propose('chat.post', { text: `Post ${n}` }); }", n)
    ana.desk.settle()
    seen = set()
    for key in ["Tab"] * 45 + ["Shift+Tab"] * 45:
        ana.tab(key)
        seen.add(page.evaluate("() => document.activeElement.id || document.activeElement.className"))
    assert {"board", "say-text", "tab-people", "undo"} & seen >= {"board", "say-text", "tab-people"}
    ana.tab_to(page.get_by_role("tab", name="People"))
    ana.press("ArrowRight")
    ana.tab_to(page.locator("#messages > .message").last)
    for key in ["ArrowUp"] * 25 + ["Home", "ArrowDown", "End"]:
        ana.tab(key)
