"""Stories of the tools: what one draws, writes, takes back and clears is the same at the other's, to the pixel."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import People
from tests.support.desk import Desk, agree
from tests.support.server import Server
from tests.support.visits import join, teach

KINDS = "() => window.lectern.store.items(window.lectern.store.page).map(({ kind }) => kind)"
TEXTS = "() => window.lectern.store.items(window.lectern.store.page).map(({ values }) => values.text ?? null)"


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
    page = people.window(server.url)
    teacher, ana = teach(page, server), join(people.window(server.url), "Ana")
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


def test_shapes_and_words_are_placed_by_keyboard_alone(pair: tuple[Desk, Desk]) -> None:
    ana, ben = pair
    polite = ana.page.locator("#polite")
    use(ana.page, "b")
    press = ana.page.keyboard.press
    press("ArrowRight")
    press("Shift+ArrowUp")
    expect(ana.page.locator(".crosshair")).to_be_visible()
    press("Enter")
    press("Shift+ArrowRight")
    press("Shift+ArrowDown")
    press("ArrowDown")
    press("Enter")
    expect(polite).to_have_text("Box placed")
    agree(pair)
    [box] = ben.page.evaluate("() => window.lectern.store.items(window.lectern.store.page)")
    assert (box["kind"], box["values"]["box"]) == ("box", [64, 72])
    press("Enter")
    press("Shift+ArrowRight")
    press("Escape")
    expect(polite).to_have_text("Cancelled")
    press("Escape")
    expect(ana.page.locator(".crosshair")).to_be_hidden()
    use(ana.page, "t")
    press("ArrowDown")
    press("Enter")
    ana.page.keyboard.type("Stroma")
    press("Control+Enter")
    expect(polite).to_have_text("Text placed")
    agree(pair)
    assert ben.page.evaluate(TEXTS) == [None, "Stroma"]


def test_escape_takes_back_what_is_begun(pair: tuple[Desk, Desk]) -> None:
    ana, ben = pair
    use(ana.page, "o")
    place = ana.page.locator("#board-own").bounding_box()
    assert place is not None
    ana.page.mouse.move(place["x"] + 50, place["y"] + 50)
    ana.page.mouse.down()
    ana.page.mouse.move(place["x"] + 150, place["y"] + 150)
    ana.page.keyboard.press("Escape")
    ana.page.mouse.move(place["x"] + 200, place["y"] + 200)
    ana.page.mouse.up()
    use(ana.page, "t")
    ana.draw((0.3, 0.3))
    ana.page.keyboard.type("What is written stays")
    ana.page.keyboard.press("Escape")
    expect(ana.page.locator("textarea.editor")).to_have_count(0)
    agree(pair)
    assert ben.page.evaluate(TEXTS) == ["What is written stays"]


def test_a_text_has_an_end_and_says_so(pair: tuple[Desk, Desk]) -> None:
    ana, ben = pair
    use(ana.page, "t")
    ana.draw((0.05, 0.05))
    ana.page.keyboard.insert_text("光" * 2000)
    expect(ana.page.locator(".editor-count")).to_have_text("0 characters left")
    expect(ana.page.locator("#polite")).to_have_text("A text has at most 2000 characters.")
    ana.page.keyboard.press("Control+Enter")
    agree(pair)
    [text] = ben.page.evaluate(TEXTS)
    assert 1900 < len(text) <= 2000


def test_words_of_somebody_who_may_not_draw_any_more_are_not_lost(server: Server, people: People) -> None:
    window = people.window(server.url)
    teacher, ana = teach(window, server), join(people.window(server.url), "Ana")
    use(ana.page, "t")
    ana.draw((0.2, 0.2))
    ana.page.keyboard.type("Half a ")
    teacher.page.evaluate("() => { window.lectern.session.propose('policy.set', { draw: 'staff' }); }")
    ana.wait("lectern.store.shown.policy.draw === 'staff'")
    ana.page.keyboard.type("thought")
    ana.page.keyboard.press("Control+Enter")
    expect(ana.page.locator("#tray-button")).to_be_visible()
    assert "Half a thought" in ana.page.evaluate("() => JSON.stringify(window.lectern.store.tray)")


def test_on_a_phone_shapes_unfold_from_one_button(pair: tuple[Desk, Desk], server: Server, people: People) -> None:
    phone = join(
        people.window(server.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True), "Cem"
    )
    for name in ("Line", "Arrow", "Box", "Ellipse"):
        phone.page.locator("#rare-button").tap()
        button = phone.page.get_by_role("radio", name=name, exact=True)
        place = button.bounding_box()
        assert place is not None
        assert min(place["width"], place["height"]) >= 44
        button.tap()
        expect(button).to_be_hidden()
        phone.draw((0.2, 0.2), (0.6, 0.6))
    head = phone.settle()["seq"]  # its page has another size in pixels, so only the digests can be the same
    for desk in pair:
        desk.wait(f"lectern.store.applied >= {head}")
    agree(pair)
    assert pair[0].page.evaluate(KINDS) == ["line", "arrow", "box", "ellipse"]
    assert len({desk.digest() for desk in (*pair, phone)}) == 1


def test_the_words_of_a_note_at_the_bottom_stay_on_the_page(pair: tuple[Desk, Desk]) -> None:
    ana, ben = pair
    ana.page.locator("#board").focus()
    ana.page.keyboard.press("n")
    box = ana.page.locator("#board-own").bounding_box()
    assert box is not None
    ana.page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.95 * box["height"])
    ana.page.keyboard.type("one two three four five six seven eight nine ten eleven")
    ana.page.keyboard.press("Escape")
    agree([ana, ben])
    note = ana.page.evaluate("() => lectern.store.items(lectern.store.page)[0].values")
    assert note["text"].split()[-1] == "eleven"
    assert note["at"][1] + note["box"][1] <= 900


def test_a_stroke_that_a_call_breaks_off_is_kept(pair: tuple[Desk, Desk]) -> None:
    ana, ben = pair
    box = ana.page.locator("#board-own").bounding_box()
    assert box is not None
    own = "document.getElementById('board-own')"
    ana.page.evaluate(f"() => {own}.addEventListener('pointerdown', (event) => (window.id = event.pointerId))")
    ana.page.mouse.move(box["x"] + 100, box["y"] + 100)
    ana.page.mouse.down()
    ana.page.mouse.move(box["x"] + 400, box["y"] + 300, steps=30)
    since = ana.page.evaluate("() => performance.now()")
    ana.page.wait_for_function("(since) => performance.now() - since > 200", arg=since)  # no pinch any more
    ana.page.mouse.move(box["x"] + 420, box["y"] + 310, steps=2)
    ana.page.evaluate(f"() => {own}.dispatchEvent(new PointerEvent('pointercancel', {{ pointerId: window.id }}))")
    agree([ana, ben])
    assert ben.page.evaluate("() => lectern.store.items(lectern.store.page).length") == 1


WRITTEN = """() => {
  const units = document.getElementById("board").clientWidth / 1600;
  const page = document.getElementById("board").getBoundingClientRect();
  const field = document.querySelector("textarea.editor");
  const { left, top, right, bottom } = field.getBoundingClientRect();
  return {
    at: [(left - page.left) / units, (top - page.top) / units],
    ends: [(right - page.left) / units, (bottom - page.top) / units],
    whole: field.scrollHeight <= field.clientHeight + 1,
    board: document.getElementById("board").scrollTop,
  };
}"""


def test_words_are_on_the_page_while_they_are_written_and_stay_where_they_were_seen(pair: tuple[Desk, Desk]) -> None:
    ana, ben = pair
    for key, x, y in [("t", 0.3, 0.97), ("t", 0.99, 0.75), ("n", 0.98, 0.98), ("t", 0.4, 0.02)]:
        use(ana.page, key)
        ana.draw((x, y))
        expect(ana.page.locator("textarea.editor")).to_be_focused()
        for number, line in enumerate(["Light", "reactions make ATP", "and", "oxygen", "from", "water"]):
            if number:
                ana.page.keyboard.press("Enter")
            ana.page.keyboard.type(line)
            seen = ana.page.evaluate(WRITTEN)
            assert seen["whole"], (key, x, y, line)
            assert min(seen["at"]) >= 0, seen
            assert seen["ends"][0] <= 1600.5, seen
            assert seen["ends"][1] <= 900.5, seen
            assert seen["board"] == 0, "the page scrolled under its layers"
        ana.page.keyboard.press("Control+Enter")
        agree(pair)
        item = ben.page.evaluate("() => lectern.store.items(lectern.store.page).at(-1)")
        assert item["values"]["at"] == pytest.approx(seen["at"], abs=2), (key, x, y)


def test_words_that_lie_half_beside_the_page_are_written_on_it(pair: tuple[Desk, Desk]) -> None:
    ana, ben = pair
    ana.page.evaluate(
        """() => { const { session, store } = lectern;
        const fields = { at: [1500, 870], box: [600, 56], text: "Stroma", style: { color: "#1d1c1a", size: 44 } };
        session.propose("board.edit", { page: store.page, edits: [["add", session.newItem(), "text", fields]] }); }"""
    )
    use(ana.page, "t")
    ana.draw((0.95, 0.98))
    expect(ana.page.locator("textarea.editor")).to_have_value("Stroma")
    seen = ana.page.evaluate(WRITTEN)
    assert seen["ends"][0] <= 1600.5
    assert seen["ends"][1] <= 900.5
    ana.page.keyboard.press("Escape")
    assert ana.page.evaluate("() => lectern.store.items(lectern.store.page)[0].values.at") == [1500, 870]
    use(ana.page, "t")
    ana.draw((0.95, 0.98))
    ana.page.keyboard.type(" and grana")
    ana.page.keyboard.press("Escape")
    agree(pair)
    [item] = ben.page.evaluate("() => lectern.store.items(lectern.store.page)")
    assert item["values"]["at"] == pytest.approx(seen["at"], abs=2)


def touch(page: Page) -> Callable[..., None]:
    """Return what puts fingers down, moves and lifts them: touch("touchStart", (x, y), …), in CSS pixels."""
    session = page.context.new_cdp_session(page)

    def act(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return act


def test_two_fingers_enlarge_the_page_and_one_draws_on_it(server: Server, people: People) -> None:
    server.end_lessons()
    server.start_lesson()
    phone = join(
        people.window(server.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True), "Ana"
    )
    page, act = phone.page, touch(phone.page)
    board = page.locator("#board-own").bounding_box()
    assert board is not None
    x, y = board["x"] + board["width"] / 2, board["y"] + board["height"] / 2
    zoom = "() => window.visualViewport.scale"
    act("touchStart", (x - 20, y))
    act("touchMove", (x - 24, y))
    act("touchStart", (x - 24, y), (x + 20, y))
    for far in range(30, 110, 8):
        act("touchMove", (x - far, y), (x + far, y))
    act("touchEnd")
    page.wait_for_function("() => window.visualViewport.scale > 1.5")
    assert page.evaluate(KINDS) == [], "a pinch leaves no ink"
    left = page.evaluate("() => window.visualViewport.pageLeft")
    act("touchStart", (200, 200), (240, 200))
    for step in range(1, 9):
        act("touchMove", (200 - 10 * step, 200), (240 - 10 * step, 200))
    act("touchEnd")
    page.wait_for_function("(left) => window.visualViewport.pageLeft > left + 10", arg=left)
    assert page.evaluate(KINDS) == [], "nor does moving about"
    x, y = page.evaluate("() => [60, 218 - window.visualViewport.pageTop]")  # on the board, as it is seen now
    act("touchStart", (x, y))
    for step in range(1, 15):
        act("touchMove", (x + 5 * step, y))
    act("touchEnd")
    page.wait_for_function("() => lectern.store.items(lectern.store.page).length === 1")
    assert page.evaluate(KINDS) == ["stroke"]
    assert page.evaluate(zoom) > 1.5, "one finger moves nothing"


def test_a_tap_with_the_text_tool_opens_an_editor_that_stays(server: Server, people: People) -> None:
    server.end_lessons()
    server.start_lesson()
    page = people.window(server.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = join(page, "Ana")
    use(page, "t")
    page.locator("#board-own").tap(position={"x": 80, "y": 60})
    expect(page.locator("textarea.editor")).to_be_focused()
    page.keyboard.type("ATP")
    page.locator("#board-own").tap(position={"x": 200, "y": 150})
    phone.settle()
    expect(page.locator("textarea.editor")).to_be_focused()
    assert page.evaluate(TEXTS) == ["ATP"]
