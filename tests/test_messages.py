"""The wire: hostile frames and ops get a code and nothing else, good ones become ready bytes, the schema is in step."""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from classrooms import kinds, messages
from classrooms.closes import Close
from classrooms.kinds import clean_title
from classrooms.messages import LIMITS, Op, Unreadable, clean_name, draft, read, read_op, read_signal
from classrooms.refusals import SENTENCES, Code, Refused
from classrooms.roles import Role
from tests.support.ops import ops

DOCS = Path(__file__).resolve().parent.parent / "docs"
BOX = {"at": [1, 2], "box": [3, 4], "style": {"color": "#d3322b"}}
UNREADABLE = [Unreadable(None, Code.BAD_FRAME)]


def op(kind: str, data: Any) -> Op:
    return Op("9f3a01c2:1", kind, msgspec.Raw(data if isinstance(data, bytes) else json.dumps(data).encode()))


def refusal(kind: str, data: Any) -> Code:
    with pytest.raises(Refused) as caught:
        read_op(op(kind, data))
    return caught.value.code


# --- frames ----------------------------------------------------------------------------------------------------------


def test_every_frame_that_goes_up_is_read() -> None:
    hello = {"type": "hello", "protocol": [1], "ticket": "t", "client": "9f3a01c2", "epoch": None, "since": 41, "at": 7}
    rest = [
        {"type": "op", "id": "9f3a01c2:8", "kind": "hand.raise", "data": {}, "later": 1},
        {"type": "signal", "kind": "typing", "data": {}},
        {"type": "pong", "applied": 57},
        {"type": "time", "t": 1764000000001},
        {"type": "sync", "since": 57, "at": 1},
    ]
    assert [type(frame) for frame in read(json.dumps([hello, *rest]))] == list(messages.UP)
    assert read(json.dumps(hello)) == [messages.Hello([1], "t", "9f3a01c2", None, 41, 7)]
    assert read(b" \n[]") == []


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "null", "7", '"hello"', "{}", '{"type":"welcome"}', '{"type":7}', "[" * 60_000, "NaN",
        '{"type":"pong","applied":NaN}', '{"type":"pong","applied":1e400}', b"\xff\xfe", "\ud800",
        '{"type":"pong","applied":"x"}', b'{"type":"pong"}x',
        '{"type":"hello","protocol":[1],"ticket":"t","client":"XYZ"}',
        '{"type":"hello","protocol":[1],"ticket":"t","client":"9f3a01c2\\n"}',
        '{"type":"op","id":"Not An Id","kind":"hand.raise","data":{}}',
        '{"type":"op","id":"a:1\\n","kind":"hand.raise","data":{}}',
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_and_nothing_raises(text: str | bytes) -> None:
    assert read(text) == UNREADABLE


def test_an_op_that_cannot_be_read_is_told_by_its_id() -> None:
    assert read('{"type":"op","id":"9f3a01c2:8","kind":7}') == [Unreadable("9f3a01c2:8", Code.BAD_FRAME)]


def test_one_bad_frame_does_not_spoil_the_others_of_its_array() -> None:
    first, second, third = read('[7,{"type":"pong","applied":1},{"type":"nope"}]')
    assert [first, third] == UNREADABLE * 2
    assert second == messages.Pong(1)


@pytest.mark.parametrize("half", ['"\\ud83d"', "NaN", "1e400"])
def test_what_is_no_json_for_one_op_is_told_by_its_id_and_harms_no_other(half: str) -> None:
    post = '{"type":"op","id":"c:7","kind":"chat.post","data":{"text":' + half + "}}"
    first, second = read('[{"type":"pong","applied":1},' + post + "]")
    assert first == messages.Pong(1)
    if isinstance(second, Op):  # raw data is read by `read_op`
        with pytest.raises(Refused, match="bad_frame"):
            read_op(second)
    else:
        assert second == Unreadable("c:7", Code.BAD_FRAME)


