"""Stories of the door: every way of not coming in says why and what to do next, and a wait ends by itself."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import People
from tests.support.cast import CODE
from tests.support.client import Client
from tests.support.server import Server
from tests.support.wifi import Loop, Wifi

SEATS = 3


@pytest.fixture(scope="module")
def small() -> Iterator[Server]:
    """A server whose lessons seat three."""
    with Server(env={"LESSON_MAX_SEATS": str(SEATS)}) as server:
        yield server


@pytest.fixture
def people(people: People) -> People:
    people.expected = ["Failed to load resource"]  # a refusal is an answer with a status of its own
    return people


def fill(page: Page, code: str, name: str) -> None:
    page.get_by_role("textbox", name="Code").fill(code)
    page.get_by_role("textbox", name="Your name").fill(name)
    page.keyboard.press("Enter")


def propose(server: Server, lesson: int, kind: str, data: dict[str, object]) -> None:
    """Have the teacher do something, without a window."""

    async def act() -> None:
        async with await Client.staff(server, lesson) as teacher:
            await teacher.propose(kind, data)

    loop = Loop()
    loop.run(act())
    loop.close()


def test_a_code_that_cannot_be_is_explained_without_a_try(small: Server, people: People) -> None:
    page = people.window(small.url)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/" in request.url else None)
    page.goto("/")
    fill(page, "TEST", "Ana")
    expect(page.locator("#code-wrong")).to_contain_text("six letters")
    fill(page, "TE0TED", "Ana")
    expect(page.locator("#code-wrong")).to_contain_text("“0”")
    expect(page.get_by_role("textbox", name="Code")).to_be_focused()
    fill(page, CODE, " ")
    expect(page.locator("#name-wrong")).to_contain_text("Type the name")
    assert asked == []
    fill(page, "AAAAAA", "Ana")
    expect(page.locator("#code-wrong")).to_contain_text("No classroom has this code")


def test_a_pasted_address_brings_the_code_and_the_name_is_remembered(small: Server, people: People) -> None:
    small.end_lessons()
    lesson = small.start_lesson()
    page = people.window(small.url)
    page.goto("/")
    page.get_by_role("textbox", name="Code").focus()
    page.evaluate(
        """(text) => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text", text);
          document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, cancelable: true }));
        }""",
        f"Come in: http://192.168.0.7:8000/j/{CODE.lower()}/",
    )
    expect(page.get_by_role("textbox", name="Code")).to_have_value(CODE)
    expect(page.get_by_role("textbox", name="Your name")).to_be_focused()
    page.keyboard.type("Ana")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/lessons/{lesson}/")
    page.goto(f"/j/{CODE}/")
    expect(page.get_by_role("textbox", name="Your name")).to_have_value("Ana")


def test_whoever_waits_sees_where_and_comes_in_by_themselves(small: Server, people: People) -> None:
    small.end_lessons()
    with Wifi(small.port) as wifi:
        page = people.window(wifi.url)
        page.goto(f"/j/{CODE}/")
        fill(page, CODE, "Ana")
        expect(page.get_by_role("heading", name="Waiting for the lesson")).to_be_focused()
        expect(page.locator("#waiting-room")).to_have_text("Photosynthesis")
        expect(page.locator("#waiting-state")).to_contain_text(f"Ana, waiting with code {CODE}")
        expect(page).to_have_title("Waiting for the lesson · Lectern")
        wifi.lose()
        expect(page.locator("#waiting-state")).to_contain_text("No connection")
        wifi.find()
        lesson = small.start_lesson()
        page.wait_for_url(f"**/lessons/{lesson}/")
        people.expected.append("WebSocket connection")  # the network goes for good now


def test_a_locked_door_a_full_lesson_and_a_removal_say_what_to_do(small: Server, people: People) -> None:
    small.end_lessons()
    lesson = small.start_lesson()
    ana, ben = people.window(small.url), people.window(small.url)
    ana.goto("/")
    fill(ana, CODE, "Ana")
    ana.wait_for_url(f"**/lessons/{lesson}/")
    ana.wait_for_function("() => window.lectern?.session.status.phase === 'live'")
    participant = ana.evaluate("() => window.lectern.store.me.id")
    propose(small, lesson, "policy.set", {"door": "locked"})
    ben.goto("/")
    fill(ben, CODE, "Ben")
    expect(ben.get_by_role("heading", name="The door is locked")).to_be_focused()
    expect(ben.locator("#away-text")).to_contain_text("Ask to be let in")
    propose(small, lesson, "policy.set", {"door": "open"})
    for number in range(SEATS):
        small.request("POST", "/api/join/", {"code": CODE, "name": f"Guest {number}"})
    ben.get_by_role("button", name="Try again").click()
    expect(ben.get_by_role("heading", name="The lesson is full")).to_be_visible()
    expect(ben.locator("#away-text")).to_contain_text("Ask the teacher to make room")
    ben.get_by_role("button", name="Change code or name").click()
    expect(ben.get_by_role("textbox", name="Code")).to_be_focused()
    propose(small, lesson, "person.remove", {"participant": participant})
    ana.goto("/")
    fill(ana, CODE, "Ana")
    expect(ana.get_by_role("heading", name="You were removed")).to_be_visible()


def test_too_many_tries_count_down(people: People) -> None:
    with Server() as server:
        page = people.window(server.url)
        page.goto("/")
        status = 0
        while status != 429:
            with page.expect_response("**/api/join/") as answer:
                fill(page, "AAAAAA", "Ana")
            status = answer.value.status
        expect(page.get_by_role("heading", name="Too many tries")).to_be_visible()
        again = page.locator("#again")
        expect(again).to_be_disabled()
        expect(again).to_have_text("Try again", timeout=20_000)
        expect(again).to_be_enabled()


def test_error_pages_wear_our_skin(small: Server, people: People) -> None:
    page = people.window(small.url)
    page.goto("/lessons/999/")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    page.get_by_role("link", name="Join a lesson").click()
    expect(page.get_by_role("textbox", name="Code")).to_be_visible()
