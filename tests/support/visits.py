"""Coming in: staff with a password, students with the code; by the forms where these are what a story is about."""

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


def sign_in(page: Page, name: str = "teacher") -> None:
    """Sign in as `log_in` does, and send the form without drawing a page."""
    form = page.context.request.get("/teach/")
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "csrftoken")
    fields: dict[str, str | float | bool] = {"login": name, "password": PASSWORD, "csrfmiddlewaretoken": token}
    answer = page.context.request.post(form.url, form=fields)
    assert answer.url.endswith("/teach/"), answer.url


def teach(page: Page, server: Server) -> Desk:
    """Start a lesson on one blank sheet, the one before it ended, and open it as the teacher."""
    server.end_lessons()
    lesson = server.start_lesson()
    sign_in(page)
    page.goto(f"/lessons/{lesson}/")
    return Desk(page).ready()


def join_by_form(page: Page, name: str) -> Desk:
    """Come in by the code as a guest does, by the page that asks for the name."""
    page.goto(f"/j/{CODE}/")
    page.get_by_role("textbox", name="Your name").fill(name)
    page.keyboard.press("Enter")
    page.wait_for_url("**/lessons/*/")
    return Desk(page).ready()


def join(page: Page, name: str) -> Desk:
    """Come in as `join_by_form` does, and send what it sends without drawing the page."""
    answer = page.context.request.post("/api/join/", data={"code": CODE, "name": name})
    assert answer.status == 201, answer.text()
    page.goto(f"/lessons/{answer.json()['lesson']}/")
    return Desk(page).ready()
