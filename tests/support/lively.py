"""Logs that live: drawn by a seed, with an eye on the state, so that most events meet what earlier ones left."""

from random import Random
from typing import Any

from classrooms.lesson import Event, LessonState, apply, fresh
from whiteboard.board import KEPT_DEAD

CAST = {
    "tea": "instructor",
    "tom": "instructor",
    "hel": "assistant",
    "ana": "student",
    "ben": "student",
    "__proto__": "student",
}
STYLE = {"color": "#d3322b", "width": 4, "opacity": 1, "dash": "solid", "fill": "none"}


class Lively:
    """Draws events one by one, folding them as they come."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.state: LessonState = fresh()
        self.log: list[dict[str, Any]] = []
        self.made = 0
        self.clears = [0]

    def add(self, kind: str, by: str | None, data: dict[str, Any], times: int = 1) -> None:
        self.log.append({"kind": kind, "by": by, "data": data, "times": times})
        for _ in range(times):
            seq = self.state.seq + 1
            apply(self.state, Event(seq, kind, by, seq, None, data))

    def start(self) -> None:
        pages = [{"page": page, "kind": "blank", "title": page} for page in ("p1", "p2", "__proto__")]
        edit = self.random.choice(["own", "shared"])
        self.add("lesson.started", None, {"title": "T", "policy": {"edit": edit}, "pages": pages})
        for key, role in CAST.items():
            self.join(key, role)

    def join(self, key: str, role: str) -> None:
        self.add("person.joined", None, {"participant": key, "name": key, "role": role, "color": "#000000"})

    def step(self) -> None:
        pick = self.random.choices(list(STEPS), weights=[weight for weight, _ in STEPS.values()])[0]
        STEPS[pick][1](self)

    # --- choices -----------------------------------------------------------------------------------------------------

    def person(self) -> str:
        return self.random.choice([*CAST, "zoe"])

    def author(self) -> str | None:
        return self.random.choice([*CAST, "tea", "ana", "ben", None])

    def staff(self) -> str | None:
        return self.random.choice(["tea", "tea", "hel", "tom", None, "ana"])

    def page(self) -> str:
        return self.random.choice([page.id for page in self.state.pages] * 8 + ["nowhere"])

    def key(self, page: str) -> str:
        board = self.state.boards.get(page)
        return self.random.choice(list(board.items)) if board and board.items else "ana.c.1"

    def seq(self) -> int:
        """A seq that matters: of a clear, a write or a death, or one beside it."""
        near = [*self.clears, self.state.seq, self.state.seq - 3]
        for board in self.state.boards.values():
            near += [register.seq for item in list(board.items.values())[-3:] for register in item.fields.values()]
            near += [register.foreign for item in list(board.items.values())[-3:] for register in item.fields.values()]
        return self.random.choice(near) + self.random.choice([0, 0, 0, -1, 1])

    def fields(self) -> dict[str, Any]:
        draw = self.random
        pool: dict[str, Any] = {
            "at": [draw.randint(0, 1600), draw.choice([902, 10.25])], "box": [3, 4], "style": STYLE, "text": "光合作用",
            "turn": draw.choice([0, 30, None]), "top": draw.choice(["front", "back", None, 4, -7]), "ink": "aAAAoFA",
            "alive": True, "é": 1, "__proto__": {"at": 1},
        }  # fmt: skip
        return {name: pool[name] for name in draw.sample(list(pool), draw.randint(0, 4))}

    # --- steps -------------------------------------------------------------------------------------------------------

    def edit(self) -> None:
        by, page = self.author(), self.page()
        edits: list[Any] = []
        for _ in range(self.random.choice([1, 1, 1, 2, 4])):
            verb = self.random.choice(["add", "add", "set", "set", "remove", "restore"])
            if verb == "add":
                self.made += 1
                fresh_key = f"{by if self.random.random() < 0.95 else 'ben'}.c.{self.made}"
                key = fresh_key if self.random.random() < 0.8 else self.key(page)
                edits.append(["add", key, "box", self.fields()])
            else:
                edits.append([verb, self.key(page), *([self.fields()] if verb == "set" else [])])
        guard = {"guard": self.seq()} if self.random.random() < 0.4 else {}
        self.add("board.edited", by, {"page": page, "edits": edits, **guard})

    def clear(self) -> None:
        only = {} if self.random.random() < 0.5 else {"only": self.person()}
        self.clears.append(self.state.seq + 1)
        self.add("page.cleared", self.staff(), {"page": self.page(), **only})

    def unclear(self) -> None:
        page = self.page()
        cleared = list(self.state.boards[page].cleared.values()) if page in self.state.boards else []
        self.add("page.uncleared", self.staff(), {"page": page, "seq": self.random.choice([*cleared, self.seq()])})

    def seed(self) -> None:
        items: dict[str, Any] = {"7": {"kind": "box", "by": "ana", "fields": {}}}
        for by in self.random.sample(["ghost", "ana", "tea"], 2):
            self.made += 1
            items[f"{by}.s.{self.made}"] = {"kind": "box", "by": by, "fields": self.fields()}
        self.add("board.seeded", self.random.choice([None, None, "tea"]), {"page": self.page(), "items": items})

    def wait(self) -> None:
        """Let time pass until just before, at or after the moment when the oldest dead item is dropped."""
        if self.state.next_drop < float("inf"):
            times = int(self.state.next_drop) - self.state.seq + self.random.choice([-2, -1, 0, 0, 1])
            self.add("sky.painted", None, {}, times=max(1, min(times, KEPT_DEAD + 1)))

    def people(self) -> None:
        kind = self.random.choice(
            ["person.changed", "person.changed", "person.removed", "person.readmitted", "person.joined"]
        )
        if kind == "person.joined":
            return self.join(self.person(), self.random.choice(list(CAST.values())))
        data: dict[str, Any] = {"participant": self.person()}
        if kind == "person.changed":
            if self.random.random() < 0.5:
                data["name"] = self.random.choice(["", "New", None])
            if self.random.random() < 0.7:
                data["role"] = self.random.choice(["instructor", "assistant", "student", "student", None, "king"])
        self.add(kind, self.random.choice([self.author(), self.staff()]), data)
        return None

    def pages(self) -> None:
        kind = self.random.choice(
            ["page.added", "page.shown", "page.shown", "page.renamed", "page.moved", "page.removed", "page.removed"]
        )
        page = self.page()
        data: dict[str, Any] = {"page": page}
        if kind == "page.added":
            self.made += 1
            data = {"page": self.random.choice([f"p{self.made}", page]), "kind": "blank", "title": "t"}
        if kind == "page.renamed":
            data["title"] = self.random.choice(["", "New", None])
        if kind in ("page.added", "page.moved"):
            data |= self.random.choice([{}, {"after": None}, {"after": page}, {"after": self.page()}, {"after": 7}])
        self.add(kind, self.staff(), data)

    def policy(self) -> None:
        pool = {
            "draw": self.random.choice(["everyone", "everyone", "chosen", "staff", "nobody"]),
            "edit": self.random.choice(["own", "shared"]), "chat": self.random.choice([True, False, 1]),
            "door": "locked", "roam": False,
        }  # fmt: skip
        names = self.random.sample(list(pool), self.random.randint(0, 2))
        self.add("policy.set", self.staff(), {name: pool[name] for name in names})

    def allow(self) -> None:
        allowed = self.random.choice([True, True, False, 1])
        self.add("draw.allowed", self.staff(), {"participant": self.person(), "allowed": allowed})

    def hands(self) -> None:
        kind = self.random.choice(["hand.raised", "hand.raised", "hand.lowered", "hand.called"])
        if kind == "hand.called":
            self.add(kind, self.staff(), {"participant": self.person()})
            return
        whose = {"participant": self.person()} if kind == "hand.lowered" and self.random.random() < 0.6 else {}
        self.add(kind, self.author(), whose)

    def chat(self) -> None:
        if self.random.random() < 0.6 or not self.state.chat:
            self.add("chat.posted", self.author(), {"text": "hi", "reply": self.random.choice([None, 3, 7.0, 1.5])})
        else:
            post = self.random.choice(list(self.state.chat)).seq
            self.add("chat.removed", self.author(), {"seq": self.random.choice([post, post, 3])})

    def again(self) -> None:
        self.add("lesson.started", None, {"title": "Again", "policy": {}, "pages": []})

    def end(self) -> None:
        self.add("lesson.ended", self.random.choice(["ana", "hel"]), {})


STEPS: dict[str, Any] = {
    "edit": (40, Lively.edit), "clear": (5, Lively.clear), "unclear": (4, Lively.unclear), "seed": (2, Lively.seed),
    "wait": (1, Lively.wait), "people": (12, Lively.people), "pages": (10, Lively.pages), "policy": (4, Lively.policy),
    "allow": (4, Lively.allow), "hands": (8, Lively.hands), "chat": (8, Lively.chat), "again": (1, Lively.again),
    "end": (0.3, Lively.end),
}  # fmt: skip


def lively(seed: int, length: int) -> list[dict[str, Any]]:
    """Return a log of about `length` events; the same for the same seed."""
    drawn = Lively(seed)
    drawn.start()
    for _ in range(length):
        drawn.step()
    return drawn.log
