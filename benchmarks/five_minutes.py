"""From a clean clone to one's own PDF on a phone, timed: `python -m benchmarks.five_minutes [PDF]`.

Clones what is committed, runs `make run` there as README says, ends the demo's lesson, uploads the PDF, starts a lesson
with it, and joins with a phone. Prints each step's time; fails when all of it takes five minutes.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import django
from playwright.sync_api import expect, sync_playwright

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()  # the browser stories know the cast, who are models

from tests.browser.test_lesson import LECTURE, start, upload  # noqa: E402
from tests.support.browser import People, chromium  # noqa: E402
from tests.support.cast import PASSWORD  # noqa: E402
from tests.support.run import ROOT  # noqa: E402
from tests.support.visits import log_in  # noqa: E402
from tests.support.waiting import free_port  # noqa: E402

MOST = 300.0  # s
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
CODE = "TRYME2"


class Watch:
    """Prints what each step took."""

    def __init__(self) -> None:
        self.began = self.last = time.monotonic()

    def step(self, name: str) -> None:
        """Say what is done, and how long it took since the step before."""
        now = time.monotonic()
        print(f"{now - self.last:7.1f} s  {name}", flush=True)
        self.last = now

    @property
    def took(self) -> float:
        return self.last - self.began


def make_run(clone: Path, port: int) -> subprocess.Popen[str]:
    """Start `make run` and wait until it has said where to go."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    env = kept | {"PORT": str(port), "DEMO_PASSWORD": PASSWORD, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        ["make", "run"], cwd=clone, env=env, text=True, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    if not any("Ctrl-C" in line for line in process.stdout):
        sys.exit("`make run` ended before it served.")
    return process


def main() -> None:
    """Do it as a teacher would, and time it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pdf", nargs="?", type=Path, default=LECTURE)
    pdf = parser.parse_args().pdf
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, chromium(playwright) as browser:
        people, port, watch = People(browser), free_port(), Watch()
        clone = Path(folder) / "lectern"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        watch.step("git clone")
        process = make_run(clone, port)
        try:
            watch.step("make run says where to go")
            page = people.window(f"http://127.0.0.1:{port}")
            log_in(page)
            page.goto("/lessons/1/")
            page.get_by_role("button", name="End lesson").first.click()
            page.locator("#end-now").click()
            expect(page.get_by_role("heading", name="The lesson has ended")).to_be_visible()
            watch.step("signed in, the demo's lesson ended")
            upload(page, pdf, "My own slides")
            watch.step(f"{pdf.name} uploaded and converted")
            start(page, "My own slides")
            watch.step("the lesson is live on the projector")
            phone = people.window(f"http://127.0.0.1:{port}", **PHONE)
            phone.goto(f"/j/{CODE}/")
            phone.get_by_role("textbox", name="Your name").fill("Ana")
            phone.keyboard.press("Enter")
            phone.wait_for_function("() => document.getElementById('board-slide')?.naturalWidth > 0")
            watch.step("a phone sees page 1")
            people.close()
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)
    print(f"{watch.took:7.1f} s  in all, of {MOST:.0f}")
    if watch.took >= MOST:
        sys.exit("That is too long.")


if __name__ == "__main__":
    main()
