"""After the end: whoever was in the lesson comes back to its boards, and can only look."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import People
from tests.support.desk import Desk
from tests.support.server import Server
from tests.support.visits import join, log_in, teach


@pytest.mark.parametrize("who", ["student", "teacher", "assistant"])
def test_an_ended_lesson_is_there_to_be_read(server: Server, people: People, who: str) -> None:
    teacher = teach(people.window(server.url), server)
    ana = join(people.window(server.url), "Ana")
    ana.draw((0.2, 0.2), (0.5, 0.5))
    first = ana.settle()
    teacher.page.get_by_role("button", name="Blank page").first.click()
    teacher.wait("lectern.store.lesson.pages.length === 2")
    teacher.draw((0.1, 0.8), (0.9, 0.8))
    second = teacher.settle()
    teacher.page.get_by_role("button", name="End lesson").first.click()
    teacher.page.locator("#end-now").click()
    expect(ana.page.get_by_role("heading", name="The lesson has ended")).to_be_visible()

    reader = {"student": ana, "teacher": teacher}.get(who)
    if reader is None:  # who was never there
        page = people.window(server.url)
        log_in(page, "assistant")
        page.goto(teacher.page.url)
        reader = Desk(page)
    else:
        reader.page.reload()
    reader.wait("lectern.session.status.phase === 'ended' && lectern.store.loaded(lectern.store.page)")
    page = reader.page
    expect(page.locator("#over")).to_be_hidden()
    expect(page.locator("#link-chip")).to_contain_text("Ended")
    assert reader.digest() == second["digests"][second["page"]]
    page.locator("#previous").click()
    reader.wait(f"lectern.store.page === '{first['page']}' && lectern.store.loaded(lectern.store.page)")
    assert reader.digest() == first["digests"][first["page"]]
    before = reader.pixels()
    reader.draw((0.1, 0.1), (0.9, 0.9))
    assert reader.state()["pending"] == 0
    assert reader.pixels() == before
    expect(page.locator(".while-live:visible")).to_have_count(0)
    expect(page.get_by_role("button", name="Send")).to_be_hidden()


def test_on_a_phone_too(server: Server, people: People) -> None:
    teach(people.window(server.url), server)
    ana = join(people.window(server.url, viewport={"width": 390, "height": 844}), "Ana")
    server.end_lessons()
    expect(ana.page.get_by_text("Pages and drawings can be looked at here for 30 days.")).to_be_visible()
    ana.page.reload()
    ana.wait("lectern.session.status.phase === 'ended' && lectern.store.loaded(lectern.store.page)")
    expect(ana.page.locator("#over")).to_be_hidden()
