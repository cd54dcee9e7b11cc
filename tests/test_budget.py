"""A lesson's budget: never more than its rate in all, and nobody's first stroke behind another's hundredth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classrooms.budget import LEAST, MOST, RESTED, Budget, rate


@pytest.mark.parametrize(
    ("present", "ops"), [(0, MOST), (30, MOST), (500, MOST), (1000, 100), (8000, 12.5), (10**6, LEAST)]
)
def test_the_rate_goes_by_who_is_present(present: int, ops: float) -> None:
    assert rate(present) == ops


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0.0, 0.2)), min_size=1, max_size=400),
    st.integers(1, 20_000),
)
def test_never_more_than_the_rate_and_a_rest_in_all(asks: list[tuple[str, float]], present: int) -> None:
    budget, now, admitted = Budget(), 100.0, 0
    for author, pause in asks:
        now += pause
        wait = budget.take(author, present, now)
        assert wait >= 0.0
        admitted += not wait
    assert admitted <= rate(present) * (now - 100.0 + RESTED) + 1


def test_alone_one_may_use_it_all() -> None:
    budget = Budget()
    assert all(budget.take("a", 40, 100.0 + n / 100) == 0.0 for n in range(500))


def test_who_writes_without_end_does_not_keep_the_others_out() -> None:
    budget = Budget()
    present, now = 8000, 100.0  # 12.5 ops a second
    refused = {"greedy": 0, "modest": 0}
    for step in range(3000):  # 30 s: a hundred a second, against one in two seconds
        now += 0.01
        refused["greedy"] += budget.take("greedy", present, now) > 0
        if step % 200 == 0:
            refused["modest"] += budget.take("modest", present, now) > 0
    assert refused["modest"] == 0
    assert refused["greedy"] > 2500


def test_whoever_comes_again_when_told_gets_a_turn() -> None:
    """Thirty who want ten each of a lesson that takes 12.5 a second: all is in after the time that it takes."""
    budget, present = Budget(), 8000
    due = {f"u{n}": 100.0 for n in range(30)}
    left = dict.fromkeys(due, 10)
    ended: dict[str, float] = {}
    while due:
        author = min(due, key=due.__getitem__)
        now = due[author]
        wait = budget.take(author, present, now)
        if wait:
            due[author] = now + wait
            continue
        left[author] -= 1
        due[author] = now + 0.1
        if not left[author]:
            ended[author] = now
            del due[author]
    assert max(ended.values()) - 100.0 < 300 / 12.5 * 1.7
    assert min(ended.values()) > 100.0 + 0.3 * (max(ended.values()) - 100.0), "nobody is done long before the others"


def test_who_is_gone_is_forgotten() -> None:
    budget = Budget()
    for number in range(1000):
        budget.take(f"u{number}", 100, 100.0 + number)
    assert len(budget._last) < 10
    assert len(budget._shares) < 10
