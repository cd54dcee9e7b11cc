"""Stories of decks: taught from as soon as there is a page; described and put in order by keyboard."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support import pdfs
from tests.support.browser import People
from tests.support.desk import Desk
from tests.support.server import Server
from tests.support.visits import log_in

PAGES = 40


def test_a_teacher_starts_with_the_first_page_and_gets_the_others(
    server: Server, people: People, tmp_path: Path
) -> None:
    server.end_lessons()
    lecture = tmp_path / "Leaves.pdf"
    lecture.write_bytes(pdfs.good(PAGES))
    page = people.window(server.url)
    log_in(page)
    page.goto("/teach/whiteboard/deck/add/")
    page.get_by_label("PDF").set_input_files(lecture)
    page.get_by_role("button", name="Upload").click()

    page.locator("#next-step a").first.click(timeout=30_000)  # it is there with the first page
    page.get_by_role("button", name="Start the lesson").click()
    desk = Desk(page).ready()
    desk.wait(f"lectern.store.shown.pages.length === {PAGES}", timeout=60)
    numbers = page.evaluate("window.lectern.store.shown.pages.map((page) => page.slide.number)")
    assert numbers == list(range(1, PAGES + 1))
    late = server.rows("SELECT count(*) FROM classrooms_event WHERE op LIKE 'slide:%'")
    assert late[0][0] > 0


def test_an_upload_tells_how_many_bytes_are_sent_and_can_be_broken_off(
    server: Server, people: People, tmp_path: Path
) -> None:
    lecture = tmp_path / "Leaves.pdf"
    lecture.write_bytes(pdfs.good(1) + b"%" * 2_000_000)
    page = people.window(server.url)
    log_in(page)
    page.goto("/teach/whiteboard/deck/add/")
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000}  # bytes a second
    line.send("Network.emulateNetworkConditions", slow)
    page.get_by_label("PDF").set_input_files(lecture)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_function("() => { const {value} = document.getElementById('sent'); return value > 0 && value < 1; }")
    expect(page.locator("#sent-share")).to_have_text(re.compile(r"^[1-9]\d? %$"))
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#sending")).to_be_hidden()
    expect(page.get_by_role("button", name="Upload")).to_be_enabled()


BOXES = """() => [...document.querySelectorAll(".heading")].flatMap((row) => [...row.querySelectorAll("h1, h2, .btn")])
  .map((one) => one.getBoundingClientRect()).map(({left, right}) => [left, right])"""
SIDE = """() => { const row = document.querySelector(".heading"); const [title, tools] = row.children;
  const [a, b] = [title, tools].map((one) => one.getBoundingClientRect());
  return a.top < b.bottom && b.top < a.bottom; }"""


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_long_title_breaks_on_a_phone_and_stands_beside_its_buttons_on_a_desk(
    server: Server, people: People, language: str
) -> None:
    page = people.window(server.url, viewport={"width": 820, "height": 1180})
    log_in(page)
    page.context.set_extra_http_headers({"Accept-Language": language})
    page.goto("/teach/classrooms/classroom/add/")
    page.locator("[name=title]").fill("Donaudampfschifffahrtselektrizitätenhauptbetriebswerk " * 2)
    page.locator("main form .primary").click()
    page.wait_for_url("**/change/")
    room = page.url.removesuffix("change/")
    roster = f"/teach/classrooms/rosterentry/?classroom__id__exact={room.rstrip('/').rpartition('/')[2]}"
    page.goto(roster)
    assert page.evaluate(SIDE)
    for width in (390, 360):
        page.set_viewport_size({"width": width, "height": 780})
        for address in ("/teach/", f"{room}change/", f"{room}start/", roster, "/teach/whiteboard/deck/"):
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, address)
            assert all(left >= 0 and right <= width for left, right in page.evaluate(BOXES)), (width, address)


def test_pages_are_described_and_moved_by_keyboard_and_a_lesson_reads_the_description_out(
    server: Server, people: People, tmp_path: Path
) -> None:
    lecture = tmp_path / "Leaves.pdf"
    lecture.write_bytes(pdfs.good(2, text=""))
    page = people.window(server.url)
    log_in(page)
    page.goto("/teach/whiteboard/deck/add/")
    page.get_by_label("PDF").set_input_files(lecture)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#pages li")).to_have_count(2, timeout=30_000)
    expect(page.get_by_text("Needs description")).to_have_count(2)

    press(page, "Page 2", "summary", "Enter")
    press(page, "Page 2", "[name=alt]", "A", "l", "e", "a", "f")
    press(page, "Page 2", "[value=save]", "Enter")
    expect(page.get_by_text("Needs description").locator("visible=true")).to_have_count(1)
    press(page, "Page 2", "[value=earlier]", "Enter")
    expect(page.locator("#pages li").first).to_have_id("page-2")

    page.locator("#next-step a").first.click()
    page.get_by_role("button", name="Start the lesson").click()
    Desk(page).ready()
    expect(page.locator("#slide-text")).to_contain_text("Aleaf")


def press(page: Page, leaf: str, part: str, *keys: str) -> None:
    """Press keys on a part of a page's form."""
    place = page.get_by_role("group", name=leaf, exact=True).locator(part)
    place.focus()
    for key in keys:
        page.keyboard.press(key)
