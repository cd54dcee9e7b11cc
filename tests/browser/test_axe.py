"""axe-core finds nothing on any page, light and dark, on a phone and a laptop; nor does the CSP refuse a thing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import People
from tests.support.cast import CODE
from tests.support.server import ROOT, Server
from tests.support.visits import join, log_in, teach

pytestmark = pytest.mark.npm

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => {
  const { violations, passes } = await axe.run(document, { resultTypes: ["violations"], preload: false });
  if (passes.length < 10) return ["axe looked at nothing"];
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
}"""
TELLS = """addEventListener("securitypolicyviolation", (event) => {
  console.error("CSP", event.effectiveDirective, event.blockedURI);
});"""
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
TEACHERS = (
    "", "classrooms/classroom/", "classrooms/classroom/1/change/", "classrooms/classroom/1/start/",
    "whiteboard/deck/", "whiteboard/deck/add/", "classrooms/lesson/", "account/",
)  # fmt: skip


@pytest.fixture(scope="module")
def axe() -> str:
    return Path(AXE).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


class Audit:
    """Looks at a page at both widths, light and dark, and keeps what axe says with where it said it."""

    def __init__(self, people: People, axe: str, url: str) -> None:
        self.people, self.axe, self.url = people, axe, url
        self.found: list[str] = []

    def window(self) -> Page:
        page = self.people.window(self.url, reduced_motion="reduce")  # a colour on its way is no colour of ours
        page.context.add_init_script(TELLS)
        return page

    def look(self, page: Page, state: str, *sizes: Any) -> None:
        if not page.evaluate("() => 'axe' in window"):
            page.evaluate(self.axe)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for size in sizes or (PHONE, DESKTOP):
                page.set_viewport_size(size)
                page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
                self.found += [f"{state}, {scheme}, {size['width']}: {said}" for said in page.evaluate(RUN)]


@pytest.fixture
def audit(people: People, axe: str, server: Server) -> Iterator[Audit]:
    audit = Audit(people, axe, server.url)
    yield audit
    assert not audit.found, "\n".join(dict.fromkeys(audit.found))


def test_home_waiting_and_error_pages(audit: Audit, server: Server) -> None:
    server.end_lessons()
    audit.people.expected = ["Failed to load resource"]
    page = audit.window()
    page.goto("/")
    audit.look(page, "home")
    page.get_by_role("button", name="Join").click()
    audit.look(page, "home, wrong", PHONE)
    page.goto(f"/j/{CODE}/")
    page.get_by_role("textbox", name="Your name").fill("Ana")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Waiting for the lesson")).to_be_visible()
    audit.look(page, "waiting")
    page.goto("/lessons/999/")
    audit.look(page, "404", PHONE)


def test_the_lesson(audit: Audit, server: Server) -> None:
    teacher = audit.window()
    desk = teach(teacher, server)
    ana = join(audit.window(), "Ana")
    ana.page.get_by_role("button", name="Raise hand").click()
    ana.draw((0.2, 0.2), (0.6, 0.5))
    ana.settle()
    desk.wait("lectern.store.lesson.hands.size > 0 || lectern.store.lesson.hands.length > 0")
    audit.look(teacher, "instructor")
    audit.look(ana.page, "student")
    for one, who in ((teacher, "instructor"), (ana.page, "student")):
        one.get_by_role("tab", name="Chat").click()
        one.get_by_role("textbox", name="Message to the class").fill(f"Hello from the {who}")
        one.get_by_role("button", name="Send").click()
        expect(one.locator("#messages")).to_contain_text(f"Hello from the {who}")
        audit.look(one, f"{who}, chat", PHONE)
        for dialog in one.evaluate("() => [...document.querySelectorAll('dialog')].map(({ id }) => id)"):
            one.evaluate("(id) => document.getElementById(id).showModal()", dialog)
            one.evaluate("(id) => { const h = document.querySelector(`#${id} h2`); h.textContent ||= 'Ana'; }", dialog)
            audit.look(one, f"{who}, {dialog}")
            one.evaluate("(id) => document.getElementById(id).close()", dialog)
    server.end_lessons()
    for one, who in ((teacher, "instructor"), (ana.page, "student")):
        expect(one.get_by_role("heading", name="The lesson has ended")).to_be_visible()
        audit.look(one, f"{who}, ended", PHONE)


def test_the_teachers_pages(audit: Audit) -> None:
    page = audit.window()
    page.goto("/teach/")
    audit.look(page, "sign in", PHONE)
    log_in(page)
    for path in TEACHERS:
        page.goto(f"/teach/{path}")
        audit.look(page, f"/teach/{path}")
