"""The state door's bytes: made once for all who ask within 2 s or 500 events, never older than they say."""

import gzip
import json
from types import SimpleNamespace

import pytest

from classrooms import states
from classrooms.lesson import Event, LessonState, apply, digests, fresh, state_json
from classrooms.states import States
from tests.support.road import POLICY


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("classrooms.states.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
def state() -> LessonState:
    pages = [{"page": f"p{n}", "kind": "blank", "title": ""} for n in (1, 2, 3)]
    state = fresh()
    apply(state, Event(1, "lesson.started", None, 7, "started", {"title": "T", "policy": POLICY, "pages": pages}))
    return state


def grow(state: LessonState, count: int) -> None:
    for seq in range(state.seq + 1, state.seq + count + 1):
        apply(state, Event(seq, "chat.posted", None, seq, f"s:{seq}", {"text": str(seq)}))


def test_a_body_is_the_whole_state_at_its_seq(clock: list[float], state: LessonState) -> None:
    grow(state, 3)
    answer = States().body("5be0c41d", state, None, 0)
    assert answer.seq == 4
    assert json.loads(answer.body) == {
        "epoch": "5be0c41d", "seq": 4, "at": 4, "digest": digests(state), "state": state_json(state),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("boards", "loaded"),
    [(None, {"p1", "p2", "p3"}), ("current", {"p1"}), ("p1", {"p1"}), ("p3", {"p3"}), ("p9", set()), ("", set())],
)
def test_the_boards_that_are_asked_for_are_in_it(
    clock: list[float], state: LessonState, boards: str | None, loaded: set[str]
) -> None:
    body = json.loads(States().body("e", state, boards, 0).body)
    assert set(body["state"]["boards"]) == loaded
    assert set(body["digest"]) == {"p1", "p2", "p3"}
    assert len(body["state"]["pages"]) == 3


def test_an_answer_serves_for_two_seconds(clock: list[float], state: LessonState) -> None:
    kept = States()
    first = kept.body("e", state, None, 0)
    grow(state, 1)
    clock[0] += 2.0
    assert kept.body("e", state, None, 0) is first
    clock[0] += 0.1
    assert kept.body("e", state, None, 0).seq == 2


def test_an_answer_serves_for_500_events(clock: list[float], state: LessonState) -> None:
    kept = States()
    first = kept.body("e", state, None, 0)
    grow(state, 500)
    assert kept.body("e", state, None, 0) is first
    grow(state, 1)
    assert kept.body("e", state, None, 0).seq == 502


def test_an_answer_is_never_older_than_at_least(clock: list[float], state: LessonState) -> None:
    kept = States()
    first = kept.body("e", state, None, 0)
    grow(state, 5)
    assert kept.body("e", state, None, 1) is first
    assert kept.body("e", state, None, 2).seq == 6
    assert kept.body("e", state, None, 10**9).seq == 6, "what is not there yet cannot be given"


def test_whoever_asks_after_the_end_learns_of_it(clock: list[float], state: LessonState) -> None:
    kept = States()
    kept.body("e", state, "current", 0)
    apply(state, Event(2, "lesson.ended", None, 8, "ended", {}))
    assert json.loads(kept.body("e", state, "current", 0).body)["state"]["status"] == "ended"


def test_an_answer_at_the_head_is_never_too_old(clock: list[float], state: LessonState) -> None:
    kept = States()
    first = kept.body("e", state, None, 0)
    clock[0] += 3600
    assert kept.body("e", state, None, 10**9) is first


def test_whatever_is_asked_for_little_is_kept(clock: list[float], state: LessonState) -> None:
    kept = States()
    for number in range(1000):
        kept.body("e", state, f"nowhere{number}", 0)
    assert len(kept._kept) == 1
    for number in range(100):
        page = {"page": f"q{number}", "kind": "blank", "title": ""}
        apply(state, Event(state.seq + 1, "page.added", None, 9, f"q:{number}", page))
        kept.body("e", state, f"q{number}", 0)
    assert len(kept._kept) <= states.KEEP_MOST
    clock[0] += 61
    kept.body("e", state, "p2", 0)
    assert list(kept._kept) == ["p2"]


@pytest.mark.parametrize("large", [False, True])
async def test_a_body_is_compressed_once(
    monkeypatch: pytest.MonkeyPatch, clock: list[float], state: LessonState, large: bool
) -> None:
    if large:
        monkeypatch.setattr("classrooms.states.IN_PLACE", 10)
    answer = States().body("e", state, None, 0)
    zipped = await answer.zipped()
    assert gzip.decompress(zipped) == answer.body
    assert await answer.zipped() is zipped
