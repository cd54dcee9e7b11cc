"""Timed stories: a phone scans the code and sees the current slide; a page's first slide; nothing on it jumps."""

import io
import itertools
import time
from collections.abc import Iterator

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page

from tests.support.browser import People
from tests.support.cast import PASSWORD
from tests.support.desk import Desk
from tests.support.run import Run, running
from tests.support.visits import log_in

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
WIRE = {"offline": False, "latency": 40, "downloadThroughput": 3e6 / 8, "uploadThroughput": 3e6 / 8}  # 3 Mbit/s
SCAN_MOST = 10.0  # s from the picture of the code to the slide, on a phone of a quarter of this machine's speed
TRIES = 3  # what else the machine does only adds to a time
FIRST_MOST = 1.5  # s from opening the page to the slide, at 3 Mbit/s

DRAWN = """() => {
  const slide = document.getElementById("board-slide");
  return slide && !slide.hidden && slide.complete && slide.naturalWidth > 0 && performance.now();
}"""
WATCH = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries()) {
      if (value > 0) window.shifts.push([value, ...sources.map(({ node }) => node?.id || node?.className)]);
    }
  }).observe({ type: "layout-shift", buffered: true });
}"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """What `make run` serves: the demo's lesson, live on its slides."""
    with running(tmp_path_factory.mktemp("data"), DEMO_PASSWORD=PASSWORD) as run:
        yield run


def shared_code(people: People, run: Run) -> bytes:
    """Return the picture of the QR code as it stands on the projector."""
    page = people.window(run.url)
    log_in(page)
    page.goto("/lessons/1/")
    Desk(page).ready()
    page.locator("[data-opens=share]").first.click()
    return page.locator("#share img").screenshot()


def throttle(page: Page, *, cpu: int = 1) -> None:
    """Slow a window's network, and its processor `cpu` times."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", WIRE)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": cpu})


def test_from_a_scanned_code_to_the_slide_in_ten_seconds(run: Run, people: People) -> None:
    picture = shared_code(people, run)
    phone = people.window(run.url, **PHONE)
    throttle(phone, cpu=4)
    steps = [("start", time.monotonic())]

    def step(name: str) -> None:
        steps.append((name, time.monotonic()))

    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    step("the code is read")
    phone.goto(code.text)
    step("the door shows")
    phone.get_by_role("textbox", name="Your name").fill("Ana")
    phone.keyboard.press("Enter")
    phone.wait_for_url("**/lessons/1/")
    step("the seat is taken")
    phone.wait_for_function(DRAWN)
    step("the slide is drawn")
    for (_, before), (name, at) in itertools.pairwise(steps):
        print(f"{name}: {at - before:.2f} s")  # noqa: T201
    took = steps[-1][1] - steps[0][1]
    print(f"in all: {took:.2f} s of {SCAN_MOST}")  # noqa: T201
    assert took < SCAN_MOST


@pytest.mark.parametrize("window", [PHONE, {}], ids=["phone", "laptop"])
def test_the_first_slide_shows_in_a_second_and_a_half_and_nothing_jumps(
    run: Run, people: People, window: dict[str, object]
) -> None:
    tries: list[float] = []
    while not tries or (min(tries) >= FIRST_MOST and len(tries) < TRIES):
        tries.append(first_slide(run, people, window))
    print(f"the first slide: {tries} s of {FIRST_MOST}")  # noqa: T201
    assert min(tries) < FIRST_MOST


def first_slide(run: Run, people: People, window: dict[str, object]) -> float:
    """Return the seconds until a newcomer's first slide; AssertionError when anything on the page jumped."""
    page = people.window(run.url, **window)
    seat = page.request.post(f"{run.url}/api/join/", data={"code": "TRYME2", "name": "Ben"})
    assert seat.status == 201
    page.context.add_init_script(f"({WATCH})()")
    throttle(page)
    page.goto("/lessons/1/", wait_until="commit")
    drawn = float(page.wait_for_function(DRAWN, polling="raf").json_value()) / 1000
    Desk(page).ready()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("() => window.shifts") == []
    return round(drawn, 2)
