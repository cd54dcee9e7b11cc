"""Pages of a lesson: renamed, moved and removed; what comes next; turned by hand; the projector's view."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browser import People
from tests.support.cast import CODE
from tests.support.desk import Desk, agree
from tests.support.server import Server
from tests.support.visits import join, teach
from tests.support.waiting import until
from tests.support.wifi import Wifi

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


# --- what comes next, and turning by hand ----------------------------------------------------------------------------

PAINTED = """(selector) => {
  const canvas = document.querySelector(selector);
  return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((part) => part > 0);
}"""


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_staff_see_the_next_page_with_its_ink_and_turn_to_it(
    house: Server, people: People, width: int, height: int
) -> None:
    teacher = teach_pages(house, people, "One", width=width, height=height)
    teacher.page.locator("#next").click()
    teacher.draw((0.3, 0.3), (0.7, 0.7))
    teacher.settle()
    teacher.page.reload()
    teacher.ready()
    teacher.page.locator("#previous").click()
    teacher.settle()
    teacher.page.reload()  # now only the first page's board comes by itself
    teacher.ready()
    expect(teacher.page.locator("#preview")).to_have_accessible_name("Next: Page 2: One")
    expect(teacher.page.locator(thumb(teacher.page, "Page 2"))).to_have_attribute(
        "aria-label", "Page 2: One, with drawings"
    )
    teacher.page.wait_for_function(PAINTED, arg="#preview canvas")
    teacher.page.locator("#preview").click()
    expect(teacher.page.locator("#where")).to_contain_text("Page 2 of 2")
    expect(teacher.page.locator("#preview")).to_be_hidden()


SWIPE = """([from, to, fingers]) => {
  const surface = document.getElementById("board-own");
  const box = surface.getBoundingClientRect();
  const at = (share) => Array.from({ length: fingers }, (_, n) => new Touch({
    identifier: n, target: surface, clientX: box.left + share * box.width + n * 50, clientY: box.top + box.height / 2,
  }));
  const tell = (type, touches) => surface.dispatchEvent(new TouchEvent(type, {
    touches, targetTouches: touches, changedTouches: touches, cancelable: true, bubbles: true,
  }));
  for (let count = 1; count <= fingers; count += 1) tell("touchstart", at(from).slice(0, count));
  tell("touchmove", at((from + to) / 2));
  tell("touchmove", at(to));
  tell("touchend", []);
}"""


def test_two_fingers_turn_and_one_does_only_where_it_has_nothing_to_draw(house: Server, people: People) -> None:
    teacher = teach_pages(house, people, "One")
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    ana = join(people.window(house.url, **phone), "Ana")
    where = ana.page.locator("#where")
    ana.page.evaluate(SWIPE, [0.8, 0.3, 1])  # the pen is in hand
    expect(where).to_contain_text("Page 1 of 2")
    ana.page.evaluate(SWIPE, [0.6, 0.2, 2])
    expect(where).to_contain_text("Page 2")
    expect(ana.page.locator("#follow")).to_contain_text("Live page 1")
    ana.page.evaluate(SWIPE, [0.2, 0.6, 2])
    expect(where).to_contain_text("Page 1 of 2")
    teacher.choose("Who may draw", "Staff")
    expect(ana.page.locator("#tools-words")).to_be_visible()
    ana.page.evaluate(SWIPE, [0.8, 0.3, 1])
    expect(where).to_contain_text("Page 2")
    assert ana.page.evaluate("() => window.lectern.store.lesson.current") == teacher.state()["current"]


def test_a_bare_lesson_says_what_to_do(house: Server, people: People) -> None:
    teacher = teach_pages(house, people)
    ana = join(people.window(house.url), "Ana")
    expect(teacher.page.locator("#board-note")).to_contain_text("Draw on this sheet, or add a blank page")
    expect(ana.page.locator("#board-note")).to_contain_text("Wait for your teacher")
    teacher.draw((0.3, 0.3), (0.7, 0.7))
    for desk in (teacher, ana):
        expect(desk.page.locator("#board-note")).to_be_hidden()


# --- on the wall -----------------------------------------------------------------------------------------------------


def test_the_wall_follows_shows_no_names_and_counts_for_nobody(house: Server, people: People) -> None:
    teacher = teach_pages(house, people, "One")
    ana = join(people.window(house.url), "Ana")
    teacher.page.get_by_role("button", name="More", exact=True).click()
    with teacher.page.expect_popup() as opened:
        teacher.page.get_by_role("link", name="Open the projector view").click()
    wall = Desk(opened.value).ready()
    teacher.page.keyboard.press("Escape")
    expect(ana.page.locator("#here-chip b")).to_have_text("2")
    expect(wall.page.get_by_text("Ana")).to_have_count(0)

    box = teacher.page.locator("#board-own").bounding_box()
    assert box is not None
    teacher.page.mouse.move(box["x"] + 200, box["y"] + 200)
    teacher.page.mouse.down()
    for step in range(1, 20):
        teacher.page.mouse.move(box["x"] + 200 + step * 10, box["y"] + 200 + step * 5)
        if step > 4 and wall.page.evaluate(PAINTED, "#board-wet"):
            break
        teacher.page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
    wall.page.wait_for_function(PAINTED, arg="#board-wet")  # the teacher's own wet ink, on the teacher's own seat
    expect(wall.page.locator(".tag")).to_have_count(0)
    teacher.page.mouse.up()
    ana.draw((0.2, 0.8), (0.6, 0.7))
    ana.settle()
    wall.wait(f"lectern.store.applied >= {ana.state()['seq']}")
    wall.page.wait_for_function(PAINTED, arg="#board-ink")
    expect(wall.page.locator(".tag")).to_have_count(0)
    teacher.page.locator("#next").click()
    wall.wait("lectern.store.lesson.pages[1].id === lectern.store.page")


def test_the_wall_hides_the_code_by_a_key_and_comes_back_by_itself(house: Server, people: People) -> None:
    people.expected += ["Failed to load resource", "WebSocket connection", "net::ERR"]
    with Wifi(house.port) as wifi:
        wall = teach(people.window(wifi.url), house)
        wall.page.goto(f"{wall.page.url}?view=projector")
        wall.ready()
        hide_the_code(wall)
        wifi.lose()
        wall.wait("lectern.session.status.phase !== 'live'")
        expect(wall.page.locator("#wait")).to_have_text("Connecting again …", timeout=20_000)
        wifi.find()
        wall.wait("lectern.session.status.phase === 'live'", 60)
        expect(wall.page.locator("#wait")).to_be_hidden()


def hide_the_code(wall: Desk) -> None:
    """By a key, for more room, and for as long as it is not called back."""
    width = "() => document.getElementById('board').clientWidth"
    expect(wall.page.locator("#join")).to_contain_text(CODE)
    beside = wall.page.evaluate(width)
    wall.page.keyboard.press("c")
    expect(wall.page.locator("#join")).to_be_hidden()
    assert wall.page.evaluate(width) > beside
    wall.page.reload()
    wall.ready()
    expect(wall.page.locator("#join")).to_be_hidden()


def test_the_wall_is_for_staff(house: Server, people: People) -> None:
    teach_pages(house, people)
    ana = join(people.window(house.url), "Ana")
    ana.page.goto(f"{ana.page.url}?view=projector")
    ana.ready()
    expect(ana.page.locator("#say")).to_be_visible()
    expect(ana.page.locator("#join")).to_have_count(0)


# --- what is in others' hands, and pictures that do not come ---------------------------------------------------------


def test_a_drag_is_seen_before_it_is_let_go(house: Server, people: People) -> None:
    teacher = teach_pages(house, people)
    ana = join(people.window(house.url), "Ana")
    teacher.draw((0.2, 0.2), (0.3, 0.3))
    teacher.settle()
    ana.wait(f"lectern.store.applied >= {teacher.state()['seq']}")
    before = ana.pixels()
    teacher.page.locator("[data-name=select]").click()
    box = teacher.page.locator("#board-own").bounding_box()
    assert box is not None
    places = [(box["x"] + share * box["width"], box["y"] + share * box["height"]) for share in (0.25, 0.4, 0.5)]
    seq = teacher.state()["seq"]
    teacher.page.mouse.move(*places[0])
    teacher.page.mouse.down()
    teacher.page.mouse.up()
    teacher.page.mouse.down()
    teacher.page.mouse.move(*places[1], steps=5)
    until(lambda: ana.pixels() != before, saying="Ana sees the stroke move")
    assert teacher.state()["seq"] == seq, "nothing of it is in the log yet"
    teacher.page.mouse.move(*places[2], steps=5)
    teacher.page.mouse.up()
    agree([teacher, ana])


# A slide on the only page, as the server would have put it there.
SLIDE = """() => {
  const { store } = window.lectern;
  const images = Object.fromEntries([320, 800, 1600].map((width) => [width, `/slide-${width}.svg`]));
  const slide = { deck: 1, number: 1, width: 1600, height: 900, images, text: "" };
  store.lesson.pages[0] = { ...store.lesson.pages[0], slide };
  store.touch("pages");
}"""
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="9"><rect width="16" height="9" fill="teal"/></svg>'
)
SHOWN = """() => {
  const image = document.getElementById("board-slide");
  return !image.hidden && image.naturalWidth > 0 && image.src.split("/").pop();
}"""


def test_a_window_that_turns_while_offline_keeps_its_picture(house: Server, people: People) -> None:
    people.expected += ["Failed to load resource", "net::ERR"]
    teach_pages(house, people)
    page = people.window(house.url, viewport={"width": 390, "height": 844})
    asked: list[str] = []
    online = True

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        if online:
            route.fulfill(body=PICTURE, content_type="image/svg+xml")
        else:
            route.abort()

    page.route("**/slide-*.svg", answer)
    join(page, "Ana")
    page.evaluate(SLIDE)
    page.wait_for_function(f"() => ({SHOWN})() === 'slide-800.svg'")
    online = False
    page.set_viewport_size({"width": 1900, "height": 1000})
    page.wait_for_function("() => document.getElementById('board').clientWidth > 1000")
    until(lambda: (page.evaluate(SHOWN), "slide-1600.svg" in asked[-1])[1], saying="the larger one is asked for")
    assert page.evaluate(SHOWN) == "slide-800.svg", "what was there stays"
    expect(page.locator("#board-note")).to_be_hidden()
    online = True
    page.evaluate("() => dispatchEvent(new Event('online'))")
    page.wait_for_function(f"() => ({SHOWN})() === 'slide-1600.svg'")
