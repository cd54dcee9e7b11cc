"""Pure fold of a lesson: events in, state out, and the verdict on an op before it becomes an event. Twin: lesson.js."""

from collections.abc import Callable, Container
from typing import Any, NamedTuple

from classrooms.lesson_state import (
    KEPT_POSTS,
    Event,
    LessonState,
    Page,
    Person,
    Policy,
    Post,
    digests,
    encode_board,
    encode_state,
    fresh,
    from_json,
    state_json,
)  # fmt: skip
from classrooms.refusals import Code
from classrooms.roles import Capability, Role, may
from whiteboard import board as boards
from whiteboard.board import Board, Rights, is_number, is_whole
from whiteboard.items import MAX_ITEMS, suits

__all__ = [
    "KEPT_POSTS", "RULES", "Event", "LessonState", "Page", "Person", "Policy", "Post", "apply", "digests",
    "encode_board", "encode_state", "fresh", "from_json", "permit", "state_json",
]  # fmt: skip

POLICY_VALUES: dict[str, tuple[Any, ...]] = {
    "draw": ("everyone", "chosen", "staff"),
    "edit": ("own", "shared"),
    "roam": (True, False),
    "chat": (True, False),
    "door": ("open", "locked"),
}

STAFF_RIGHTS = Rights(free=True, own=False, students=())


def apply(state: LessonState, event: Event) -> bool:
    """Fold the next event into `state` and say whether anything took effect.

    Raises ValueError when `event` is not the next one, and nothing else whatever its data: what cannot be read is void.
    """
    if event.seq != state.seq + 1:
        raise ValueError(f"event {event.seq} cannot follow {state.seq}")
    state.seq, state.at = event.seq, event.at
    if event.seq >= state.next_drop:
        state.drop_dead()
    rule = RULES.get(event.kind)
    if rule is None or state.status == "ended" or type(event.data) is not dict:
        return False
    role = None
    if event.by is not None:
        person = state.people.get(event.by)
        if person is None or person.removed:
            return False
        role = person.role
    if rule.check(state, event.by, role, event.data) is not None:
        return False
    return rule.fold(state, event, role)


def permit(state: LessonState, by: str | None, kind: str, data: dict[str, Any]) -> Code | None:
    """Say why an event of `kind` by `by` would be refused now, or None. Somebody not yet in `people` is a student.

    Whether an item exists or lives is the fold's business: such an op is logged, and void.
    """
    if state.status == "ended":
        return Code.ENDED
    person = None if by is None else state.people.get(by)
    if person is not None and person.removed:
        return Code.REMOVED
    rule = RULES.get(kind)
    if rule is None:
        return Code.UNKNOWN_KIND
    role = None if by is None else Role.STUDENT if person is None else person.role
    code = rule.check(state, by, role, data)
    if code is None and kind == "board.edited":
        code = _room(state.boards[data["page"]], by, data["edits"])
    return code


def _room(board: Board, by: str | None, edits: list[Any]) -> Code | None:
    """Say whether what `edits` add bears its author's name and finds room on the page, and what they set belongs there.

    The fold has no such limits.
    """
    added = [edit[1] for edit in edits if edit[0] == "add"]
    if by is not None and any(not key.startswith(by + ".") for key in added):
        return Code.NOT_ALLOWED
    kinds = {edit[1]: edit[2] for edit in edits if edit[0] == "add" and len(edit) > 2}  # a signal tells no kind
    for edit in edits:
        item = board.items.get(edit[1])
        kind = kinds.get(edit[1]) if item is None else item.kind
        if edit[0] == "set" and kind is not None and not suits(kind, edit[2]):
            return Code.BAD_FRAME
    return Code.TOO_MANY_ITEMS if added and board.live + len(added) > MAX_ITEMS else None


# --- checks: the right to an event, and its objects. The code is for `permit`; to the fold any of them means void ----

Check = Callable[[LessonState, str | None, Role | None, dict[str, Any]], Code | None]
Fold = Callable[[LessonState, Event, Role | None], bool]


class Rule(NamedTuple):
    """How one kind of event is judged, and what it does once it is permitted."""

    check: Check
    fold: Fold


