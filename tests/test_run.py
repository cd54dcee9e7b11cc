"""`make run`: from nothing to a live lesson, kept over restarts, ended by one signal, and clear about what is wrong."""

import json
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from classroom_site import lan
from tests.support.run import ROOT, environment, running
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


def post(port: int, path: str, body: object, host: str = "127.0.0.1") -> tuple[int, dict[str, object]]:
    request = urllib.request.Request(
        f"http://{host}:{port}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, json.load(answer)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A data directory after a first run, and the password that the run printed."""
    data = tmp_path_factory.mktemp("run") / "my class #1"
    with running(data) as run:
        status, seat = post(run.port, "/api/join/", {"code": "TRYME2", "name": "Ana"})
        assert status == 201
        assert seat["participant"]
        password = run.password
        code, errors, seconds = run.end(signal.SIGINT)
    assert (code, errors) == (0, "")
    assert seconds < 2
    return data, password


def test_a_second_start_keeps_everything_and_is_quick(first: tuple[Path, str]) -> None:
    data, password = first
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


def test_a_lesson_that_has_ended_is_followed_by_a_new_one(first: tuple[Path, str]) -> None:
    data, password = first
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


def test_the_lesson_opens_on_the_slides_of_the_demo_deck(first: tuple[Path, str]) -> None:
    with running(first[0]) as run:
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


def test_an_uploaded_deck_is_converted_by_the_same_process(first: tuple[Path, str]) -> None:
    pdf = (ROOT / "demo" / "photosynthesis.pdf").read_bytes()
    body = b"".join(
        b'--end\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % part
        for part in ((b"title", b"", b"Mine"), (b"file", b'; filename="mine.pdf"', pdf))
    )
    with running(first[0]) as run:
        token = post(run.port, "/api/token/", {"username": "teacher", "password": first[1]})[1]["token"]
        headers = {"Authorization": f"Token {token}", "Content-Type": "multipart/form-data; boundary=end"}
        decks = f"http://127.0.0.1:{run.port}/api/decks/"
        with urllib.request.urlopen(urllib.request.Request(decks, body + b"--end--\r\n", headers)) as answer:
            deck = json.load(answer)

        def done() -> bool:
            with urllib.request.urlopen(urllib.request.Request(f"{decks}{deck['id']}/", headers=headers)) as answer:
                return bool(json.load(answer)["pages_done"] == 6)

        until(done, timeout=20, saying="six pages are done")


def test_secrets_are_readable_by_their_owner_alone(first: tuple[Path, str]) -> None:
    data, password = first
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    databases = list(data.glob("lectern.sqlite3*"))  # and its journals, while there are any
    assert databases
    for path in (data / "secret_key", data / "demo_password", *databases):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert (data / "demo_password").read_text() == password


def test_a_chosen_password_user_and_code_are_taken(first: tuple[Path, str]) -> None:
    settings = {"DEMO_USER": "curie", "DEMO_PASSWORD": "radium and polonium", "DEMO_CODE": "abc-234"}
    with running(first[0], **settings) as run:
        assert "user curie, password radium and polonium" in run.printed
        assert "/j/ABC234/" in run.printed
        credentials = {"username": "curie", "password": "radium and polonium"}
        assert "token" in post(run.port, "/api/token/", credentials)[1]
        assert post(run.port, "/api/join/", {"code": "ABC234", "name": "Ana"})[0] == 201


def test_another_user_than_last_time_teaches_in_the_same_classroom(first: tuple[Path, str]) -> None:
    with running(first[0], DEMO_USER="mendel", DEMO_PASSWORD="peas and patience") as run:
        credentials = {"username": "mendel", "password": "peas and patience"}
        token = post(run.port, "/api/token/", credentials)[1]["token"]
        request = urllib.request.Request(f"{run.url}/api/classrooms/", headers={"Authorization": f"Token {token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert [room["code"] for room in json.load(answer)["results"]] == ["TRYME2"]


def test_a_code_that_was_drawn_anew_stays_and_makes_no_second_classroom(tmp_path: Path) -> None:
    def shell(script: str) -> str:
        command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", script]
        done = subprocess.run(command, cwd=ROOT, env=environment(tmp_path), check=True, capture_output=True, text=True)
        return done.stdout

    with running(tmp_path):
        pass
    rooms = "from classrooms.models import Classroom; from classrooms import actions; "
    code = shell(f"{rooms}room = Classroom.objects.get(); actions.redraw_code(room); print(room.code)").strip()
    for _ in range(2):
        with running(tmp_path) as run:
            assert f"/j/{code}/" in run.printed
            assert post(run.port, "/api/join/", {"code": code, "name": "Ana"})[0] == 201
    assert shell(f"{rooms}print(*Classroom.objects.values_list('code', flat=True))").split() == [code]
    other = "from django.utils.timezone import now; Classroom.objects.update(created_at=now())"
    shell(f"{rooms}{other}")  # what another database has under the same number is not the demo
    with running(tmp_path) as run:
        assert "/j/TRYME2/" in run.printed


def test_a_password_that_the_teacher_changed_is_not_printed_nor_undone(first: tuple[Path, str]) -> None:
    data, password = first
    change = "from django.contrib.auth.models import User; u = User.objects.get(username='teacher'); "
    for wanted, shown in (("mine alone", "as you have chosen it"), (password, password)):
        script = f"{change}u.set_password({wanted!r}); u.save()"
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-c", script], cwd=ROOT, env=environment(data), check=True
        )
        with running(data) as run:
            assert f"user teacher, password {shown}" in run.printed


def test_the_room_is_served_by_the_address_of_this_machine(first: tuple[Path, str]) -> None:
    with running(first[0], HOST="0.0.0.0") as run:
        assert f"http://{lan.address()}:{run.port}/j/TRYME2/" in run.printed
        assert "0.0.0.0" not in run.printed
        assert post(run.port, "/api/join/", {"code": "TRYME2", "name": "Ana"}, lan.address())[0] == 201


def test_a_qr_code_is_printed(first: tuple[Path, str]) -> None:
    with running(first[0]) as run:
        assert sum(set(line.strip()) <= set("█▀▄ ") and len(line) > 20 for line in run.printed.splitlines()) > 10


def test_a_port_in_use_is_one_sentence(first: tuple[Path, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(first[0], PORT=str(port))
        assert said.startswith(f"127.0.0.1:{port} cannot be served: Address already in use. ")
        assert answers(port)


@pytest.mark.parametrize("port", ["abc", "0", "-1", "65536", "8000.5", "²"])
def test_a_wrong_port_is_one_sentence(first: tuple[Path, str], port: str) -> None:
    assert refused(first[0], PORT=port) == f"PORT={port} is no port: it takes a number from 1 to 65535.\n"


def test_a_wrong_host_is_one_sentence(first: tuple[Path, str]) -> None:
    assert "is no address of this machine" in refused(first[0], HOST="nowhere.invalid", PORT=str(free_port()))


@pytest.mark.parametrize("settings", [{"DEMO_CODE": "TRYME1"}, {"DEMO_CODE": "ABC"}, {"DEMO_USER": "a b"}])
def test_a_demo_that_cannot_be_made_is_one_sentence(first: tuple[Path, str], settings: dict[str, str]) -> None:
    assert "The demo classroom cannot be made" in refused(first[0], PORT=str(free_port()), **settings)


def test_a_data_directory_that_is_in_use_is_one_sentence(first: tuple[Path, str]) -> None:
    with running(first[0]):
        assert "already runs with DATA_DIR=" in refused(first[0], PORT=str(free_port()))


def test_an_unusable_data_directory_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be made: Not a directory" in refused(tmp_path / "file" / "data")


def test_a_database_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "lectern.sqlite3").write_text("not a database, " * 100)
    assert "The database cannot be used: file is not a database" in refused(tmp_path, PORT=str(free_port()))
