"""`manage.py serve`: what it refuses, several processes on one port, those that die, and an end that loses nothing."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from classroom_site import supervisor
from tests.support.cast import CODE
from tests.support.client import Client
from tests.support.crowd import Crowd
from tests.support.run import ROOT, environment
from tests.support.server import Server
from tests.support.services import Postgres, Redis
from tests.support.serving import Serving
from tests.support.waiting import answers, free_port, until, until_async


def refused(data: Path, *options: str, **settings: str) -> str:
    """Return what a serve that cannot start says."""
    done = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", str(free_port()), *options], cwd=ROOT,
        env=environment(data) | settings, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_several_processes_need_redis_and_a_database_server(tmp_path: Path) -> None:
    said = refused(tmp_path, "--insecure", "--processes", "2")
    assert "REDIS_URL, such as redis://" in said
    assert "DATABASE_URL, such as postgres://" in said
    said = refused(tmp_path, "--insecure", "--live", "1")
    assert "REDIS_URL" in said
    said = refused(tmp_path, "--insecure")
    assert "REDIS_URL" not in said
    assert "`manage.py migrate`" in said
    assert "`manage.py collectstatic --noinput`" in said


def test_without_https_or_a_name_it_serves_only_when_told_to(tmp_path: Path) -> None:
    assert "HTTPS is off. Set HTTPS=1 behind a proxy" in refused(tmp_path)
    assert "ALLOWED_HOSTS names this machine alone." in refused(tmp_path, HTTPS="1")
    said = refused(tmp_path, HTTPS="1", ALLOWED_HOSTS="lectern.school.example")
    assert "HTTPS" not in said
    assert "ALLOWED_HOSTS" not in said


@pytest.mark.parametrize("options", [["--processes", "0"], ["--processes", "two"], ["--live", "-1"], ["--port", "0"]])
def test_a_wrong_number_is_said(tmp_path: Path, options: list[str]) -> None:
    assert f"argument {options[0]}" in refused(tmp_path, *options)


def test_one_process_without_redis_holds_its_data_directory() -> None:
    with Serving("--no-worker") as serving:
        assert len(serving.serving("all")) == len(serving.children()) == 1
        env = {name: value for name, value in serving.env.items() if name != "LECTERN_TEST_PATCH"}
        assert "already runs" in refused(serving.data, "--insecure", **env)
        serving.signal(signal.SIGTERM)
        assert serving.ends()[0] == 0


# --- several processes -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def serving(postgres: Postgres, redis: Redis) -> Iterator[Serving]:
    """Three processes and a worker, which no test ends."""
    with Serving("--processes", "3", database=postgres.new_database(), redis=redis.url) as served:
        served.start_lesson()
        yield served


def owners(port: int, clients: list[Client]) -> Counter[int]:
    """Return {pid: how many of the clients' connections to `port` it holds}."""
    ours = {client.local_port() for client in clients}
    done = subprocess.run(["ss", "-Htnp", f"sport = :{port}"], capture_output=True, text=True, check=True)
    found: Counter[int] = Counter()
    for line in done.stdout.splitlines():
        if int(line.split()[4].rpartition(":")[2]) in ours:
            found[int(line.partition("pid=")[2].partition(",")[0])] += 1
    return found


@pytest.mark.redis
@pytest.mark.postgres
@pytest.mark.timeout(120)
async def test_every_process_takes_its_part_of_a_burst_and_hears_what_the_others_commit(serving: Serving) -> None:
    assert len(serving.serving("all")) == 3
    assert len(serving.serving("worker")) == 1
    seat = await asyncio.to_thread(serving.join, "Ana")
    others = [await Client.guest(serving, f"Student {number}") for number in range(59)]
    clients = [Client(serving, seat), *others]
    await asyncio.gather(*(client.connect() for client in clients))
    welcomed = await asyncio.to_thread(owners, serving.port, clients)
    assert set(welcomed) == serving.serving("all"), welcomed
    began = time.monotonic()
    await clients[0].draw("p1", (1, 1), (9, 9))
    head = clients[0].state.seq
    await asyncio.gather(*(client.reach(head) for client in clients))
    assert time.monotonic() - began < 1.0  # faster than heads are compared
    await asyncio.gather(*(client.disconnect() for client in clients))


@pytest.mark.redis
@pytest.mark.postgres
@pytest.mark.timeout(120)
async def test_a_killed_process_comes_back_and_its_clients_are_live_at_once(serving: Serving) -> None:
    clients = [await Client.guest(serving, f"Pupil {number}") for number in range(12)]
    await asyncio.gather(*(client.connect() for client in clients))
    held = await asyncio.to_thread(owners, serving.port, clients)
    victim = held.most_common(1)[0][0]
    os.kill(victim, signal.SIGKILL)
    await until_async(lambda: sum(not client.live for client in clients) == held[victim], saying="its clients are cut")
    await asyncio.gather(*(client.reconnect() for client in clients if not client.live))
    await until_async(
        lambda: len(serving.serving("all")) == 3 and victim not in serving.serving("all"),
        timeout=20,
        saying="it is back",
    )
    assert "died of SIGKILL and starts again in 0.5 s" in serving.log
    await asyncio.gather(*(client.disconnect() for client in clients))


# --- the end ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def ending(postgres: Postgres, redis: Redis) -> Iterator[Serving]:
    """Two processes that a test may end."""
    with Serving("--processes", "2", "--no-worker", database=postgres.new_database(), redis=redis.url) as served:
        yield served


@pytest.mark.redis
@pytest.mark.postgres
@pytest.mark.timeout(120)
async def test_an_end_during_traffic_tells_everybody_and_keeps_what_was_acknowledged(ending: Serving) -> None:
    lesson = await asyncio.to_thread(ending.start_lesson)
    async with Crowd(ending, lesson) as crowd:
        writers = [await crowd.staff(ending), await crowd.staff(ending, "assistant")]
        for number in range(40):
            await crowd.guest(ending, f"Reader {number}")
        crowd.work(*writers, rate=40, seed=1)
        await crowd.reach(100)
        late = [await Client.guest(ending, f"Late {number}") for number in range(40)]
        await asyncio.gather(*(client.connect() for client in late))  # less than a second before
        port = ending.port
        ending.signal(signal.SIGTERM)
        code, seconds = await asyncio.to_thread(ending.ends)
        assert (code, answers(port)) == (0, False)
        assert seconds < 12
        await crowd.wait_cut()
        first = [client.closes[0] for client in crowd.clients]
        assert (first + [client.close_code for client in late]).count(4112) == len(first) + len(late)
        byes = [client.frames["bye"][0] for client in [*crowd.clients, *late]]
        assert {bye["after"] for bye in byes} == {500}
        assert {bye["spread"] for bye in byes} == {1000}
        here = ending.rows("SELECT count(*) FROM classrooms_attendance WHERE lesson_id = ?", lesson)[0][0]
        assert here == len(first) + len(late)
        assert ending.rows("SELECT max(seq) FROM classrooms_snapshot WHERE lesson_id = ?", lesson)[0][0] is not None
        await asyncio.to_thread(ending.start)
        await asyncio.gather(*(client.disconnect() for client in late))
        await crowd.wait_live(15)
        await crowd.rest()
        await crowd.reconcile()


async def test_who_is_just_connecting_when_it_ends_is_told_to_come_back() -> None:
    with Server() as server:
        await asyncio.to_thread(server.start_lesson)
        seat = await asyncio.to_thread(server.join, "Ana")
        assert server.process is not None
        with socket.create_connection(("127.0.0.1", server.port)) as connected:
            assert answers(server.port)  # so the first is accepted too
            server.process.send_signal(signal.SIGTERM)
            until(lambda: not answers(server.port), saying="it takes nobody in any more")
            address = f"ws://127.0.0.1:{server.port}{seat['live']['socket']}"
            async with connect(address, sock=connected, subprotocols=["lectern.1"], proxy=None) as link:  # type: ignore[list-item]
                bye = json.loads(await link.recv())
                await link.wait_closed()
        assert (bye["type"], bye["code"], link.close_code) == ("bye", 4112, 4112)
        assert await asyncio.to_thread(server.wait_ended) == 0


async def test_who_waits_for_a_lesson_is_told_to_ask_again() -> None:
    with Server() as server:
        waiting = asyncio.create_task(asyncio.to_thread(server.request, "GET", f"/live/waiting/{CODE}/?wait=25"))
        guessing = asyncio.create_task(asyncio.to_thread(server.request, "GET", "/live/waiting/ZZZZZZ/?wait=25"))
        await until_async(lambda: asyncio.to_thread(connections, server.port, 2), saying="both are waiting")
        assert await asyncio.to_thread(server.stop) == 0
        for asked in (waiting, guessing):
            status, body = await asked
            assert (status, body["code"], body["after"]) == (503, "try_again", 1000)


def connections(port: int, count: int) -> bool:
    """Return whether a server holds so many connections."""
    asked = ["ss", "-Htn", "state", "established", f"sport = :{port}"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    return len(done.stdout.splitlines()) == count


@pytest.mark.redis
@pytest.mark.postgres
@pytest.mark.timeout(120)
async def test_a_second_ctrl_c_ends_it_at_once(ending: Serving) -> None:
    await asyncio.to_thread(ending.start_lesson)
    pids = ending.serving("all")
    ana = await Client.guest(ending, "Ana")
    await ana.connect()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)  # they end by nothing less
    ending.signal(signal.SIGINT)
    await until_async(lambda: "once more ends it at once" in ending.log, saying="the first was heard")
    ending.signal(signal.SIGINT)
    code, seconds = await asyncio.to_thread(ending.ends)
    assert code == 128 + signal.SIGINT
    assert seconds < 3
    await until_async(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), saying="they are gone")
    await ana.disconnect()


