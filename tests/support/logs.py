"""Generated logs: every kind of event, every role, hostile ids and shapes, from pools so small that events meet."""

from typing import Any

from hypothesis import strategies as st

from classrooms.lesson import Event, LessonState, apply, fresh

PEOPLE = ["tea", "hel", "ana", "ben", "__proto__"]  # an instructor, an assistant, students
STRANGERS = ["constructor", "zoe"]
PAGES = ["p1", "p2", "__proto__", "toString"]
AUTHORS = [*PEOPLE, None]
LONGEST = 60  # events, fillers apart

people = st.sampled_from([*PEOPLE, *STRANGERS])
authors = st.sampled_from([*AUTHORS, "tea", "tea", "ana", "zoe"])
pages = st.sampled_from([*PAGES, "p1", "p1", "p1", "nowhere"])
seqs = st.integers(0, LONGEST + 5)
keys = st.builds("{}.c.{}".format, st.sampled_from(["tea", "ana", "ben", "ana", "__proto__"]), st.integers(1, 3))
texts = st.sampled_from(["", "光合作用", "naïve 🙂", "a\nb"])

weird = st.recursive(
    st.sampled_from([None, True, False, 0, -1, 1.5, 7.0, 2**53, 1e300, "", "x", "__proto__", "front", "*"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["__proto__", "constructor", "kind", "by", "fields", "7", "é"]), inner, max_size=3
        ),
    ),
    max_leaves=6,
)

fields = st.fixed_dictionaries(
    {},
    optional={
        "at": st.sampled_from([[1, 2], [10.25, 902]]),
        "style": st.just({"color": "#d3322b", "width": 4}),
        "turn": st.sampled_from([0, 30, None]),
        "top": st.one_of(st.sampled_from(["front", "back", None]), st.integers(-5, 70)),
        "ink": st.sampled_from(["aAAAoFA", "aAAAA"]),
        "text": texts,
        "alive": st.booleans(),
        "__proto__": st.just({"at": 1}),
        "é": st.just(1),
    },
)
edits = st.one_of(
    st.builds(lambda key, kind, value: ["add", key, kind, value], keys, st.sampled_from(["box", "text"]), fields),
    st.builds(lambda key, value: ["set", key, value], keys, fields),
    st.builds(lambda verb, key: [verb, key], st.sampled_from(["remove", "restore"]), keys),
    weird,
    st.builds(
        lambda verb, key, rest: [verb, key, *rest], st.sampled_from(["add", "set"]), keys, st.lists(weird, max_size=2)
    ),
)
seeds = st.builds(
    lambda kind, by, value: {"kind": kind, "by": by, "fields": value},
    st.sampled_from(["box", "note"]),
    st.sampled_from(["ana", "tea", "ghost"]),
    fields,
)
policies = st.fixed_dictionaries(
    {},
    optional={
        "draw": st.sampled_from(["everyone", "chosen", "staff", "nobody"]),
        "edit": st.sampled_from(["own", "shared"]),
        "roam": st.sampled_from([True, False, 1]),
        "chat": st.booleans(),
        "door": st.sampled_from(["open", "locked"]),
    },
)
maybe = st.sampled_from


def _data(required: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(required, optional=optional)


after = st.one_of(st.none(), st.sampled_from(PAGES), weird)
page = {"page": pages}
person = {"participant": people}
slides = st.one_of(st.none(), st.just({"deck": 1, "number": 1, "text": "", "images": {}}))
new_page = _data({"page": pages, "kind": maybe(["slide", "blank"]), "title": texts}, after=after, slide=slides)

DATA: dict[str, st.SearchStrategy[Any]] = {
    "lesson.started": _data({"title": texts, "policy": policies, "pages": st.lists(new_page, max_size=2)}),
    "lesson.ended": st.just({}),
    "person.joined": _data({**person, "name": texts, "role": maybe(["instructor", "student", "king"]), "color": texts}),
    "person.changed": _data(person, name=texts, role=maybe(["instructor", "assistant", "student", "king", None])),
    "person.removed": _data(person),
    "person.readmitted": _data(person),
    "page.added": new_page,
    "page.shown": _data(page),
    "page.renamed": _data({**page, "title": st.one_of(texts, weird)}),
    "page.described": _data({**page, "text": st.one_of(texts, weird), "alt": texts}),
    "page.moved": _data(page, after=after),
    "page.removed": _data(page),
    "page.cleared": _data(page, only=st.one_of(people, st.none())),
    "page.uncleared": _data({**page, "seq": seqs}),
    "board.edited": _data({**page, "edits": st.lists(edits, max_size=4)}, guard=st.one_of(seqs, st.none())),
    "board.seeded": _data(
        {**page, "items": st.dictionaries(st.one_of(keys, st.sampled_from(["7", "ghost.c.1"])), seeds, max_size=3)}
    ),
    "policy.set": policies,
    "draw.allowed": _data({**person, "allowed": st.booleans()}),
    "hand.raised": st.just({}),
    "hand.lowered": _data({}, participant=st.one_of(people, st.none())),
    "hand.called": _data(person),
    "chat.posted": _data({"text": texts}, reply=st.one_of(seqs, st.none())),
    "chat.removed": _data({"seq": seqs}),
}
OFTEN = ["board.edited"] * 12 + ["page.cleared", "page.uncleared", "board.seeded", "policy.set"] * 2


@st.composite
def drafts(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an event without its number; now and then one whose data is out of shape, or the same one many times."""
    if draw(st.integers(0, 39)) == 0:  # long enough that the dead are dropped
        return {"kind": "sky.painted", "by": None, "data": {}, "times": draw(st.integers(1_990, 2_005))}
    kind = draw(st.sampled_from([*DATA, *OFTEN, "constructor"]))
    data = draw(DATA.get(kind, weird))
    if draw(st.integers(0, 9)) == 0 and isinstance(data, dict) and data:
        data = {**data, draw(st.sampled_from(list(data))): draw(weird)}
    return {"kind": kind, "by": draw(authors), "data": data}


@st.composite
def logs(draw: st.DrawFn, longest: int = LONGEST) -> list[dict[str, Any]]:
    """Draw a log: a lesson that starts with the usual people, then anything."""
    start = {
        "title": "T",
        "policy": draw(policies),
        "pages": [{"page": p, "kind": "blank", "title": p} for p in PAGES[:3]],
    }
    roles = ["instructor", "assistant", "student", "student", "student"]
    joins = [
        {
            "kind": "person.joined",
            "by": None,
            "data": {"participant": key, "name": key, "role": role, "color": "#000000"},
        }
        for key, role in zip(PEOPLE, roles, strict=True)
    ]
    first = {"kind": "lesson.started", "by": None, "data": start}
    return [first, *joins, *draw(st.lists(drafts(), max_size=longest))]


def numbered(log: list[dict[str, Any]]) -> list[Event]:
    """Return the events of a generated log, with fillers unrolled."""
    flat = [draft for draft in log for _ in range(draft.get("times", 1))]
    return [Event(seq, d["kind"], d["by"], seq, None, d["data"]) for seq, d in enumerate(flat, 1)]


def fold(events: list[Event]) -> tuple[LessonState, list[int]]:
    """Return the folded state, and the seqs that were void."""
    state = fresh()
    return state, [event.seq for event in events if not apply(state, event)]
