"""The socket door on a real server: hello and welcome, cursors, every close code, and who may open one."""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus

from classrooms.closes import Close
from tests.support.client import Client
from tests.support.server import Server
from tests.support.socket import PAGE, Frame, add, edit, hello, opened, seated


@pytest.fixture(scope="module", params=["lectern", "daphne"])
def server(request: pytest.FixtureRequest, server: Server) -> Iterator[Server]:
    """Lectern's own server, and stock Daphne, which offers nothing but ASGI."""
    if request.param == "lectern":
        yield server
        return
    with Server(env={"LECTERN_TEST_SERVER": request.param}) as other:
        yield other


# --- hello, welcome, cursors ---------------------------------------------------------------------------------------


async def test_a_welcome_tells_who_one_is_and_what_one_may(server: Server, lesson: int) -> None:
    seat = server.join("Ana")
    async with opened(server, lesson) as socket:
        await socket.say(hello(seat["ticket"]))
        welcome = await socket.hear("welcome")
    assert socket.received == [welcome]
    assert welcome["protocol"] == 1
    assert welcome["head"] == 1
    assert welcome["mode"] == "snapshot"
    assert welcome["me"] == seat["participant"]
    assert welcome["limits"]["ops_burst"] == 40
    assert welcome["pace"] == 50
    assert welcome["retry"] == [200, 1000]
    assert len(welcome["epoch"]) == 8
    fresh = server.request("POST", f"/api/lessons/{lesson}/ticket/", ticket=welcome["ticket"])
    assert fresh[0] == 200


async def test_staff_are_told_larger_limits_and_their_role(server: Server, lesson: int) -> None:
    async with await Client.staff(server, lesson) as teacher:
        welcome = teacher.frames["welcome"][0]
    assert welcome["me"]["role"] == "instructor"
    assert welcome["limits"]["ops_burst"] == 200


async def test_a_client_without_a_past_gets_pings_alone_until_it_syncs(server: Server, lesson: int) -> None:
    seat = server.join("Ana")
    async with opened(server, lesson) as socket, await Client.guest(server, "Ben") as ben:
        await socket.say(hello(seat["ticket"]))
        await socket.hear("welcome", mode="snapshot")
        posted = await ben.propose("chat.post", {"text": "before the sync"})
        await socket.say({"type": "time", "t": 1})
        await socket.hear("time")
        assert not [frame for frame in socket.received if frame["type"] == "events"]
        await socket.say({"type": "sync", "since": 1, "at": server.events(lesson)[0]["at"]})
        assert await socket.events(posted["seq"]) == server.events(lesson)[1:]


