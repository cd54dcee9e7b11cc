"""Debian's nginx with the very files of deploy/nginx, no root needed, and HTTPS requests to it."""

import getpass
import http.client
import re
import socket
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.support.server import ROOT
from tests.support.services import Service, nginx_program
from tests.support.waiting import answers, free_port

NAME = "lectern.school.example"  # the host of deploy/nginx/lectern.conf
CERTIFICATE = f"/etc/letsencrypt/live/{NAME}/"
USUAL = (8000, 8012, 8013, 8001)  # the ports of deploy/nginx/upstreams.conf: web, live by themselves, live shared

# What Debian's paths are in a directory of our own.
OWN = """
client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
scgi_temp_path scgi;
"""


class Answer(NamedTuple):
    """An HTTP response; `headers` by their names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Nginx(Service):
    """nginx in front of Lectern's processes; `port` speaks TLS as NAME, `plain` sends there.

    live: the ports of two live processes, and the one that they share. static: the folder that STATIC_ROOT lies in.
    """

    def __init__(self, *, web: int, live: tuple[int, int, int], static: Path) -> None:
        super().__init__("nginx")
        self.plain = free_port()
        self.certificate = self.home / "fullchain.pem"
        self._certify()
        for folder in ("sites", "conf.d"):
            (self.home / folder).mkdir()
        (self.home / "conf.d/own.conf").write_text(OWN)
        ports = [web, *live]
        upstreams = {f"127.0.0.1:{usual}": f"127.0.0.1:{port}" for usual, port in zip(USUAL, ports, strict=True)}
        site = {
            CERTIFICATE: f"{self.home}/",
            "/srv/lectern;": f"{static};",
            "listen 80 ": f"listen 127.0.0.1:{self.plain} ",
            "listen 443 ": f"listen 127.0.0.1:{self.port} ",
            "/var/cache/nginx/lectern": f"{self.home}/cache",
        }
        main = {
            "user www-data;": f"user {getpass.getuser()};",  # nginx takes no notice of it where it is not root
            "/var/log/nginx/error.log": f"{self.home}/error.log",
            "/etc/nginx/conf.d/*.conf": f"{self.home}/conf.d/*.conf",
            "/etc/nginx/sites-enabled/*": f"{self.home}/sites/*",
        }
        (self.home / "conf.d/upstreams.conf").write_text(filled_in("upstreams.conf", upstreams))
        (self.home / "sites/lectern.conf").write_text(filled_in("lectern.conf", site))
        (self.home / "nginx.conf").write_text(filled_in("nginx.conf", main))

    def command(self) -> list[str]:
        program = nginx_program()
        assert program, "nginx is not installed"
        return [
            program, "-p", str(self.home), "-c", str(self.home / "nginx.conf"),
            "-g", f"daemon off; pid {self.home}/pid;",
        ]  # fmt: skip

    def ready(self) -> bool:
        return super().ready() and answers(self.plain)

    def check(self) -> str:
        """Return what `nginx -t` says of the files."""
        done = subprocess.run([*self.command(), "-t"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.port}"

    @property
    def errors(self) -> str:
        """What nginx has to complain of."""
        return (self.home / "error.log").read_text()

    def get(self, path: str, *, name: str = NAME, headers: Mapping[str, str] = MappingProxyType({})) -> Answer:
        """Ask over TLS. `name` is who it takes nginx for."""
        connection = _Connection(self.port, self.trust(), name)
        try:
            connection.request("GET", path, headers={"Host": f"{name}:{self.port}", **headers})
            got = connection.getresponse()
            return Answer(got.status, {key.lower(): text for key, text in got.getheaders()}, got.read())
        finally:
            connection.close()

    def trust(self) -> ssl.SSLContext:
        """Return a TLS context that trusts our certificate alone."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def _certify(self) -> None:
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
        command += ["-keyout", str(self.home / "privkey.pem"), "-out", str(self.certificate)]
        subprocess.run(command, check=True, capture_output=True)


class _Connection(http.client.HTTPSConnection):
    """To a port of this machine, under another name."""

    def __init__(self, port: int, context: ssl.SSLContext, name: str) -> None:
        super().__init__(name, port, context=context, timeout=40)
        self._trust = context

    def connect(self) -> None:
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=40)
        self.sock: Any = self._trust.wrap_socket(raw, server_hostname=self.host)


def filled_in(name: str, places: dict[str, str]) -> str:
    """Return a file of deploy/nginx with these texts replaced, each of which it must have. IPv6 is left out."""
    text = (ROOT / "deploy/nginx" / name).read_text()
    for written in places:
        assert written in text, f"{name} has no {written}"
    text = re.sub("|".join(map(re.escape, places)), lambda found: places[found[0]], text)  # nothing is replaced twice
    return "".join(line for line in text.splitlines(keepends=True) if "listen [::]:" not in line)
