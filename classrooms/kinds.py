"""Pure: what each kind of op, event and signal carries, checked and made normal as it is decoded (docs/protocol.md)."""

import re
import unicodedata
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from classrooms.refusals import N_, Code, Refused
from classrooms.roles import Role
from whiteboard import items
from whiteboard.items import COLOR_PATTERN, MAX_TEXT, Color, Id, Pair, check_id, check_text

MAX_NAME: Final = 40
MAX_TITLE: Final = 120
MAX_PAGE_TITLE: Final = 80  # of a page that is renamed: one line under a small picture
MAX_SLIDE_TEXT: Final = 10_000
MAX_PAGES_AT_START: Final = 20
MAX_TRAIL: Final = 64  # points of a laser in one signal; items of a drag

Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Title = Annotated[str, Meta(extra_json_schema={"maxLength": MAX_TITLE})]
PageTitle = Annotated[str, Meta(extra_json_schema={"maxLength": MAX_PAGE_TITLE})]
Name = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": MAX_NAME})]
Text = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": MAX_TEXT})]

_COLOR = re.compile(COLOR_PATTERN[1:-1])
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})  # controls, bidi and zero-width characters, line breaks
_BLANKS = " \n\t\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_JOINERS = "\u200c\u200d"  # part of how Persian and the scripts of India are written, and of many emojis
_UNSEEN = "\u115f\u1160\u2800\u3164\uffa0"  # count as letters or symbols, and show nothing
MAX_MARKS = 4  # in a row: no script needs more, and a tower of them covers the lines above


def clean_name(text: str) -> str:
    """Return a person's name as it is stored: NFC, no space around it. Raises Refused(bad_frame, too_long)."""
    name = _one_line(text)
    if not name.strip(_BLANKS + _JOINERS + _UNSEEN):
        raise Refused(Code.BAD_FRAME, message=N_("Type your name first."))
    if len(name) > MAX_NAME:
        raise Refused(Code.TOO_LONG, message=N_("A name has at most 40 letters."))
    return name


def clean_title(text: str) -> str:
    """Return a page's title as it is stored, "" for none: NFC, no space around. Raises Refused(bad_frame, too_long)."""
    title = _one_line(text)
    if len(title) > MAX_PAGE_TITLE:
        raise Refused(Code.TOO_LONG, message=N_("A title has at most 80 letters."))
    return title if title.strip(_BLANKS + _JOINERS + _UNSEEN) else ""


def _one_line(text: str) -> str:
    line = unicodedata.normalize("NFC", text).strip(_BLANKS)
    if any(unicodedata.category(char) in _HIDDEN and char not in _JOINERS for char in line):
        raise Refused(Code.BAD_FRAME, message=N_("Only letters belong here, no hidden characters."))
    marks = "".join("m" if unicodedata.category(char) in ("Mn", "Me") else " " for char in line)
    if "m" * (MAX_MARKS + 1) in marks:
        raise Refused(Code.BAD_FRAME, message=N_("Only letters belong here, no towers of marks."))
    return line


class Empty(msgspec.Struct):
    """Nothing: the kind says it all."""


class _Ids(msgspec.Struct, omit_defaults=True):
    """Data whose fields named here are ids when they are there."""

    def __post_init__(self) -> None:
        for field in ("page", "participant", "after", "only"):
            value = getattr(self, field, None)
            if type(value) is str:
                check_id(value)


class SlideData(msgspec.Struct, omit_defaults=True):
    """A slide of a deck: its size in units, its images by width, its text, and what is to be seen on it (`alt`)."""

    deck: int
    number: int
    width: Annotated[float, Meta(gt=0, le=items.EDGE)]
    height: Annotated[float, Meta(gt=0, le=items.EDGE)]
    images: dict[Literal["320", "800", "1600"], str]
    text: str = ""
    alt: str = ""

    def __post_init__(self) -> None:
        self.width, self.height = items.plain(self.width), items.plain(self.height)
        self.text = items.tidy_text(self.text, MAX_SLIDE_TEXT)
        self.alt = items.tidy_text(self.alt, MAX_SLIDE_TEXT)
        for address in self.images.values():
            check_text(address, MAX_TEXT)
            if not address.startswith(("/", "https://", "http://")):
                raise items.ItemError("bad_frame", "image address")


class PageData(_Ids, omit_defaults=True):
    """A new page. `after`: a page = behind it, null = first, absent = last."""

    page: Id
    kind: Literal["slide", "blank"]
    title: Title
    after: Id | UnsetType | None = UNSET
    slide: SlideData | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_text(self.title, MAX_TITLE)


