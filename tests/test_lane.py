"""The lane: a client's ops keep their order, whatever the log answers and however fast they come."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import msgspec
import pytest

from classrooms import actions, lane
from classrooms.access import Seat
from classrooms.actions import Verdict
from classrooms.lane import MAX_WAITING, Lane
from classrooms.messages import Op
from classrooms.refusals import Code, Refused
from classrooms.roles import Role
from classrooms.room import Room
from tests.support.waiting import until_async

SEAT = Seat(1, "u1", "Ana", "#8b4fbf", Role.STUDENT)
DONE = "done"

Answer = Callable[[Sequence[Op]], Awaitable[list[Verdict]]]


class Course:
    """A lane with a log that answers as the test says, and what the client was told: (op, code or DONE)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[tuple[str, str]] = []
        self.batches: list[list[str]] = []
        self.wait: Code | None = None  # what `admit` answers
        self.open = asyncio.Event()
        self.open.set()
        self.refuse: dict[str, Refused] = {}
        self.lane = Lane(cast(Room, None), SEAT, admit=self.admit, answer=self.answer)
        monkeypatch.setattr(actions, "propose", self.propose)

    async def propose(self, room: Room, seat: Seat, ops: Sequence[Op]) -> list[Verdict]:
        """Answer as `actions.propose` does: after a refusal that may be retried all others are."""
        self.batches.append([op.id for op in ops])
        await self.open.wait()
        verdicts: list[Verdict] = []
        for op in ops:
            refused = self.refuse.pop(op.id, None)
            if verdicts and verdicts[-1].refused is not None and verdicts[-1].refused.retry:
                refused = Refused(Code.TRY_AGAIN, retry=True)
            verdicts.append(Verdict(op.id, None if refused else 7, refused=refused))
        return verdicts

    def admit(self) -> Refused | None:
        return Refused(self.wait, retry=True, after=500) if self.wait else None

    def answer(self, verdicts: list[Verdict]) -> None:
        for verdict in verdicts:
            self.told.append((verdict.op, verdict.refused.code if verdict.refused else DONE))

    def take(self, *names: str) -> None:
        for name in names:
            self.lane.take(Op(id=name, kind="hand.raise", data=msgspec.Raw(b"{}")))

    async def idle(self) -> list[tuple[str, str]]:
        """Wait until nothing runs; return what was told since the last time."""
        await until_async(lambda: self.lane._task is None, saying="the lane rests")
        told, self.told = self.told, []
        return told


@pytest.fixture
async def course(monkeypatch: pytest.MonkeyPatch) -> Course:
    return Course(monkeypatch)


async def test_each_op_gets_one_verdict_in_order(course: Course) -> None:
    course.take("a:1", "a:2", "a:3")
    assert await course.idle() == [("a:1", DONE), ("a:2", DONE), ("a:3", DONE)]


async def test_what_comes_while_the_log_works_goes_as_one_batch_behind(course: Course) -> None:
    course.open.clear()
    course.take("a:1")
    await asyncio.sleep(0)
    course.take("a:2", "a:3")
    course.open.set()
    assert [name for name, _ in await course.idle()] == ["a:1", "a:2", "a:3"]
    assert course.batches == [["a:1"], ["a:2", "a:3"]]


async def test_nothing_overtakes_an_op_that_the_log_could_not_take(course: Course) -> None:
    course.refuse["a:2"] = Refused(Code.TRY_AGAIN, retry=True)
    course.take("a:1", "a:2", "a:3")
    assert await course.idle() == [("a:1", DONE), ("a:2", "try_again"), ("a:3", "try_again")]
    course.take("a:4", "a:3")
    assert await course.idle() == [("a:4", "try_again"), ("a:3", "try_again")]
    course.take("a:2", "a:3", "a:4")
    assert await course.idle() == [("a:2", DONE), ("a:3", DONE), ("a:4", DONE)]


async def test_what_waits_behind_a_refused_op_is_refused_with_it(course: Course) -> None:
    course.open.clear()
    course.refuse["a:1"] = Refused(Code.TRY_AGAIN, retry=True)
    course.take("a:1")
    await asyncio.sleep(0)
    course.take("a:2", "a:3")
    course.open.set()
    assert await course.idle() == [("a:1", "try_again"), ("a:2", "try_again"), ("a:3", "try_again")]
    assert course.batches == [["a:1"]]


