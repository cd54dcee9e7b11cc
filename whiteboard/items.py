"""Pure: the kinds of items, their fields and limits, and the edits that carry them. Twin: static/js/items.js."""

import math
import re
import unicodedata
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from whiteboard import points

MAX_ITEMS: Final = 5_000  # alive, on one page
MAX_EDITS: Final = 50  # in one op
MAX_TEXT: Final = 2_000  # characters (code points)
MAX_ALT: Final = 500
EDGE: Final = 32_768  # units from the middle of a blank sheet to its edge
MAX_TURN: Final = 3_600  # degrees either way: ten times round

ID_PATTERN: Final = "^[a-z0-9][a-z0-9.:-]{0,47}$"
COLOR_PATTERN: Final = "^#[0-9A-Fa-f]{6}$"
IMAGE_PATTERN: Final = "^[0-9a-f]{64}$"

_ID = re.compile(ID_PATTERN[1:-1])
_COLOR = re.compile(COLOR_PATTERN[1:-1])
_IMAGE = re.compile(IMAGE_PATTERN[1:-1])
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

# Patterns and lengths stand in the schema by these and are checked below, where each has a code of its own.
Id = Annotated[str, Meta(extra_json_schema={"pattern": ID_PATTERN})]
Color = Annotated[str, Meta(extra_json_schema={"pattern": COLOR_PATTERN})]
Pair = tuple[float, float]


class ItemError(Exception):
    """An edit that the door refuses; `code` is one of the refusal codes."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Kind(NamedTuple):
    """Which fields an item of a kind has, beside those of all kinds."""

    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    signed: bool = False  # whether `box` may be negative


COMMON: Final = frozenset({"turn", "top", "alt", "group"})

_STROKE = Kind(frozenset({"at", "ink", "style"}), frozenset({"box"}))
_LINE = Kind(frozenset({"at", "box", "style"}), signed=True)
_BOX = Kind(frozenset({"at", "box", "style"}))
_TEXT = Kind(frozenset({"at", "box", "text", "style"}))

KINDS: Final[dict[str, Kind]] = {
    "stroke": _STROKE,
    "highlight": _STROKE,
    "line": _LINE,
    "arrow": _LINE,
    "box": _BOX,
    "ellipse": _BOX,
    "text": _TEXT,
    "note": _TEXT,
    "image": Kind(frozenset({"at", "box", "image"})),
}


class Style(msgspec.Struct, omit_defaults=True):
    """How an item looks, written whole. What is absent: width 4, opacity 1, solid, no fill, size 24."""

    color: Color
    width: Annotated[float, Meta(ge=0.5, le=80)] | UnsetType = UNSET
    opacity: Annotated[float, Meta(ge=0.05, le=1)] | UnsetType = UNSET
    dash: Literal["solid", "dashed", "dotted"] | UnsetType = UNSET
    fill: Annotated[str, Meta(extra_json_schema={"pattern": f"{COLOR_PATTERN}|^none$"})] | UnsetType = UNSET
    size: Annotated[float, Meta(ge=8, le=200)] | UnsetType = UNSET

    def __post_init__(self) -> None:
        self.color = _color(self.color)
        if self.fill is not UNSET and self.fill != "none":
            self.fill = _color(self.fill)
        self.width, self.opacity, self.size = _plain(self.width), _plain(self.opacity), _plain(self.size)


class Fields(msgspec.Struct, omit_defaults=True):
    """The fields that an edit writes, each whole. Positions are in units; they become quarter units."""

    at: Pair | UnsetType = UNSET
    box: Pair | UnsetType | None = UNSET
    ink: str | UnsetType = UNSET
    image: Annotated[str, Meta(extra_json_schema={"pattern": IMAGE_PATTERN})] | UnsetType = UNSET
    style: Style | UnsetType = UNSET
    text: Annotated[str, Meta(extra_json_schema={"maxLength": MAX_TEXT})] | UnsetType = UNSET
    turn: Annotated[float, Meta(ge=-MAX_TURN, le=MAX_TURN)] | UnsetType | None = UNSET
    top: Annotated[float, Meta(ge=-(2**53) + 1, le=2**53 - 1)] | Literal["front", "back"] | UnsetType | None = UNSET
    alt: Annotated[str, Meta(extra_json_schema={"maxLength": MAX_ALT})] | UnsetType | None = UNSET
    group: Id | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        if self.at is not UNSET:
            self.at = spot(self.at, EDGE)
        if self.box is not UNSET and self.box is not None:
            self.box = spot(self.box, 2 * EDGE)
        if self.ink is not UNSET:
            check_ink(self.ink)
        if self.image is not UNSET and not _IMAGE.fullmatch(self.image):
            raise ItemError("bad_frame", "image")
        if self.text is not UNSET:
            check_text(self.text, MAX_TEXT)
        if self.alt is not UNSET and self.alt is not None:
            check_text(self.alt, MAX_ALT)
        if self.group is not UNSET and self.group is not None:
            check_id(self.group)
        if not isinstance(self.turn, UnsetType) and self.turn is not None:
            self.turn = _plain(self.turn)
        if isinstance(self.top, float):
            self.top = plain(self.top)


class Add(msgspec.Struct, array_like=True, tag="add"):
    """`["add", id, kind, {fields}]`; the id begins with its author's participant and a point."""

    id: Id
    kind: Annotated[str, Meta(extra_json_schema={"enum": list(KINDS)})]
    fields: Fields

    def __post_init__(self) -> None:
        check_id(self.id)
        normalise(self.kind, self.fields)