@pytest.mark.redis
@pytest.mark.postgres
@pytest.mark.timeout(120)
def test_processes_end_when_the_supervisor_is_gone(ending: Serving) -> None:
    pids = ending.serving()
    ending.kill()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), timeout=15, saying="they are gone")


# --- parts -----------------------------------------------------------------------------------------------------------


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.redis
@pytest.mark.postgres
@pytest.mark.timeout(120)
async def test_live_processes_serve_the_live_doors_and_the_others_the_rest(postgres: Postgres, redis: Redis) -> None:
    options = ["--processes", "1", "--live", "1", "--no-worker"]
    with Serving(*options, database=postgres.new_database(), redis=redis.url) as parted:
        waiting = "/live/waiting/ABC234/?wait=0"
        web, live = parted.url, f"http://127.0.0.1:{parted.live_port}"
        asked = [f"{web}/", f"{live}/", f"{web}{waiting}", f"{live}{waiting}"]
        assert [await asyncio.to_thread(status, url) for url in asked] == [200, 421, 421, 204]
        assert parted.log.count("look at the proxy's rules") == 2
        await asyncio.to_thread(parted.start_lesson)
        ana = await Client.guest(parted, "Ana", port=parted.live_port)
        parted.port, web_port = parted.live_port, parted.port  # the state's door is a live one
        await ana.connect()
        parted.port = web_port
        began = time.monotonic()
        await asyncio.to_thread(parted.end_lessons)  # by a web process
        await ana.wait_until(lambda: ana.state.status == "ended", saying="the live process heard of it")
        assert time.monotonic() - began < 2.0
        await ana.disconnect()


