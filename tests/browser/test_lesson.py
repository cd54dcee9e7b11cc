"""Story of a lesson on a real lecture: log in, upload, start, join, turn pages, draw, lock, hands, chat, end."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.support.browser import People, chromium
from tests.support.desk import Desk, agree
from tests.support.server import Server
from tests.support.visits import join_by_form as join
from tests.support.visits import log_in

LECTURES = Path("/usr/share/doc/packaging-tutorial")
LECTURE, JAPANESE = LECTURES / "packaging-tutorial.pdf", LECTURES / "packaging-tutorial.ja.pdf"
GUESTS = ("Ana", "Ben", "Chi")


def upload(page: Page, lecture: Path, title: str) -> None:
    """Upload a PDF and wait until its last page shows."""
    page.goto("/teach/")
    page.get_by_role("link", name="Upload a PDF").click()
    page.get_by_label("PDF").set_input_files(lecture)
    page.get_by_label("Title").fill(title)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#deck")).to_be_visible(timeout=30_000)
    expect(page.locator("#done")).to_be_hidden(timeout=120_000)  # the bar goes with the last page
    expect(page.locator("#pages img").first).to_be_visible()


def start(page: Page, *titles: str) -> Desk:
    page.goto("/teach/")
    page.get_by_role("link", name="Start a lesson").click()
    for title in titles:
        page.get_by_role("listitem").filter(has_text=title).get_by_role("checkbox").check()
    page.get_by_label("Title").fill("Packaging")
    page.get_by_role("button", name="Start the lesson").click()
    page.wait_for_url("**/lessons/*/")
    return Desk(page).ready()


def turn_ten_pages(teacher: Desk, students: list[Desk]) -> None:
    for number in range(2, 12):
        teacher.turn_to(number)
        for student in students:
            expect(student.page.locator("#where")).to_contain_text(f"Page {number} ")
    for desk in (teacher, *students):
        expect(desk.page.locator("#board-slide")).to_be_visible()
        desk.page.wait_for_function("() => document.getElementById('board-slide').naturalWidth > 0")


def draw_all_at_once(desks: list[Desk]) -> None:
    empty = desks[0].pixels()
    for row, desk in enumerate(desks):
        desk.draw((0.1, 0.2 + row * 0.15), (0.5, 0.25 + row * 0.15), (0.8, 0.2 + row * 0.15))
    for row, desk in enumerate(reversed(desks)):
        desk.draw((0.2 + row * 0.15, 0.1), (0.25 + row * 0.15, 0.9))
    agree(desks)
    assert desks[0].pixels() != empty


def lock_and_unlock(teacher: Desk, students: list[Desk]) -> None:
    ana = students[0]
    teacher.choose("Who may draw", "Staff")
    expect(ana.page.locator("#tools-words")).to_be_visible()
    before = agree([teacher, *students])
    ana.draw((0.3, 0.3), (0.6, 0.6))
    teacher.draw((0.1, 0.9), (0.9, 0.9))
    assert agree([teacher, *students]) == before + 1, "the locked stroke left an event"
    teacher.choose("Who may draw", "Everyone")
    expect(ana.page.locator("#tools-words")).to_be_hidden()
    ana.draw((0.3, 0.35), (0.6, 0.65))
    assert agree([teacher, *students]) == before + 3


def raise_hands(teacher: Desk, students: list[Desk]) -> None:
    for student in (students[1], students[0]):
        student.page.get_by_role("button", name="Raise hand").click()
        student.settle()
    hands = teacher.page.locator("#hand-rows")
    expect(hands.get_by_role("listitem")).to_have_count(2)
    expect(hands.get_by_role("listitem").first).to_contain_text(GUESTS[1])
    hands.get_by_role("button", name=f"Lower the hand of {GUESTS[1]}").click()
    expect(hands.get_by_role("listitem")).to_have_count(1)
    teacher.page.get_by_role("button", name="Lower all").click()
    expect(teacher.page.locator("#hands")).to_be_hidden()


def chat(teacher: Desk, students: list[Desk]) -> None:
    hostile = '<img src=x onerror="alert(1)"> 🙂 日本'
    students[2].page.get_by_role("textbox", name="Message to the class").fill(hostile)
    students[2].page.get_by_role("button", name="Send").click()
    for desk in (teacher, *students):
        desk.page.get_by_role("tab", name="Chat").click()
        expect(desk.page.locator("#messages")).to_contain_text(hostile)


def end(teacher: Desk, students: list[Desk]) -> None:
    teacher.page.get_by_role("button", name="End lesson").first.click()
    teacher.page.locator("#end-now").click()
    for desk in (teacher, *students):
        expect(desk.page.get_by_role("heading", name="The lesson has ended")).to_be_visible()


def teach(server: Server, people: People, url: str) -> None:
    """The whole story; `url` is where the class finds the server."""
    desk = people.window(url)
    desk.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    log_in(desk)
    upload(desk, LECTURE, "Tutorial")
    upload(desk, JAPANESE, "チュートリアル")
    teacher = start(desk, "Tutorial", "チュートリアル")
    students = [join(people.window(url), name) for name in GUESTS]
    expect(teacher.page.locator("#here-chip")).to_contain_text("4")
    turn_ten_pages(teacher, students)
    draw_all_at_once([teacher, *students])
    lock_and_unlock(teacher, students)
    raise_hands(teacher, students)
    chat(teacher, students)
    end(teacher, students)
    lesson = int(teacher.page.url.rstrip("/").rsplit("/", 1)[1])
    events = server.events(lesson)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["kind"] == "lesson.ended"


@pytest.mark.timeout(300)
def test_a_lesson_is_taught_from_a_real_lecture(server: Server, people: People) -> None:
    teach(server, people, server.url)


@pytest.mark.timeout(300)
def test_the_same_lesson_is_taught_over_plain_http_on_the_classrooms_network(playwright: Playwright) -> None:
    with (
        Server(env={"ALLOWED_HOSTS": "lectern.test"}) as server,
        chromium(playwright, resolve=["lectern.test"]) as browser,
    ):
        people = People(browser)
        url = f"http://lectern.test:{server.port}"
        teach(server, people, url)
        people.close()