async def test_a_client_resumes_where_it_was(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Ana") as ana, await Client.guest(server, "Ben") as ben:
        await ben.propose("hand.raise")
        await ana.reach(3)
        await ana.disconnect()
        posted = await ben.propose("chat.post", {"text": "while you were away"})
        await ana.connect()
        await ana.reach(posted["seq"])
        assert ana.frames["welcome"][-1]["mode"] == "resume"
        assert ana.repeats == 0
        ana.reconcile(server.events(lesson))


async def test_a_resume_from_zero_brings_the_whole_log(server: Server, lesson: int) -> None:
    seat = server.join("Ana")
    epoch = server.rows("SELECT epoch FROM classrooms_lesson WHERE id = ?", lesson)[0][0]
    async with opened(server, lesson) as socket:
        await socket.say(hello(seat["ticket"], epoch=epoch, since=0, at=0))
        assert (await socket.hear("welcome"))["mode"] == "resume"
        assert await socket.events(1) == server.events(lesson)


@pytest.mark.parametrize(
    "claim",
    [
        {"epoch": "00000000"},
        {"since": 10**9},
        {"since": 2**70},
        {"since": -1},
        {"at": 1},
        {"since": None},
        {"epoch": "x" * 5000},
    ],
    ids=str,
)
async def test_a_claim_that_cannot_be_resumed_gets_a_snapshot_for_itself(
    server: Server, lesson: int, claim: Frame
) -> None:
    async with await Client.guest(server, "Ben") as ben:
        epoch, event = ben.epoch, server.events(lesson)[0]
        truth = {"epoch": epoch, "since": 1, "at": event["at"]}
        async with opened(server, lesson) as socket:
            await socket.say(hello(server.join("Ana")["ticket"], **truth | claim))
            assert (await socket.hear("welcome"))["mode"] == "snapshot"
        await ben.propose("hand.raise")
        assert ben.live


async def test_a_sync_that_cannot_go_on_is_sent_for_a_snapshot(server: Server, lesson: int) -> None:
    async with seated(server, server.join("Ana")) as socket:
        await socket.say({"type": "sync", "since": 10**9, "at": 1})
        assert await socket.closed() == (
            4200,
            {"type": "bye", "code": 4200, "message": "The lesson has to be loaded again."},
        )


async def test_time_comes_back_with_the_servers_clock(server: Server, lesson: int) -> None:
    async with seated(server, server.join("Ana")) as socket:
        await socket.say({"type": "time", "t": 1764000000001})
        answer = await socket.hear("time")
    assert answer["t"] == 1764000000001
    assert abs(answer["now"] - server.events(lesson)[0]["at"]) < 60_000


async def test_a_newcomer_is_told_who_is_here(server: Server, lesson: int) -> None:
    async with await Client.staff(server, lesson) as teacher, await Client.guest(server, "Ana") as ana:
        await ana.wait_until(lambda: any(frame["count"] == 2 for frame in ana.frames["presence"]))
        named = {person["name"] for frame in ana.frames["presence"] for person in frame["here"]}
    assert named == {"Teacher", "Ana"}
    assert teacher.frames["presence"]


async def test_a_burst_is_followed_by_a_ping_with_the_digest(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Ana") as ana:
        ops = [ana.new_op("board.edit", edit(add(f"{ana.id}.{ana.client}.{n}"))) for n in range(1, 16)]
        await ana.send_ops(*ops)
        await ana.wait_until(lambda: "ping" in ana.frames)
        ping = ana.frames["ping"][0]
        assert ping["head"] == ana.state.seq
        assert ping["digest"] == [PAGE, ana.state.boards[PAGE].digest]
        assert ping["pace"] == 50


async def test_signals_reach_the_others_and_leave_no_trace(server: Server, lesson: int) -> None:
    async with seated(server, server.join("Ana")) as ana, seated(server, server.join("Ben")) as ben:
        await ana.say({"type": "signal", "kind": "cursor", "data": {"page": PAGE, "at": [3, 4], "tool": "pen"}})
        heard = await ben.hear("signals")
    assert heard["signals"] == [{"kind": "cursor", "by": "u1", "data": {"page": PAGE, "at": [3, 4], "tool": "pen"}}]
    assert len(server.events(lesson)) == 1


async def test_a_silent_audience_leaves_no_events(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Ana") as ana, await Client.guest(server, "Ben"):
        await ana.send({"type": "time", "t": 1}, {"type": "pong", "applied": 1})
        await ana.wait_until(lambda: "time" in ana.frames)
    assert [event["kind"] for event in server.events(lesson)] == ["lesson.started"]


# --- closing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", 4007),
        ('"hello"', 4007),
        ("null", 4007),
        ('{"type":"op","id":"9f3a01c2:1","kind":"hand.raise","data":{}}', 4007),
        ('{"type":"hello","protocol":[1],"ticket":"x","client":"__proto__"}', 4007),
        ('{"type":"hello","protocol":[2,3],"ticket":"x","client":"9f3a01c2"}', 4005),
        ('{"type":"hello","protocol":[1],"ticket":"x","client":"9f3a01c2"}', 4001),
        ('{"type":"hello","protocol":[1],"ticket":"\\u0000:\\ud83d\\ude00:%","client":"9f3a01c2"}', 4001),
    ],
)
async def test_a_first_frame_that_is_no_hello_closes(server: Server, lesson: int, frame: str, code: int) -> None:
    async with opened(server, lesson) as socket:
        await socket.connection.send(frame)
        closed, bye = await socket.closed()
    assert closed == code
    assert bye is not None
    assert bye["code"] == code
    assert bye["message"]


async def test_a_ticket_of_another_lesson_opens_nothing(server: Server, lesson: int) -> None:
    ticket = server.join("Ana")["ticket"]
    async with opened(server, lesson + 1) as socket:
        await socket.say(hello(ticket))
        assert (await socket.closed())[0] == Close.TICKET


async def test_a_changed_ticket_opens_nothing(server: Server, lesson: int) -> None:
    ticket = server.join("Ana")["ticket"]
    async with opened(server, lesson) as socket:
        await socket.say(hello("A" + ticket[1:]))
        assert (await socket.closed())[0] == Close.TICKET


async def test_who_is_removed_is_closed_at_once_and_stays_out(server: Server, lesson: int) -> None:
    seat = server.join("Ana")
    async with await Client.staff(server, lesson) as teacher, seated(server, seat) as socket:
        await teacher.propose("person.remove", {"participant": "u1"})
        assert (await socket.closed())[0] == Close.REMOVED
        async with opened(server, lesson) as again:
            await again.say(hello(seat["ticket"]))
            assert (await again.closed())[0] == Close.REMOVED
        await teacher.propose("person.readmit", {"participant": "u1"})
        async with seated(server, seat) as again:
            assert again.received[0]["type"] == "welcome"


async def test_an_ended_lesson_lets_nobody_in(server: Server, lesson: int) -> None:
    seat = server.join("Ana")
    server.end_lessons()
    async with opened(server, lesson) as socket:
        await socket.say(hello(seat["ticket"]))
        assert (await socket.closed())[0] == Close.ENDED


async def test_those_inside_hear_that_the_lesson_ended_and_stay_for_a_while(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Ana") as ana:
        await asyncio.to_thread(server.end_lessons)
        await ana.wait_until(lambda: ana.state.status == "ended")
        refused = await ana.propose("chat.post", {"text": "too late"})
        assert refused["code"] == "ended"
        assert ana.live


async def test_the_same_client_again_replaces_itself(server: Server, lesson: int) -> None:
    seat = server.join("Ana")
    async with seated(server, seat, client="9f3a01c2") as old, seated(server, seat, client="9f3a01c2") as new:
        assert (await old.closed())[0] == Close.REPLACED
        await new.say({"type": "time", "t": 1})
        await new.hear("time")


async def test_another_person_with_the_same_client_replaces_nobody(server: Server, lesson: int) -> None:
    ana, ben = server.join("Ana"), server.join("Ben")
    async with seated(server, ana, client="9f3a01c2") as old, seated(server, ben, client="9f3a01c2"):
        await old.say({"type": "time", "t": 1})
        await old.hear("time")


async def test_the_sixth_tab_closes_the_oldest(server: Server, lesson: int) -> None:
    seat = server.join("Ana")
    async with contextlib.AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(seated(server, seat)) for _ in range(6)]
        assert (await tabs[0].closed())[0] == Close.TOO_MANY_TABS
        for tab in tabs[1:]:
            await tab.say({"type": "time", "t": 1})
            await tab.hear("time")


async def test_who_says_no_hello_is_closed(impatient: Server) -> None:
    async with opened(impatient, 1) as socket:
        assert (await socket.closed())[0] == Close.NO_HELLO


async def test_who_said_hello_in_time_stays(impatient: Server) -> None:
    async with seated(impatient, impatient.join("Ana")) as socket, opened(impatient, 1) as other:
        assert (await other.closed())[0] == Close.NO_HELLO
        await socket.say({"type": "time", "t": 1})
        await socket.hear("time")


async def test_a_failure_of_ours_closes_with_4150_and_no_word_of_it(impatient: Server) -> None:
    async with seated(impatient, impatient.join("Ana")) as socket:
        await socket.say({"type": "sync", "since": 666, "at": 1})
        code, bye = await socket.closed()
    assert code == Close.INTERNAL
    assert bye == {"type": "bye", "code": 4150, "message": "Something went wrong here. You will be back in a moment."}


# --- who may open a socket ---------------------------------------------------------------------------------------

OWN = "http://127.0.0.1:{port}"
ORIGINS = [
    (None, True),
    (OWN, True),
    ("http://localhost:{port}", False),  # another name than the Host that was asked
    ("http://127.0.0.1", False),
    ("http://127.0.0.1:1", False),
    ("https://127.0.0.1:{port}", False),
    ("http://127.0.0.1.evil.example:{port}", False),
    ("http://evil.example", False),
    ("null", False),
    ("", False),
    ("file://", False),
]


@pytest.mark.parametrize(("origin", "admitted"), ORIGINS)
async def test_a_foreign_page_cannot_open_a_socket(
    server: Server, lesson: int, origin: str | None, admitted: bool
) -> None:
    headers = {} if origin is None else {"Origin": origin.format(port=server.port)}
    if admitted:
        async with opened(server, lesson, additional_headers=headers) as socket:
            await socket.say(hello(server.join("Ana")["ticket"]))
            await socket.hear("welcome")
    else:
        with pytest.raises(InvalidStatus) as refused:
            async with opened(server, lesson, additional_headers=headers):
                pass
        assert refused.value.response.status_code in (400, 403)


@pytest.mark.parametrize("path", ["/", "/live/", "/live/lessons/x/socket/", "/live/lessons/1/socket", "/%00"])
async def test_a_socket_anywhere_else_is_refused_without_a_trace(server: Server, path: str) -> None:
    from websockets.asyncio.client import connect

    before = server.log.count("Traceback")
    with pytest.raises(InvalidStatus):
        async with connect(f"ws://127.0.0.1:{server.port}{path}", subprotocols=["lectern.1"], proxy=None):  # type: ignore[list-item]
            pass
    assert server.log.count("Traceback") == before


async def test_a_socket_without_our_subprotocol_is_refused(server: Server, lesson: int) -> None:
    with pytest.raises(InvalidStatus):
        async with opened(server, lesson, subprotocols=["chat"]):
            pass
