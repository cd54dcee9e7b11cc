"""axe-core finds nothing on any page, light and dark, on a phone and a laptop; nor does the CSP refuse a thing."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.support import pdfs
from tests.support.browser import People
from tests.support.cast import CODE, PASSWORD
from tests.support.desk import Desk
from tests.support.server import ROOT, Server
from tests.support.totp import code
from tests.support.visits import give_password, join, log_in, teach

pytestmark = pytest.mark.npm

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async (rules) => {
  const only = rules && { runOnly: { type: "rule", values: rules } };
  const options = { resultTypes: ["violations"], preload: false, ...only };
  const { violations, passes, incomplete, inapplicable } = await axe.run(document, options);
  const looked = rules ? [passes, violations, incomplete, inapplicable].flat().length : passes.length;
  if (looked < (rules?.length ?? 10)) return ["axe looked at nothing"];
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
}"""
TELLS = """addEventListener("securitypolicyviolation", (event) => {
  console.error("CSP", event.effectiveDirective, event.blockedURI);
});"""
COLOURS = ["color-contrast", "link-in-text-block"]  # axe's rules of colours, without those that it has for AAA
SCHEMES: tuple[tuple[Literal["light", "dark"], list[str] | None], ...] = (
    ("light", None), ("dark", COLOURS),  # dark is other colours and nothing else, as a test holds
)  # fmt: skip
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
TEACHERS = (
    "", "classrooms/classroom/", "classrooms/classroom/1/change/", "classrooms/classroom/1/start/",
    "classrooms/classroom/1/code/", "classrooms/classroom/1/owner/", "classrooms/classroom/1/leave/",
    "classrooms/classroom/1/history/", "classrooms/classroom/1/projector/",
    "whiteboard/deck/", "whiteboard/deck/add/", "classrooms/lesson/", "account/", "password_change/",
)  # fmt: skip
ROSTER = b"name,number\nAna,1\n,2\nBen,3\n"
SUPERUSERS = (
    "", "auth/", "auth/user/", "auth/user/add/", "auth/user/1/change/", "auth/user/1/password/", "auth/user/1/delete/",
    "auth/user/1/history/", "auth/group/1/change/", "classrooms/classroom/1/change/", "classrooms/staff/",
    "classrooms/staff/1/change/", "classrooms/staff/add/", "classrooms/lesson/1/change/", "classrooms/event/",
    "admin/logentry/", "account/emailaddress/add/", "mfa/authenticator/", "whiteboard/deck/",
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
        for scheme, rules in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for size in sizes or (PHONE, DESKTOP):
                page.set_viewport_size(size)
                page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
                where = f"{state}, {scheme}, {size['width']}"
                self.found += [f"{where}: {said}" for said in page.evaluate(RUN, rules)]


@pytest.fixture
def audit(people: People, axe: str, server: Server) -> Iterator[Audit]:
    audit = Audit(people, axe, server.url)
    yield audit
    assert not audit.found, "\n".join(dict.fromkeys(audit.found))


def test_dark_is_other_colours_and_nothing_else() -> None:
    """So every rule of axe's that is not about colours finds in the dark what it finds in the light."""
    sheets = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "static" / "css").rglob("*.css")}
    themed = [name for name, text in sheets.items() if "prefers-color-scheme" in text or "data-theme" in text]
    assert themed == ["tokens.css"]
    blocks = re.findall(r":root[^{}]*data-theme[^{}]*{([^{}]*)}", sheets["tokens.css"])
    assert len(blocks) == sheets["tokens.css"].count("data-theme")
    declared = [one.strip() for block in blocks for one in block.split(";") if one.strip()]
    assert len(declared) > 20
    colours = re.compile(r"color-scheme: dark|--[\w-]+: #[0-9a-f]{6}|--veil: rgb\(.*\)|--shadow-\d: .*")
    assert [one for one in declared if not colours.fullmatch(one)] == []


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
    lesson = teacher.url.rstrip("/").rsplit("/", 1)[1]
    wall = teacher.context.new_page()
    wall.goto(f"/lessons/{lesson}/?view=projector")
    Desk(wall).ready()
    audit.look(wall, "projector view")
    wall.close()
    server.end_lessons()
    for one, who in ((teacher, "instructor"), (ana.page, "student")):
        expect(one.get_by_role("heading", name="The lesson has ended")).to_be_visible()
        audit.look(one, f"{who}, ended", PHONE)
        one.reload()
        Desk(one).wait("lectern.session.status.phase === 'ended' && lectern.store.loaded(lectern.store.page)")
        audit.look(one, f"{who}, looks back")
    for path in (f"lesson/{lesson}/change/", f"lesson/{lesson}/end/", f"classroom/1/start/?last={lesson}"):
        teacher.goto(f"/teach/classrooms/{path}")
        audit.look(teacher, path)


