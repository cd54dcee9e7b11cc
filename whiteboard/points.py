"""Pure ink codec: points of a stroke as a short string, and back.

A tag (`a`: x, y; `b`: x, y, pressure), then base64url without padding of zigzag varints: each point is the difference
from the one before, in quarter units relative to the item's `at`. Twin: static/js/points.js.
"""

import base64
import math
import re
from collections.abc import Iterable, Sequence

MAX_POINTS = 1_000  # a stroke; a longer one is committed in parts
REACH = 65_536 * 4  # quarter units: from one edge of a blank sheet (32,768 units from the middle) to the other
MAX_VARINT = 3  # bytes: a difference is at most 2 * REACH, its zigzag 2**20 + 2**20, which is 21 bits

_TEXT = re.compile(r"[ab][A-Za-z0-9_-]+", re.ASCII)
_MAX_TEXT = 1 + MAX_POINTS * 3 * MAX_VARINT * 4 // 3 + 2


class BadInk(Exception):  # noqa: N818
    """This is no ink. `too_many` when the only fault is the number of points."""

    def __init__(self, reason: str, *, too_many: bool = False) -> None:
        super().__init__(reason)
        self.too_many = too_many


def encode(points: Iterable[Sequence[float]], pressed: bool) -> str:
    """Return the ink of `points`: (x, y) in units, or (x, y, pressure 0-255) when `pressed`. Rounds to quarters."""
    out = bytearray()
    before = [0, 0, 0]
    for point in points:
        now = [math.floor(point[0] * 4 + 0.5), math.floor(point[1] * 4 + 0.5)]
        if pressed:
            now.append(min(255, max(0, math.floor(point[2] + 0.5))))
        for axis, value in enumerate(now):
            _put(out, value - before[axis])
            before[axis] = value
    return ("b" if pressed else "a") + base64.urlsafe_b64encode(out).decode().rstrip("=")


def _put(out: bytearray, difference: int) -> None:
    rest = difference << 1 if difference >= 0 else (-difference << 1) - 1
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)


def decode(text: str) -> list[tuple[float, ...]]:
    """Return the points of `text` in units: (x, y) or (x, y, pressure). Raises BadInk, and nothing else."""
    if len(text) > _MAX_TEXT:
        raise BadInk("too long", too_many=True)
    if not _TEXT.fullmatch(text):
        raise BadInk("not a tag and base64url")
    values = _differences(_bytes(text[1:]))
    axes = 3 if text[0] == "b" else 2
    if len(values) % axes:
        raise BadInk("ends within a point")
    if len(values) // axes > MAX_POINTS:
        raise BadInk("too many points", too_many=True)
    x = y = pressure = 0
    points: list[tuple[float, ...]] = []
    for start in range(0, len(values), axes):
        x += values[start]
        y += values[start + 1]
        if not (-REACH <= x <= REACH and -REACH <= y <= REACH):
            raise BadInk("out of range")
        if axes == 2:
            points.append((x / 4, y / 4))
            continue
        pressure += values[start + 2]
        if not 0 <= pressure <= 255:
            raise BadInk("pressure out of range")
        points.append((x / 4, y / 4, pressure))
    return points


def _bytes(text: str) -> bytes:
    """Undo base64url strictly: loose bits at the end are refused, so that each ink has one text only."""
    if len(text) % 4 == 1:
        raise BadInk("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=") != text.encode():
        raise BadInk("loose bits at the end")
    return data


def _differences(data: bytes) -> list[int]:
    values: list[int] = []
    rest = shift = 0
    for byte in data:
        rest |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
            if shift == 7 * MAX_VARINT:
                raise BadInk("a varint of too many bytes")
            continue
        if shift and not byte:
            raise BadInk("an overlong varint")
        values.append(rest >> 1 if not rest & 1 else -(rest + 1 >> 1))
        rest = shift = 0
    if shift:
        raise BadInk("ends within a varint")
    return values
