"""What every story has: a server, a browser, and people with windows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.support.browser import People, chromium
from tests.support.desk import Desk
from tests.support.server import Server
from tests.support.visits import join

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(180))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The one Playwright of the process, for a story that needs a browser of its own."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium for all stories; windows are the people's own."""
    with chromium(playwright) as browser:
        yield browser


@pytest.fixture
def people(browser: Browser) -> Iterator[People]:
    """Opens windows; what a page complained of fails the test at its end."""
    people = People(browser)
    yield people
    people.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    """The server that the stories of a file share."""
    with Server() as server:
        yield server


@pytest.fixture
def server(served: Server) -> Server:
    """A server with the cast and the classroom, and no lesson yet that is live."""
    served.end_lessons()
    return served


@pytest.fixture
def pair(server: Server, people: People) -> tuple[Desk, Desk]:
    """Ana and Ben in a lesson with one blank sheet."""
    server.start_lesson()
    return join(people.window(server.url), "Ana"), join(people.window(server.url), "Ben")
