"""Pages 320 pixels wide, with the system's own colours, and without motion: nothing is cut off or unseen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import People
from tests.support.cast import CODE
from tests.support.desk import Desk
from tests.support.server import Server
from tests.support.visits import join, log_in, teach

NARROW = {"width": 320, "height": 640}
TEACHERS = (
    "", "classrooms/classroom/", "classrooms/classroom/add/", "classrooms/classroom/1/change/",
    "classrooms/classroom/1/start/", "classrooms/classroom/1/code/", "whiteboard/deck/", "whiteboard/deck/add/",
    "classrooms/lesson/", "account/",
)  # fmt: skip
# What sticks out of the page, or of an open dialog, to the side.
WIDE = """() => {
  const roots = [document.documentElement, ...document.querySelectorAll("dialog[open], dialog[open] > *, .scroll")];
  return roots.filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth + 1)
    .map((one) => `${one.tagName} ${one.id}: ${one.scrollWidth} in ${one.clientWidth}`);
}"""
DIALOGS = "() => [...document.querySelectorAll('dialog')].map(({ id }) => id)"
# How two states of a control look, but for what their colours are called: forced colours leave no others.
LOOK = """([selector, state]) => {
  const looks = new Map();
  for (const one of document.querySelectorAll(selector)) {
    if (!one.checkVisibility()) continue;
    const style = getComputedStyle(one), inner = getComputedStyle(one.querySelector("i") ?? one);
    const after = getComputedStyle(one, "::after");
    const on = one.getAttribute(state) === "true";
    looks.set(on, [style.backgroundColor, style.outlineStyle, inner.outlineStyle, after.content].join());
  }
  return [looks.get(true) ?? null, looks.get(false) ?? null];
}"""
# Icons whose lines have the colour of what is under them.
UNSEEN = """() => [...document.querySelectorAll("svg.icon")].filter((icon) => icon.checkVisibility()).filter((icon) => {
  let under = icon;
  while (under && getComputedStyle(under).backgroundColor.endsWith(", 0)")) under = under.parentElement;
  return getComputedStyle(icon).stroke === getComputedStyle(under ?? document.documentElement).backgroundColor;
}).map((icon) => icon.parentElement.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def fits(page: Page, where: str) -> None:
    assert page.evaluate(WIDE) == [], where


def fit_dialogs(page: Page, who: str) -> None:
    for dialog in page.evaluate(DIALOGS):
        page.evaluate("(id) => document.getElementById(id).showModal()", dialog)
        fits(page, f"{who}, {dialog}")
        page.evaluate("(id) => document.getElementById(id).close()", dialog)


def test_no_page_scrolls_sideways_at_320_pixels(server: Server, people: People) -> None:
    people.expected += ["Failed to load resource"]
    server.end_lessons()
    guest, teacher = (people.window(server.url, viewport=NARROW) for _ in range(2))
    for path in ("/", "/lessons/999/", "/teach/"):
        guest.goto(path)
        fits(guest, path)
    guest.goto(f"/j/{CODE}/")
    guest.get_by_role("textbox", name="Your name").fill("Wolfeschlegelsteinhausenbergerdorff")
    guest.keyboard.press("Enter")
    expect(guest.get_by_role("heading", name="Waiting for the lesson")).to_be_visible()
    fits(guest, "waiting")
    log_in(teacher)
    for path in TEACHERS:
        teacher.goto(f"/teach/{path}")
        fits(teacher, path)
    teacher.goto(f"/lessons/{server.start_lesson()}/")
    Desk(teacher).ready()
    guest.wait_for_url("**/lessons/*/")
    Desk(guest).ready()
    guest.get_by_role("button", name="Raise hand").click()
    teacher.get_by_role("button", name="Call on Wolfe").click()
    expect(guest.locator("#turn")).to_be_visible()
    for page, who in ((teacher, "teacher"), (guest, "student")):
        fits(page, who)
        fit_dialogs(page, who)
        page.get_by_role("tab", name="Chat").click()
        page.get_by_role("textbox", name="Message to the class").fill("W" * 200)
        page.keyboard.press("Enter")
        expect(page.locator("#messages")).to_contain_text("W" * 200)
        fits(page, f"{who}, chat")
    server.end_lessons()
    for page in (teacher, guest):
        expect(page.get_by_role("heading", name="The lesson has ended")).to_be_visible()
        fits(page, "over")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pressed_and_chosen_are_seen_in_forced_colours(server: Server, people: People, scheme: str) -> None:
    window = people.window(server.url, forced_colors="active", color_scheme=scheme)
    teacher = teach(window, server)
    ana = join(people.window(server.url, forced_colors="active", color_scheme=scheme), "Ana")
    join(people.window(server.url), "Ben")
    ana.draw((0.2, 0.2), (0.5, 0.5))
    ana.page.get_by_role("button", name="Raise hand").click()
    teacher.choose("Who may draw", "Chosen")
    window.get_by_role("button", name="Let Ana draw").last.click()
    expect(window.locator("#hand-rows [aria-pressed=true]")).to_be_visible()
    expect(window.locator("#people-rows [data-allows]:visible")).to_have_count(2)
    expect(window.locator("#people-rows [aria-pressed=true]")).to_have_count(1)
    window.locator("#board").focus()
    for key in ("v", "Tab"):
        window.keyboard.press(key)
    expect(window.locator(".pick-bar")).to_be_visible()
    pairs = [
        ("#draw-switch button", "aria-checked"), ("#tool-choice .tool", "aria-checked"),
        ("#tool-color .dot", "aria-checked"), ("#tool-width .width", "aria-checked"), (".tabs button", "aria-selected"),
        (".pick-bar .dot", "aria-pressed"),
        ("#people-rows [data-allows]", "aria-pressed"),
    ]  # fmt: skip
    for selector, state in pairs:
        on, off = window.evaluate(LOOK, [selector, state])
        assert on is not None, selector
        assert off is not None, selector
        assert on != off, f"{selector} looks the same, pressed or not: {on}"
    hand = [ana.page.evaluate(LOOK, ["#raise", "aria-pressed"])[0]]
    ana.page.get_by_role("button", name="Lower hand").click()
    expect(ana.page.locator("#raise")).to_have_attribute("aria-pressed", "false")
    assert [ana.page.evaluate(LOOK, ["#raise", "aria-pressed"])[1]] != hand
    for desk in (teacher, ana):
        assert desk.page.evaluate(UNSEEN) == []


def test_nothing_moves_by_itself_where_motion_is_unwanted(server: Server, people: People) -> None:
    window = people.window(server.url, reduced_motion="reduce")
    teacher = teach(window, server)
    ana = join(people.window(server.url, reduced_motion="reduce"), "Ana")
    window.get_by_role("button", name="More", exact=True).click()
    running = "() => document.getAnimations().filter(({ playState }) => playState === 'running').length"
    assert window.evaluate(running) == 0
    window.keyboard.press("Escape")
    teacher.draw((0.1, 0.1), (0.4, 0.4))
    teacher.settle()
    assert ana.page.evaluate(running) == 0
