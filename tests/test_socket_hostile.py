"""Hostile bytes at the socket door of a real server: whatever comes costs its sender alone."""

import asyncio
import contextlib
import json
import secrets

import pytest

from classrooms.closes import Close
from classrooms.messages import LIMITS
from tests.support.client import Client
from tests.support.server import Server
from tests.support.socket import PAGE, Frame, add, edit, hello, op, opened, seated
from tests.support.waiting import until_async
from whiteboard import points

INK = points.encode([(0.0, 0.0), (4.0, 4.0)], False)

DEEP = "[" * 3000 + "]" * 3000


def op_text(data: str, kind: str = "chat.post", name: str = "9f3a01c2:1") -> str:
    return f'{{"type":"op","id":"{name}","kind":"{kind}","data":{data}}}'


def edit_text(edits: str, page: str = PAGE) -> str:
    return op_text(f'{{"page":"{page}","edits":[{edits}]}}', "board.edit")


HOSTILE = {
    "no JSON": ("nonsense", None, "bad_frame"),
    "a number": ("7", None, "bad_frame"),
    "an unknown type": ('{"type":"__proto__"}', None, "bad_frame"),
    "no type": ("{}", None, "bad_frame"),
    "deep": (DEEP, None, "bad_frame"),
    "deep data": (op_text(DEEP), None, "bad_frame"),
    "an array in an array": ("[[]]", None, "bad_frame"),
    "a second hello": ('{"type":"hello","protocol":[1],"ticket":"x","client":"9f3a01c2"}', None, "bad_frame"),
    "an id with a quote": (op_text("{}", name='a\\"b'), None, "bad_frame"),
    "an id that is too long": (op_text("{}", name="a" * 49), None, "bad_frame"),
    "an id with a dollar's newline": (op_text("{}", name="a:1\\n"), None, "bad_frame"),
    "an id of a prototype": (op_text("{}", name="__proto__"), None, "bad_frame"),
    "NUL in text": (op_text('{"text":"a\\u0000b"}'), "9f3a01c2:1", "bad_frame"),
    "half an emoji": (op_text('{"text":"a\\ud83d"}'), "9f3a01c2:1", "bad_frame"),
    "the other half": (op_text('{"text":"\\ude00"}'), "9f3a01c2:1", "bad_frame"),
    "a control character": (op_text('{"text":"a\\u001b[31m"}'), "9f3a01c2:1", "bad_frame"),
    "NaN": (op_text('{"text":NaN}'), "9f3a01c2:1", "bad_frame"),
    "infinity": (edit_text('["set","u1.a.1",{"turn":1e999}]'), "9f3a01c2:1", "bad_frame"),
    "an empty gesture": (edit_text(""), "9f3a01c2:1", "bad_frame"),
    "a prototype as data": (op_text('{"__proto__":{"text":"x"}}'), "9f3a01c2:1", "bad_frame"),
    "a prototype as an item": (edit_text('["remove","__proto__"]'), "9f3a01c2:1", "bad_frame"),
    "a prototype as a page": (edit_text('["remove","a"]', "__proto__"), "9f3a01c2:1", "bad_frame"),
    "constructor as a page": (edit_text('["remove","a"]', "constructor"), "9f3a01c2:1", "unknown_page"),
    "an event's kind": (op_text("{}", "lesson.started"), "9f3a01c2:1", "unknown_kind"),
    "a kind of the server's": (op_text("{}", "person.joined"), "9f3a01c2:1", "unknown_kind"),
    "64 KiB and one byte": ("[" + " " * (64 * 1024 - 1) + "]", None, "too_large"),
    "16 KiB and more of data": (op_text('{"text":"' + "x" * 17000 + '"}'), "9f3a01c2:1", "too_large"),
    "an unknown signal": ('{"type":"signal","kind":"__proto__","data":{}}', None, "unknown_kind"),
    "a signal that is none": ('{"type":"signal","kind":"cursor","data":{"page":"p1"}}', None, "bad_frame"),
    "time that is none": ('{"type":"time","t":"now"}', None, "bad_frame"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
async def test_hostile_text_is_refused_and_harms_nobody_else(server: Server, lesson: int, what: str) -> None:
    text, name, code = HOSTILE[what]
    async with seated(server, server.join("Eve")) as eve, await Client.guest(server, "Ben") as ben:
        await eve.connection.send(text)
        refused = await eve.hear("refused")
        assert (refused["id"], refused["code"], bool(refused["retry"])) == (name, code, False)
        assert refused["message"]
        await eve.say({"type": "time", "t": 1})
        await eve.hear("time")
        await ben.propose("chat.post", {"text": "all is well"})
    assert [event["by"] for event in server.events(lesson)] == [None, None, ben.id]
    assert "Traceback" not in server.log


async def test_ops_beside_a_hostile_one_in_the_same_frame_are_done(server: Server, lesson: int) -> None:
    async with seated(server, server.join("Ana")) as ana:
        await ana.say(op(1, "hand.raise"), op(2, "chat.post", {"text": "\x00"}), {"type": "?"}, op(3, "hand.lower"))
        events = await ana.events(4)
        await ana.hear("refused", id="9f3a01c2:2")
    assert [event["kind"] for event in events] == ["person.joined", "hand.raised", "hand.lowered"]
    assert [frame["id"] for frame in ana.received if frame["type"] == "refused"] == [None, "9f3a01c2:2"]


async def test_a_binary_message_is_no_frame(server: Server, lesson: int) -> None:
    async with seated(server, server.join("Eve")) as eve:
        await eve.connection.send(b'{"type":"op","id":"9f3a01c2:1","kind":"hand.raise","data":{}}')
        assert (await eve.hear("refused"))["code"] == "bad_frame"
    assert len(server.events(lesson)) == 1


async def test_bytes_that_are_no_text_end_their_own_socket(server: Server, lesson: int) -> None:
    async with seated(server, server.join("Eve")) as eve, await Client.guest(server, "Ben") as ben:
        await eve.connection.send(b"\xff\xfe\xc0", text=True)
        assert (await eve.closed())[0] in (1006, 1007)
        await ben.propose("hand.raise")


async def test_a_message_larger_than_the_server_reads_ends_its_own_socket(server: Server, lesson: int) -> None:
    async with seated(server, server.join("Eve")) as eve, await Client.guest(server, "Ben") as ben:
        await eve.connection.send("x" * (1024 * 1024 + 1))
        assert (await eve.closed())[0] in (1006, 1009)
        await ben.propose("hand.raise")


async def test_a_crowd_of_frames_is_flooding(server: Server, lesson: int) -> None:
    async with seated(server, server.join("Eve")) as eve, await Client.guest(server, "Ben") as ben:
        for _ in range(3):
            await eve.say(*[{"type": "pong", "applied": 1}] * 800)
        assert (await eve.closed())[0] == Close.FLOODING
        await ben.propose("hand.raise")


async def test_a_crowd_of_syncs_is_flooding(server: Server, lesson: int) -> None:
    at = server.events(lesson)[0]["at"]
    async with seated(server, server.join("Eve")) as eve:
        await eve.say(*[{"type": "sync", "since": 1, "at": at}] * 20)
        assert (await eve.closed())[0] == Close.FLOODING


async def test_whoever_sends_only_nonsense_is_closed(server: Server, lesson: int) -> None:
    async with seated(server, server.join("Eve")) as eve:
        await eve.say(*[{"type": "nonsense"}] * 21)
        assert (await eve.closed())[0] == Close.FLOODING


async def test_squatted_ids_harm_nobody_else(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Eve") as eve, await Client.staff(server, lesson) as teacher:
        target = f"{teacher.id}.{teacher.client}.1"
        squat = await eve.propose("board.edit", edit(add(target)))
        assert squat["code"] == "not_allowed"
        squat = eve.new_op("hand.raise", {}) | {"id": f"{teacher.client}:1"}  # another's op id, and the server's
        await eve.send_ops(squat, squat | {"id": f"joined:{teacher.id}"}, squat | {"id": "ended"})
        await teacher.propose("board.edit", edit(add(target)))
        assert target in teacher.state.boards[PAGE].items
        page = await teacher.propose("page.add", {"page": "p2", "kind": "blank", "title": ""})
        assert page["code"] == "not_allowed"
        await asyncio.to_thread(server.end_lessons)
        await teacher.wait_until(lambda: teacher.state.status == "ended")


async def test_ink_under_anothers_name_is_not_passed_on(server: Server, lesson: int) -> None:
    def ink(item: str) -> Frame:
        return {"type": "signal", "kind": "ink", "data": {"page": PAGE, "item": item, "offset": 0, "ink": INK}}

    async with seated(server, server.join("Eve")) as eve, seated(server, server.join("Ben")) as ben:
        await eve.say(ink("u2.9f3a01c2.1"), ink("u1.9f3a01c2.1"))
        heard = await ben.hear("signals")
    assert [signal["data"]["item"] for signal in heard["signals"]] == ["u1.9f3a01c2.1"]


async def test_signals_that_come_too_fast_are_not_even_read(server: Server, lesson: int) -> None:
    """Reading one of 16 KiB takes longer than all else that is done with it."""
    async with seated(server, server.join("Eve")) as eve:
        await eve.say(*[{"type": "signal", "kind": "nonsense", "data": {}}] * 100, {"type": "time", "t": 1})
        await eve.hear("time")
        refused = [frame for frame in eve.received if frame["type"] == "refused"]
        assert 0 < len(refused) <= LIMITS["signals_burst"] + LIMITS["signals"]


async def test_a_socket_that_dies_during_the_greeting_leaves_nobody_behind(server: Server, lesson: int) -> None:
    seat = server.join("Ana")
    for _ in range(10):
        async with opened(server, lesson) as socket:
            await socket.say(hello(seat["ticket"], client=secrets.token_hex(4)))
            socket.connection.transport.abort()
    async with seated(server, seat) as alive, await Client.guest(server, "Ben") as ben:
        await ben.propose("hand.raise")
        await alive.hear("events")

        async def all_six_fit() -> bool:
            async with contextlib.AsyncExitStack() as stack:
                tabs = [await stack.enter_async_context(seated(server, seat)) for _ in range(4)]
                for tab in tabs:
                    await tab.say({"type": "time", "t": 1})
                    await tab.hear("time")
            return True

        await until_async(all_six_fit, saying="five tabs of Ana are open")
        await alive.say({"type": "time", "t": 1})
        assert await alive.hear("time")


def test_json_is_what_this_file_sends() -> None:
    assert json.loads(op_text("{}"))["type"] == "op"