def test_a_message_beyond_the_limit_is_too_large() -> None:
    filler = "x" * LIMITS["frame"]
    assert read(json.dumps({"type": "pong", "filler": filler})) == [Unreadable(None, Code.TOO_LARGE)]
    assert read("é" * (LIMITS["frame"] // 2 + 1)) == [Unreadable(None, Code.TOO_LARGE)]


@pytest.mark.parametrize("first", ["1", "NaN"])
def test_a_message_of_too_many_frames_is_refused_as_a_whole(first: str) -> None:
    ones = [first] + ["1"] * (messages.MAX_FRAMES_IN - 1)
    assert read(f"[{','.join(ones)}]") == UNREADABLE * messages.MAX_FRAMES_IN
    assert read(f"[{','.join([*ones, '1'])}]") == [Unreadable(None, Code.TOO_LARGE)]


def test_no_depth_makes_the_reader_raise() -> None:
    """NaN has each frame read apart, which has a limit of its own."""
    for depth in range(sys.getrecursionlimit() - 200, sys.getrecursionlimit() + 10):
        deep = '{"x":NaN,"data":' + "[" * depth + "]" * depth + "}"
        assert read(deep) == UNREADABLE


@settings(max_examples=300)
@given(st.one_of(st.binary(), st.text(), st.from_regex(r'[\[{]?"type":"(op|hello|pong)".*')))
def test_no_bytes_make_the_reader_raise(text: str | bytes) -> None:
    assert all(frame == UNREADABLE[0] or isinstance(frame, messages.UP) for frame in read(text))


# --- ops -------------------------------------------------------------------------------------------------------------


def test_an_op_becomes_the_very_bytes_of_its_event() -> None:
    data = {
        "page": "p1",
        "edits": [["add", "u1.c.1", "box", {**BOX, "at": [902.0, 1.13], "later": 1}, "more"]],
        "guard": None,
    }
    read = read_op(op("board.edit", data))
    assert (read.kind, read.op) == ("board.edited", "9f3a01c2:1")
    normal = '{"at":[902,1.25],"box":[3,4],"style":{"color":"#d3322b"}}'
    assert read.text == '{"page":"p1","edits":[["add","u1.c.1","box",' + normal + "]]}"
    assert read.data == json.loads(read.text)


@settings(max_examples=300, deadline=None)
@given(ops())
def test_an_op_is_normal_or_refused_and_reading_it_again_changes_nothing(kind_and_data: tuple[str, Any]) -> None:
    kind, data = kind_and_data
    try:
        first = read_op(op(kind, json.dumps(data).encode()))
    except Refused:
        return
    assert read_op(op(kind, first.text.encode())).text == first.text
    assert len(first.text.encode()) <= LIMITS["data"]
    assert not any(ord(char) < 32 for char in first.text)


@pytest.mark.parametrize("kind", kinds.OPS)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b"[" * 16_000,
        b'{"a":' * 3_000,
        b"{",
        b"\xff",
        b'{"page":"\\ud83d"}',
        b'{"page":NaN}',
        b'{"page":"\x00"}',
    ],
)
def test_hostile_data_is_a_bad_frame_for_every_kind(kind: str, data: bytes) -> None:
    assert refusal(kind, data) is Code.BAD_FRAME


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("sky.paint", {}, Code.UNKNOWN_KIND),
        ("board.edited", {}, Code.UNKNOWN_KIND),
        ("person.join", {}, Code.UNKNOWN_KIND),
        ("chat.post", {"text": "x" * 2_001}, Code.TOO_LONG),
        ("chat.post", {"text": "a\x00"}, Code.BAD_FRAME),
        ("chat.post", {"text": " \n\u3000"}, Code.BAD_FRAME),
        ("chat.post", {"text": "x", "reply": -1}, Code.BAD_FRAME),
        ("chat.post", {"text": "x", "reply": 10**20}, Code.BAD_FRAME),
        ("chat.post", {"text": "x" * 20_000}, Code.TOO_LARGE),
        ("page.add", {"page": "p7", "kind": "blank", "title": "x" * 121}, Code.TOO_LONG),
        ("page.add", {"page": "p7", "kind": "film", "title": ""}, Code.BAD_FRAME),
        ("page.show", {"page": "p1\n"}, Code.BAD_FRAME),
        ("person.change", {"participant": "u1"}, Code.BAD_FRAME),
        ("person.change", {"participant": "u1", "role": "king"}, Code.BAD_FRAME),
        ("policy.set", {"later": 1}, Code.BAD_FRAME),
        ("policy.set", {"draw": "nobody"}, Code.BAD_FRAME),
        ("board.edit", {"page": "p1", "edits": []}, Code.BAD_FRAME),
        ("board.edit", {"page": "p1", "edits": [["remove", "a"]] * 51}, Code.TOO_LARGE),
        ("board.edit", {"page": "p1", "edits": [["paint", "a"]]}, Code.BAD_FRAME),
        ("board.edit", {"page": "p1", "edits": [["set", "a", {"text": "x" * 2_001}]]}, Code.TOO_LONG),
        ("board.edit", {"page": "p1", "edits": [["set", "a", {"at": [1e400, 0]}]]}, Code.BAD_FRAME),
        ("board.edit", {"page": "p1", "edits": [["set", "a", {"turn": True}]]}, Code.BAD_FRAME),
    ],
)
def test_an_op_is_refused_with_its_code(kind: str, data: Any, code: Code) -> None:
    assert refusal(kind, json.dumps(data).replace("Infinity", "1e400").encode()) is code


