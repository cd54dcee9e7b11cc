"""Who may do what, asked through the socket: each kind of op and signal, each role, each standing. Default: nobody."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import pytest

from classrooms import kinds
from classrooms.closes import Close
from classrooms.roles import Role
from tests.support.client import Client
from tests.support.server import Server
from tests.support.socket import PAGE, Frame, add, edit, hello, opened, seated
from whiteboard import points

ALL = frozenset(Role)
STAFF = frozenset({Role.INSTRUCTOR, Role.ASSISTANT})
INSTRUCTORS = frozenset({Role.INSTRUCTOR})
OPEN = {"draw": "everyone", "edit": "own", "chat": True}
FAR = {"page": PAGE, "seq": 10**6}


class Scene(NamedTuple):
    """Who is there: one who asks, an instructor, a student who is not the one who asks, and a second instructor."""

    me: Client
    teacher: Client
    ben: Client
    cleo: Client

    def mine(self, number: int) -> str:
        """An item or a page of the one who asks."""
        return f"{self.me.id}.{self.me.client}.{900 + number}"


class Case(NamedTuple):
    kind: str
    what: str
    may: frozenset[Role]
    data: Callable[[Scene], Frame]
    policy: Frame = {}


# What is not in `may` is refused as not_allowed. A kind without a row fails the first test below.
CASES = [
    Case("hand.raise", "own", ALL, lambda scene: {}),
    Case("hand.lower", "own", ALL, lambda scene: {}),
    Case("hand.lower", "another's", STAFF, lambda scene: {"participant": scene.ben.id}),
    Case("hand.call", "another's", STAFF, lambda scene: {"participant": scene.ben.id}),
    Case("hand.call", "own", STAFF, lambda scene: {"participant": scene.me.id}),
    Case("chat.post", "while students may", ALL, lambda scene: {"text": "Hello"}),
    Case("chat.post", "while they may not", STAFF, lambda scene: {"text": "Hello"}, {"chat": False}),
    Case("chat.remove", "another's", STAFF, lambda scene: {"seq": next((post.seq for post in scene.me.state.chat), 1)}),
    Case("board.edit", "add while all draw", ALL, lambda scene: edit(add(scene.mine(1)))),
    Case("board.edit", "add while nobody is chosen", STAFF, lambda scene: edit(add(scene.mine(2))), {"draw": "chosen"}),
    Case("board.edit", "add while staff draw", STAFF, lambda scene: edit(add(scene.mine(3))), {"draw": "staff"}),
    Case(
        "board.edit", "remove while staff draw", STAFF, lambda scene: edit(["remove", scene.mine(1)]), {"draw": "staff"}
    ),
    Case("board.edit", "add under another's name", frozenset(), lambda scene: edit(add(f"{scene.ben.id}.x.1"))),
    Case("person.change", "own name", ALL, lambda scene: {"participant": scene.me.id, "name": "Me"}),
    Case("person.change", "own role", INSTRUCTORS, lambda scene: {"participant": scene.me.id, "role": "instructor"}),
    Case("person.change", "another's name", STAFF, lambda scene: {"participant": scene.ben.id, "name": "Benny"}),
    Case(
        "person.change", "another's role", INSTRUCTORS, lambda scene: {"participant": scene.ben.id, "role": "student"}
    ),
    Case("person.remove", "a student", STAFF, lambda scene: {"participant": scene.ben.id}),
    Case("person.readmit", "a student", STAFF, lambda scene: {"participant": scene.ben.id}),
    Case("person.remove", "an instructor", INSTRUCTORS, lambda scene: {"participant": scene.cleo.id}),
    Case("person.readmit", "an instructor", INSTRUCTORS, lambda scene: {"participant": scene.cleo.id}),
    Case("draw.allow", "another", STAFF, lambda scene: {"participant": scene.ben.id, "allowed": True}),
    Case("policy.set", "anything", STAFF, lambda scene: {"roam": False}),
    Case("page.add", "own id", STAFF, lambda scene: {"page": scene.mine(4), "kind": "blank", "title": ""}),
    Case("page.add", "another's id", frozenset(), lambda scene: {"page": "p7", "kind": "blank", "title": ""}),
    Case("page.show", "a page", STAFF, lambda scene: {"page": PAGE}),
    Case("page.rename", "a page", STAFF, lambda scene: {"page": PAGE, "title": "Two stages"}),
    Case("page.move", "a page", STAFF, lambda scene: {"page": PAGE, "after": None}),
    Case("page.clear", "all", STAFF, lambda scene: {"page": PAGE}),
    Case("page.clear", "own ink", STAFF, lambda scene: {"page": PAGE, "only": scene.me.id}),
    Case("page.unclear", "any", STAFF, lambda scene: FAR),
    Case("page.remove", "the only one, which stays", STAFF, lambda scene: {"page": PAGE}),
    Case("lesson.end", "the lesson", STAFF, lambda scene: {}),
]


def test_every_kind_of_op_has_a_row() -> None:
    assert {case.kind for case in CASES} == set(kinds.OPS)


async def arrive(server: Server, lesson: int, role: Role) -> Client:
    """Return somebody of this role, not connected yet."""
    if role is Role.STUDENT:
        return await Client.guest(server, "Ana")
    return await Client.staff(server, lesson, as_="teacher" if role is Role.INSTRUCTOR else "assistant")


@pytest.mark.parametrize("role", Role)
async def test_in_ones_own_lesson_the_table_holds(server: Server, lesson: int, role: Role) -> None:
    wrong = []
    async with (
        await Client.staff(server, lesson) as teacher,
        await Client.guest(server, "Ben") as ben,
        await Client.guest(server, "Cleo") as cleo,
        await arrive(server, lesson, role) as someone,
    ):
        me = teacher if role is Role.INSTRUCTOR else someone
        scene = Scene(me, teacher, ben, cleo)
        await ben.propose("hand.raise")
        await teacher.propose("chat.post", {"text": "Good morning"})
        await teacher.propose("person.change", {"participant": cleo.id, "role": "instructor"})
        for case in CASES:
            opened_up = await teacher.propose("policy.set", OPEN | case.policy)
            await me.reach(opened_up["seq"])
            answer = await me.propose(case.kind, case.data(scene))
            expected = None if role in case.may else "not_allowed"
            if answer.get("code") != expected:
                wrong.append((case.kind, case.what, answer))
    assert wrong == []


@pytest.mark.parametrize("role", Role)
async def test_after_the_end_nobody_does_anything(server: Server, lesson: int, role: Role) -> None:
    async with await arrive(server, lesson, role) as me:
        scene = Scene(me, me, me, me)
        await me.propose("chat.post", {"text": "before"})
        await asyncio.to_thread(server.end_lessons)
        await me.wait_until(lambda: me.state.status == "ended")
        head = len(server.events(lesson))
        codes = {(case.kind, case.what): (await me.propose(case.kind, case.data(scene))).get("code") for case in CASES}
        assert set(codes.values()) == {"ended"}, codes
        assert len(server.events(lesson)) == head


async def everything(server: Server, lesson: int, role: Role) -> tuple[Client, list[Frame]]:
    """Return somebody, and one op for each row."""
    me = await arrive(server, lesson, role)
    scene = Scene(me, me, me, me)
    return me, [me.new_op(case.kind, case.data(scene)) for case in CASES]


@pytest.mark.parametrize("role", Role)
async def test_who_is_removed_does_nothing_even_in_the_message_of_their_hello(
    server: Server, lesson: int, role: Role
) -> None:
    me, ops = await everything(server, lesson, role)
    if role is Role.STUDENT:
        async with await Client.staff(server, lesson) as teacher:
            await teacher.propose("person.remove", {"participant": me.id})
    else:
        async with await Client.staff(server, lesson) as teacher, await Client.guest(server, "Cleo") as cleo:
            await teacher.propose("person.change", {"participant": cleo.id, "role": "instructor"})
            await cleo.propose("person.remove", {"participant": me.id})
    head = len(server.events(lesson))
    async with opened(server, lesson) as socket:
        await socket.say(hello(me.ticket), *ops)
        assert (await socket.closed())[0] == Close.REMOVED
    assert len(server.events(lesson)) == head


@pytest.mark.parametrize("role", Role)
async def test_nobody_does_anything_in_another_lesson(server: Server, lesson: int, role: Role) -> None:
    me, ops = await everything(server, lesson, role)
    await asyncio.to_thread(server.end_lessons)
    other = await asyncio.to_thread(server.start_lesson)
    async with opened(server, other) as socket:
        await socket.say(hello(me.ticket), *ops)
        assert (await socket.closed())[0] == Close.TICKET
    for path in (f"/live/lessons/{other}/state/", f"/api/lessons/{other}/events/"):
        assert (await asyncio.to_thread(server.request, "GET", path, ticket=me.ticket))[0] == 403
    assert len(server.events(other)) == 1


async def test_nobody_does_anything_without_a_seat(server: Server, lesson: int) -> None:
    _, ops = await everything(server, lesson, Role.STUDENT)
    for first in ([], [hello("nobody's ticket")]):
        async with opened(server, lesson) as socket:
            await socket.say(*first, *ops)
            assert (await socket.closed())[0] in (Close.BAD_HELLO, Close.TICKET)
    assert len(server.events(lesson)) == 1


@pytest.mark.parametrize("role", Role)
async def test_what_only_the_server_says_nobody_asks_for(server: Server, lesson: int, role: Role) -> None:
    async with await arrive(server, lesson, role) as me:
        for kind in set(kinds.EVENTS) - set(kinds.OPS):
            assert (await me.propose(kind, {}))["code"] == "unknown_kind"


# --- signals -----------------------------------------------------------------------------------------------------

SIGNALS: dict[str, tuple[bool, Callable[[str], Frame]]] = {  # kind: whether it takes the right to draw, and its data
    "ink": (True, lambda who: {"page": PAGE, "item": f"{who}.a.1", "offset": 0, "ink": points.encode([(0, 0)], False)}),
    "drag": (True, lambda who: {"page": PAGE, "items": [f"{who}.a.1"], "at": [1, 1]}),
    "cursor": (False, lambda who: {"page": PAGE, "at": [1, 1], "tool": "pen"}),
    "laser": (False, lambda who: {"page": PAGE, "points": [[1, 1]]}),
    "typing": (False, lambda who: {}),
    "react": (False, lambda who: {"emoji": "👍"}),
}


def test_every_kind_of_signal_has_a_row() -> None:
    assert set(SIGNALS) == set(kinds.SIGNALS)


@pytest.mark.parametrize("kind", SIGNALS)
async def test_a_signal_that_draws_needs_the_right_to_draw_now(server: Server, lesson: int, kind: str) -> None:
    draws, data = SIGNALS[kind]

    def signal(name: str, who: str) -> Frame:
        return {"type": "signal", "kind": name, "data": SIGNALS[name][1](who)}

    async with (
        await Client.staff(server, lesson) as teacher,
        seated(server, await asyncio.to_thread(server.join, "Ana")) as ana,
        seated(server, await asyncio.to_thread(server.join, "Ben")) as ben,
    ):
        await teacher.propose("policy.set", {"draw": "staff"})
        await ana.say(signal(kind, "u2"), signal("typing", "u2"))
        await teacher.send(signal(kind, teacher.id))
        heard: list[Frame] = []
        while not any(one["by"] == teacher.id for one in heard):
            heard += (await ben.hear("signals"))["signals"]
    kinds_of_ana = {one["kind"] for one in heard if one["by"] == "u2"}
    assert kinds_of_ana == ({"typing"} if draws else {kind, "typing"})
    assert heard[-1] == {"kind": kind, "by": teacher.id, "data": data(teacher.id)}
