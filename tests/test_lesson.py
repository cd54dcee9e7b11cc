"""The fold of a lesson: the contract vectors, snapshots at every cut, early refusals; and nothing makes it raise."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classrooms import kinds, lesson
from classrooms.lesson import Event, LessonState, apply, digests, encode_board, encode_state, fresh, from_json, permit
from classrooms.refusals import Code
from classrooms.roles import Role
from tests.support import logs
from tests.support.lively import lively
from whiteboard.board import recomputed_digest
from whiteboard.items import MAX_ITEMS

CONTRACT = Path(__file__).parent / "contract"
VECTORS = [
    pytest.param(vector, id=f"{file}: {vector.get('why', number)}")
    for file in ("rules", "fold", "void")
    for number, vector in enumerate(json.loads((CONTRACT / f"{file}.json").read_text(encoding="utf-8")))
]
STYLE = {"color": "#d3322b"}


def events_of(vector: dict[str, Any]) -> list[Event]:
    return [Event(e["seq"], e["kind"], e["by"], e["at"], e.get("op"), e["data"]) for e in vector["events"]]


@pytest.mark.parametrize("vector", VECTORS)
def test_the_contract_vectors(vector: dict[str, Any]) -> None:
    state, void = logs.fold(events_of(vector))
    assert lesson.state_json(state) == vector["state"]
    assert digests(state) == vector["digest"]
    assert void == vector["void"]


def test_an_event_out_of_order_is_an_error() -> None:
    state = fresh()
    for seq in (0, 2):
        with pytest.raises(ValueError, match=f"event {seq} cannot follow 0"):
            apply(state, Event(seq, "hand.raised", "u1", 0, None, {}))
    assert state.seq == 0


# --- snapshots (board.md P2) and digests (P12) -----------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_snapshot_and_its_tail_are_the_full_fold_at_every_cut(seed: int) -> None:
    events = logs.numbered(lively(seed, 60))
    whole, void = logs.fold(events)
    cuts = {0, *(event.seq for event in events if event.kind != "sky.painted"), len(events)}
    state, tails = fresh(), []
    for event in events:
        if state.seq in cuts:
            tails.append(from_json(msgspec.json.decode(encode_state(state)), state.seq, state.at))
        apply(state, event)
    for tail in tails:
        began = tail.seq
        assert [event.seq for event in events[began:] if not apply(tail, event)] == [s for s in void if s > began]
        assert encode_state(tail) == encode_state(whole)
        assert digests(tail) == digests(whole)
        assert {page: board.live for page, board in tail.boards.items()} == {
            page: board.live for page, board in whole.boards.items()
        }


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), log=logs.logs())
def test_the_digest_kept_is_the_digest_computed(seed: int, log: list[dict[str, Any]]) -> None:
    state = fresh()
    for event in logs.numbered([*lively(seed, 40)]):
        apply(state, event)
        assert all(board.digest == recomputed_digest(board) for board in state.boards.values())
    state, _ = logs.fold(logs.numbered(log))
    assert all(board.digest == recomputed_digest(board) for board in state.boards.values())


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([*kinds.EVENTS, "later.kind"]), logs.authors, logs.weird)
def test_no_data_makes_the_fold_raise(kind: str, by: str | None, data: Any) -> None:
    state, _ = logs.fold(logs.numbered(lively(1, 20)))
    apply(state, Event(state.seq + 1, kind, by, 0, None, data))
    encode_state(state)


def test_a_board_is_encoded_again_only_when_it_has_changed() -> None:
    state = classroom()
    first = encode_board(state.boards["p1"])
    put(state, "page.shown", "tea", {"page": "p2"})
    assert encode_board(state.boards["p1"]) is first
    put(state, "board.edited", "ana", {"page": "p1", "edits": [["add", "ana.c.1", "box", {}]]})
    assert msgspec.json.decode(encode_board(state.boards["p1"]))["items"]["ana.c.1"]["seq"] == state.seq


def test_a_page_of_the_same_id_does_not_keep_the_bytes_of_the_one_that_went() -> None:
    state = classroom()
    put(state, "board.edited", "ana", {"page": "p2", "edits": [["add", "ana.c.1", "box", {}]]})
    assert b"ana.c.1" in encode_state(state)
    put(state, "page.removed", "tea", {"page": "p2"})
    put(state, "page.added", "tea", {"page": "p2", "kind": "blank", "title": ""})
    assert b"ana.c.1" not in encode_state(state)


def test_the_state_without_boards_has_all_the_rest() -> None:
    state = classroom()
    assert msgspec.json.decode(encode_state(state, ()))["boards"] == {}
    assert set(msgspec.json.decode(encode_state(state, ["p2"]))["boards"]) == {"p2"}
    assert msgspec.json.decode(encode_state(state, ()))["pages"] == lesson.state_json(state)["pages"]


# --- early refusals --------------------------------------------------------------------------------------------------


def put(state: LessonState, kind: str, by: str | None, data: dict[str, Any]) -> bool:
    return apply(state, Event(state.seq + 1, kind, by, state.seq, None, data))


def classroom() -> LessonState:
    state = fresh()
    pages = [{"page": page, "kind": "blank", "title": page} for page in ("p1", "p2")]
    put(state, "lesson.started", None, {"title": "T", "policy": {}, "pages": pages})
    for key, role in (("tea", "instructor"), ("hel", "assistant"), ("ana", "student"), ("ben", "student")):
        put(state, "person.joined", None, {"participant": key, "name": key, "role": role, "color": "#000000"})
    return state


DRAW = {"page": "p1", "edits": [["add", "ana.c.1", "box", {}]]}
REFUSALS = [
    ("ana", "board.edited", DRAW, None),
    ("new", "board.edited", {"page": "p1", "edits": [["add", "new.c.1", "box", {}]]}, None),
    ("ana", "board.edited", {**DRAW, "page": "p9"}, Code.UNKNOWN_PAGE),
    ("ben", "board.edited", DRAW, Code.NOT_ALLOWED),
    ("ana", "board.edited", {"page": "p1", "edits": [["remove", "tea.c.1"]]}, None),
    ("ana", "page.shown", {"page": "p2"}, Code.NOT_ALLOWED),
    ("hel", "page.shown", {"page": "p2"}, None),
    ("hel", "page.shown", {"page": "p9"}, Code.UNKNOWN_PAGE),
    ("hel", "page.removed", {"page": "p2"}, None),
    ("ana", "policy.set", {"draw": "staff"}, Code.NOT_ALLOWED),
    ("tea", "draw.allowed", {"participant": "zoe", "allowed": True}, Code.UNKNOWN_PARTICIPANT),
    ("tea", "person.removed", {"participant": "tea"}, Code.NOT_ALLOWED),
    ("hel", "person.removed", {"participant": "tea"}, Code.NOT_ALLOWED),
    ("hel", "person.removed", {"participant": "ana"}, None),
    ("hel", "person.changed", {"participant": "ana", "role": "assistant"}, Code.NOT_ALLOWED),
    ("ana", "person.changed", {"participant": "ana", "name": "A"}, None),
    ("ana", "person.changed", {"participant": "ben", "name": "B"}, Code.NOT_ALLOWED),
    ("ana", "hand.raised", {}, None),
    ("ana", "hand.lowered", {"participant": "ben"}, Code.NOT_ALLOWED),
    ("hel", "hand.lowered", {"participant": "ben"}, None),
    ("ana", "chat.posted", {"text": "hi"}, None),
    ("ana", "chat.removed", {"seq": 1}, None),
    ("ana", "lesson.ended", {}, Code.NOT_ALLOWED),
    ("tea", "person.joined", {}, Code.NOT_ALLOWED),
    ("tea", "sky.painted", {}, Code.UNKNOWN_KIND),
]


@pytest.mark.parametrize(("by", "kind", "data", "code"), REFUSALS)
def test_an_op_is_refused_early_with_its_code(by: str, kind: str, data: dict[str, Any], code: Code | None) -> None:
    assert permit(classroom(), by, kind, data) is code


def test_early_refusals_follow_the_policy_and_the_person() -> None:
    state = classroom()
    put(state, "policy.set", "tea", {"draw": "chosen", "chat": False})
    assert permit(state, "ana", "board.edited", DRAW) is Code.NOT_ALLOWED
    assert permit(state, "ana", "chat.posted", {"text": "hi"}) is Code.NOT_ALLOWED
    put(state, "draw.allowed", "tea", {"participant": "ana", "allowed": True})
    assert permit(state, "ana", "board.edited", DRAW) is None
    put(state, "person.removed", "tea", {"participant": "ana"})
    assert permit(state, "ana", "board.edited", DRAW) is Code.REMOVED
    put(state, "lesson.ended", "tea", {})
    assert permit(state, "tea", "page.shown", {"page": "p1"}) is Code.ENDED
    assert permit(state, None, "page.shown", {"page": "p1"}) is Code.ENDED


def test_a_full_page_takes_no_more_and_takes_again_when_something_is_erased() -> None:
    state = classroom()
    for start in range(0, MAX_ITEMS, 50):
        put(
            state,
            "board.edited",
            "ana",
            {"page": "p1", "edits": [["add", f"ana.c.{start + n}", "box", {}] for n in range(50)]},
        )
    more = {"page": "p1", "edits": [["add", "ana.d.1", "box", {}]]}
    assert permit(state, "ana", "board.edited", more) is Code.TOO_MANY_ITEMS
    assert permit(state, "ana", "board.edited", {**more, "page": "p2"}) is None
    assert permit(state, "ana", "board.edited", {"page": "p1", "edits": [["remove", "ana.c.0"]]}) is None
    assert put(state, "board.edited", "ana", {"page": "p1", "edits": [["remove", "ana.c.0"]]})
    assert permit(state, "ana", "board.edited", more) is None


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), by=logs.authors, kind=st.sampled_from(list(logs.DATA)), data=st.data())
def test_what_permit_refuses_would_be_void(seed: int, by: str | None, kind: str, data: st.DataObject) -> None:
    """The other way does not hold: what the fold finds void for want of something to act on is no refusal."""
    drawn: Any = data.draw(logs.DATA[kind]) if kind != "board.edited" else DRAW
    state, _ = logs.fold(logs.numbered(lively(seed, 40)))
    code = permit(state, by, kind, drawn)
    if code is not None and (by is None or by in state.people) and code is not Code.TOO_MANY_ITEMS:
        assert not put(state, kind, by, drawn)


def test_roles_stay_what_the_table_of_the_wire_says() -> None:
    assert {role.value for role in Role} == {"instructor", "assistant", "student"}
