"""What deploy/ ships, as far as it needs no container and no init: nginx, units, Compose; and ports of one's own."""

import getpass
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.nginx import NAME, Nginx
from tests.support.run import environment
from tests.support.services import running
from tests.support.serving import Serving
from tests.support.waiting import answers, free_port
from tests.test_settings import variables_read

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())


# --- nginx -----------------------------------------------------------------------------------------------------------


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers that arrived. At …/slow/ the second half waits until `release` is set."""

    protocol_version = "HTTP/1.1"
    release = threading.Event()
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = json.dumps({key.lower(): text for key, text in self.headers.items()}).encode()
        if self.path.endswith("/slow/"):
            body = b"firstother"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "private, max-age=31536000, immutable")
        self.send_header("X-Part", self.server.part)  # type: ignore[attr-defined]
        self.end_headers()
        self.wfile.write(body[:5])
        if self.path.endswith("/slow/"):
            self.release.wait(20)
        self.wfile.write(body[5:])

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def echo() -> Iterator[dict[str, ThreadingHTTPServer]]:
    """A server for each kind of process."""
    servers = {}
    for part in ("web", "live", "live by itself"):
        servers[part] = server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        server.part = part  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield servers
    for server in servers.values():
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def nginx(echo: dict[str, ThreadingHTTPServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """nginx before a web process, one live process by itself, one that is not there, and the shared live port."""
    static = tmp_path_factory.mktemp("site")
    web, live, own = (echo[part].server_port for part in ("web", "live", "live by itself"))
    with running(Nginx(web=web, live=(own, free_port(), live), static=static)) as nginx:
        yield nginx


@pytest.mark.nginx
def test_what_arrives_says_who_connected_and_nothing_that_they_made_up(nginx: Nginx) -> None:
    forged = dict.fromkeys(("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded"), "10.9.8.7")
    for path in ("/", "/live/lessons/1/state/", "/media/decks/a.webp"):
        got = json.loads(nginx.get(path, headers=forged).body)
        assert got["x-forwarded-for"] == "127.0.0.1"
        assert got["x-forwarded-proto"] == "https"
        assert got["host"] == f"{NAME}:{nginx.port}"
        assert not {"x-real-ip", "forwarded"} & set(got)
        assert got["connection"] == "close"
        assert "10.9.8.7" not in json.dumps(got)


@pytest.mark.nginx
def test_an_upgrade_is_passed_on(nginx: Nginx) -> None:
    got = json.loads(
        nginx.get("/live/lessons/1/socket/", headers={"Connection": "Upgrade", "Upgrade": "websocket"}).body
    )
    assert (got["connection"], got["upgrade"]) == ("upgrade", "websocket")


@pytest.mark.nginx
def test_live_doors_go_to_live_processes_that_are_there(nginx: Nginx) -> None:
    parts = [nginx.get("/live/waiting/ABC234/").headers["x-part"] for _ in range(6)]
    assert set(parts) == {"live by itself"}  # the other one refuses, and nobody notices
    assert nginx.get("/lively/").headers["x-part"] == "web"
    assert nginx.get("/").headers["x-part"] == "web"


@pytest.mark.nginx
def test_a_stream_is_passed_on_as_it_comes(nginx: Nginx) -> None:
    Echo.release.clear()
    with (
        socket.create_connection(("127.0.0.1", nginx.port), timeout=10) as raw,
        nginx.trust().wrap_socket(raw, server_hostname=NAME) as link,
    ):
        link.sendall(f"GET /live/slow/ HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        got = b""
        while b"first" not in got:
            got += link.recv(4096)
        assert b"other" not in got
        Echo.release.set()
        while b"other" not in got:
            got += link.recv(4096)


@pytest.mark.nginx
def test_an_image_of_a_slide_is_asked_for_once(nginx: Nginx) -> None:
    image = "/media/decks/0123/4567-800.webp"
    answers_ = [nginx.get(image) for _ in range(3)]
    assert Echo.asked.count(image) == 1
    assert {one.headers["cache-control"] for one in answers_} == {"private, max-age=31536000, immutable"}


@pytest.mark.nginx
def test_plain_http_leads_to_https_and_other_names_nowhere(nginx: Nginx) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", nginx.plain, timeout=10)
    connection.request("GET", "/j/ABC234/?x=1", headers={"Host": "evil.example"})
    answer = connection.getresponse()
    connection.close()
    assert (answer.status, answer.headers["location"]) == (308, f"https://{NAME}/j/ABC234/?x=1")
    with pytest.raises(OSError, match=r"(?i)unrecognized|alert"):
        nginx.get("/", name="evil.example")


@pytest.mark.nginx
def test_while_lectern_is_away_a_page_says_so(tmp_path: Path) -> None:
    with running(Nginx(web=free_port(), live=(free_port(), free_port(), free_port()), static=tmp_path)) as alone:
        page = alone.get("/")
        assert (page.status, page.headers["retry-after"]) == (503, "3")
        assert b"started again" in page.body
        assert alone.get("/live/waiting/ABC234/").status == 502


# --- systemd ---------------------------------------------------------------------------------------------------------


@pytest.mark.systemd
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    units = sorted(one for one in DEPLOY.glob("systemd/*.*"))
    assert len(units) == 4
    for unit in units:
        text = unit.read_text().replace("/opt/lectern/.venv/bin/python", sys.executable)
        (tmp_path / unit.name).write_text(text.replace("/opt/lectern", str(ROOT)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / unit.name) for unit in units)],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_gives_serve_the_time_that_it_takes() -> None:
    unit = (DEPLOY / "systemd/lectern.service").read_text()
    assert "TimeoutStopSec=30\n" in unit
    assert "Restart=on-failure\nRestartPreventExitStatus=2\n" in unit  # `serve` ends with 2 for what nobody can mend
    options = re.search(r"manage.py (serve .*)", unit)
    assert options
    ports = set(re.findall(r"127\.0\.0\.1:(\d+)", (DEPLOY / "nginx/upstreams.conf").read_text()))
    first = int(options[1].rpartition("--own-ports ")[2])
    assert ports == {"8000", "8001", str(first + 2), str(first + 3)}  # two web processes come before the live ones


def test_settings_of_the_units_and_of_compose_are_lecterns() -> None:
    written = set(re.findall(r"^([A-Z_]+)=", (DEPLOY / "systemd/environment").read_text(), re.MULTILINE))
    known = variables_read()
    assert written - {"PROCESSES", "LIVE"} <= known
    assert set(COMPOSE["x-lectern"]["environment"]) <= known


def test_manage_runs_with_the_settings_of_the_service(tmp_path: Path) -> None:
    settings = tmp_path / "environment"
    settings.write_text(f'# a word\nDATA_DIR={tmp_path}/data\nSECRET_KEY=a$b `c` "d\n\nTIME_ZONE=Europe/Paris')
    show = "from django.conf import settings as s; print(s.DATA_DIR, s.SECRET_KEY, s.TIME_ZONE)"
    done = subprocess.run(
        ["deploy/manage", "shell", "--no-imports", "-c", show], cwd=ROOT,
        env=environment(tmp_path) | {"LECTERN_ENVIRONMENT": str(settings), "LECTERN_USER": getpass.getuser()},
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.stdout == f'{tmp_path}/data a$b `c` "d Europe/Paris\n', done.stderr


def test_systemd_is_told_when_it_serves_and_when_it_ends(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        with Serving("--no-worker", env={"NOTIFY_SOCKET": str(tmp_path / "notify")}) as serving:
            assert manager.recv(100) == b"READY=1"
            assert answers(serving.port)
            serving.signal(signal.SIGTERM)
            assert manager.recv(100) == b"STOPPING=1"
            assert serving.ends()[0] == 0


# --- containers ------------------------------------------------------------------------------------------------------


def test_compose_refers_to_what_there_is() -> None:
    services = COMPOSE["services"]
    for name, service in services.items():
        for other, condition in service.get("depends_on", {}).items():
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for {other}"
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert (DEPLOY / "compose" / source).is_file(), volume
            elif not source.startswith("/"):
                assert source in COMPOSE["volumes"], volume
    assert (DEPLOY / "compose" / COMPOSE["x-lectern"]["build"]["context"]).resolve() == ROOT
    assert (ROOT / COMPOSE["x-lectern"]["build"]["dockerfile"]).is_file()


def test_the_image_has_what_the_product_is_made_of_and_no_root() -> None:
    lines = (DEPLOY / "compose/Dockerfile").read_text().splitlines()
    copied = {line.split()[1] for line in lines if line.startswith("COPY ") and "--from" not in line}
    assert {"classroom_site", "classrooms", "whiteboard", "templates", "static", "locale", "manage.py"} <= copied
    assert all((ROOT / name).exists() for name in copied)
    ignored = (DEPLOY / "compose/Dockerfile.dockerignore").read_text().split()
    assert {f"!{name}" for name in copied} == {line for line in ignored if line.startswith("!")}
    assert "USER lectern" in lines


# --- a port for each process -----------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "manage.py", "serve", "--insecure", "--own-ports", port], cwd=ROOT,
            env=environment(tmp_path), capture_output=True, text=True, timeout=50, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert f"--own-ports: 127.0.0.1:{port} cannot be served: Address already in use." in done.stderr
