"""Every refusal code has a door that says it: the closed list is walked, none is left without a test or a reason."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from pytest_django import Settings

from classrooms import access
from classrooms.closes import Close
from classrooms.guesses import Guesses
from classrooms.refusals import SENTENCES, STATUS, Code
from tests.support import pdfs
from tests.support.client import Client
from tests.support.server import Server
from tests.support.socket import PAGE, Frame, add, edit, hello, op, opened, seated
from whiteboard import points

NOT_YET = {
    Code.ALREADY_ANSWERED: "questions and polls are a later issue",
    Code.CLOSED: "questions and polls are a later issue",
}
COVERED: list[Code] = []

Test = Callable[..., Any]


def says(*codes: Code) -> Callable[[Test], Test]:
    """Mark a test as the one that hears these codes at a door."""

    def mark(test: Test) -> Test:
        COVERED.extend(codes)
        return test

    return mark


def test_every_code_has_a_test_here_or_a_reason_why_not() -> None:
    assert sorted(COVERED + list(NOT_YET)) == sorted(Code)


def test_every_code_has_a_sentence_and_a_status() -> None:
    assert set(SENTENCES) == set(STATUS) == set(Code)
    assert all(400 <= status < 600 for status in STATUS.values())


@pytest.fixture(scope="module")
def strict() -> Iterator[Server]:
    """A server with three seats a lesson, three items a page, and one failure to come."""
    with Server(patch="tests.support.strict", env={"LESSON_MAX_SEATS": "3"}) as server:
        yield server


@pytest.fixture
def small(strict: Server) -> int:
    """A lesson on the strict server."""
    strict.end_lessons()
    return strict.start_lesson()


async def refused(client: Client, kind: str, data: Frame) -> str:
    """Propose, and return the code and whether it is final."""
    answer = await client.propose(kind, data)
    assert answer["type"] == "refused", answer
    assert answer["message"] == SENTENCES[Code(answer["code"])]
    assert answer.get("retry") is False
    return str(answer["code"])


# --- joining -----------------------------------------------------------------------------------------------------


def joining(server: Server, code: str = "TESTED", name: str = "Zoe") -> tuple[int, str, str]:
    status, body = server.request("POST", "/api/join/", {"code": code, "name": name})
    return status, body["code"], body["message"]


@says(Code.UNKNOWN_CODE)
def test_unknown_code(server: Server) -> None:
    assert joining(server, "AAAAAA") == (404, "unknown_code", SENTENCES[Code.UNKNOWN_CODE])


@says(Code.NOT_LIVE)
def test_not_live(server: Server) -> None:
    server.end_lessons()
    assert joining(server) == (409, "not_live", SENTENCES[Code.NOT_LIVE])


@says(Code.DOOR_LOCKED)
async def test_door_locked(server: Server, lesson: int) -> None:
    async with await Client.staff(server, lesson) as teacher:
        await teacher.propose("policy.set", {"door": "locked"})
        assert await asyncio.to_thread(joining, server) == (403, "door_locked", SENTENCES[Code.DOOR_LOCKED])


@says(Code.FULL)
def test_full(strict: Server, small: int) -> None:
    for name in ("Ana", "Ben", "Cleo"):
        strict.join(name)
    assert joining(strict) == (409, "full", SENTENCES[Code.FULL])


@says(Code.SLOW_DOWN)
def test_slow_down(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_codes", Guesses(each=(0.5, 2)))
    wrong = {"code": "AAAAAA", "name": "Zoe"}
    *_, answer = [Browser().post("/api/join/", wrong, "application/json") for _ in range(3)]
    body = answer.json()
    assert (answer.status_code, body["code"], body["message"]) == (429, "slow_down", SENTENCES[Code.SLOW_DOWN])
    assert 0 < body["after"] <= 2001


@says(Code.REMOVED)
async def test_removed(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Ana") as ana, await Client.staff(server, lesson) as teacher:
        await teacher.propose("person.remove", {"participant": ana.id})
        await ana.wait_until(lambda: ana.close_code)
        assert ana.close_code == 4003
        status, body = await asyncio.to_thread(server.request, "GET", ana.seat["state"], ticket=ana.ticket)
        assert (status, body["code"], body["message"]) == (403, "removed", SENTENCES[Code.REMOVED])


# --- ops ---------------------------------------------------------------------------------------------------------


@says(Code.BAD_FRAME, Code.UNKNOWN_KIND, Code.TOO_LARGE, Code.TOO_LONG, Code.TOO_MANY_POINTS)
async def test_what_is_wrong_with_an_op_itself(server: Server, lesson: int) -> None:
    ink = points.encode([(float(n % 7), float(n)) for n in range(1001)], False)
    async with await Client.guest(server, "Ana") as ana:
        stroke = [
            "add",
            f"{ana.id}.{ana.client}.1",
            "stroke",
            {"at": [0, 0], "ink": ink, "style": {"color": "#17694f"}},
        ]
        assert await refused(ana, "chat.post", {"text": ""}) == Code.BAD_FRAME
        assert await refused(ana, "lesson.explode", {}) == Code.UNKNOWN_KIND
        assert await refused(ana, "chat.post", {"text": "x" * 17_000}) == Code.TOO_LARGE
        assert await refused(ana, "board.edit", edit(*[["remove", "u1.a.1"]] * 51)) == Code.TOO_LARGE
        assert await refused(ana, "chat.post", {"text": "x" * 2001}) == Code.TOO_LONG
        assert await refused(ana, "board.edit", edit(stroke)) == Code.TOO_MANY_POINTS
        assert await ana.propose("chat.post", {"text": "x" * 2000})
        assert "welcome" in ana.frames


@says(Code.NOT_ALLOWED, Code.UNKNOWN_PAGE, Code.UNKNOWN_PARTICIPANT)
async def test_what_is_wrong_with_an_op_here_and_now(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Ana") as ana, await Client.staff(server, lesson) as teacher:
        assert await refused(ana, "page.show", {"page": PAGE}) == Code.NOT_ALLOWED
        assert await refused(teacher, "page.show", {"page": "p9"}) == Code.UNKNOWN_PAGE
        assert await refused(teacher, "draw.allow", {"participant": "u9", "allowed": True}) == Code.UNKNOWN_PARTICIPANT


@says(Code.TOO_MANY_ITEMS)
async def test_too_many_items(strict: Server, small: int) -> None:
    async with await Client.guest(strict, "Ana") as ana:
        ops = [ana.new_op("board.edit", edit(add(f"{ana.id}.{ana.client}.{n}"))) for n in range(1, 6)]
        await ana.send_ops(*ops)
        await ana.wait_until(lambda: len(ana.outcomes) == 5)
        answers = [ana.outcomes[one["id"]] for one in ops]
        assert [answer.get("code") for answer in answers] == [None, None, None, "too_many_items", "too_many_items"]
        assert ana.state.boards[PAGE].live == 3
        await ana.propose("board.edit", edit(["remove", f"{ana.id}.{ana.client}.1"]))
        assert (await ana.propose("board.edit", edit(add(f"{ana.id}.{ana.client}.6"))))["kind"] == "board.edited"


@says(Code.OVERLOADED)
async def test_overloaded_and_who_comes_when_too_many_do() -> None:
    with Server(patch="tests.support.narrow") as narrow:
        lesson = narrow.start_lesson()
        async with (
            await Client.guest(narrow, "Ana") as ana,
            seated(narrow, narrow.join("Ben")) as ben,
            await Client.staff(narrow, lesson) as teacher,
        ):
            for _ in range(2):
                assert (await ana.propose("hand.raise"))["kind"] == "hand.raised"
            await ben.say(op(1, "hand.raise"))
            refusal = await ben.hear("refused", id="9f3a01c2:1")
            assert (refusal["code"], refusal["message"]) == ("overloaded", SENTENCES[Code.OVERLOADED])
            assert refusal["retry"] is True
            assert refusal["after"] > 5_000
            for _ in range(5):
                assert (await teacher.propose("chat.post", {"text": "One after the other."}))["kind"] == "chat.posted"

            async with await Client.guest(narrow, "Cem"), opened(narrow, lesson) as late:
                await late.say(hello(narrow.join("Dan")["ticket"]))  # the fifth; of six, a fifth is for staff alone
                code, bye = await late.closed()
                assert code == Close.OVERLOADED
                assert bye is not None
                assert (bye["after"], bye["spread"]) == (500, 1_000)
            assert ana.live
            await teacher.disconnect()
            await teacher.connect()
            assert teacher.live


async def test_what_an_item_of_a_kind_does_not_have_is_not_set(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Ana") as ana:
        item = f"{ana.id}.{ana.client}.1"
        wrong: list[dict[str, Any]] = [{"text": "Leaf"}, {"ink": "aAAA"}, {"box": None}]
        together = [add(item), ["set", item, {"turn": 9}], *(["set", item, fields] for fields in wrong)]
        ops = [ana.new_op("board.edit", edit(one)) for one in together]
        await ana.send_ops(*ops)
        await ana.wait_until(lambda: len(ana.outcomes) == len(ops))
        codes = [ana.outcomes[one["id"]].get("code") for one in ops]
        assert codes == [None, None] + [Code.BAD_FRAME] * len(wrong)
        assert await refused(ana, "board.edit", edit(["set", item, {"text": "Leaf"}])) == Code.BAD_FRAME
        other = f"{ana.id}.{ana.client}.2"
        assert await refused(ana, "board.edit", edit(add(other), ["set", other, {"text": "Leaf"}])) == Code.BAD_FRAME
        assert (await ana.propose("board.edit", edit(["set", item, {"box": [3, 4]}])))["kind"] == "board.edited"
        assert set(ana.state.boards[PAGE].items[item].fields) == {"at", "box", "style", "turn", "alive"}
        assert other not in ana.state.boards[PAGE].items


@says(Code.ENDED)
async def test_ended(server: Server, lesson: int) -> None:
    async with await Client.staff(server, lesson) as teacher:
        await teacher.propose("lesson.end")
        assert await refused(teacher, "chat.post", {"text": "one more thing"}) == Code.ENDED


@says(Code.RATE_LIMITED)
async def test_rate_limited(server: Server, lesson: int) -> None:
    async with seated(server, server.join("Ana")) as ana:
        await ana.say(*[op(n, "hand.raise") for n in range(1, 42)])
        frame = await ana.hear("refused", id="9f3a01c2:41")
        assert (frame["code"], frame["message"]) == ("rate_limited", SENTENCES[Code.RATE_LIMITED])
        assert frame["retry"] is True
        assert frame["after"] > 0


@says(Code.TRY_AGAIN)
async def test_try_again(strict: Server, small: int) -> None:
    async with seated(strict, strict.join("Ana")) as ana:
        await ana.say(op(1, "chat.post", {"text": "unlucky"}), op(2, "hand.raise"))
        for number in (1, 2):
            frame = await ana.hear("refused", id=f"9f3a01c2:{number}")
            assert (frame["code"], frame["retry"]) == ("try_again", True)
        await ana.say(op(2, "hand.raise"))
        assert (await ana.hear("refused", id="9f3a01c2:2"))["code"] == "try_again"
        await ana.say(op(1, "chat.post", {"text": "unlucky"}), op(2, "hand.raise"))
        events = await ana.events(4)
    assert [event["op"] for event in events] == ["joined:u1", "9f3a01c2:1", "9f3a01c2:2"]


# --- decks -------------------------------------------------------------------------------------------------------


@says(Code.BAD_FILE, Code.FILE_ENCRYPTED, Code.TOO_MANY_PAGES)
def test_what_is_wrong_with_a_file(transactional_db: None, teacher: User, settings: Settings) -> None:
    settings.DECK_MAX_PAGES = 2
    browser = Browser()
    browser.force_login(teacher)

    def uploaded(content: bytes) -> tuple[int, str]:
        answer = browser.post("/api/decks/", {"file": pdfs.upload(content), "title": "Leaves"})
        if answer.status_code != 201:
            return answer.status_code, answer.json()["code"]
        deck = browser.get(f"/api/decks/{answer.json()['id']}/").json()
        assert deck["message"]
        return 200, deck["error"]

    assert uploaded(b"GIF89a") == (400, "bad_file")
    assert uploaded(pdfs.encrypted()) == (200, "file_encrypted")
    assert uploaded(pdfs.good(3)) == (200, "too_many_pages")