def _needs(capability: Capability, *, page: bool = False, participant: bool = False) -> Check:
    """Return the check for a kind that needs `capability`, and a page or a participant that is there."""

    def check(state: LessonState, by: str | None, role: Role | None, data: dict[str, Any]) -> Code | None:
        if not may(role, capability):
            return Code.NOT_ALLOWED
        if page and not _has(state.boards, data.get("page")):
            return Code.UNKNOWN_PAGE
        if participant and not _has(state.people, data.get("participant")):
            return Code.UNKNOWN_PARTICIPANT
        return None

    return check


def _has(table: Container[str], key: object) -> bool:
    return type(key) is str and key in table


def _server(state: LessonState, by: str | None, role: Role | None, data: dict[str, Any]) -> Code | None:
    return None if by is None else Code.NOT_ALLOWED


def _may_draw(state: LessonState, by: str | None, role: Role | None, data: dict[str, Any]) -> Code | None:
    draw = state.policy.draw
    if draw != "everyone" and not may(role, Capability.DRAW) and (draw != "chosen" or by not in state.policy.chosen):
        return Code.NOT_ALLOWED
    return None if _has(state.boards, data.get("page")) else Code.UNKNOWN_PAGE


def _server_on_page(state: LessonState, by: str | None, role: Role | None, data: dict[str, Any]) -> Code | None:
    return _server(state, by, role, data) or (None if _has(state.boards, data.get("page")) else Code.UNKNOWN_PAGE)


def _may_change(state: LessonState, by: str | None, role: Role | None, data: dict[str, Any]) -> Code | None:
    whose: Any = data.get("participant")
    if not _has(state.people, whose):
        return Code.UNKNOWN_PARTICIPANT
    if data.get("role") is not None and not may(role, Capability.ROLES):
        return Code.NOT_ALLOWED
    if whose != by and not may(role, Capability.NAMES):
        return Code.NOT_ALLOWED
    demotes = data.get("role") not in (None, Role.INSTRUCTOR)
    return Code.NOT_ALLOWED if by is not None and demotes and _is_last_instructor(state, whose) else None


def _may_remove(state: LessonState, by: str | None, role: Role | None, data: dict[str, Any]) -> Code | None:
    whose: Any = data.get("participant")
    if not may(role, Capability.REMOVE):
        return Code.NOT_ALLOWED
    if not _has(state.people, whose):
        return Code.UNKNOWN_PARTICIPANT
    if state.people[whose].role is Role.INSTRUCTOR and not may(role, Capability.REMOVE_INSTRUCTOR):
        return Code.NOT_ALLOWED
    return Code.NOT_ALLOWED if by is not None and _is_last_instructor(state, whose) else None


def _is_last_instructor(state: LessonState, whose: str) -> bool:
    there = [key for key, person in state.people.items() if person.role is Role.INSTRUCTOR and not person.removed]
    return there == [whose]


def _may_lower(state: LessonState, by: str | None, role: Role | None, data: dict[str, Any]) -> Code | None:
    whose: Any = data.get("participant")
    return None if whose is None or whose == by or may(role, Capability.HANDS) else Code.NOT_ALLOWED


def _may_post(state: LessonState, by: str | None, role: Role | None, data: dict[str, Any]) -> Code | None:
    return None if state.policy.chat or may(role, Capability.CHAT) else Code.NOT_ALLOWED


def _may_unpost(state: LessonState, by: str | None, role: Role | None, data: dict[str, Any]) -> Code | None:
    post = _post(state, data.get("seq"))
    return None if post is None or post.by == by or may(role, Capability.POSTS) else Code.NOT_ALLOWED


def _post(state: LessonState, seq: object) -> Post | None:
    return next((post for post in state.chat if is_number(seq) and post.seq == seq), None)


def _free(state: LessonState, by: str | None, role: Role | None, data: dict[str, Any]) -> Code | None:
    return None


# --- folds: what a permitted event does. False: it found nothing to act on, or could not be read ---------------------


