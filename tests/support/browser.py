"""Debian's Chromium by Playwright: people with a window each, whose complaints fail the test."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.support.services import chromium_program

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip


@contextlib.contextmanager
def chromium(playwright: Playwright, *, resolve: Sequence[str] = ()) -> Iterator[Browser]:
    """Run a browser. `resolve` are host names that it shall find at 127.0.0.1, as a phone finds a laptop."""
    rules = ", ".join(f"MAP {name} 127.0.0.1" for name in resolve)
    flags = [*FLAGS, f"--host-resolver-rules={rules}"] if rules else FLAGS
    browser = playwright.chromium.launch(executable_path=chromium_program(), args=flags)
    try:
        yield browser
    finally:
        browser.close()


class People:
    """Windows of people who share nothing, and what their pages complained about.

    `expected` are parts of complaints that a story provokes on purpose.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.complaints: list[str] = []
        self.expected: list[str] = []
        self._contexts: list[BrowserContext] = []

    def window(self, url: str, **options: Any) -> Page:
        """Open a page for a new person: cookies, storage and size (`viewport`, 1440 by 900) of their own."""
        context = self.browser.new_context(base_url=url, **{"viewport": {"width": 1440, "height": 900}, **options})
        self._contexts.append(context)
        context.on("weberror", lambda error: self.complaints.append(f"{error.error}"))
        context.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        return context.new_page()

    def close(self) -> None:
        """Close every window; AssertionError when a page complained of anything unexpected."""
        for context in self._contexts:
            context.close()
        unexpected = [text for text in self.complaints if not any(part in text for part in self.expected)]
        assert unexpected == [], unexpected