def test_an_op_whose_normal_data_would_outgrow_the_limit_is_too_large() -> None:
    spot = b'["set","a",{"at":[1e4,-1e4],"box":[1e4,-1e4]}],'
    padding = b'["set","a",{"text":"' + b"x" * 1_990 + b'"}],'
    data = b'{"page":"p1","edits":[' + padding * 7 + spot * 43
    data = data[: data.rindex(b",")] + b"]}"
    assert len(data) <= LIMITS["data"]
    assert refusal("board.edit", data) is Code.TOO_LARGE


def test_fifty_edits_in_one_op_are_read() -> None:
    assert len(read_op(op("board.edit", {"page": "p1", "edits": [["remove", "a"]] * 50})).data["edits"]) == 50


def test_the_servers_own_events_are_drafted_or_refused_as_well() -> None:
    start = {
        "title": "T",
        "policy": {"draw": "everyone", "chosen": []},
        "pages": [{"page": "p1", "kind": "blank", "title": ""}],
    }
    assert draft("lesson.started", "started", start).data == {**start, "policy": {"draw": "everyone"}}
    slide = {
        "deck": 1,
        "number": 2,
        "width": 1600,
        "height": 900.5,
        "images": {"320": "/media/a.webp"},
        "text": "a\x0cb\x00",
    }
    page = {"page": "p2", "kind": "slide", "title": "", "after": None, "slide": slide}
    assert draft("page.added", "p", page).data == {**page, "slide": {**slide, "text": "ab"}}
    for broken in (
        {**start, "pages": []},
        {**start, "title": "a\tb"},
        {**start, "pages": [page | {"slide": None}] * 21},
    ):
        with pytest.raises(Refused):
            draft("lesson.started", "started", broken)
    with pytest.raises(Refused):
        draft("page.added", "p", {**page, "slide": {**slide, "images": {"320": "javascript:alert(1)"}}})
    with pytest.raises(Refused):
        draft("board.seeded", "s", {"page": "p1", "items": {"u2.c.1": {"kind": "box", "by": "u1", "fields": BOX}}})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ana", "Ana"),
        ("  Zoe\u0308 ", "Zoë"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("x" * 40, "x" * 40),
        ("李 明", "李 明"),
        ("Nguyễn Thị Ổn", "Nguyễn Thị Ổn"),
        ("שָׁלוֹם", "שָׁלוֹם"),
        ("Z" + "\u0316" * 4 + "e", "Z" + "\u0316" * 4 + "e"),
    ],
)
def test_a_name_is_made_clean(text: str, name: str) -> None:
    assert clean_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "\u200b", "\u200c", "a\u202eb", "a\nb", "a\x00", "\u2066a", "\ud800", "x" * 41,
        "\u3164", " \u2800\u200d\u115f", "Z" + "\u0316" * 5,
    ],
)  # fmt: skip
def test_a_name_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        clean_name(text)
    assert caught.value.code is (Code.TOO_LONG if len(text) > 40 else Code.BAD_FRAME)


