"""The pages at hand in every window: a strip at the side where there is room, else behind a button."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import People
from tests.support.cast import CODE
from tests.support.desk import Desk
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
        page.locator("#title").click()  # in the bar, where the strip never lies
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
    expect(page.locator("#follow")).to_have_text("Live page 2")
    page.get_by_role("button", name="Back to live page 2").tap()
    expect(page.locator("#where")).to_contain_text("Page 2")


# Whatever of an element sticks out of it to either side; what is centred sticks out unmeasured on the left.
STICKS_OUT = """(id) => {
  const whole = document.getElementById(id), { left, right } = whole.getBoundingClientRect();
  const shown = [...whole.querySelectorAll("button, span")].filter((one) => one.checkVisibility());
  return shown.filter((one) => {
    const box = one.getBoundingClientRect();
    return box.left < left - 0.5 || box.right > right + 0.5;
  }).map((one) => one.outerHTML.slice(0, 120));
}"""


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
def test_the_way_back_to_the_class_fits_a_phone(server: Server, people: People, locale: str) -> None:
    teacher = people.window(server.url)
    teach(teacher, server)
    teacher.locator("#film").get_by_role("button", name="Blank page").click()
    page = people.window(server.url, viewport={"width": 390, "height": 844}, has_touch=True, locale=locale)
    page.goto(f"/j/{CODE}/")
    page.locator("input[name=name]").fill("Ana")
    page.keyboard.press("Enter")
    page.wait_for_url("**/lessons/*/")
    Desk(page).ready()
    page.evaluate("() => lectern.store.look(lectern.store.shown.pages[0].id)")
    expect(page.locator("#follow")).to_be_visible()
    for width in (320, 360, 390):
        page.set_viewport_size({"width": width, "height": 740})
        assert page.evaluate(STICKS_OUT, "pager") == [], width
        where = page.locator("#where")
        if where.is_visible():
            assert where.evaluate("(where) => where.scrollWidth - where.clientWidth") <= 1, f"cut off at {width}"
            assert where.evaluate("(where) => where.clientHeight") < 40, f"upright at {width}"
        name = page.locator("#follow").get_attribute("aria-label") or ""
        assert page.locator("#follow").inner_text().lower() in name.lower(), (
            "who speaks what is seen must be understood"
        )


def test_a_page_is_called_by_its_title_where_there_is_room_and_the_arrows_stay(server: Server, people: People) -> None:
    page = people.window(server.url)
    desk = teach(page, server)
    long = "Light reactions in the thylakoid membrane and what becomes of them afterwards"
    page.evaluate(
        """(title) => {
          const { session } = window.lectern;
          const sheet = (title) => ({ page: session.newItem(), kind: "blank", title });
          for (const one of [title, "Cycle"]) session.propose("page.add", sheet(one));
        }""",
        long,
    )
    desk.settle()
    arrows = set()
    for number, title in ((1, ""), (2, long), (3, "Cycle")):
        page.evaluate(
            "(n) => lectern.session.propose('page.show', { page: lectern.store.shown.pages[n - 1].id })", number
        )
        expect(page.locator("#where")).to_have_text(f"Page {number} of 3" + (title and f" · {title}"))
        arrows.add(tuple(page.locator(one).bounding_box()["x"] for one in ("#previous", "#next")))  # type: ignore[index]
        assert page.evaluate(STICKS_OUT, "pager") == []
    assert len(arrows) == 1, "what is pressed again and again stays under the finger"
    expect(page.locator("#where .title")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator("#where .title")).to_be_hidden()
