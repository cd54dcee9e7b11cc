"""Coming in by the pages, as people do: staff with a password, students with the code."""

from playwright.sync_api import Page, expect

from tests.support.cast import CODE, PASSWORD
from tests.support.desk import Desk
from tests.support.server import Server


def log_in(page: Page, name: str = "teacher") -> None:
    """Sign in as the teacher, or as another of the staff."""
    page.goto("/teach/")
    give_password(page, name)
    expect(page.get_by_role("heading", name="Your classrooms")).to_be_visible()


def give_password(page: Page, name: str) -> None:
    """Fill the sign-in form for one of the cast, and send it."""
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("[type=submit]").first.click()


def teach(page: Page, server: Server) -> Desk:
    """Start a lesson on one blank sheet, the one before it ended, and open it as the teacher."""
    server.end_lessons()
    lesson = server.start_lesson()
    log_in(page)
    page.goto(f"/lessons/{lesson}/")
    return Desk(page).ready()


def join(page: Page, name: str) -> Desk:
    """Come in by the code as a guest."""
    page.goto(f"/j/{CODE}/")
    page.get_by_role("textbox", name="Your name").fill(name)
    page.keyboard.press("Enter")
    page.wait_for_url("**/lessons/*/")
    return Desk(page).ready()
