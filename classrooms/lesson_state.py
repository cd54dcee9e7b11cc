"""Pure: what a lesson is after so many events, and its JSON (docs/protocol.md, "The state")."""

from collections import deque
from collections.abc import Container
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from classrooms.roles import Role
from whiteboard.board import KEPT_DEAD, Board, Item, Rights, drop_dead, load

KEPT_POSTS = 200


class Event(msgspec.Struct, frozen=True, gc=False):
    """A committed fact. `by` None is the server; `at` in ms since 1970."""

    seq: int
    kind: str
    by: str | None
    at: int
    op: str | None
    data: dict[str, Any]


class Policy(msgspec.Struct):
    """What students may do. The defaults are those of the fold, before `lesson.started` brings the classroom's own."""

    draw: str = "everyone"
    edit: str = "shared"
    roam: bool = True
    chat: bool = True
    door: str = "open"
    chosen: list[str] = []


class Person(msgspec.Struct):
    """A participant, for good: the removed keep their name and role, so that their ink keeps its protection."""

    name: str
    role: Role
    color: str
    removed: bool = False


class Page(msgspec.Struct):
    """A page in its place. `slide`: `{"deck","number","width","height","images","text","alt"?}`, None on a sheet."""

    id: str
    kind: str
    title: str
    slide: dict[str, Any] | None = None


class Post(msgspec.Struct, frozen=True):
    """A chat message; `reply` is the seq of another."""

    seq: int
    by: str | None
    at: int
    text: str
    reply: int | None


class LessonState:
    """Everything a lesson is after `seq` events. `boards` has a board for each page."""

    __slots__ = (
        "at", "boards", "called", "chat", "current", "hands", "next_drop", "pages",
        "people", "policy", "seq", "status", "student_rights", "students", "title",
    )  # fmt: skip

    def __init__(self) -> None:
        self.title = ""
        self.status = "live"
        self.policy = Policy()
        self.people: dict[str, Person] = {}
        self.pages: list[Page] = []
        self.current: str | None = None
        self.boards: dict[str, Board] = {}
        self.hands: list[str] = []
        self.called: str | None = None  # whose turn it is to speak
        self.chat: deque[Post] = deque(maxlen=KEPT_POSTS)
        self.seq = 0
        self.at = 0
        self.next_drop: float = float("inf")  # the first seq at which a dead item is dropped
        self.students: set[str | None] = set()  # whose role is student, the removed too
        self.student_rights = Rights(free=False, own=False, students=self.students)

    def watch(self, board: Board) -> None:
        """Take note of when `board` has a dead item to drop."""
        if board.deaths:
            self.next_drop = min(self.next_drop, board.deaths[0][0] + KEPT_DEAD)

    def drop_dead(self) -> None:
        """Drop what has been dead for 2,000 events at `seq`."""
        self.next_drop = float("inf")
        for board in self.boards.values():
            drop_dead(board, self.seq)
            self.watch(board)

    def set_policy(self, name: str, value: Any) -> None:
        """Set one policy. Rights that hang on it follow."""
        setattr(self.policy, name, value)
        if name == "edit":
            self.student_rights = Rights(free=False, own=value == "own", students=self.students)


def fresh() -> LessonState:
    """Return the state before the first event."""
    return LessonState()


class _BoardJSON(msgspec.Struct):
    items: dict[str, Item]
    cleared: dict[str, int]


class _StateJSON(msgspec.Struct):
    """The wire form of a state, in the order of its fields."""

    title: str
    status: str
    policy: Policy
    people: dict[str, Person]
    pages: list[Page]
    current: str | None
    boards: dict[str, Any]
    hands: list[str]
    chat: list[Post]
    called: str | UnsetType = UNSET  # came later than the others: absent while nobody is called


def _wire(state: LessonState, boards_json: dict[str, Any]) -> _StateJSON:
    return _StateJSON(
        state.title, state.status, state.policy, state.people, state.pages,
        state.current, boards_json, state.hands, list(state.chat),
        UNSET if state.called is None else state.called,
    )  # fmt: skip


def encode_board(board: Board) -> bytes:
    """Return `{"items","cleared"}` of one board; it is encoded again only when it has changed."""
    if board.encoded is None or board.encoded[0] != board.version:
        board.encoded = (board.version, msgspec.json.encode(_BoardJSON(board.items, board.cleared)))
    return board.encoded[1]


def encode_state(state: LessonState, pages: Container[str] | None = None) -> bytes:
    """Return the state's JSON with the boards of `pages` (None: of all)."""
    encoded = {
        page: msgspec.Raw(encode_board(board)) for page, board in state.boards.items() if pages is None or page in pages
    }
    return msgspec.json.encode(_wire(state, encoded))


def state_json(state: LessonState) -> dict[str, Any]:
    """Return the state's JSON as plain objects."""
    decoded: dict[str, Any] = msgspec.json.decode(encode_state(state))
    return decoded


def from_json(json: dict[str, Any], seq: int, at: int) -> LessonState:
    """Return the state of a JSON that holds all boards: the inverse of `state_json`. Raises msgspec.ValidationError."""
    wire = msgspec.convert(json, _StateJSON)
    state = LessonState()
    state.title, state.status, state.policy, state.people = wire.title, wire.status, wire.policy, wire.people
    state.pages, state.current, state.hands = wire.pages, wire.current, wire.hands
    state.called = None if wire.called is UNSET else wire.called
    state.chat.extend(wire.chat)
    for page, value in wire.boards.items():
        loaded = msgspec.convert(value, _BoardJSON)
        state.boards[page] = load(loaded.items, loaded.cleared)
    state.students.update(key for key, person in state.people.items() if person.role is Role.STUDENT)
    state.set_policy("edit", state.policy.edit)
    state.seq, state.at = seq, at
    state.drop_dead()
    return state


def digests(state: LessonState) -> dict[str, int]:
    """Return the digest of each page's board."""
    return {page: board.digest for page, board in state.boards.items()}
