"""A school's whole Lectern: nginx with the files of deploy/, PostgreSQL, Redis, two web, two live processes, a worker.

Bounds: when one of the live processes leaves in the middle of a lesson, everybody is live again within 15 s, by
themselves and on the same page; of 200 sockets that come one after the other each live process gets half, give or
take five.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.support.browser import People, chromium
from tests.support.desk import Desk, agree
from tests.support.metrics import Metrics, read
from tests.support.nginx import NAME, Nginx
from tests.support.services import Postgres, Redis, running
from tests.support.serving import Serving
from tests.support.visits import give_password, join_by_form
from tests.support.waiting import answers, free_ports, until
from tests.support.wifi import Loop

pytestmark = [pytest.mark.redis, pytest.mark.postgres, pytest.mark.nginx]

SOCKETS = 200
FEWEST = 95  # of them for a process
BACK = 15.0  # s
OPEN = 'lectern_connections{door="socket"}'


@dataclass
class School:
    """The processes, nginx before them, and where each process answers by itself."""

    serving: Serving
    nginx: Nginx
    own_ports: range

    def scrape(self, port: int) -> Metrics:
        """Return the metrics of the process at one of the ports."""
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return read(answer.read().decode())

    def owner(self, port: int) -> int:
        """Return the pid of who listens at a port."""
        asked = ["ss", "-Hltnp", f"sport = :{port}"]
        said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        assert said.count("pid=") == 1, said
        return int(said.partition("pid=")[2].partition(",")[0])

    def whole(self) -> bool:
        """Return whether every process listens at its own port."""
        return all(answers(port) for port in self.own_ports)

    def sockets(self) -> dict[int, int]:
        """Return {pid: sockets that it holds} of the live processes."""
        live = self.own_ports[2:]
        return {self.owner(port): int(self.scrape(port)[OPEN]) for port in live}


@pytest.fixture(scope="module")
def school(redis: Redis, postgres: Postgres) -> Iterator[School]:
    first = free_ports(4)
    options = ["--processes", "2", "--live", "2", "--own-ports", str(first)]
    env = {"HTTPS": "1", "ALLOWED_HOSTS": NAME}
    with Serving(*options, database=postgres.new_database(), redis=redis.url, env=env) as serving:
        with running(
            Nginx(web=serving.port, live=(first + 2, first + 3, serving.live_port), static=serving.data)
        ) as nginx:
            yield School(serving, nginx, range(first, first + 4))
        assert "look at the proxy's rules" not in serving.log  # nobody was sent to the wrong part (421)
        serving.signal(signal.SIGTERM)
        assert serving.ends()[0] == 0


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A Chromium that finds the school at this machine."""
    with chromium(playwright, resolve=[NAME]) as browser:
        yield browser


def window(people: People, school: School) -> Page:
    """Open a window of somebody who takes our certificate for good."""
    return people.window(school.nginx.url, ignore_https_errors=True)


def start_lesson(page: Page) -> Desk:
    """Sign in as the teacher and start a lesson, as people do."""
    page.goto("/teach/")
    give_password(page, "teacher")
    page.get_by_role("link", name="Start a lesson").click()
    page.get_by_label("Title").fill("Photosynthesis")
    page.get_by_role("button", name="Start the lesson").click()
    page.wait_for_url("**/lessons/*/")
    return Desk(page).ready()


def test_a_lesson_goes_on_while_one_of_the_live_processes_leaves(school: School, people: People) -> None:
    teacher = start_lesson(window(people, school))
    students = [join_by_form(window(people, school), name) for name in ("Ana", "Ben", "Chi")]
    everybody = [teacher, *students]
    expect(teacher.page.locator("#here-chip")).to_contain_text("4")
    teacher.page.locator("[data-adds-page]").first.click(force=True)
    for desk in everybody:
        desk.wait("lectern.store.lesson.pages.length === 2")
    teacher.turn_to(2)
    for student in students:
        expect(student.page.locator("#where")).to_contain_text("Page 2 ")
    students[0].draw((0.1, 0.2), (0.5, 0.25), (0.8, 0.2))
    agree(everybody)

    for desk in everybody:
        desk.page.evaluate("() => { window.same = true; }")
    held = school.sockets()
    assert sum(held.values()) == 4
    leaves = max(held, key=lambda pid: held[pid])
    os.kill(leaves, signal.SIGTERM)
    until(lambda: leaves not in school.serving.serving("live"), timeout=BACK, saying="it has left")
    for desk in everybody:
        desk.wait("lectern.session.status.phase === 'live'", timeout=BACK)
    for row, desk in enumerate(everybody):
        desk.draw((0.2, 0.4 + row / 10), (0.7, 0.45 + row / 10))
    agree(everybody)
    assert all(desk.page.evaluate("() => window.same") for desk in everybody)
    until(school.whole, timeout=4 * BACK, saying="another is in its place")


