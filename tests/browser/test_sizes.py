"""Every tool within reach, whatever the window: a phone upright and sideways, a page at 200 %, with a tray or none."""

import pytest
from playwright.sync_api import Page

from tests.support.browser import People
from tests.support.server import Server
from tests.support.visits import join

SIZES = [
    (320, 640),
    (360, 740),
    (390, 844),
    (820, 1180),
    (844, 390),
    (568, 320),
    (512, 384),
    (720, 600),
    (1024, 768),
    (1440, 900),
]

FOLDS = {"#rare-button": ("tool-choice", "tool-rare"), "#style-button": ("tool-color", "tool-width")}

# The controls of the stage that stand outside of it, cannot be hit, or are not there.
OUTSIDE = """() => {
  const stage = document.querySelector(".stage").getBoundingClientRect();
  const shown = [...document.querySelectorAll(".stage button")].filter((button) => button.checkVisibility());
  return shown.filter((button) => {
    const { left, right, top, bottom } = button.getBoundingClientRect();
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return left < stage.left || right > stage.right || top < 0 || bottom > innerHeight || !button.contains(hit);
  }).map((button) => button.getAttribute("aria-label") ?? button.textContent);
}"""


def unfold(page: Page, button: str) -> None:
    if page.locator(button).is_visible():
        page.locator(button).click()


@pytest.mark.parametrize("touch", [False, True], ids=["mouse", "finger"])
def test_every_tool_is_within_reach(server: Server, people: People, touch: bool) -> None:
    server.start_lesson()
    page = people.window(server.url, has_touch=touch, is_mobile=touch)
    join(page, "Ana")
    for tray in (False, True):
        page.evaluate(
            """(tray) => {
              document.getElementById("tools").toggleAttribute("data-tray", tray);
              document.getElementById("tray-button").hidden = !tray;
            }""",
            tray,
        )
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate(OUTSIDE) == [], (width, height, tray)
            if width < height and not tray:
                assert page.locator("#tools").bounding_box()["height"] < 60, f"one row of tools at {width}"  # type: ignore[index]
            for button, groups in FOLDS.items():
                unfold(page, button)
                for group in groups:
                    assert page.locator(f"#{group} button").first.is_visible(), (group, width, height, tray)
                    page.locator(f"#{group} button").last.click(trial=True)
                if button == "#style-button":
                    assert page.locator("#redo").is_visible(), (width, height, tray)
                unfold(page, button)
