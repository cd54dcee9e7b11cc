"""What an edit may carry, and how it becomes normal."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteboard import items
from whiteboard.items import KINDS, MAX_ALT, MAX_TEXT, Edit, ItemError, plain, quarter, tidy_text
from whiteboard.points import encode

STYLE = {"color": "#d3322b", "width": 4}
FIELDS: dict[str, Any] = {
    "at": [1, 2],
    "box": [3, 4],
    "ink": encode([(0, 0), (5, 5)], pressed=False),
    "style": STYLE,
    "text": "光合作用\nline two",
    "image": "0123456789abcdef" * 4,
}


def read(*edit: Any) -> Any:
    """Return an edit as the door makes it normal."""
    return msgspec.json.decode(msgspec.json.encode(msgspec.json.decode(msgspec.json.encode(edit), type=Edit)))


def refusal(*edit: Any) -> str:
    with pytest.raises((ItemError, msgspec.ValidationError)) as caught:
        read(*edit)
    return caught.value.code if isinstance(caught.value, ItemError) else "bad_frame"


@pytest.mark.parametrize("kind", KINDS)
def test_an_item_of_each_kind_needs_its_fields_and_keeps_no_other(kind: str) -> None:
    _, _, _, fields = read("add", "u1.c.1", kind, {**FIELDS, "later": 1})
    assert set(fields) == set(FIELDS) & (KINDS[kind].required | KINDS[kind].optional)
    for missing in KINDS[kind].required:
        assert (
            refusal("add", "u1.c.1", kind, {**FIELDS, missing: None} if missing == "box" else _without(missing))
            == "bad_frame"
        )


def _without(field: str) -> dict[str, Any]:
    return {name: value for name, value in FIELDS.items() if name != field}


def test_positions_become_quarter_units_and_whole_numbers_whole() -> None:
    _, _, _, fields = read("add", "u1.c.1", "line", {**FIELDS, "at": [902.0, 10.13], "box": [-3.124, -0.1]})
    assert fields["at"] == [902, 10.25]
    assert fields["box"] == [-3, 0]
    assert b"902," in msgspec.json.encode(msgspec.convert({"at": [902.0, 1]}, items.Fields))


@given(st.floats(-65_536, 65_536))
def test_rounding_is_to_the_nearest_quarter_and_halves_go_up(value: float) -> None:
    rounded = quarter(value)
    assert abs(rounded - value) <= 1 / 8
    assert rounded * 4 == int(rounded * 4)
    assert math.copysign(1, rounded) == 1 or rounded < 0  # never minus zero


def test_minus_zero_is_zero() -> None:
    assert str(plain(-0.0)) == "0"
    assert quarter(-0.125) == 0


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("box", {"box": [-1, 2]}),
        ("note", {"box": [1, -2]}),
        ("box", {"at": [32_769, 0]}),
        ("box", {"at": [1, 2, 3]}),
        ("line", {"box": [65_537, 0]}),
        ("box", {"style": {**STYLE, "color": "red"}}),
        ("box", {"style": {**STYLE, "color": "#d3322b\n"}}),
        ("box", {"style": {**STYLE, "fill": "url(#x)"}}),
        ("image", {"image": "x"}),
        ("box", {"alt": "a\x07"}),
        ("text", {"text": "a\x00b"}),
        ("text", {"text": "a\tb"}),
        ("text", {"text": "a\u0085b"}),
        ("stroke", {"ink": "aAA"}),
        ("box", {"group": "Not an id"}),
        ("shape", {}),
    ],
)
def test_it_refuses_a_field_out_of_shape(kind: str, changed: dict[str, Any]) -> None:
    assert refusal("add", "u1.c.1", kind, {**FIELDS, **changed}) == "bad_frame"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"text": "é" * (MAX_TEXT + 1)}, "too_long"),
        ({"alt": "é" * (MAX_ALT + 1)}, "too_long"),
        ({"ink": encode([(0, 0)] * 1_001, pressed=False)}, "too_many_points"),
        ({"ink": encode([(0, 0)] * 10_000, pressed=False)}, "too_many_points"),
    ],
)
def test_too_much_has_codes_of_its_own(changed: dict[str, Any], code: str) -> None:
    assert refusal("set", "u1.c.1", changed) == code


def test_emojis_count_as_one_character() -> None:
    assert read("set", "u1.c.1", {"text": "🙂" * MAX_TEXT})[2]["text"] == "🙂" * MAX_TEXT


def test_null_unsets_what_is_optional_and_nothing_else() -> None:
    unset = {"box": None, "turn": None, "top": None, "alt": None, "group": None}
    assert read("set", "u1.c.1", unset) == ["set", "u1.c.1", unset]
    assert not set(read("add", "u1.c.1", "line", {**FIELDS, "turn": None, "top": None})[3]) & {"turn", "top"}
    for field in ("at", "ink", "image", "style", "text"):
        with pytest.raises(msgspec.ValidationError):
            read("set", "u1.c.1", {field: None})


@pytest.mark.parametrize("key", ["", "U1.c.1", "u1 c", ".c.1", "u1.c.1\n", "a" * 49, "u1|c"])
def test_it_refuses_what_is_no_id(key: str) -> None:
    assert refusal("remove", key) == "bad_frame"
    assert refusal("restore", key) == "bad_frame"
    assert refusal("set", key, {}) == "bad_frame"
    assert refusal("add", key, "box", FIELDS) == "bad_frame"


def test_a_foreign_text_is_tidied() -> None:
    assert tidy_text("a\r\nb\tc\x0c\ud800d\u0085", 100) == "a\nb cd"
    assert tidy_text("e\u0301" * 9, 4) == "é" * 4


@pytest.mark.parametrize(
    ("kind", "fields", "may"),
    [
        ("note", {"at": [1, 2], "box": [3, 4], "text": "Leaf", "turn": None, "alt": "A leaf"}, True),
        ("stroke", {"box": None}, True),
        ("stroke", {"text": "Leaf"}, False),
        ("note", {"ink": "aAAA"}, False),
        ("box", {"box": None}, False),
        ("box", {"box": [-3, 4]}, False),
        ("line", {"box": [-3, 4]}, True),
        ("of a later version", {"box": None, "text": "Leaf"}, True),
    ],
)
def test_what_may_be_set_on_an_item_of_a_kind(kind: str, fields: dict[str, Any], may: bool) -> None:
    assert items.suits(kind, fields) is may