class PageRef(_Ids):
    """A page."""

    page: Id


class PageRename(_Ids):
    """A page and its new title; "" takes the title away."""

    page: Id
    title: PageTitle

    def __post_init__(self) -> None:
        super().__post_init__()
        self.title = clean_title(self.title)


class PageDescribe(_Ids):
    """A page that shows a slide, with the slide's text and what is to be seen on it as its owner has them now."""

    page: Id
    text: str
    alt: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.text, self.alt = (items.tidy_text(text, MAX_SLIDE_TEXT) for text in (self.text, self.alt))


class PageMove(_Ids, omit_defaults=True):
    """A page and its new place, as in `page.add`."""

    page: Id
    after: Id | UnsetType | None = UNSET


class PageClear(_Ids, omit_defaults=True):
    """A page, and whose ink alone is meant."""

    page: Id
    only: Id | None = None


class PageUnclear(_Ids):
    """A page, and the seq of the clear that is undone."""

    page: Id
    seq: Seq


class BoardEdit(_Ids, omit_defaults=True):
    """One gesture on a page. `guard`: write only what nobody else has written after that seq (undo)."""

    page: Id
    edits: Annotated[list[items.Edit], Meta(extra_json_schema={"minItems": 1, "maxItems": items.MAX_EDITS})]
    guard: Seq | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.edits:
            raise Refused(Code.BAD_FRAME)
        if len(self.edits) > items.MAX_EDITS:
            raise Refused(Code.TOO_LARGE)


class PolicyData(msgspec.Struct, omit_defaults=True):
    """What students may do; what is absent stays."""

    draw: Literal["everyone", "chosen", "staff"] | UnsetType = UNSET
    edit: Literal["own", "shared"] | UnsetType = UNSET
    roam: bool | UnsetType = UNSET
    chat: bool | UnsetType = UNSET
    door: Literal["open", "locked"] | UnsetType = UNSET


class PolicySet(PolicyData, omit_defaults=True):
    """At least one of the policies."""

    def __post_init__(self) -> None:
        if all(getattr(self, field) is UNSET for field in self.__struct_fields__):
            raise Refused(Code.BAD_FRAME)


class DrawAllow(_Ids):
    """Whether a participant may draw while `draw` is `chosen`."""

    participant: Id
    allowed: bool


class PersonRef(_Ids):
    """A participant."""

    participant: Id


class PersonChange(_Ids, omit_defaults=True):
    """A participant's new name, new role, or both."""

    participant: Id
    name: Name | UnsetType = UNSET
    role: Role | UnsetType = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.name is not UNSET:
            self.name = clean_name(self.name)
        elif self.role is UNSET:
            raise Refused(Code.BAD_FRAME)


class HandLower(_Ids, omit_defaults=True):
    """Whose hand; absent: the author's own."""

    participant: Id | None = None


class ChatPost(msgspec.Struct, omit_defaults=True):
    """A message, and the seq of the message that it answers."""

    text: Text
    reply: Seq | None = None

    def __post_init__(self) -> None:
        check_text(self.text, MAX_TEXT)
        if not self.text.strip(_BLANKS):
            raise Refused(Code.BAD_FRAME)


class ChatRef(msgspec.Struct):
    """The seq of a message."""

    seq: Seq


class LessonStart(msgspec.Struct):
    """The first event of a log: the classroom's policy and the first 1 to 20 pages."""

    title: Title
    policy: PolicyData
    pages: Annotated[list[PageData], Meta(min_length=1, max_length=MAX_PAGES_AT_START)]

    def __post_init__(self) -> None:
        check_text(self.title, MAX_TITLE)


class PersonJoin(_Ids):
    """A new participant."""

    participant: Id
    name: Name
    role: Role
    color: Color

    def __post_init__(self) -> None:
        super().__post_init__()
        self.name = clean_name(self.name)
        if not _COLOR.fullmatch(self.color):
            raise Refused(Code.BAD_FRAME)


class Seed(msgspec.Struct):
    """An item of an earlier lesson's board."""

    kind: Annotated[str, Meta(extra_json_schema={"enum": list(items.KINDS)})]
    by: Id
    fields: items.Fields

    def __post_init__(self) -> None:
        check_id(self.by)
        items.normalise(self.kind, self.fields)


