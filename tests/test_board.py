"""The fold of one board by itself: paint order, the dead, and the hash behind the digest (board.md P12, P13)."""

from itertools import permutations
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import logs
from tests.support.lively import lively
from whiteboard import board
from whiteboard.board import KEPT_DEAD, Board, Rights, drop_dead, paint_order, recomputed_digest

FREE = Rights(free=True, own=False, students=())


class Edited(NamedTuple):
    seq: int
    by: str | None
    data: dict[str, Any]
    kind: str = "board.edited"


def edit(target: Board, seq: int, *edits: Any, by: str = "ana", rights: Rights = FREE) -> bool:
    return board.apply(target, Edited(seq, by, {"edits": list(edits)}), rights)


def test_a_write_is_seen_by_its_version_and_a_void_one_is_not() -> None:
    page = Board()
    assert edit(page, 1, ["add", "ana.c.1", "box", {}])
    assert page.version == 1
    assert not edit(page, 2, ["set", "ana.c.2", {"turn": 1}])
    assert page.version == 1


def test_an_item_is_dropped_2000_events_after_its_death_and_not_one_earlier() -> None:
    page = Board()
    edit(page, 1, ["add", "ana.c.1", "box", {"turn": 1}])
    edit(page, 2, ["remove", "ana.c.1"])
    drop_dead(page, KEPT_DEAD + 1)
    assert "ana.c.1" in page.items
    drop_dead(page, KEPT_DEAD + 2)
    assert not page.items
    assert page.digest == 0


def test_who_comes_back_and_dies_again_is_counted_from_the_last_death() -> None:
    page = Board()
    edit(page, 1, ["add", "ana.c.1", "box", {}])
    edit(page, 2, ["remove", "ana.c.1"])
    edit(page, 3, ["restore", "ana.c.1"])
    drop_dead(page, KEPT_DEAD + 2)
    assert page.items["ana.c.1"].alive
    edit(page, KEPT_DEAD + 3, ["remove", "ana.c.1"])
    drop_dead(page, 2 * KEPT_DEAD + 2)
    assert "ana.c.1" in page.items
    drop_dead(page, 2 * KEPT_DEAD + 3)
    assert "ana.c.1" not in page.items


def test_the_digest_is_fnv_1a_of_item_field_and_seq() -> None:
    page = Board()
    edit(page, 7, ["add", "ana.c.1", "box", {}])
    state = 2166136261
    for byte in b"ana.c.1|alive|7":
        state = ((state ^ byte) * 16777619) % 2**32
    assert page.digest == state


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.text(st.characters(max_codepoint=127), max_size=12), st.integers(0, 10**9))
def test_the_short_way_to_a_hash_is_the_hash(mark: int, field: str, seq: int) -> None:
    state = mark % 2**32
    for byte in f"{field}|{seq}".encode():
        state = ((state ^ byte) * 16777619) % 2**32
    assert board._trace(mark % 2**32, field, seq) == state


def test_paint_order_is_by_top_then_place_then_id() -> None:
    page = Board()
    edit(page, 1, *(["add", f"ana.c.{n}", "box", {}] for n in (3, 1, 2)))
    edit(page, 2, ["add", "ana.c.4", "box", {}])
    assert paint_order(page) == ["ana.c.3", "ana.c.1", "ana.c.2", "ana.c.4"]
    edit(page, 3, ["set", "ana.c.3", {"top": "front"}], ["set", "ana.c.4", {"top": "back"}])
    assert paint_order(page) == ["ana.c.4", "ana.c.1", "ana.c.2", "ana.c.3"]
    edit(page, 4, ["set", "ana.c.3", {"top": None}], ["remove", "ana.c.1"], ["set", "ana.c.2", {"top": 1.5}])
    assert paint_order(page) == ["ana.c.4", "ana.c.3", "ana.c.2"]


def test_paint_order_does_not_hang_on_the_order_of_the_items() -> None:
    page = Board()
    edit(page, 1, *(["add", f"ana.c.{n}", "box", {"top": 5}] for n in range(4)))
    expected = paint_order(page)
    for order in permutations(page.items):
        page.items = {key: page.items[key] for key in order}
        assert paint_order(page) == expected


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_paint_order_is_total(seed: int) -> None:
    state, _ = logs.fold(logs.numbered(lively(seed, 60)))
    for page in state.boards.values():
        heights = [board._height(page, key) for key in paint_order(page)]
        assert heights == sorted(set(heights))
        assert page.live == len(heights)
        assert page.digest == recomputed_digest(page)


def test_a_student_touches_students_ink_and_with_own_only_their_own() -> None:
    students = {"ana", "ben"}
    page = Board()
    edit(page, 1, ["add", "ana.c.1", "box", {}], by="ana")
    edit(page, 2, ["add", "tea.c.1", "box", {}], by="tea")
    shared, own = Rights(free=False, own=False, students=students), Rights(free=False, own=True, students=students)
    assert edit(page, 3, ["set", "ana.c.1", {"turn": 1}], by="ben", rights=shared)
    assert not edit(page, 4, ["set", "ana.c.1", {"turn": 1}], by="ben", rights=own)
    assert edit(page, 5, ["set", "ana.c.1", {"turn": 1}], by="ana", rights=own)
    assert not edit(page, 6, ["set", "tea.c.1", {"turn": 1}], by="ana", rights=shared)