def test_each_process_shows_metrics_of_its_own(school: School) -> None:
    owners = [school.owner(port) for port in school.own_ports]
    assert set(owners[:2]) == school.serving.serving("web")
    assert set(owners[2:]) == school.serving.serving("live")
    names = [name_of(school.scrape(port)) for port in [*school.own_ports] * 2]
    assert len(set(names)) == 4
    assert names[:4] == names[4:]
    assert school.nginx.get("/metrics").status == 404
    assert school.nginx.get("/healthz").status == 200


def name_of(metrics: Metrics) -> str:
    """Return which process a page of metrics is of."""
    return next(name for name in metrics if name.startswith("lectern_process_info{"))


def test_every_door_is_behind_nginx(school: School) -> None:
    nginx = school.nginx
    home = nginx.get("/")
    assert home.status == 200
    assert home.headers["strict-transport-security"].startswith("max-age=31536000")
    assert "content-security-policy" in home.headers
    waiting = nginx.get("/live/waiting/ZZZZZZ/?wait=1")
    assert waiting.status == 204
    state = nginx.get("/live/lessons/1/state/")
    assert (state.status, json.loads(state.body)["code"]) == (401, "not_allowed")


def test_static_files_are_what_the_processes_would_serve(school: School) -> None:
    manifest = json.loads((school.serving.data / "static/staticfiles.json").read_text())["paths"]
    names = [f"/static/{hashed}" for hashed in manifest.values()]
    kinds = {name.rpartition(".")[2]: name for name in names if "LICENSE" not in name}
    for name in [*kinds.values(), f"/static/{next(iter(manifest))}"]:  # and one without a hash
        ours = school.nginx.get(name, headers={"Accept-Encoding": "gzip"})
        request = urllib.request.Request(
            f"{school.serving.url}{name}", headers={"Accept-Encoding": "gzip", "X-Forwarded-Proto": "https"}
        )
        with urllib.request.urlopen(request, timeout=10) as theirs:
            assert ours.status == theirs.status == 200
            assert ours.body == theirs.read(), name
            for header in ("cache-control", "content-encoding", "x-content-type-options"):
                assert sorted(ours.headers.get(header, "").split(", ")) == sorted(
                    theirs.headers.get(header, "").split(", ")
                ), (name, header)
            assert kind(ours.headers["content-type"]) == kind(theirs.headers["content-type"]), name
    assert school.nginx.get("/static/js/nothing.0123456789ab.js").status == 404


def kind(content_type: str) -> str:
    """Return a media type without its charset, by the newer of two names."""
    kind = content_type.partition(";")[0]
    return {"application/javascript": "text/javascript", "application/font-woff": "font/woff"}.get(kind, kind)


def test_sockets_are_shared_by_the_live_processes(school: School, capsys: pytest.CaptureFixture[str]) -> None:
    loop = Loop()

    def reaches_both() -> bool:
        """Whether nginx asks both again, which it does not for 2 s after one has refused."""
        links = loop.run(open_sockets(school.nginx, 4))
        both = all(school.sockets().values())
        loop.run(close_sockets(links))
        return both

    until(lambda: school.whole() and reaches_both(), timeout=BACK, saying="nginx asks both")
    until(lambda: not any(school.sockets().values()), saying="nobody is there")
    links = loop.run(open_sockets(school.nginx, SOCKETS))
    try:
        until(lambda: sum(school.sockets().values()) == SOCKETS, saying="all are accepted")
        shares = list(school.sockets().values())
        with capsys.disabled():
            print(f"\n{SOCKETS} sockets by nginx to two live processes, one after the other: {shares}")  # noqa: T201
        assert min(shares) >= FEWEST
    finally:
        loop.run(close_sockets(links))
        loop.close()


async def open_sockets(nginx: Nginx, count: int) -> list[ClientConnection]:
    links = []
    for _ in range(count):
        raw = socket.create_connection(("127.0.0.1", nginx.port))
        links.append(
            await connect(
                f"wss://{NAME}:{nginx.port}/live/lessons/1/socket/", sock=raw, ssl=nginx.trust(), server_hostname=NAME,
                origin=Origin(nginx.url), subprotocols=[Subprotocol("lectern.1")], compression=None, proxy=None,
            )
        )  # fmt: skip
    return links


async def close_sockets(links: list[ClientConnection]) -> None:
    await asyncio.gather(*(link.close() for link in links))
