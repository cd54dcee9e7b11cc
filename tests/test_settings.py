"""The settings: each documented, each production mistake caught by a check."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.test import override_settings

from classroom_site import checks, lan

ROOT = Path(__file__).resolve().parent.parent
SHOW_KEY = "from django.conf import settings; print(settings.SECRET_KEY)"


def variables_read() -> set[str]:
    """The name of every environment variable that the product reads: it reads them by `env.…("NAME")` alone."""
    names = set()
    for path in (ROOT / "classroom_site").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="env")), args=[ast.Constant(value=str(name)), *_]):
                    names.add(name)
    return names


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert documented == variables_read()


def test_nothing_reads_the_environment_behind_the_settings_back() -> None:
    for package in ("classroom_site", "classrooms", "whiteboard"):
        for path in (ROOT / package).rglob("*.py"):
            assert not re.search(r"os\.environ\b(?!\.setdefault)|os\.getenv", path.read_text()), path


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=inherited | environment, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip


def test_a_data_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = start("check", DATA_DIR=str(tmp_path / "file" / "data"))
    assert done.returncode == 1
    assert done.stderr == f"Lectern cannot start: DATA_DIR={tmp_path}/file/data cannot be made: Not a directory.\n"


def test_the_secret_key_is_drawn_once_and_kept_from_others(tmp_path: Path) -> None:
    shown = [start("shell", "-c", SHOW_KEY, DATA_DIR=str(tmp_path)).stdout for _ in range(2)]
    assert shown[0] == shown[1] != ""
    key = tmp_path / "secret_key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert shown[0].strip().endswith(key.read_text())
    assert len(key.read_text()) >= 50


@pytest.mark.parametrize(("writers", "found"), [(0, 1), (1, 0), (6, 0), (7, 1)])
def test_the_logs_writers_leave_half_of_the_connections_to_others(
    monkeypatch: pytest.MonkeyPatch, settings: Any, writers: int, found: int
) -> None:
    settings.LOG_WRITERS = writers
    assert checks.connections(None) == [], "SQLite has no pool"
    monkeypatch.setitem(settings.DATABASES, "default", {"OPTIONS": {"pool": {"max_size": 12}}})
    assert len(checks.connections(None)) == found


def test_a_wildcard_host_admits_this_machines_addresses_and_no_wildcard() -> None:
    admitted = lan.hosts("0.0.0.0")
    assert {"localhost", "127.0.0.1", lan.address()} <= set(admitted)
    assert not [host for host in admitted if host == "*" or host.startswith(".")]
    assert lan.hosts("127.0.0.1") == lan.LOOPBACK
    assert lan.hosts("192.168.7.7") == [*lan.LOOPBACK, "192.168.7.7"]


def test_a_data_directory_of_any_name_holds_the_database(tmp_path: Path) -> None:
    data = tmp_path / "class #1? 50%41"
    assert start("migrate", "-v0", DATA_DIR=str(data)).returncode == 0
    assert (data / "lectern.sqlite3").stat().st_size > 0


@pytest.mark.parametrize(
    ("check", "bad", "good"),
    [
        (checks.https, {"HTTPS": False}, {"HTTPS": True}),
        (
            checks.reachable,
            {"HTTPS": True, "ALLOWED_HOSTS": lan.LOOPBACK},
            {"HTTPS": True, "ALLOWED_HOSTS": ["lectern.school.example"]},
        ),
        (checks.hosts, {"ALLOWED_HOSTS": ["*"]}, {"ALLOWED_HOSTS": ["lectern.school.example"]}),
        (checks.hosts, {"ALLOWED_HOSTS": [".example"]}, {"ALLOWED_HOSTS": ["localhost"]}),
        (checks.metrics_token, {"METRICS_TOKEN": "x" * 23}, {"METRICS_TOKEN": "x" * 24}),
        (checks.metrics_token, {"METRICS_TOKEN": "é" * 24}, {"METRICS_TOKEN": ""}),
        (checks.metrics_token, {"METRICS_TOKEN": "x" * 24 + " "}, {"METRICS_TOKEN": "x" * 24}),
        (checks.keep_lessons, {"KEEP_LESSONS": -1}, {"KEEP_LESSONS": 0}),
        (checks.log_format, {"LOG_FORMAT": "JSON"}, {"LOG_FORMAT": "json"}),
    ],
)  # fmt: skip
def test_a_check_warns_of_the_bad_and_passes_the_good(
    check: Callable[[None], list[CheckMessage]], bad: dict[str, object], good: dict[str, object]
) -> None:
    with override_settings(**bad):
        assert len(check(None)) == 1
    with override_settings(**good):
        assert check(None) == []


def test_what_the_databases_address_says_is_kept(tmp_path: Path) -> None:
    show = "from django.conf import settings; print(settings.DATABASES['default']['OPTIONS'])"
    address = "postgres://lectern@127.0.0.1/lectern?sslmode=verify-full&connect_timeout=9"
    done = start("shell", "--no-imports", "-c", show, DATA_DIR=str(tmp_path), DATABASE_URL=address)
    options = ast.literal_eval(done.stdout)
    assert (options["sslmode"], options["connect_timeout"]) == ("verify-full", 9)
    assert options["application_name"] == "lectern"


def test_a_misspelt_synchronous_mode_is_an_error(tmp_path: Path) -> None:
    done = start("check", DATA_DIR=str(tmp_path), SQLITE_SYNCHRONOUS="FULLL")
    assert done.returncode == 1
    assert "SQLITE_SYNCHRONOUS must be" in done.stderr


def test_production_settings_pass_djangos_own_deployment_checks(tmp_path: Path) -> None:
    done = start(
        "check", "--deploy", "--fail-level", "WARNING",
        DATA_DIR=str(tmp_path), HTTPS="1", ALLOWED_HOSTS="lectern.school.example",
        DATABASE_URL="postgres://lectern@127.0.0.1/lectern", REDIS_URL="redis://127.0.0.1/0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