@pytest.mark.parametrize(
    ("text", "title"), [("  Two stages ", "Two stages"), ("", ""), ("\u2800 \u200d", ""), ("x" * 80, "x" * 80)]
)
def test_a_page_title_is_made_clean_and_may_be_none(text: str, title: str) -> None:
    assert clean_title(text) == title


@pytest.mark.parametrize("text", ["a\nb", "a\u2028b", "\ud800", "a\u202eb", "Z" + "\u0316" * 5, "x" * 81])
def test_a_page_title_is_one_line_that_fits(text: str) -> None:
    with pytest.raises(Refused) as caught:
        clean_title(text)
    assert caught.value.code is (Code.TOO_LONG if len(text) > 80 else Code.BAD_FRAME)


# --- signals ---------------------------------------------------------------------------------------------------------

INK = {"page": "p1", "item": "u1.c.1", "offset": 0, "ink": "aAAAoFA"}


@pytest.mark.parametrize(
    ("kind", "data", "normal"),
    [
        ("ink", {**INK, "later": 1}, INK),
        ("ink", {**INK, "style": BOX["style"]}, {**INK, "style": BOX["style"]}),
        ("drag", {"page": "p1", "items": ["a"], "at": [1.1, 2.0]}, {"page": "p1", "items": ["a"], "at": [1, 2]}),
        ("cursor", {"page": "p1", "at": [1, 2], "tool": "pen"}, {"page": "p1", "at": [1, 2], "tool": "pen"}),
        ("laser", {"page": "p1", "points": [[1, 2]], "end": True}, {"page": "p1", "points": [[1, 2]], "end": True}),
        ("typing", {"text": "secret"}, {}),
        ("react", {"emoji": "👍"}, {"emoji": "👍"}),
    ],
)
def test_a_signal_is_made_normal(kind: str, data: Any, normal: Any) -> None:
    assert json.loads(read_signal(messages.Signal(kind, msgspec.Raw(json.dumps(data).encode())))) == normal


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("wave", {}, Code.UNKNOWN_KIND),
        ("ink", {**INK, "ink": "aAA"}, Code.BAD_FRAME),
        ("ink", {**INK, "offset": -1}, Code.BAD_FRAME),
        ("drag", {"page": "p1", "items": ["a"] * 65, "at": [1, 2]}, Code.BAD_FRAME),
        ("drag", {"page": "p1", "items": ["A"], "at": [1, 2]}, Code.BAD_FRAME),
        ("laser", {"page": "p1", "points": [[1, 2]] * 65}, Code.BAD_FRAME),
        ("cursor", {"page": "p1", "at": [1, 99_999], "tool": "pen"}, Code.BAD_FRAME),
        ("cursor", {"page": "p1", "at": [1, 2], "tool": "\x00"}, Code.BAD_FRAME),
        ("react", {"emoji": ""}, Code.BAD_FRAME),
        ("typing", [], Code.BAD_FRAME),
        ("ink", {**INK, "later": "x" * 20_000}, Code.TOO_LARGE),
    ],
)
def test_a_signal_is_refused_with_its_code(kind: str, data: Any, code: Code) -> None:
    with pytest.raises(Refused) as caught:
        read_signal(messages.Signal(kind, msgspec.Raw(json.dumps(data).encode())))
    assert caught.value.code is code


# --- frames that go down ---------------------------------------------------------------------------------------------