async def test_a_refusal_for_good_holds_nobody(course: Course) -> None:
    course.refuse["a:1"] = Refused(Code.NOT_ALLOWED)
    course.take("a:1", "a:2")
    assert await course.idle() == [("a:1", "not_allowed"), ("a:2", DONE)]


async def test_too_fast_holds_what_follows_until_the_same_op_comes_again(course: Course) -> None:
    course.take("a:1")
    course.wait = Code.RATE_LIMITED
    course.take("a:2", "a:3")
    course.wait = None
    course.take("a:3")
    assert await course.idle() == [
        ("a:2", "rate_limited"), ("a:3", "try_again"), ("a:3", "try_again"), ("a:1", DONE),
    ]  # fmt: skip
    course.take("a:2", "a:3")
    assert await course.idle() == [("a:2", DONE), ("a:3", DONE)]


async def test_the_refusal_says_how_long_to_wait(course: Course) -> None:
    said: list[Any] = []
    course.lane._answer = lambda verdicts: said.extend(verdicts)
    course.wait = Code.RATE_LIMITED
    course.take("a:1")
    assert said[0].refused.after == 500


async def test_three_times_too_fast_is_flooding_and_waiting_in_line_is_not(course: Course) -> None:
    course.wait = Code.RATE_LIMITED
    course.take("a:1", *[f"a:{n}" for n in range(2, 50)])
    assert not course.lane.flooding
    course.take("a:1")
    assert not course.lane.flooding
    course.take("a:1")
    assert course.lane.flooding


async def test_too_fast_is_forgotten_after_ten_seconds(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("classrooms.lane.time.monotonic", lambda: now)
    course.wait = Code.RATE_LIMITED
    for _ in range(5):
        course.take("a:1")
        now += lane.FLOOD_WITHIN / 2
    assert not course.lane.flooding


async def test_a_lesson_that_is_overloaded_is_nobodys_flooding(course: Course) -> None:
    course.wait = Code.OVERLOADED
    for _ in range(5):
        course.take("a:1")
    assert not course.lane.flooding
    course.wait = None
    course.take("a:1")
    assert await course.idle() == [("a:1", "overloaded")] * 5 + [("a:1", DONE)]


async def test_a_failure_of_the_verb_is_no_verdict_on_the_ops(course: Course, caplog: pytest.LogCaptureFixture) -> None:
    real = actions.propose

    async def failing(*_: Any) -> list[Verdict]:
        raise ZeroDivisionError

    actions.propose = failing  # type: ignore[assignment]
    course.take("a:1", "a:2")
    assert await course.idle() == [("a:1", "try_again"), ("a:2", "try_again")]
    [line] = [line for line in caplog.records if line.getMessage() == "ops failed"]
    assert (vars(line)["lesson"], vars(line)["participant"]) == (1, "u1")
    actions.propose = real
    course.take("a:1", "a:2")
    assert await course.idle() == [("a:1", DONE), ("a:2", DONE)]


async def test_a_log_that_does_not_answer_makes_only_so_many_wait(course: Course) -> None:
    course.open.clear()
    course.take("a:0")
    await asyncio.sleep(0)
    course.take(*[f"a:{n}" for n in range(1, MAX_WAITING + 3)])
    assert course.told == [(f"a:{MAX_WAITING + 1}", "try_again"), (f"a:{MAX_WAITING + 2}", "try_again")]
    course.open.set()
    assert len(await course.idle()) == MAX_WAITING + 3
    course.take(f"a:{MAX_WAITING + 1}", f"a:{MAX_WAITING + 2}")
    assert [code for _, code in await course.idle()] == [DONE, DONE]


async def test_a_new_lane_of_the_same_client_knows_of_no_refusal(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    course.refuse["a:1"] = Refused(Code.TRY_AGAIN, retry=True)
    course.take("a:1")
    await course.idle()
    after = Course(monkeypatch)
    after.take("a:1", "a:2")
    assert await after.idle() == [("a:1", DONE), ("a:2", DONE)]
