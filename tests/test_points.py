"""The ink codec: exact, strict, and never raising anything but BadInk (board.md P8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteboard import points
from whiteboard.points import MAX_POINTS, BadInk, decode, encode

coordinate = st.floats(-65_536, 65_536)


@given(st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=100))
def test_what_was_written_is_read_within_an_eighth_of_a_unit(stroke: list[tuple[float, float]]) -> None:
    for before, after in zip(stroke, decode(encode(stroke, pressed=False)), strict=True):
        assert abs(before[0] - after[0]) <= 1 / 8
        assert abs(before[1] - after[1]) <= 1 / 8


@given(st.lists(st.tuples(coordinate, coordinate, st.integers(0, 255)), min_size=1, max_size=100))
def test_reading_and_writing_again_gives_the_same_text(stroke: list[tuple[float, float, int]]) -> None:
    ink = encode(stroke, pressed=True)
    assert encode(decode(ink), pressed=True) == ink
    assert [point[2] for point in decode(ink)] == [point[2] for point in stroke]


@given(st.one_of(st.text(), st.binary().map(lambda raw: "a" + raw.decode("latin-1")), st.from_regex(r"[ab][\w-]*")))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = decode(text)
    except BadInk:
        return
    assert encode(read, pressed=text[0] == "b") == text  # each ink has one text


@pytest.mark.parametrize(
    ("ink", "reason"),
    [
        ("", "tag"),
        ("a", "tag"),
        ("c" + "AA", "tag"),
        ("aAA", "within a point"),
        ("aAA==", "tag"),
        ("aA", "not base64url"),
        ("aAB", "loose bits"),
        ("agAAA", "overlong"),
        ("agA", "within a varint"),
        ("a____fwA", "too many bytes"),
        ("a_w", "within a varint"),
        ("aé", "tag"),
        ("a\ud800", "tag"),
        ("bAAAB", "pressure"),
        ("a_v9_AA", "range"),
    ],
)
def test_it_refuses_what_is_no_ink(ink: str, reason: str) -> None:
    with pytest.raises(BadInk, match=reason) as caught:
        decode(ink)
    assert not caught.value.too_many


def test_a_thousand_points_are_the_most() -> None:
    assert len(decode(encode([(0, 0)] * MAX_POINTS, pressed=False))) == MAX_POINTS
    for count in (MAX_POINTS + 1, 50_000):
        with pytest.raises(BadInk) as caught:
            decode(encode([(0, 0)] * count, pressed=False))
        assert caught.value.too_many


def test_the_largest_ink_that_is_allowed_is_read() -> None:
    corners = [(-65_536.0, -65_536.0, 0), (65_536.0, 65_536.0, 255)] * (MAX_POINTS // 2)
    ink = encode(corners, pressed=True)
    assert decode(ink) == corners
    assert len(ink) <= points._MAX_TEXT