def test_the_teachers_pages(audit: Audit) -> None:
    page = audit.window()
    page.goto("/teach/")
    audit.look(page, "sign in", PHONE)
    log_in(page)
    for path in TEACHERS:
        page.goto(f"/teach/{path}")
        audit.look(page, f"/teach/{path}")


def test_a_deck(audit: Audit, tmp_path: Path) -> None:
    lecture = tmp_path / "Leaves.pdf"
    lecture.write_bytes(pdfs.good(2, text=""))
    page = audit.window()
    log_in(page)
    page.goto("/teach/whiteboard/deck/add/")
    page.get_by_label("PDF").set_input_files(lecture)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#pages li")).to_have_count(2, timeout=30_000)
    page.locator("#page-1 [value=hide]").click()
    expect(page.get_by_role("button", name="Show")).to_be_visible()
    page.locator("#page-2 summary").click()
    audit.look(page, "deck")
    page.get_by_role("link", name="Replace the PDF").click()
    expect(page.get_by_role("heading", name="Another PDF")).to_be_visible()
    audit.look(page, "deck, replace")


def test_a_roster(audit: Audit) -> None:
    audit.people.expected = ["Failed to load resource"]  # the status of a refusal
    page = audit.window()
    log_in(page)
    page.goto("/teach/classrooms/classroom/1/roster/")
    audit.look(page, "roster, file")
    give_list(page, b"%PDF")
    expect(page.get_by_role("alert")).to_contain_text("cannot be read as CSV")
    audit.look(page, "roster, refused", PHONE)
    for content in (ROSTER, b"name\nBen\nCid\n"):
        page.goto("/teach/classrooms/classroom/1/roster/")
        give_list(page, content)
        expect(page.get_by_role("button", name="Import")).to_be_visible()
        audit.look(page, "roster, read")
        page.get_by_role("button", name="Import").click()
        expect(page.get_by_role("heading", name="Roster")).to_be_visible()
    audit.look(page, "roster, taken in", PHONE)
    page.goto("/teach/classrooms/rosterentry/?classroom__id__exact=1")
    audit.look(page, "roster, list")
    page.get_by_role("link", name="Ana").click()
    expect(page.get_by_role("heading", name="Ana")).to_be_visible()
    audit.look(page, "roster, student", PHONE)


def give_list(page: Page, content: bytes) -> None:
    """Upload a list of students."""
    page.set_input_files("#id_file", {"name": "list.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Check the file").click()


def test_the_administration(audit: Audit, server: Server) -> None:
    audit.people.expected = ["Failed to load resource"]  # the status of a refusal
    server.end_lessons()
    server.start_lesson()
    page = audit.window()
    page.goto("/admin/")
    give_password(page, "teacher")
    expect(page.get_by_role("heading", name="This page is not open to you")).to_be_visible()
    audit.look(page, "administration, refused", PHONE)
    page.context.clear_cookies()
    page.goto("/teach/")
    give_password(page, "root")
    expect(page.get_by_role("link", name="To the administration")).to_be_visible()
    audit.look(page, "a superuser who teaches nothing", PHONE)
    page.get_by_role("link", name="To the administration").click()
    for path in SUPERUSERS:
        page.goto(f"/admin/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        audit.look(page, f"/admin/{path}")
    page.goto("/admin/auth/user/")
    page.locator("tr", has_text="assistant").get_by_role("checkbox").check()
    page.get_by_role("combobox", name="Action").select_option("delete_selected")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("heading", name="Delete this user?")).to_be_visible()
    audit.look(page, "administration, delete several", PHONE)


def test_the_second_factor(audit: Audit) -> None:
    page = audit.window()
    log_in(page, "outsider")
    page.goto("/teach/account/app/activate/")
    audit.look(page, "the password, once more", PHONE)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in with a code too")).to_be_visible()
    secret = page.locator("code").inner_text()
    audit.look(page, "second factor, activate")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("alert")).to_be_visible()
    audit.look(page, "second factor, wrong code", PHONE)
    page.get_by_label("Code").fill(code(secret))
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    audit.look(page, "second factor, recovery codes")
    for path in ("account/", "account/codes/generate/", "account/app/deactivate/"):
        page.goto(f"/teach/{path}")
        audit.look(page, f"second factor, {path}", PHONE)
    page.context.clear_cookies()
    page.goto("/teach/")
    give_password(page, "outsider")
    expect(page.get_by_label("Code")).to_be_visible()
    audit.look(page, "second factor, asked for")