def _started(state: LessonState, event: Event, role: Role | None) -> bool:
    title, policy, pages = event.data.get("title"), event.data.get("policy"), event.data.get("pages")
    if event.seq != 1 or type(title) is not str or type(policy) is not dict or type(pages) is not list:
        return False
    state.title = title
    _set_policy(state, policy)
    chosen = policy.get("chosen")
    if type(chosen) is list:
        state.policy.chosen = [key for key in chosen if type(key) is str]
    for data in pages:
        if type(data) is dict:
            _add_page(state, data)
    return True


def _ended(state: LessonState, event: Event, role: Role | None) -> bool:
    state.status = "ended"
    return True


def _joined(state: LessonState, event: Event, role: Role | None) -> bool:
    key, name, color = event.data.get("participant"), event.data.get("name"), event.data.get("color")
    joins = _role(event.data.get("role"))
    if type(key) is not str or type(name) is not str or type(color) is not str or joins is None or key in state.people:
        return False
    state.people[key] = Person(name, joins, color)
    if joins is Role.STUDENT:
        state.students.add(key)
    return True


def _role(value: object) -> Role | None:
    return Role(value) if type(value) is str and value in Role.__members__.values() else None


def _changed(state: LessonState, event: Event, role: Role | None) -> bool:
    key, name, becomes = event.data["participant"], event.data.get("name"), event.data.get("role")
    if (name is None and becomes is None) or not (name is None or type(name) is str):
        return False
    if becomes is not None and _role(becomes) is None:
        return False
    person = state.people[key]
    if name is not None:
        person.name = name
    if becomes is not None:
        person.role = Role(becomes)
        (state.students.add if person.role is Role.STUDENT else state.students.discard)(key)
    return True


def _removed(state: LessonState, event: Event, role: Role | None) -> bool:
    key = event.data["participant"]
    if state.people[key].removed:
        return False
    state.people[key].removed = True
    _lower(state, key)
    return True


def _readmitted(state: LessonState, event: Event, role: Role | None) -> bool:
    person = state.people[event.data["participant"]]
    was, person.removed = person.removed, False
    return was


def _page_added(state: LessonState, event: Event, role: Role | None) -> bool:
    return _add_page(state, event.data)


def _add_page(state: LessonState, data: dict[str, Any]) -> bool:
    key, kind, title, slide = data.get("page"), data.get("kind"), data.get("title"), data.get("slide")
    if type(key) is not str or key in state.boards or type(kind) is not str or type(title) is not str:
        return False
    if not (slide is None or type(slide) is dict):
        return False
    state.pages.insert(_place(state, data), Page(key, kind, title, slide))
    state.boards[key] = Board()
    if state.current is None:
        state.current = key
    return True


def _place(state: LessonState, data: dict[str, Any]) -> int:
    """Return the index that `after` means: behind a page, first when it is null, last when absent or unknown."""
    if "after" not in data:
        return len(state.pages)
    if data["after"] is None:
        return 0
    return next((i + 1 for i, page in enumerate(state.pages) if page.id == data["after"]), len(state.pages))


def _page_shown(state: LessonState, event: Event, role: Role | None) -> bool:
    state.current = event.data["page"]
    return True


def _page_renamed(state: LessonState, event: Event, role: Role | None) -> bool:
    title = event.data.get("title")
    if type(title) is not str:
        return False
    page = next(page for page in state.pages if page.id == event.data["page"])
    page.title = title
    return True


def _page_described(state: LessonState, event: Event, role: Role | None) -> bool:
    text, alt = event.data.get("text"), event.data.get("alt")
    page = next(page for page in state.pages if page.id == event.data["page"])
    if page.slide is None or type(text) is not str or type(alt) is not str:
        return False
    page.slide = {**page.slide, "text": text, "alt": alt}
    return True


def _page_moved(state: LessonState, event: Event, role: Role | None) -> bool:
    key = event.data["page"]
    if event.data.get("after") == key:
        return False
    page = next(page for page in state.pages if page.id == key)
    state.pages.remove(page)
    state.pages.insert(_place(state, event.data), page)
    return True


def _page_removed(state: LessonState, event: Event, role: Role | None) -> bool:
    if len(state.pages) == 1:
        return False
    key = event.data["page"]
    at = next(i for i, page in enumerate(state.pages) if page.id == key)
    del state.pages[at], state.boards[key]
    if state.current == key:
        state.current = state.pages[min(at, len(state.pages) - 1)].id
    return True