class Set(msgspec.Struct, array_like=True, tag="set"):
    """`["set", id, {fields}]`."""

    id: Id
    fields: Fields

    def __post_init__(self) -> None:
        check_id(self.id)


class Remove(msgspec.Struct, array_like=True, tag="remove"):
    """`["remove", id]`."""

    id: Id

    def __post_init__(self) -> None:
        check_id(self.id)


class Restore(msgspec.Struct, array_like=True, tag="restore"):
    """`["restore", id]`."""

    id: Id

    def __post_init__(self) -> None:
        check_id(self.id)


Edit = Add | Set | Remove | Restore


def normalise(kind: str, fields: Fields) -> None:
    """Make the fields of an add normal: those of `kind` alone, none of them null. Raises ItemError.

    Each field by itself was made normal when `fields` was built.
    """
    known = KINDS.get(kind)
    if known is None:
        raise ItemError("bad_frame", "kind")
    wanted = known.required | known.optional | COMMON
    for field in fields.__struct_fields__:
        if field not in wanted or getattr(fields, field) is None:
            setattr(fields, field, UNSET)
        if field in known.required and getattr(fields, field) is UNSET:
            raise ItemError("bad_frame", field)
    if not known.signed and isinstance(fields.box, tuple) and min(fields.box) < 0:
        raise ItemError("bad_frame", "box")


def suits(kind: str, fields: dict[str, Any]) -> bool:
    """Say whether normal `fields` may be set on an item of `kind`. On one of a later version's kind, any may."""
    known = KINDS.get(kind)
    if known is None:
        return True
    box = fields.get("box")
    return (
        fields.keys() <= known.required | known.optional | COMMON
        and all(fields.get(field, "") is not None for field in known.required)
        and (known.signed or box is None or min(box) >= 0)
    )


def quarter(value: float) -> float:
    """Round to quarter units, halves upwards; an int where that is equal, so that 902 is never written 902.0."""
    quarters = math.floor(value * 4 + 0.5)
    return quarters // 4 if quarters % 4 == 0 else quarters / 4


def plain(value: float) -> float:
    """Return `value` as an int where that is equal: both languages then write the same text."""
    return int(value) if value == int(value) else value


def check_id(text: str) -> None:
    """Raise ItemError unless `text` is an id."""
    if not _ID.fullmatch(text):
        raise ItemError("bad_frame", "id")


def check_text(text: str, limit: int) -> None:
    """Raise ItemError unless `text` has at most `limit` characters and no control characters but newlines."""
    if _CONTROL.search(text):
        raise ItemError("bad_frame", "control characters")
    if len(text) > limit:
        raise ItemError("too_long", "text")


def check_ink(text: str) -> None:
    """Raise ItemError unless `text` is the ink of 1 to 1,000 points."""
    try:
        points.decode(text)
    except points.BadInk as bad:
        raise ItemError("too_many_points" if bad.too_many else "bad_frame", str(bad)) from None


def tidy_text(text: str, limit: int) -> str:
    """Return a foreign text (of a PDF, a form) as the wire wants it: NFC, newlines, no controls, cut to `limit`."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    return _CONTROL.sub("", text)[:limit]


def spot(pair: Pair, reach: float) -> Pair:
    """Return a position in quarter units. Raises ItemError when it is further out than `reach` units."""
    if not (-reach <= pair[0] <= reach and -reach <= pair[1] <= reach):
        raise ItemError("bad_frame", "out of range")
    return (quarter(pair[0]), quarter(pair[1]))


def _plain(value: float | UnsetType) -> float | UnsetType:
    return value if isinstance(value, UnsetType) else plain(value)


def _color(text: str) -> str:
    if not _COLOR.fullmatch(text):
        raise ItemError("bad_frame", "color")
    return text.lower()
