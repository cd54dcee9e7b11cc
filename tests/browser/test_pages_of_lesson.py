"""Pages of a lesson: renamed, moved and removed; what comes next; turned by hand; the projector's view."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import People
from tests.support.desk import Desk
from tests.support.server import Server
from tests.support.visits import join, teach

ADD_SHEETS = """(titles) => {
  const { session } = window.lectern;
  for (const title of titles) session.propose("page.add", { page: session.newItem(), kind: "blank", title });
}"""
TITLES = "() => window.lectern.store.lesson.pages.map((page) => page.title)"


@pytest.fixture(scope="module")
def house() -> Iterator[Server]:
    with Server() as server:
        yield server


def teach_pages(house: Server, people: People, *titles: str, width: int = 1440, height: int = 900) -> Desk:
    """A teacher in a lesson with a blank sheet and one more for each title."""
    desk = teach(people.window(house.url, viewport={"width": width, "height": height}), house)
    desk.page.evaluate(ADD_SHEETS, list(titles))
    desk.settle()
    return desk


def thumb(page: Page, name: str) -> str:
    return f'#thumbs .thumb[aria-label^="{name}"]'


def test_a_page_is_renamed_moved_and_removed_for_everyone(house: Server, people: People) -> None:
    teacher = teach_pages(house, people, "One", "Two", "Three")
    ana = join(people.window(house.url), "Ana")
    page = teacher.page
    page.locator(thumb(page, "Page 3: Two")).click()
    teacher.settle()
    page.get_by_role("button", name="Menu of page 3").click()
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Everybody sees it").fill("  Two stages ")
    page.keyboard.press("Enter")
    expect(ana.page.locator(thumb(ana.page, "Page 3: Two stages"))).to_be_visible()

    page.get_by_role("button", name="Menu of page 3").click()
    page.get_by_role("button", name="Move earlier").click()
    page.get_by_role("button", name="Move earlier").click()
    expect(page.get_by_role("button", name="Move earlier")).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#page-menu-title")).to_have_text("Page 1: Two stages")
    page.keyboard.press("Escape")
    expect(ana.page.locator(thumb(ana.page, "Page 1: Two stages"))).to_be_visible()

    teacher.draw((0.2, 0.2), (0.6, 0.6))
    teacher.draw((0.2, 0.6), (0.6, 0.2))
    teacher.settle()
    page.get_by_role("button", name="Menu of page 1").click()
    page.get_by_role("button", name="Remove the page").click()
    expect(page.locator("#page-remove-text")).to_contain_text("2 drawings and texts on it go with it")
    page.get_by_role("dialog").get_by_role("button", name="Remove the page").click()
    teacher.settle()
    assert teacher.page.evaluate(TITLES) == ["", "One", "Three"]
    ana.wait("lectern.store.lesson.pages.length === 3")
    expect(ana.page.locator("#where")).to_contain_text("Page 1 of 3")


def test_a_page_is_moved_and_removed_by_keys_and_keeps_the_focus(house: Server, people: People) -> None:
    teacher = teach_pages(house, people, "One", "Two")
    page = teacher.page
    page.locator('#thumbs [aria-current="page"]').focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(thumb(page, "Page 3: One"))).to_be_focused()
    expect(page.locator("#polite")).to_have_text("Moved to place 3 of 3")
    page.keyboard.press("F2")
    page.get_by_label("Everybody sees it").fill("Last")
    page.keyboard.press("Enter")
    expect(page.locator(thumb(page, "Page 3: Last"))).to_be_focused()
    page.keyboard.press("Delete")
    expect(page.locator("#page-remove-text")).to_contain_text("Nothing is drawn on it")
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+ArrowUp")
    teacher.settle()
    assert page.evaluate(TITLES) == ["", "Last", "Two"]


def test_the_only_page_stays(house: Server, people: People) -> None:
    teacher = teach_pages(house, people)
    teacher.page.get_by_role("button", name="Menu of page 1").click()
    expect(teacher.page.get_by_role("button", name="The only page stays")).to_have_attribute("aria-disabled", "true")


def test_students_are_offered_nothing_of_that(house: Server, people: People) -> None:
    teach_pages(house, people, "One")
    ana = join(people.window(house.url), "Ana")
    expect(ana.page.locator("#thumbs .thumb")).to_have_count(2)
    expect(ana.page.locator(".page-more, #preview, #page-menu")).to_have_count(0)
