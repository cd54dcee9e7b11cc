"""`make run`: from nothing to a live lesson, kept over restarts, ended by one signal, and clear about what is wrong."""

import json
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.management import call_command

from classroom_site import lan
from classroom_site.management.commands import run as command
from tests.support.run import ROOT, Run, environment, running
from tests.support.waiting import answers, free_port, until


def refused(data: Path, **settings: str) -> str:
    """Return the one sentence that a run which cannot start says."""
    done = subprocess.run(
        [sys.executable, "manage.py", "run"], cwd=ROOT, env=environment(data) | settings,
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Return what asks the command in this process for the sentence: a start costs a second, a kind of refusal one."""
    monkeypatch.setattr(command, "_only_process", lambda: pytest.fail("nothing was refused"))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(**settings: str) -> str:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as end:
            call_command("run")
        return f"{end.value}\n"

    yield ask
    for number, handler in handlers.items():
        signal.signal(number, handler)


def shell(data: Path, script: str) -> str:
    """Run a script in the database of a data directory and return what it prints."""
    line = [sys.executable, "manage.py", "shell", "-v", "0", "-c", script]
    done = subprocess.run(line, cwd=ROOT, env=environment(data), check=True, capture_output=True, text=True)
    return done.stdout


def query(data: Path, sql: str, *values: str) -> list[tuple[Any, ...]]:
    """Ask or change the database of a data directory, behind Lectern's back."""
    connection = sqlite3.connect(data / "lectern.sqlite3")
    try:
        with connection:
            return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def post(port: int, path: str, body: object, host: str = "127.0.0.1") -> tuple[int, dict[str, object]]:
    request = urllib.request.Request(
        f"http://{host}:{port}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, json.load(answer)


class First(NamedTuple):
    """A data directory after a first run, a copy of it as it was then, the run's password, and all that it printed."""

    data: Path
    copy: Path
    password: str
    printed: str


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> First:
    data = tmp_path_factory.mktemp("run") / "my class #1"
    with running(data) as run:
        status, seat = post(run.port, "/api/join/", {"code": "TRYME2", "name": "Ana"})
        assert status == 201
        assert seat["participant"]
        password = run.password
        code, errors, seconds = run.end(signal.SIGINT)
    assert (code, errors) == (0, "")
    assert seconds < 2
    return First(data, shutil.copytree(data, tmp_path_factory.mktemp("copy") / "data"), password, run.printed)


@pytest.fixture(scope="module")
def going(first: First, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Run]]:
    """A run that goes on, and its data directory: a copy of the first run's."""
    data = shutil.copytree(first.copy, tmp_path_factory.mktemp("going") / "data")
    with running(data) as run:
        yield data, run


def test_a_second_start_keeps_everything_and_is_quick(first: First) -> None:
    data, password = first.data, first.password
    with running(data) as run:
        assert run.password == password
        assert "Preparing" not in run.printed
        assert "Collecting" not in run.printed
        status, seat = post(run.port, "/api/join/", {"code": "try me-2", "name": "Ben"})
        assert status == 201
        assert seat["lesson"] == 1, "the lesson of the first start goes on"
        assert seat["participant"]["id"] == "u2"  # type: ignore[index]
        code, errors, seconds = run.end(signal.SIGTERM)
    assert (code, errors) == (0, "")
    assert seconds < 2


def test_a_lesson_that_has_ended_is_followed_by_a_new_one(first: First) -> None:
    data, password = first.data, first.password
    with running(data) as run:
        _, answer = post(run.port, "/api/token/", {"username": "teacher", "password": password})
        lesson = post(run.port, "/api/join/", {"code": "TRYME2", "name": "Ana"})[1]["lesson"]
        request = urllib.request.Request(
            f"http://127.0.0.1:{run.port}/api/lessons/{lesson}/end/", b"", {"Authorization": f"Token {answer['token']}"}
        )
        with urllib.request.urlopen(request, timeout=10) as ended:
            assert ended.status == 200
    with running(data) as run:
        status, seat = post(run.port, "/api/join/", {"code": "TRYME2", "name": "Ana"})
        assert (status, seat["lesson"] == lesson) == (201, False)


def test_the_lesson_opens_on_the_slides_of_the_demo_deck(going: tuple[Path, Run]) -> None:
    run = going[1]
    seat = post(run.port, "/api/join/", {"code": "TRYME2", "name": "Cleo"})[1]
    request = urllib.request.Request(
        f"http://127.0.0.1:{run.port}{seat['state']}", headers={"Authorization": f"Ticket {seat['ticket']}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        pages = json.load(answer)["state"]["pages"]
    assert [page["kind"] for page in pages] == ["slide"] * 6
    image = f"http://127.0.0.1:{run.port}{pages[0]['slide']['images']['800']}"
    with urllib.request.urlopen(image, timeout=10) as answer:
        assert answer.headers["Content-Type"] == "image/webp"


def test_an_uploaded_deck_is_converted_by_the_same_process(first: First, going: tuple[Path, Run]) -> None:
    pdf = (ROOT / "demo" / "photosynthesis.pdf").read_bytes()
    body = b"".join(
        b'--end\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % part
        for part in ((b"title", b"", b"Mine"), (b"file", b'; filename="mine.pdf"', pdf))
    )
    run = going[1]
    token = post(run.port, "/api/token/", {"username": "teacher", "password": first.password})[1]["token"]
    headers = {"Authorization": f"Token {token}", "Content-Type": "multipart/form-data; boundary=end"}
    decks = f"http://127.0.0.1:{run.port}/api/decks/"
    with urllib.request.urlopen(urllib.request.Request(decks, body + b"--end--\r\n", headers)) as answer:
        deck = json.load(answer)

    def done() -> bool:
        with urllib.request.urlopen(urllib.request.Request(f"{decks}{deck['id']}/", headers=headers)) as answer:
            return bool(json.load(answer)["pages_done"] == 6)

    until(done, timeout=20, saying="six pages are done")


def test_secrets_are_readable_by_their_owner_alone(first: First) -> None:
    data, password = first.data, first.password
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    databases = list(data.glob("lectern.sqlite3*"))  # and its journals, while there are any
    assert databases
    for path in (data / "secret_key", data / "demo_password", *databases):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert (data / "demo_password").read_text() == password


def test_a_chosen_password_user_and_code_are_taken(first: First) -> None:
    settings = {"DEMO_USER": "curie", "DEMO_PASSWORD": "radium and polonium", "DEMO_CODE": "abc-234"}
    with running(first.data, **settings) as run:
        assert "user curie, password radium and polonium" in run.printed
        assert "/j/ABC234/" in run.printed
        credentials = {"username": "curie", "password": "radium and polonium"}
        assert "token" in post(run.port, "/api/token/", credentials)[1]
        assert post(run.port, "/api/join/", {"code": "ABC234", "name": "Ana"})[0] == 201


def test_another_user_than_last_time_teaches_in_the_same_classroom(first: First) -> None:
    with running(first.data, DEMO_USER="mendel", DEMO_PASSWORD="peas and patience") as run:
        credentials = {"username": "mendel", "password": "peas and patience"}
        token = post(run.port, "/api/token/", credentials)[1]["token"]
        request = urllib.request.Request(f"{run.url}/api/classrooms/", headers={"Authorization": f"Token {token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert [room["code"] for room in json.load(answer)["results"]] == ["TRYME2"]


def test_a_code_that_was_drawn_anew_stays_and_makes_no_second_classroom(first: First, tmp_path: Path) -> None:
    data = shutil.copytree(first.copy, tmp_path / "data")
    rooms = "from classrooms.models import Classroom; from classrooms import actions; "
    code = shell(data, f"{rooms}room = Classroom.objects.get(); actions.redraw_code(room); print(room.code)").strip()
    for _ in range(2):
        with running(data) as run:
            assert f"/j/{code}/" in run.printed
            assert post(run.port, "/api/join/", {"code": code, "name": "Ana"})[0] == 201
    assert query(data, "SELECT code FROM classrooms_classroom") == [(code,)]
    # what another database has under the same number is not the demo
    query(data, "UPDATE classrooms_classroom SET created_at = datetime('now', '1 second')")
    with running(data) as run:
        assert "/j/TRYME2/" in run.printed


def test_a_password_that_the_teacher_changed_is_not_printed_nor_undone(first: First) -> None:
    data, password = first.data, first.password
    hashed = query(data, "SELECT password FROM auth_user WHERE username = 'teacher'")[0][0]
    change = "from django.contrib.auth.models import User; u = User.objects.get(username='teacher'); "
    shell(data, f"{change}u.set_password('mine alone'); u.save()")
    with running(data) as run:
        assert "user teacher, password as you have chosen it" in run.printed
    query(data, "UPDATE auth_user SET password = ? WHERE username = 'teacher'", hashed)
    with running(data) as run:
        assert f"user teacher, password {password}" in run.printed


def test_the_room_is_served_by_the_address_of_this_machine(first: First) -> None:
    with running(first.data, HOST="0.0.0.0") as run:
        assert f"http://{lan.address()}:{run.port}/j/TRYME2/" in run.printed
        assert "0.0.0.0" not in run.printed
        assert post(run.port, "/api/join/", {"code": "TRYME2", "name": "Ana"}, lan.address())[0] == 201


def test_a_qr_code_is_printed(first: First) -> None:
    lines = first.printed.splitlines()
    assert sum(set(line.strip()) <= set("█▀▄ ") and len(line) > 20 for line in lines) > 10


def test_a_port_in_use_is_one_sentence(first: First) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(first.data, PORT=str(port))
        assert said.startswith(f"127.0.0.1:{port} cannot be served: Address already in use. ")
        assert answers(port)


def test_a_wrong_port_is_one_sentence(first: First) -> None:
    assert refused(first.data, PORT="abc") == "PORT=abc is no port: it takes a number from 1 to 65535.\n"


@pytest.mark.parametrize("port", ["abc", "0", "-1", "65536", "8000.5", "²"])
def test_so_is_every_other_wrong_port(said: Callable[..., str], port: str) -> None:
    assert said(PORT=port) == f"PORT={port} is no port: it takes a number from 1 to 65535.\n"


def test_a_wrong_host_is_one_sentence(first: First) -> None:
    assert "is no address of this machine" in refused(first.data, HOST="nowhere.invalid", PORT=str(free_port()))


def test_a_demo_that_cannot_be_made_is_one_sentence(first: First) -> None:
    assert "The demo classroom cannot be made" in refused(first.data, PORT=str(free_port()), DEMO_CODE="TRYME1")


@pytest.mark.parametrize("settings", [{"DEMO_CODE": "TRYME1"}, {"DEMO_CODE": "ABC"}, {"DEMO_USER": "a b"}])
def test_so_is_every_other_demo(said: Callable[..., str], settings: dict[str, str]) -> None:
    sentence = said(PORT=str(free_port()), **settings)
    assert sentence.startswith("The demo classroom cannot be made: ")
    assert sentence.count("\n") == 1


def test_a_data_directory_that_is_in_use_is_one_sentence(going: tuple[Path, Run]) -> None:
    assert "already runs with DATA_DIR=" in refused(going[0], PORT=str(free_port()))


def test_an_unusable_data_directory_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be made: Not a directory" in refused(tmp_path / "file" / "data")


def test_a_database_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "lectern.sqlite3").write_text("not a database, " * 100)
    assert "The database cannot be used: file is not a database" in refused(tmp_path, PORT=str(free_port()))
