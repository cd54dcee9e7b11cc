"""The harness itself: the services start, stop, and come back; the proxy misbehaves as told."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from tests.support.cast import CODE
from tests.support.client import Client
from tests.support.proxy import Mode, Proxy
from tests.support.server import Server
from tests.support.services import Postgres, Redis, running
from tests.support.waiting import answers, until


@pytest.mark.redis
def test_redis_can_be_killed_and_started_again_on_its_port() -> None:
    with running(Redis()) as redis:
        assert redis.ask("PING") == "PONG"
        redis.kill()
        assert not answers(redis.port)
        redis.start()
        assert redis.ask("PING") == "PONG"


@pytest.mark.postgres
def test_postgres_keeps_its_rows_over_a_restart(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    postgres.stop()
    postgres.start()
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
        connection.execute("DROP TABLE kept")


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_the_proxy_passes_swallows_cuts_and_refuses() -> None:
    broken = (ConnectionResetError, asyncio.IncompleteReadError)
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Proxy(server.sockets[0].getsockname()[1]) as proxy:
        async with connected(proxy.port) as (reader, writer):
            writer.write(b"one")
            assert await reader.readexactly(3) == b"one"

            proxy.mode = Mode.BLACK_HOLE
            writer.write(b"two")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.readexactly(3), 0.1)
            proxy.mode = Mode.PASS
            assert await reader.readexactly(3) == b"two"

            assert proxy.cut() == 1
            with pytest.raises(broken):
                await reader.readexactly(1)

        proxy.mode = Mode.REFUSE
        async with connected(proxy.port) as (reader, _):
            with pytest.raises(broken):
                await reader.readexactly(1)


def test_until_says_what_it_waited_for() -> None:
    with pytest.raises(AssertionError, match="the cows"):
        until(lambda: False, timeout=0.05, saying="the cows come home")


async def test_a_server_killed_and_started_again_keeps_what_two_clients_did() -> None:
    with Server() as server:
        lesson = await asyncio.to_thread(server.start_lesson)
        teacher = await Client.staff(server, lesson)
        ana = await Client.guest(server, "Ana")
        async with teacher, ana:
            item = await ana.draw("p1", (0, 0), (100, 100))
            await teacher.reach(ana.state.seq)
            assert item in teacher.state.boards["p1"].items
            server.kill()
            server.start()
            await asyncio.gather(ana.reconnect(), teacher.reconnect())
            raised = await ana.propose("hand.raise")
            await teacher.reach(raised["seq"])
            assert teacher.state.hands == [ana.id]
            for client in (ana, teacher):
                client.reconcile(server.events(lesson))
                assert client.applied[-1]["seq"] == raised["seq"]
        assert server.stop() == 0
        assert server.log == ""


def test_a_patch_breaks_a_server_and_not_the_product(tmp_path: Path) -> None:
    (tmp_path / "no_joining.py").write_text("from classrooms.api import JoinView\nJoinView.post = None\n")
    with Server(patch="no_joining", env={"PYTHONPATH": str(tmp_path)}) as server:
        assert server.request("POST", "/api/join/", {"code": CODE, "name": "Ana"})[0] == 500
    with Server() as server:
        assert server.request("POST", "/api/join/", {"code": CODE, "name": "Ana"})[0] == 409


def test_a_request_that_takes_long_does_not_hold_up_the_end(tmp_path: Path) -> None:
    (tmp_path / "slow_home.py").write_text(
        "import pathlib, time\n"
        "from classrooms import views\n"
        "def home(request, code=''):\n"
        f"    pathlib.Path({str(tmp_path)!r}, 'asked').touch()\n"
        "    time.sleep(20)\n"
        "views.home = home\n"
    )
    with (
        Server(patch="slow_home", env={"PYTHONPATH": str(tmp_path)}) as server,
        socket.create_connection(("127.0.0.1", server.port)) as asking,
    ):
        asking.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until((tmp_path / "asked").exists, saying="the view has begun")
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 2


@pytest.mark.postgres
@pytest.mark.redis
async def test_two_servers_share_a_database_and_a_redis(postgres: Postgres, redis: Redis) -> None:
    database = postgres.new_database()
    with Server(database=database, redis=redis.url) as one:
        lesson = await asyncio.to_thread(one.start_lesson)
        with Server(data=one.data, database=database, redis=redis.url) as two:
            async with await Client.guest(one, "Ana") as ana, await Client.guest(two, "Ben") as ben:
                await ana.draw("p1", (0, 0), (100, 100))
                await ben.reach(ana.state.seq)
                assert ben.state.boards["p1"].digest == ana.state.boards["p1"].digest
                ben.reconcile(two.events(lesson))
