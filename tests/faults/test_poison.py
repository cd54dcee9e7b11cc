"""A NUL, half an emoji and broken JSON in an op: in a frame, and past the door straight in the log's writer.

Bounds: each is refused with `bad_frame` within 5 s, while three others work on; nobody is disconnected, no other op is
refused, everything is answered and applied within 5 s after the last op, on SQLite and on PostgreSQL.
"""

import asyncio

import pytest

from tests.support.crowd import Crowd, Steady
from tests.support.server import Server
from tests.support.services import Postgres
from tests.support.waiting import until_async

QUIET_WITHIN = REFUSED_WITHIN = 5.0  # s
ROUNDS = 15

# As JSON writes them: escaped, bare, and a frame that is cut off.
FRAMES = [
    r'{"type":"op","id":"%s","kind":"chat.post","data":{"text":"a\u0000b"}}',
    r'{"type":"op","id":"%s","kind":"chat.post","data":{"text":"a\ud83db"}}',
    '{"type":"op","id":"%s","kind":"chat.post","data":{"text":"a\x00b"}}',
    r'{"type":"op","id":"%s","kind":"board.edit","data":{"page":"p\u0000","edits":[["remove","u1.\ud83d"]]}}',
    r'{"type":"op","id":"%s","kind":"board.edit","data":{"page":"p1","edits":[["remove","u1.a"]],"guard":NaN}}',
    '{"type":"op","id":"%s","kind":"chat.post","data":' + "[" * 5000 + "]" * 5000 + "}",
]
WORDS = ["NUL", "HALF", "BROKEN"]  # patches/poisons.py makes of them what they say


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> str:
    """The address of an empty database; empty for SQLite, whose file the server makes."""
    if request.param == "sqlite":
        return ""
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.new_database()


async def refused(client: Steady, times: int, what: str) -> None:
    """Wait until a client has been refused so often, this time with `bad_frame`."""
    frames = client.frames.setdefault("refused", [])
    await until_async(lambda: len(frames) >= times, timeout=REFUSED_WITHIN, saying=f"{what!r} is refused")
    assert (len(frames), frames[-1]["code"]) == (times, "bad_frame"), what


@pytest.mark.timeout(90)
async def test_what_cannot_be_kept_is_refused_and_harms_nobody_else(database: str) -> None:
    with Server(database=database, patch="tests.faults.patches.poisons") as server:
        lesson = await asyncio.to_thread(server.start_lesson)
        async with Crowd(server, lesson) as crowd:
            teacher, helper = await crowd.staff(server), await crowd.staff(server, "assistant")
            ana, mallory = await crowd.guest(server, "Ana"), await crowd.guest(server, "Mallory")
            crowd.work(teacher, helper, rate=25, seed=1)
            crowd.work(ana, rate=6, seed=2)
            for number in range(ROUNDS):
                await crowd.reach(25 * number)
                frame = FRAMES[number % len(FRAMES)] % f"{mallory.client}:{9000 + number}"
                await mallory.send_text(frame)
                await refused(mallory, 2 * number + 1, frame[:90])
                mallory.give("chat.post", {"text": WORDS[number % len(WORDS)]})
                await refused(mallory, 2 * number + 2, WORDS[number % len(WORDS)])
            assert await crowd.rest() < QUIET_WITHIN
            assert [client.closes for client in crowd.clients if client.closes] == []
            assert [client.frames["refused"] for client in (teacher, helper, ana) if "refused" in client.frames] == []
            await crowd.reconcile()
