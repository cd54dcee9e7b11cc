"""The ring: whoever reads on from any place gets every event once, in frames that fit."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classrooms import ring
from classrooms.ring import Ring, cut

KIB = 1024
sizes = st.one_of(st.integers(20, 400), st.integers(10 * KIB, 40 * KIB), st.integers(130 * KIB, 140 * KIB))


def raw(seq: int, size: int) -> bytes:
    """Return an event of about so many bytes."""
    head = b'{"seq":%d,"text":"' % seq
    return head + b"x" * max(0, size - len(head) - 2) + b'"}'


def filled(floor: int, event_sizes: list[int]) -> Ring:
    made = Ring(floor, floor * 10)
    for seq, size in enumerate(event_sizes, floor + 1):
        made.push(raw(seq, size), seq * 10)
    return made


def read_on(made: Ring, sent: int) -> tuple[list[int], list[bytes]]:
    """Return the seqs and the frames of a reader from `sent` to the head."""
    seqs, frames = [], []
    while sent < made.head:
        frame, sent = made.frame(sent)
        frames.append(frame)
        seqs += [event["seq"] for event in json.loads(frame)["events"]]
        assert seqs[-1] == sent
    return seqs, frames


@given(st.integers(0, 5000), st.lists(sizes, max_size=60), st.data())
def test_frames_from_any_cursor_hold_every_event_once_and_fit(floor: int, some: list[int], data: st.DataObject) -> None:
    made = filled(floor, some * data.draw(st.integers(1, 8)))
    sent = data.draw(st.integers(made.floor, made.head))
    seqs, frames = read_on(made, sent)
    assert seqs == list(range(sent + 1, made.head + 1))
    for frame in frames:
        events = json.loads(frame)["events"]
        assert len(events) <= 200
        assert len(frame) <= 128 * KIB or len(events) == 1


@given(st.lists(sizes, min_size=1, max_size=40), st.integers(1, 80))
def test_a_ring_stays_small_and_keeps_the_newest(some: list[int], times: int) -> None:
    event_sizes = some * times
    made = filled(7, event_sizes)
    assert made.head == 7 + len(event_sizes)
    assert made.head > made.floor, "the newest is there, however large"
    kept = event_sizes[made.floor - 7 :]
    assert len(kept) < ring.MAX_EVENTS + ring.TRIM
    assert sum(kept) <= ring.MAX_BYTES or len(kept) == 1
    if sum(event_sizes) <= ring.MAX_BYTES and len(event_sizes) <= ring.MAX_EVENTS:
        assert made.floor == 7, "nothing goes before it must"


@given(st.integers(0, 100), st.integers(0, 4500))
def test_a_ring_knows_the_times_of_its_events_and_of_the_one_below(floor: int, count: int) -> None:
    made = filled(floor, [30] * count)
    for seq in {made.floor, made.floor + 1, (made.floor + made.head) // 2, made.head}:
        assert made.time_of(seq) == (seq * 10 if made.floor <= seq <= made.head else None)
    assert made.time_of(made.floor - 1) is None
    assert made.time_of(made.head + 1) is None


def test_a_floor_whose_time_was_not_read_is_unknown() -> None:
    assert Ring(5, None).time_of(5) is None


def test_readers_at_the_same_place_get_the_same_bytes_until_an_event_comes() -> None:
    made = filled(0, [100] * 5)
    frame, _ = made.frame(2)
    assert made.frame(2)[0] is frame
    made.push(raw(6, 100), 60)
    assert json.loads(made.frame(2)[0])["events"][-1]["seq"] == 6


def test_scattered_readers_do_not_fill_the_memory() -> None:
    made = filled(0, [200] * 1000)
    for sent in range(1000):
        made.frame(sent)
    assert len(made._frames) <= ring.KEPT_FRAMES


@pytest.mark.parametrize("start", [0, 1, 199, 200, 201, 450])
def test_cut_takes_at_most_200_from_where_it_is_told(start: int) -> None:
    events = [raw(seq, 30) for seq in range(1, 401)]
    assert cut(events, start) == events[start : start + 200]


def test_a_frame_of_exactly_128_kib_is_allowed_and_one_byte_more_is_not() -> None:
    room = 128 * KIB - ring.ENVELOPE
    first = raw(1, room // 2)
    for spare, count in ((0, 2), (1, 1)):
        second = raw(2, room - len(first) - 2 + spare)
        assert len(cut([first, second])) == count