def test_events_and_signals_are_joined_from_ready_bytes() -> None:
    first = messages.event_bytes(42, "hand.raised", "u17", 1764000000123, "9f3a01c2:7", "{}")
    second = messages.event_bytes(43, "lesson.ended", None, 1764000000124, "ended", "{}")
    frame = json.loads(messages.events_frame([first, second]))
    assert frame["events"][1] == {
        "seq": 43,
        "kind": "lesson.ended",
        "by": None,
        "at": 1764000000124,
        "op": "ended",
        "data": {},
    }
    assert validator("Events").is_valid(frame)
    signals = json.loads(messages.signals_frame([messages.signal_bytes("typing", "u17", b"{}")]))
    assert signals == {"type": "signals", "signals": [{"kind": "typing", "by": "u17", "data": {}}]}
    assert validator("Signals").is_valid(signals)


def test_the_frames_of_the_server_fit_the_schema() -> None:
    me = messages.Person(id="u17", name="Ana", role="student", color="#8b4fbf")
    frames: list[Any] = [
        messages.Welcome(
            epoch="5be0c41d",
            head=57,
            mode="resume",
            me=me,
            ticket="t",
            limits=LIMITS,
            pace=50,
            retry=(200, 1000),
            now=1,
        ),
        messages.Done("c:1", None),
        messages.RefusedFrame.of(None, Refused(Code.RATE_LIMITED, retry=True, after=800)),
        messages.Presence(31, [me], ["u4"]),
        messages.Ping(57, ("p4", 2613484540), 50),
        messages.TimeAnswer(1, 2),
        messages.Bye.of(Close.RESTARTING, spread=8000),
    ]
    for frame in frames:
        sent = json.loads(messages.encode(frame))
        validator(type(frame).__name__).validate(sent)
    assert json.loads(messages.encode(frames[2])) == {
        "type": "refused", "id": None, "code": "rate_limited", "message": SENTENCES[Code.RATE_LIMITED],
        "retry": True, "after": 800,
    }  # fmt: skip
    assert json.loads(messages.encode(messages.Presence(3))) == {"type": "presence", "count": 3}


def test_the_state_door_joins_ready_bytes() -> None:
    body = json.loads(messages.state_body("5be0c41d", 57, 9, {"p1": 7}, b'{"title":"T"}'))
    assert body == {"epoch": "5be0c41d", "seq": 57, "at": 9, "digest": {"p1": 7}, "state": {"title": "T"}}


def test_staff_may_send_more_than_students() -> None:
    assert messages.limits(Role.STUDENT)["ops"] == 10
    assert messages.limits(Role.ASSISTANT)["ops"] == messages.limits(Role.INSTRUCTOR)["ops"] == 50
    assert messages.limits(Role.INSTRUCTOR).keys() == LIMITS.keys()


# --- the schema and the page that explains it ------------------------------------------------------------------------


def validator(definition: str) -> Draft202012Validator:
    schema = messages.schema()
    return Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]})


def test_the_schema_file_is_what_the_code_says() -> None:
    """To write it anew: python -m tests.support.schema"""
    assert json.loads((DOCS / "protocol.schema.json").read_text()) == messages.schema()
    Draft202012Validator.check_schema({"$defs": messages.schema()["$defs"]})


@settings(max_examples=200, deadline=None)
@given(ops())
def test_what_the_reader_takes_fits_the_schema(kind_and_data: tuple[str, Any]) -> None:
    kind, data = kind_and_data
    try:
        taken = read_op(op(kind, data))
    except Refused:
        return
    name = kinds.OPS[kind].data.__name__
    validator(name).validate(taken.data)


WORDS = [
    *(f'"{frame.__struct_config__.tag}"' for frame in (*messages.UP, *messages.DOWN)),
    *(f"`{code}`" for code in Code),
    *(f"`{close.value}`" for close in Close),
    *(f"`{kind}`" for kind in (*kinds.OPS, *kinds.EVENTS, *kinds.SIGNALS)),
    *(f"`{limit}`" for limit in LIMITS),
]


@pytest.mark.parametrize("word", sorted(set(WORDS)))
def test_the_page_about_the_protocol_names_every_word_of_it(word: str) -> None:
    assert word in (DOCS / "protocol.md").read_text(encoding="utf-8")