def _board(state: LessonState, event: Event, role: Role | None) -> bool:
    board = state.boards[event.data["page"]]
    took = boards.apply(board, event, state.student_rights if role is Role.STUDENT else STAFF_RIGHTS)
    state.watch(board)
    return took


def _policy(state: LessonState, event: Event, role: Role | None) -> bool:
    return _set_policy(state, event.data)


def _set_policy(state: LessonState, data: dict[str, Any]) -> bool:
    """Set what is known of `data`; what a later version knows more is passed over."""
    took = False
    for name, values in POLICY_VALUES.items():
        value = data.get(name)
        if type(value) is type(values[0]) and value in values:
            state.set_policy(name, value)
            took = True
    return took


def _allowed(state: LessonState, event: Event, role: Role | None) -> bool:
    key, allowed, chosen = event.data["participant"], event.data.get("allowed"), state.policy.chosen
    if type(allowed) is not bool or (key in chosen) is allowed:
        return False
    (chosen.append if allowed else chosen.remove)(key)
    return True


def _raised(state: LessonState, event: Event, role: Role | None) -> bool:
    if event.by is None or event.by in state.hands:
        return False
    state.hands.append(event.by)
    return True


def _lowered(state: LessonState, event: Event, role: Role | None) -> bool:
    whose = event.data.get("participant")
    return _lower(state, event.by if whose is None else whose)


def _lower(state: LessonState, whose: object) -> bool:
    """Take a hand down, and end the turn of somebody who was called on."""
    took = whose in state.hands or (whose is not None and whose == state.called)
    state.hands = [key for key in state.hands if key != whose]
    if whose == state.called:
        state.called = None
    return took


def _called(state: LessonState, event: Event, role: Role | None) -> bool:
    whose = event.data["participant"]
    if state.called == whose or state.people[whose].removed:
        return False
    state.hands = [key for key in state.hands if key != whose]
    state.called = whose
    return True


def _posted(state: LessonState, event: Event, role: Role | None) -> bool:
    text, reply = event.data.get("text"), event.data.get("reply")
    if type(text) is not str or not (reply is None or is_whole(reply)):
        return False
    state.chat.append(Post(event.seq, event.by, event.at, text, None if reply is None else int(reply)))
    return True


def _unposted(state: LessonState, event: Event, role: Role | None) -> bool:
    post = _post(state, event.data.get("seq"))
    if post is None:
        return False
    state.chat.remove(post)
    return True


RULES: dict[str, Rule] = {
    "lesson.started": Rule(_server, _started),
    "lesson.ended": Rule(_needs(Capability.END), _ended),
    "person.joined": Rule(_server, _joined),
    "person.changed": Rule(_may_change, _changed),
    "person.removed": Rule(_may_remove, _removed),
    "person.readmitted": Rule(_may_remove, _readmitted),
    "page.added": Rule(_needs(Capability.PAGES), _page_added),
    "page.shown": Rule(_needs(Capability.SHOW, page=True), _page_shown),
    "page.renamed": Rule(_needs(Capability.PAGES, page=True), _page_renamed),
    "page.described": Rule(_server_on_page, _page_described),
    "page.moved": Rule(_needs(Capability.PAGES, page=True), _page_moved),
    "page.removed": Rule(_needs(Capability.PAGES, page=True), _page_removed),
    "page.cleared": Rule(_needs(Capability.CLEAR, page=True), _board),
    "page.uncleared": Rule(_needs(Capability.CLEAR, page=True), _board),
    "board.edited": Rule(_may_draw, _board),
    "board.seeded": Rule(_server_on_page, _board),
    "policy.set": Rule(_needs(Capability.POLICY), _policy),
    "draw.allowed": Rule(_needs(Capability.ALLOW, participant=True), _allowed),
    "hand.raised": Rule(_free, _raised),
    "hand.lowered": Rule(_may_lower, _lowered),
    "hand.called": Rule(_needs(Capability.HANDS, participant=True), _called),
    "chat.posted": Rule(_may_post, _posted),
    "chat.removed": Rule(_may_unpost, _unposted),
}
