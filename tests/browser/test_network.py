"""Stories of a network that fails: cut off while both draw, a closed tab, a killed server, two tabs, a late joiner."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.support.browser import People
from tests.support.cast import CODE
from tests.support.desk import Desk, agree
from tests.support.server import ROOT, Server
from tests.support.visits import join
from tests.support.wifi import Wifi

ITEMS = "lectern.store.items(lectern.store.page).length"
KEPT = """async (count) => {
  const result = (request) => new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = fail;
  });
  let found = 0;
  for (const { name } of await indexedDB.databases()) {
    const base = await result(indexedDB.open(name));
    for (const store of base.objectStoreNames) {
      const rows = await result(base.transaction(store).objectStore(store).getAll());
      found += rows.filter((row) => JSON.stringify(row).includes("board.edit")).length;
    }
    base.close();
  }
  return found >= count;
}"""
LEASE = 15.0  # s after which a closed tab's ops may be adopted (docs/protocol.md section 5)


def strokes(server: Server, lesson: int) -> Counter[str]:
    """Count the strokes that were added, by author."""
    return Counter(
        event["by"]
        for event in server.events(lesson)
        if event["kind"] == "board.edited"
        for edit in event["data"]["edits"]
        if edit[0] == "add"
    )


def me(desk: Desk) -> str:
    return str(desk.page.evaluate("() => lectern.store.me.id"))


@pytest.fixture
def wifi(server: Server) -> Iterator[Wifi]:
    """Ana's own network; the others reach the server without it."""
    with Wifi(server.port) as wifi:
        yield wifi


@pytest.fixture
def unreachable(people: People) -> None:
    """Browsers complain on the console of addresses that they cannot reach; here that is the story."""
    people.expected += ["Failed to load resource", "WebSocket connection to", "net::ERR"]


@pytest.mark.usefixtures("unreachable")
def test_a_student_is_cut_off_for_ten_seconds_while_both_draw(
    server: Server, people: People, lesson: int, wifi: Wifi
) -> None:
    ana, ben = join(people.window(wifi.url), "Ana"), join(people.window(server.url), "Ben")
    ana.draw((0.1, 0.1), (0.4, 0.2))
    agree([ana, ben])
    wifi.lose()
    ana.wait("lectern.session.status.phase === 'reconnecting'")
    cut = ana.page.evaluate("() => performance.now()")
    for row in range(4):
        ana.draw((0.1, 0.3 + row / 10), (0.5, 0.35 + row / 10))
        ben.draw((0.9, 0.3 + row / 10), (0.6, 0.35 + row / 10))
    expect(ana.page.locator("#link-chip")).to_contain_text("4 not sent")
    expect(ana.page.locator("#notice")).to_contain_text("your drawing is kept")
    ana.page.wait_for_function("(cut) => performance.now() > cut + 10_000", arg=cut)
    assert ana.state()["pending"] == 4
    wifi.find()
    ana.ready()
    agree([ana, ben])
    assert strokes(server, lesson) == {me(ana): 5, me(ben): 4}


@pytest.mark.usefixtures("unreachable")
def test_ink_drawn_offline_in_a_tab_that_is_closed_arrives_from_the_next_one(
    server: Server, people: People, lesson: int, wifi: Wifi
) -> None:
    ana, ben = join(people.window(wifi.url), "Ana"), join(people.window(server.url), "Ben")
    author, context, address = me(ana), ana.page.context, ana.page.url
    wifi.lose()
    ana.wait("lectern.session.status.phase === 'reconnecting'")
    ana.draw((0.1, 0.1), (0.4, 0.2))
    ana.draw((0.1, 0.3), (0.4, 0.4))
    kept(ana, 2)
    ana.page.close()
    wifi.find()
    again = open_again(context, address)
    again.wait(f"{ITEMS} === 2", timeout=LEASE + 30)
    agree([again, ben])
    assert strokes(server, lesson) == {author: 2}


@pytest.mark.usefixtures("unreachable")
def test_ink_drawn_offline_is_back_at_once_when_the_page_is_loaded_anew(
    server: Server, people: People, lesson: int, wifi: Wifi
) -> None:
    ana, ben = join(people.window(wifi.url), "Ana"), join(people.window(server.url), "Ben")
    author, address = me(ana), ana.page.url
    twin = open_again(ana.page.context, address)
    wifi.lose()
    for desk in (ana, twin):
        desk.wait("lectern.session.status.phase === 'reconnecting'")
    ana.draw((0.1, 0.1), (0.4, 0.2))
    twin.draw((0.1, 0.3), (0.4, 0.4))
    kept(ana, 2)
    ana.page.goto("about:blank")  # what leaving does, without a page of the browser's own about the network
    wifi.find()
    ana.page.goto(address)
    ana.wait("lectern.store.shown !== null")
    ana.wait(f"{ITEMS} >= 1", timeout=1)
    for desk in (ana, twin):
        desk.ready()
    agree([ana, twin, ben])
    assert strokes(server, lesson) == {author: 2}