class BoardSeed(_Ids):
    """Items by id that the server brings in from an earlier lesson. An id begins with its author's participant."""

    page: Id
    items: dict[Id, Seed]

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, seed in self.items.items():
            check_id(key)
            if not key.startswith(seed.by + "."):
                raise Refused(Code.BAD_FRAME)


class Kind(NamedTuple):
    """The event that an op asks for, and the data of both."""

    event: str
    data: type[msgspec.Struct]


OPS: Final[dict[str, Kind]] = {
    "lesson.end": Kind("lesson.ended", Empty),
    "person.change": Kind("person.changed", PersonChange),
    "person.remove": Kind("person.removed", PersonRef),
    "person.readmit": Kind("person.readmitted", PersonRef),
    "page.add": Kind("page.added", PageData),
    "page.show": Kind("page.shown", PageRef),
    "page.rename": Kind("page.renamed", PageRename),
    "page.move": Kind("page.moved", PageMove),
    "page.remove": Kind("page.removed", PageRef),
    "page.clear": Kind("page.cleared", PageClear),
    "page.unclear": Kind("page.uncleared", PageUnclear),
    "board.edit": Kind("board.edited", BoardEdit),
    "policy.set": Kind("policy.set", PolicySet),
    "draw.allow": Kind("draw.allowed", DrawAllow),
    "hand.raise": Kind("hand.raised", Empty),
    "hand.lower": Kind("hand.lowered", HandLower),
    "hand.call": Kind("hand.called", PersonRef),
    "chat.post": Kind("chat.posted", ChatPost),
    "chat.remove": Kind("chat.removed", ChatRef),
}

EVENTS: Final[dict[str, type[msgspec.Struct]]] = {
    "lesson.started": LessonStart,
    "person.joined": PersonJoin,
    "page.described": PageDescribe,
    "board.seeded": BoardSeed,
    **{kind.event: kind.data for kind in OPS.values()},
}


# --- signals: passing, never logged ----------------------------------------------------------------------------------


class InkSignal(_Ids, omit_defaults=True):
    """Points of a stroke being drawn; `offset` is how many came before."""

    page: Id
    item: Id
    offset: Annotated[int, Meta(ge=0, le=1_000_000)]
    ink: str
    style: items.Style | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_id(self.item)
        items.check_ink(self.ink)


class DragSignal(_Ids):
    """Items being moved, by `at` [dx, dy] so far."""

    page: Id
    items: Annotated[list[Id], Meta(min_length=1, max_length=MAX_TRAIL)]
    at: Pair

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in self.items:
            check_id(key)
        self.at = _spot(self.at)


class CursorSignal(_Ids):
    """Where a pointer is, and the tool in its hand."""

    page: Id
    at: Pair
    tool: Annotated[str, Meta(max_length=16)]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_text(self.tool, 16)
        self.at = _spot(self.at)


class LaserSignal(_Ids, omit_defaults=True):
    """A trail of light; `end` when the pointer is let go."""

    page: Id
    points: Annotated[list[Pair], Meta(max_length=MAX_TRAIL)]
    end: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.points = [_spot(point) for point in self.points]


class ReactSignal(msgspec.Struct):
    """An emoji."""

    emoji: Annotated[str, Meta(min_length=1, max_length=16)]

    def __post_init__(self) -> None:
        check_text(self.emoji, 16)


def _spot(pair: Pair) -> Pair:
    return items.spot(pair, 2 * items.EDGE)


SIGNALS: Final[dict[str, type[msgspec.Struct]]] = {
    "ink": InkSignal,
    "drag": DragSignal,
    "cursor": CursorSignal,
    "laser": LaserSignal,
    "typing": Empty,
    "react": ReactSignal,
}


def decode(data: bytes | msgspec.Raw, as_type: type[msgspec.Struct]) -> Any:
    """Return `data` as `as_type`, normal. Raises Refused, whatever the bytes."""
    try:
        return msgspec.json.decode(data, type=as_type)
    except items.ItemError as error:
        raise Refused(Code(error.code)) from None
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise Refused(Code.BAD_FRAME) from None


def convert(data: dict[str, Any], as_type: type[msgspec.Struct]) -> Any:
    """Return plain objects as `as_type`, normal. Raises Refused."""
    try:
        return msgspec.convert(data, as_type)
    except items.ItemError as error:
        raise Refused(Code(error.code)) from None
    except (msgspec.MsgspecError, RecursionError):
        raise Refused(Code.BAD_FRAME) from None