# --- the supervisor by itself ----------------------------------------------------------------------------------------


def supervised(*commands: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.01)
    jobs = [supervisor.Job(f"job-{number}", [sys.executable, "-c", text]) for number, text in enumerate(commands)]
    return asyncio.run(supervisor.Supervisor(jobs, ready=lambda: None, ending=lambda: None).run())


def test_what_dies_again_and_again_ends_everything_with_an_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code = supervised("raise SystemExit('no')", "input()", monkeypatch=monkeypatch)
    assert code == 1
    said = capfd.readouterr().err
    assert said.count("   job-0 | no\n") == supervisor.MOST_DEATHS
    assert f"job-0 ended with code 1, {supervisor.MOST_DEATHS} times in a row: ending everything" in said
    assert "starts again in 0.02 s" in said


def test_what_cannot_be_started_is_said(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "MOST_DEATHS", 1)
    jobs = [supervisor.Job("job", ["/nowhere/python"])]
    assert asyncio.run(supervisor.Supervisor(jobs, ready=lambda: None, ending=lambda: None).run()) == 1
    assert "job cannot be started (No such file or directory)" in capfd.readouterr().err


def test_lines_of_any_length_come_through(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(supervisor, "MOST_DEATHS", 1)
    supervised("import sys; sys.stderr.write('x' * 300_000 + '\\nend'); sys.exit(1)", monkeypatch=monkeypatch)
    said = capfd.readouterr().err
    assert said.count("x") == 300_000
    assert "   job-0 | end\n" in said


def test_what_hangs_is_killed_and_what_never_told_of_its_life_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervisor, "LOOK_EVERY", 0.2)
    monkeypatch.setattr(supervisor, "MOST_DEATHS", 1)
    hangs = "import os; os.write(1, b'alive\\n'); os.write(2, b'hangs\\n'); os.read(0, 1)"
    quiet = "import os; os.write(2, b'works\\n'); os.read(0, 1)"
    assert supervised(quiet, hangs, monkeypatch=monkeypatch) == 1
    said = capfd.readouterr().err
    assert "job-1 has said nothing for 1.2 s and is killed" in said
    assert "job-1 died of SIGKILL, 1 times in a row" in said
    assert "job-0 has said nothing" not in said
    assert "alive" not in said


def test_what_goes_on_telling_of_its_life_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervisor, "LOOK_EVERY", 0.3)
    monkeypatch.setattr(supervisor, "MOST_DEATHS", 1)
    lives = "import os, time\nfor _ in range(60): os.write(1, b'alive\\n'); time.sleep(0.05)"  # ten looks
    assert supervised(lives, monkeypatch=monkeypatch) == 1
    assert "is killed" not in capfd.readouterr().err


def test_a_serving_process_tells_of_its_life_again_and_again() -> None:
    server = Server()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "manage.py", "serve_process", "all", "--descriptor", str(listening.fileno())]
        process = subprocess.Popen(
            command, cwd=ROOT, env=server.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            pass_fds=[listening.fileno()],
        )  # fmt: skip
        try:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(4)]
            assert said == [b"listening\n", b"alive\n", b"alive\n", b"alive\n"]
        finally:
            process.communicate(timeout=20)  # ends with its stdin
            server.close()
    assert process.returncode == 0