@pytest.mark.usefixtures("unreachable")
def test_the_server_is_killed_and_started_again_while_drawing(server: Server, people: People, lesson: int) -> None:
    ana, ben = (join(people.window(server.url), name) for name in ("Ana", "Ben"))
    ana.draw((0.1, 0.1), (0.4, 0.2))
    agree([ana, ben])
    server.kill()
    for row in range(5):
        ana.draw((0.1, 0.2 + row / 10), (0.5, 0.25 + row / 10))
        ben.draw((0.9, 0.2 + row / 10), (0.6, 0.25 + row / 10))
        if row == 2:
            server.start()
    for desk in (ana, ben):
        desk.ready()
    agree([ana, ben], timeout=60)
    assert strokes(server, lesson) == {me(ana): 6, me(ben): 5}


def test_a_duplicated_tab_draws_each_stroke_once(server: Server, people: People, lesson: int) -> None:
    ana = join(people.window(server.url), "Ana")
    with ana.page.context.expect_page() as opened:
        ana.page.evaluate("() => void window.open(location.href)")  # like "duplicate tab": sessionStorage is copied
    twin = Desk(opened.value).ready()
    for row in range(3):
        ana.draw((0.1, 0.2 + row / 10), (0.4, 0.2 + row / 10))
        twin.draw((0.6, 0.2 + row / 10), (0.9, 0.2 + row / 10))
    agree([ana, twin])
    assert strokes(server, lesson) == {me(ana): 6}


@pytest.mark.usefixtures("unreachable")
def test_two_tabs_draw_offline_and_one_is_closed(server: Server, people: People, lesson: int, wifi: Wifi) -> None:
    ana, ben = join(people.window(wifi.url), "Ana"), join(people.window(server.url), "Ben")
    twin = open_again(ana.page.context, ana.page.url)
    wifi.lose()
    for desk in (ana, twin):
        desk.wait("lectern.session.status.phase === 'reconnecting'")
    for row in range(2):
        ana.draw((0.1, 0.2 + row / 10), (0.4, 0.2 + row / 10))
        twin.draw((0.6, 0.2 + row / 10), (0.9, 0.2 + row / 10))
    kept(ana, 4)
    twin.page.close()
    wifi.find()
    ana.ready()
    ana.wait(f"{ITEMS} === 4", timeout=LEASE + 30)
    agree([ana, ben])
    assert strokes(server, lesson) == {me(ana): 4}


def test_a_late_joiner_after_two_thousand_events_sees_the_same_board(
    server: Server, people: People, lesson: int
) -> None:
    ben = join(people.window(server.url), "Ben")
    ben.draw((0.2, 0.2), (0.8, 0.8))
    ben.settle()
    fill = [sys.executable, "-m", "tests.support.fill", str(lesson), me(ben)]
    subprocess.run(fill, env=server.env, cwd=ROOT, check=True, timeout=60)
    ben.wait("lectern.store.applied > 2000", timeout=60)
    ana = join(people.window(server.url), "Ana")
    assert agree([ana, ben]) > 2000
    assert ana.state()["digests"] == ben.state()["digests"]
    assert ana.digest() != 0


def kept(desk: Desk, count: int) -> None:
    """Wait until the browser's own database holds `count` strokes: what is there survives the tab."""
    desk.page.wait_for_function(KEPT, arg=count)


def open_again(context: BrowserContext, address: str) -> Desk:
    page = context.new_page()
    page.goto(address)
    return Desk(page).ready()


def test_a_page_that_does_not_come_whole_says_so(server: Server, people: People, lesson: int) -> None:
    people.expected += ["Failed to load resource", "net::ERR"]
    page = people.window(server.url)
    page.context.route("**/furniture*.js", lambda route: route.abort())
    page.goto(f"/j/{CODE}/")
    page.get_by_role("textbox", name="Your name").fill("Ana")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The page did not come whole.")).to_be_visible()
    page.context.unroute_all()
    page.get_by_role("button", name="Try again").click()
    Desk(page).ready()
