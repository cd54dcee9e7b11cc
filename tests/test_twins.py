"""Python and JavaScript fold alike, read alike and name things alike (board.md P1, P8, P13)."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from classrooms import kinds, messages
from classrooms.closes import Close
from classrooms.lesson import digests, permit, state_json
from classrooms.refusals import SENTENCES, Refused
from tests.support import logs
from tests.support.lively import lively
from tests.support.ops import ops
from tests.support.twin import Twin, running_twin
from whiteboard import points
from whiteboard.board import paint_order

pytestmark = pytest.mark.node
MANY = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    with running_twin() as process:
        yield process


fields = st.fixed_dictionaries(
    {},
    optional={
        "at": st.just([1, 2]), "box": st.sampled_from([None, [3, 4], [-3, 4]]), "text": st.just("Leaf"),
        "ink": st.just("aAA"), "turn": st.sampled_from([None, 9]), "style": st.just({"color": "#000000"}),
    },
)  # fmt: skip


def _set(page: str, key: str, fields: dict[str, Any], new: bool) -> dict[str, Any]:
    return {"page": page, "edits": [["add", key, "box", {}]] * new + [["set", key, fields]]}


asks = st.lists(
    st.one_of(
        *(st.tuples(logs.authors, st.just(kind), logs.DATA[kind]) for kind in logs.DATA if kind != "board.edited"),
        st.tuples(
            logs.authors, st.just("board.edited"), st.just({"page": "p1", "edits": [["add", "ana.c.9", "box", {}]]})
        ),
        st.tuples(logs.authors, st.just("board.edited"), st.just({"page": "p2", "edits": [["remove", "ana.c.1"]]})),
        st.tuples(logs.authors, st.just("board.edited"), st.builds(_set, logs.pages, logs.keys, fields, st.booleans())),
    ),
    max_size=8,
)


@MANY
@given(log=logs.logs(), cut=st.integers(0, 70), asks=asks)
def test_generated_logs_fold_to_equal_states(
    twin: Twin, log: list[dict[str, Any]], cut: int, asks: list[tuple[str | None, str, dict[str, Any]]]
) -> None:
    assert_equal_folds(twin, log, cut, asks)


@MANY
@given(seed=st.integers(0, 2**32), length=st.integers(0, 150), cut=st.integers(0, 150), asks=asks)
def test_lively_logs_fold_to_equal_states(
    twin: Twin, seed: int, length: int, cut: int, asks: list[tuple[str | None, str, dict[str, Any]]]
) -> None:
    assert_equal_folds(twin, lively(seed, length), cut, asks)


def assert_equal_folds(
    twin: Twin, log: list[dict[str, Any]], cut: int, asks: list[tuple[str | None, str, dict[str, Any]]]
) -> None:
    """The twin goes through a snapshot at `cut`, which must change nothing."""
    there = twin.ask("fold", events=log, cut=cut, asks=asks)
    state, void = logs.fold(logs.numbered(log))
    assert there["void"] == void
    assert there["state"] == state_json(state)
    assert there["digest"] == there["recomputed"] == digests(state)
    assert there["live"] == {page: board.live for page, board in state.boards.items()}
    assert there["paint"] == {page: paint_order(board) for page, board in state.boards.items()}
    assert there["permits"] == [permit(state, by, kind, data) for by, kind, data in asks]


@MANY
@given(kind_and_data=ops())
def test_both_read_an_op_alike(twin: Twin, kind_and_data: tuple[str, Any]) -> None:
    kind, data = kind_and_data
    there = twin.ask("read", kind=kind, data=data)
    here: dict[str, Any]
    try:
        draft = messages.read_op(messages.Op("c:1", kind, msgspec.Raw(json.dumps(data, ensure_ascii=False).encode())))
    except Refused as refused:
        here = {"refused": refused.code}
    else:
        here = {"value": {"kind": draft.kind, "data": draft.data}}
    assert there == here


coordinate = st.floats(-65_536, 65_536).map(lambda value: float(value))


@MANY
@given(
    st.booleans().flatmap(
        lambda pressed: st.tuples(
            st.just(pressed),
            st.lists(st.tuples(coordinate, coordinate, *[st.integers(0, 255)] * pressed), min_size=1, max_size=50),
        )
    )
)
def test_both_write_the_same_ink_and_read_it_back(twin: Twin, drawn: tuple[bool, list[tuple[float, ...]]]) -> None:
    pressed, stroke = drawn
    ink = points.encode(stroke, pressed)
    there = twin.ask("ink", points=stroke, pressed=pressed)
    back = points.decode(ink)
    assert there["ink"] == ink
    assert [tuple(point) for point in there["points"]] == back
    for before, after in zip(stroke, back, strict=True):
        assert abs(before[0] - after[0]) <= 1 / 8
        assert abs(before[1] - after[1]) <= 1 / 8
        assert before[2:] == after[2:]


@MANY
@given(
    st.one_of(st.text(), st.from_regex(r"[ab][A-Za-z0-9_-]{0,40}", fullmatch=True), st.from_regex(r"a(AA|_w|gA){0,20}"))
)
@example("a" + "A" * 9_000)
@example("b" + "A" * 4_004)
def test_both_refuse_the_same_inks(twin: Twin, ink: str) -> None:
    there = twin.ask("points", ink=ink)
    here: dict[str, Any]
    try:
        here = {"value": [list(point) for point in points.decode(ink)]}
    except points.BadInk as bad:
        here = {"refused": "too many" if bad.too_many else "bad"}
    assert there == here


def test_both_know_the_same_words(twin: Twin) -> None:
    words = twin.ask("words")
    assert words.pop("PROTOCOL") == messages.PROTOCOL
    assert words.pop("SUBPROTOCOL") == messages.SUBPROTOCOL
    assert words.pop("LIMITS") == messages.LIMITS
    assert words.pop("OPS") == {kind: op.event for kind, op in kinds.OPS.items()}
    assert words.pop("SIGNALS") == list(kinds.SIGNALS)
    assert words.pop("SENTENCES") == SENTENCES
    assert words.pop("CLOSE") == {close.name: close.value for close in Close}
    assert set(words.pop("SERVER_EVENTS")) == set(kinds.EVENTS) - {op.event for op in kinds.OPS.values()}
    assert words.pop("UP") == [frame.__struct_config__.tag for frame in messages.UP]
    assert words.pop("DOWN") == [frame.__struct_config__.tag for frame in messages.DOWN]
    assert not words
