"""Stories of selecting: what one moves, resizes and removes lies there at the other's, to the pixel."""

from playwright.sync_api import expect

from tests.browser.test_tools import KINDS, use
from tests.support.browser import People
from tests.support.desk import Desk, agree
from tests.support.server import Server
from tests.support.visits import join, teach

PLACES = """() => {
  const { store } = window.lectern;
  return store.items(store.page).map(({ values }) => [...values.at, ...(values.box ?? [])].map(Math.round));
}"""


def places(desk: Desk) -> list[list[int]]:
    """Return where every item lies, the lowest first."""
    return list(desk.page.evaluate(PLACES))


def test_what_one_moves_resizes_and_undoes_is_the_same_at_both(pair: tuple[Desk, Desk]) -> None:
    ana, ben = pair
    use(ana.page, "b")
    ana.draw((0.1, 0.2), (0.2, 0.4))
    agree(pair)
    [[x, y, width, height]] = places(ben)
    before = ben.pixels()
    use(ana.page, "v")
    ana.draw((0.1, 0.3), (0.3, 0.4))
    agree(pair)
    [[moved_x, moved_y, *size]] = places(ben)
    assert (abs(moved_x - x - 320) <= 2, abs(moved_y - y - 90) <= 2, size) == (True, True, [width, height])
    ana.draw((0.4, 0.5), (0.5, 0.6))
    agree(pair)
    assert places(ben)[0][2] > width + 100
    bar = ana.page.get_by_role("toolbar", name="Selected items")
    expect(bar).to_be_visible()
    expect(bar.get_by_role("button", pressed=True)).to_have_accessible_name("Red")
    bar.get_by_role("button", name="Blue").click()
    expect(bar.get_by_role("button", pressed=True)).to_have_accessible_name("Blue")
    ana.page.locator("#undo").click()
    expect(bar.get_by_role("button", pressed=True)).to_have_accessible_name("Red")
    ana.page.locator("#undo").click()
    ana.page.locator("#undo").click()
    agree(pair)
    assert ben.pixels() == before


def test_keys_do_whatever_the_pointer_does_and_tab_does_not_trap(pair: tuple[Desk, Desk]) -> None:
    ana, ben = pair
    ana.draw((0.1, 0.2), (0.2, 0.4))
    ana.draw((0.5, 0.2), (0.6, 0.4))
    ben.draw((0.8, 0.2), (0.9, 0.4))
    agree(pair)
    was = places(ben)
    use(ana.page, "v")
    ana.page.keyboard.press("Tab")
    ana.page.keyboard.press("Tab")
    for key in ("Shift+ArrowRight", "ArrowDown"):
        ana.page.keyboard.press(key)
    agree(pair)
    now = places(ben)
    assert (now[0], now[2], now[1][:2]) == (was[0], was[2], [was[1][0] + 16, was[1][1] + 1])
    ana.page.keyboard.press("Enter")
    expect(ana.page.get_by_role("toolbar", name="Selected items").get_by_role("button", name="Red")).to_be_focused()
    ana.page.keyboard.press("Escape")
    ana.page.keyboard.press("Delete")
    agree(pair)
    assert len(places(ben)) == 2
    ana.page.keyboard.press("Tab")
    ana.page.keyboard.press("Tab")
    expect(ana.page.locator("#board")).not_to_be_focused()


def test_staff_clear_one_persons_ink_after_asking_and_it_comes_back(server: Server, people: People) -> None:
    page = people.window(server.url)
    teacher, ana = teach(page, server), join(people.window(server.url), "Ana")
    ana.draw((0.1, 0.1), (0.3, 0.3))
    use(teacher.page, "b")
    teacher.draw((0.5, 0.1), (0.7, 0.3))
    agree([teacher, ana])
    before = ana.pixels()
    page.get_by_role("button", name="More about Ana").click()
    page.get_by_role("button", name="Clear their ink on this page").click()
    expect(page.get_by_role("heading", name="Clear Ana’s ink on page 1?")).to_be_visible()
    page.locator("#clear-ink-now").click()
    agree([teacher, ana])
    assert ana.page.evaluate(KINDS) == ["box"]
    page.locator("#undo").click()
    agree([teacher, ana])
    assert ana.pixels() == before
