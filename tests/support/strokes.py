"""Ink as people draw it: the text of an event that adds a stroke of 80 points."""

import json
from functools import lru_cache
from random import Random

from whiteboard.points import encode

POINTS = 80
STYLE = {"color": "#d3322b", "width": 4, "opacity": 1, "dash": "solid", "fill": "none"}


@lru_cache(maxsize=1000)
def ink(seed: int) -> str:
    """Return the ink of a stroke, the same for the same seed."""
    random = Random(seed)
    x, y, points = 0.0, 0.0, []
    for _ in range(POINTS):
        x, y = x + random.uniform(-6, 6), y + random.uniform(-6, 6)
        points.append((x, y))
    return encode(points, False)


def stroke(seed: int, item: str = "u1.9f3a01c2.1", page: str = "p1") -> str:
    """Return the `data` of a `board.edited` that adds one stroke."""
    fields = {"at": [seed * 37 % 1600, seed * 91 % 900], "ink": ink(seed), "style": STYLE}
    return json.dumps({"page": page, "edits": [["add", item, "stroke", fields]]}, separators=(",", ":"))
