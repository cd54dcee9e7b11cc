"""The pages at hand in every window: a strip at the side where there is room, else behind a button."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import People
from tests.support.server import Server
from tests.support.visits import join, teach


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (820, 1180), (390, 844), (844, 390)])
def test_a_teacher_turns_to_any_page(server: Server, people: People, width: int, height: int) -> None:
    page = people.window(server.url, viewport={"width": width, "height": height})
    desk = teach(page, server)
    page.evaluate(
        """() => {
          const { session } = window.lectern;
          const sheet = (n) => ({ page: session.newItem(), kind: "blank", title: `Sheet ${n}` });
          for (const n of [1, 2, 3]) session.propose("page.add", sheet(n));
        }"""
    )
    desk.settle()
    button, film = page.locator("#film-button"), page.locator("#film")
    if width > 1180:
        expect(button).to_be_hidden()
    else:
        expect(film).to_be_hidden()
        button.click()
        expect(page.locator('#thumbs [aria-current="page"]')).to_be_focused()
        page.keyboard.press("Escape")
        expect(film).to_be_hidden()
        expect(button).to_be_focused()
        button.click()
    expect(film).to_be_visible()
    page.get_by_role("button", name="Page 4: Sheet 3").click()
    expect(page.locator("#where")).to_contain_text("Page 4")
    if width <= 1180:
        expect(film).to_be_hidden()
        button.click()
        page.locator("#where").click()
        expect(film).to_be_hidden()


def test_a_student_looks_at_another_page_and_comes_back(server: Server, people: People) -> None:
    teacher = people.window(server.url)
    teach(teacher, server)
    teacher.locator("#film").get_by_role("button", name="Blank page").click()
    page = people.window(server.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    join(page, "Ana")
    expect(page.locator("#where")).to_contain_text("Page 2")
    page.locator("#film-button").tap()
    page.get_by_role("button", name="Page 1").tap()
    expect(page.locator("#follow")).to_contain_text("Back to live page 2")
    page.locator("#follow").tap()
    expect(page.locator("#where")).to_contain_text("Page 2")
