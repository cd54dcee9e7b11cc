"""The harness of the stories: a window reaches the server, and a page's complaint fails the test that opened it."""

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.support.browser import People, chromium
from tests.support.server import Server


def test_a_student_joins_by_code_and_is_in_the_lesson(server: Server, people: People) -> None:
    lesson = server.start_lesson()
    page = people.window(server.url)
    page.goto("/j/TESTED/")
    page.get_by_role("textbox", name="Name").fill("Ana")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/lessons/{lesson}/")
    expect(page).to_have_title("Photosynthesis · Lectern")


def test_a_host_name_leads_to_this_machine(playwright: Playwright) -> None:
    with (
        Server(env={"ALLOWED_HOSTS": "lectern.test"}) as server,
        chromium(playwright, resolve=["lectern.test"]) as browser,
    ):
        people = People(browser)
        page = people.window(f"http://lectern.test:{server.port}")
        page.goto("/")
        assert page.evaluate("window.isSecureContext") is False
        people.close()


def test_what_a_page_complains_of_fails_the_test(browser: Browser) -> None:
    people = People(browser)
    page = people.window("http://127.0.0.1")
    page.evaluate("console.error('the board is gone')")
    page.evaluate("setTimeout(() => { throw new Error('thrown later') })")
    page.evaluate("new Promise(resolve => setTimeout(resolve, 50))")
    with pytest.raises(AssertionError, match="the board is gone"):
        people.close()
    people.expected = ["the board is gone", "thrown later"]
    people.close()
