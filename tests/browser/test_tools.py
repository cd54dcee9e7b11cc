"""Stories of the tools: what one draws, writes, takes back and clears is the same at the other's, to the pixel."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_lesson import join, log_in
from tests.support.browser import People
from tests.support.desk import Desk, agree
from tests.support.server import Server

KINDS = "() => window.lectern.store.items(window.lectern.store.page).map(({ kind }) => kind)"
TEXTS = "() => window.lectern.store.items(window.lectern.store.page).map(({ values }) => values.text ?? null)"


@pytest.fixture
def pair(server: Server, people: People) -> tuple[Desk, Desk]:
    """Ana and Ben in a lesson with one blank sheet."""
    server.end_lessons()
    server.start_lesson()
    return join(people.window(server.url), "Ana"), join(people.window(server.url), "Ben")


def use(page: Page, key: str) -> None:
    """Take a tool by its letter."""
    page.locator("#board").focus()
    page.keyboard.press(key)


def write(desk: Desk, key: str, x: float, y: float, *words: str) -> None:
    """Write lines with a tool at a place of the board."""
    use(desk.page, key)
    desk.draw((x, y))
    expect(desk.page.locator("textarea.editor")).to_be_focused()
    for number, line in enumerate(words):
        if number:
            desk.page.keyboard.press("Enter")
        desk.page.keyboard.type(line)
    desk.page.keyboard.press("Control+Enter")
    expect(desk.page.locator("textarea.editor")).to_have_count(0)


def test_shapes_and_words_are_the_same_at_both(pair: tuple[Desk, Desk]) -> None:
    ana, ben = pair
    for number, key in enumerate("laboph"):
        use(ana.page, key)
        ana.draw((0.1 + 0.13 * number, 0.1), (0.18 + 0.13 * number, 0.3))
    write(ana, "t", 0.1, 0.5, "Light reactions make ATP, and the Calvin cycle uses it up again and again", "光合成")
    write(ana, "n", 0.6, 0.5, "Ask <b>Ben </b>")
    agree(pair)
    assert ben.page.evaluate(KINDS) == ["line", "arrow", "box", "ellipse", "stroke", "highlight", "text", "note"]
    text, note = ben.page.evaluate(TEXTS)[-2:]
    assert text.splitlines()[-1] == "光合成"
    assert len(text.splitlines()) > 2, "a long line wraps where its author saw it wrap"
    assert note.split() == ["Ask", "<b>Ben", "</b>"], "markup is words"


def test_what_is_written_can_be_changed_and_an_empty_text_is_none(pair: tuple[Desk, Desk]) -> None:
    ana, ben = pair
    write(ana, "t", 0.2, 0.2, "Sugar")
    write(ana, "t", 0.7, 0.7)
    agree(pair)
    use(ben.page, "t")
    ben.draw((0.205, 0.21))
    assert ben.page.evaluate(TEXTS) == ["Sugar"]  # another's: with "edit own" a new one begins beside it
    ben.page.keyboard.press("Escape")
    use(ana.page, "t")
    ana.draw((0.205, 0.21))
    expect(ana.page.locator("textarea.editor")).to_have_value("Sugar")
    ana.page.keyboard.type(" and oxygen")
    ana.page.keyboard.press("Escape")
    agree(pair)
    assert ben.page.evaluate(TEXTS) == ["Sugar and oxygen"]


def test_undo_and_redo_take_back_ones_own_work_alone_and_survive_a_reload(pair: tuple[Desk, Desk]) -> None:
    ana, ben = pair
    undo, redo = ana.page.locator("#undo"), ana.page.locator("#redo")
    expect(undo).to_be_disabled()
    ana.draw((0.1, 0.1), (0.3, 0.3))
    ben.draw((0.5, 0.1), (0.7, 0.3))
    use(ana.page, "b")
    ana.draw((0.1, 0.5), (0.3, 0.8))
    agree(pair)
    before = ben.pixels()
    undo.click()
    agree(pair)
    assert ben.page.evaluate(KINDS) == ["stroke", "stroke"]
    redo.click()
    agree(pair)
    assert ben.pixels() == before
    ana.page.reload()
    ana.ready()
    expect(undo).to_be_enabled()
    ana.page.locator("#board").focus()
    ana.page.keyboard.press("Control+z")
    ana.page.keyboard.press("Control+z")
    agree(pair)
    assert ben.page.evaluate(KINDS) == ["stroke"]
    expect(undo).to_be_disabled()
    ana.page.keyboard.press("Control+Shift+z")
    agree(pair)
    assert ben.page.evaluate(KINDS) == ["stroke", "stroke"]


def test_a_page_is_cleared_after_asking_and_comes_back(server: Server, people: People) -> None:
    server.end_lessons()
    lesson = server.start_lesson()
    page = people.window(server.url)
    log_in(page)
    page.goto(f"/lessons/{lesson}/")
    teacher, ana = Desk(page).ready(), join(people.window(server.url), "Ana")
    ana.draw((0.1, 0.1), (0.3, 0.3))
    teacher.draw((0.5, 0.1), (0.7, 0.3))
    agree([teacher, ana])
    before = ana.pixels()
    page.locator(".clear").click()
    expect(page.get_by_role("heading", name="Clear page 1?")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    assert len(ana.page.evaluate(KINDS)) == 2
    page.locator(".clear").click()
    page.locator("#clear-now").click()
    agree([teacher, ana])
    assert ana.page.evaluate(KINDS) == []
    page.locator("#undo").click()
    agree([teacher, ana])
    assert ana.pixels() == before
