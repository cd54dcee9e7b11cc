"""Generated ops: data of every kind, right or with one fault, for the readers of both languages."""

from typing import Any

from hypothesis import strategies as st

from classrooms import kinds

faults = st.sampled_from([
    None, True, 0, -1, 1.25, 40_000, 2**53, 1e300, "", "x", "u1.c.1", "a\x00b", "a\tb", "a\u0085", "#00ff00",
    "none", "front", "X" * 2_001, "🙂" * 2_000, "🙂" * 2_001, "\u202eabc", [], {}, [1, 2], [1, 2, 3], [None, 1],
    {"a": 1}, {"__proto__": 1},
])  # fmt: skip
ids = st.sampled_from(["p1", "u1.9f3a01c2.1", "ana", "7", "a" * 48, "a:b.c-d"])
coordinates = st.one_of(
    st.integers(-32_768, 32_768), st.floats(-32_768, 32_768, width=32), st.sampled_from([0.125, -0.125, -0.0])
)
pairs = st.lists(coordinates, min_size=2, max_size=2)
sizes = st.lists(st.one_of(st.integers(0, 900), st.floats(0, 900, width=32)), min_size=2, max_size=2)
texts = st.sampled_from(["", "hi", "光合作用", "a\nb", "🙂" * 500, " x "])
styles = st.fixed_dictionaries(
    {"color": st.sampled_from(["#d3322b", "#D3322B"])},
    optional={
        "width": st.one_of(st.integers(1, 80), st.floats(0.5, 80, width=32)),
        "opacity": st.sampled_from([0.05, 0.5, 1, 1.0]),
        "dash": st.sampled_from(["solid", "dashed", "dotted"]),
        "fill": st.sampled_from(["none", "#FFFFFF"]),
        "size": st.integers(8, 200),
        "shadow": st.just(1),
    },
)
values: dict[str, st.SearchStrategy[Any]] = {
    "at": pairs,
    "box": sizes,
    "ink": st.sampled_from(["aAAAoFA8K", "bAAD_Aw"]),
    "image": st.just("0123456789abcdef" * 4),
    "style": styles,
    "text": texts,
    "turn": st.one_of(st.integers(-360, 360), st.floats(-360, 360, width=32), st.just(-0.0), st.none()),
    "top": st.one_of(st.sampled_from(["front", "back", None]), st.integers(-9, 9), st.floats(-9, 9, width=32)),
    "alt": st.one_of(texts, st.none()),
    "group": st.one_of(ids, st.none()),
    "later": st.just({"of": "another version"}),
}
KINDS = {
    "stroke": ["at", "ink", "style"], "highlight": ["at", "ink", "style"], "line": ["at", "box", "style"],
    "arrow": ["at", "box", "style"], "box": ["at", "box", "style"], "ellipse": ["at", "box", "style"],
    "text": ["at", "box", "text", "style"], "note": ["at", "box", "text", "style"], "image": ["at", "box", "image"],
}  # fmt: skip


@st.composite
def adds(draw: st.DrawFn) -> list[Any]:
    kind = draw(st.sampled_from(list(KINDS)))
    fields = {name: draw(values[name]) for name in KINDS[kind]}
    for name in draw(st.lists(st.sampled_from(list(values)), max_size=3)):
        fields.setdefault(name, draw(values[name]))
    return ["add", draw(ids), kind, fields]


edits = st.one_of(
    adds(),
    st.builds(lambda key, fields: ["set", key, fields], ids, st.fixed_dictionaries({}, optional=values)),
    st.builds(lambda verb, key: [verb, key], st.sampled_from(["remove", "restore"]), ids),
)
seqs = st.integers(0, 10_000)
page = {"page": ids}
person = {"participant": ids}
after = st.one_of(ids, st.none())
names = st.sampled_from(
    [
        "Ana",
        "  Zoe\u0308 ",
        "علی\u200cرضا",
        "",
        " ",
        "\u200b",
        "x" * 40,
        "x" * 41,
        "👩\u200d🚀",
        "\ufeffAna",
        "\u200c",
        "\u3164",
        "a" + "\u0301" * 6,
    ]
)
policies = {
    "draw": st.sampled_from(["everyone", "chosen", "staff"]), "edit": st.sampled_from(["own", "shared"]),
    "roam": st.booleans(), "chat": st.booleans(), "door": st.sampled_from(["open", "locked"]),
}  # fmt: skip
SHAPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "lesson.end": ({}, {}),
    "person.change": (person, {"name": names, "role": st.sampled_from(["instructor", "assistant", "student"])}),
    "person.remove": (person, {}),
    "person.readmit": (person, {}),
    "page.add": (
        {**page, "kind": st.sampled_from(["slide", "blank"]), "title": texts.map(lambda t: t[:120])},
        {"after": after},
    ),
    "page.show": (page, {}),
    "page.rename": ({**page, "title": st.one_of(names, st.sampled_from(["x" * 80, "x" * 81, "Two\u2028lines"]))}, {}),
    "page.move": (page, {"after": after}),
    "page.remove": (page, {}),
    "page.clear": (page, {"only": st.one_of(ids, st.none())}),
    "page.unclear": ({**page, "seq": seqs}, {}),
    "board.edit": ({**page, "edits": st.lists(edits, min_size=1, max_size=4)}, {"guard": st.one_of(seqs, st.none())}),
    "policy.set": ({}, policies),
    "draw.allow": ({**person, "allowed": st.booleans()}, {}),
    "hand.raise": ({}, {}),
    "hand.lower": ({}, {"participant": st.one_of(ids, st.none())}),
    "hand.call": (person, {}),
    "chat.post": ({"text": texts}, {"reply": st.one_of(seqs, st.none())}),
    "chat.remove": ({"seq": seqs}, {}),
}
assert set(SHAPES) == set(kinds.OPS)


@st.composite
def ops(draw: st.DrawFn) -> tuple[str, Any]:
    """Draw an op's kind and data; every second time with one value somewhere in it changed for another."""
    kind = draw(st.sampled_from([*SHAPES, *["board.edit"] * 8]))
    required, optional = SHAPES[kind]
    data: Any = draw(st.fixed_dictionaries(required, optional={**optional, "later": st.just([1])}))
    if draw(st.booleans()):
        data = _spoil(draw, data)
    return kind, data


def _spoil(draw: st.DrawFn, value: Any) -> Any:
    """Return `value` with one part, at any depth, put in place by a fault, or taken out."""
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        name = draw(st.sampled_from(list(value)))
        if draw(st.integers(0, 4)) == 0:
            return {key: part for key, part in value.items() if key != name}
        return {**value, name: _spoil(draw, value[name])}
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], _spoil(draw, value[at]), *value[at + 1 :]]
    return draw(faults)
