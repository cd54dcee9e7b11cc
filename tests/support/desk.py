"""A lesson page in a window: drawing, turning pages, and what it shows, read as a person or an operator would."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Page, expect

Point = tuple[float, float]

STATE = """() => {
  const { store, session } = window.lectern;
  return {
    seq: store.applied, current: store.lesson.current, page: store.page,
    digests: Object.fromEntries([...store.lesson.boards].map(([page, board]) => [page, board.digest])),
    pending: store.pending.length, tray: store.tray.length, phase: session.status.phase,
  };
}"""

# What is drawn, without the slide, the wet ink and the tags: the two canvases of confirmed and pending items.
PIXELS = """() => {
  const [under, over] = ["board-highlights", "board-ink"].map((id) => document.getElementById(id));
  const both = new OffscreenCanvas(over.width, over.height);
  const brush = both.getContext("2d");
  brush.drawImage(under, 0, 0);
  brush.drawImage(over, 0, 0);
  const data = brush.getImageData(0, 0, both.width, both.height).data;
  let text = "";
  for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
  return `${both.width}x${both.height} ${btoa(text)}`;
}"""


class Desk:
    """One person's lesson page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def ready(self) -> "Desk":
        """Wait until the page is live and shows the lesson."""
        self.wait("lectern.session.status.phase === 'live' && lectern.store.shown !== null")
        return self

    def wait(self, condition: str, timeout: float = 30) -> None:
        """Wait until a JavaScript condition holds on the page; `lectern` is its session and store."""
        script = f"() => {{ const {{ lectern }} = window; return lectern && ({condition}); }}"
        self.page.wait_for_function(script, timeout=timeout * 1000)

    # --- doing ---------------------------------------------------------------------------------------------------

    def draw(self, *points: Point) -> None:
        """Draw with the mouse through points of the board, in shares of its width and height."""
        box = self.page.locator("#board-own").bounding_box()
        assert box is not None
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=4)
        self.page.mouse.up()

    def turn_to(self, number: int) -> None:
        """Go on with the next-page button until page `number` is there."""
        while f"Page {number} " not in self.page.locator("#where").inner_text().replace(" ", " "):
            before = self.page.locator("#where").inner_text()
            self.page.locator("#next").click()
            expect(self.page.locator("#where")).not_to_have_text(before)

    def choose(self, group: str, name: str) -> None:
        """Press one of the radio buttons of a group."""
        self.page.get_by_role("radiogroup", name=group).get_by_role("radio", name=name).click()

    def settle(self) -> dict[str, Any]:
        """Wait until nothing of one's own is pending, and return the state."""
        self.wait("lectern.session.status.phase === 'live' && lectern.store.pending.length === 0")
        return self.state()

    # --- seeing --------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return seq, digests of the loaded boards, and what waits."""
        return dict(self.page.evaluate(STATE))

    def digest(self) -> int:
        """Return the digest of the board that is looked at."""
        state = self.state()
        return int(state["digests"][state["page"]])

    def pixels(self) -> str:
        """Return a hash of what is drawn on the board that is looked at, with its size in pixels."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        size, data = str(self.page.evaluate(PIXELS)).split(" ")
        return f"{size} {hashlib.sha256(base64.b64decode(data)).hexdigest()}"


def agree(desks: Sequence[Desk], *, timeout: float = 30) -> int:
    """Wait until all have confirmed everything and applied the same seq; check digests and pixels; return the seq."""
    for desk in desks:
        desk.settle()
    head = max(desk.state()["seq"] for desk in desks)
    for desk in desks:
        desk.wait(f"lectern.store.applied >= {head}", timeout)
    states = [desk.state() for desk in desks]
    assert len({state["page"] for state in states}) == 1, states
    assert len({desk.digest() for desk in desks}) == 1, states
    pixels = [desk.pixels() for desk in desks]
    assert len(set(pixels)) == 1, pixels
    return int(head)
