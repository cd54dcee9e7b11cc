"""The meter: a burst at once, then the rate, whoever asks and however often."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classrooms.meter import Meter


def test_a_burst_passes_at_once_and_then_the_rate() -> None:
    meter = Meter()
    assert [meter.take(100.0, 10, 40) for _ in range(40)] == [0.0] * 40
    assert meter.take(100.0, 10, 40) == pytest.approx(0.1)
    assert meter.take(100.05, 10, 40) == pytest.approx(0.05)
    assert meter.take(100.1, 10, 40) == 0.0
    assert meter.take(100.1, 10, 40) == pytest.approx(0.1)


def test_a_rest_gives_the_burst_back_and_no_more() -> None:
    meter = Meter()
    for _ in range(40):
        meter.take(0.0, 10, 40)
    assert sum(meter.take(1000.0, 10, 40) == 0.0 for _ in range(100)) == 40


def test_refusals_cost_nothing() -> None:
    meter = Meter()
    meter.take(5.0, 1, 1)
    for _ in range(1000):
        assert meter.take(5.5, 1, 1) == pytest.approx(0.5)
    assert meter.take(6.0, 1, 1) == 0.0


def test_asking_takes_nothing() -> None:
    meter = Meter()
    assert [meter.wait(5.0, 1, 1) for _ in range(10)] == [0.0] * 10
    meter.take(5.0, 1, 1)
    assert meter.wait(5.0, 1, 1) == pytest.approx(1.0)


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=300), st.integers(1, 50), st.integers(1, 60))
def test_no_window_holds_more_than_burst_and_rate(pauses: list[float], rate: int, burst: int) -> None:
    meter = Meter()
    now, admitted = 1000.0, []
    for pause in pauses:
        now += pause
        wait = meter.take(now, rate, burst)
        if wait == 0.0:
            admitted.append(now)
        else:
            assert meter.wait(now + wait, rate, burst) == pytest.approx(0.0, abs=1e-6)
    for first, start in enumerate(admitted):
        for last in range(first, len(admitted)):
            assert last - first + 1 <= burst + (admitted[last] - start) * rate + 1e-3
