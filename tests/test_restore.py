"""A backup by deploy/backup while a lesson runs, restored when more has happened: nobody keeps what is lost."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from classrooms import log, replica
from classrooms.models import Lesson, Snapshot
from tests.support.client import Client
from tests.support.road import live_lesson
from tests.support.server import ROOT, Server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def served(request: pytest.FixtureRequest) -> Iterator[Server]:
    database = ""
    if request.param == "postgres":
        database = request.getfixturevalue("postgres").new_database()
    with Server(database=database) as server:
        yield server


def run(server: Server, *command: str) -> str:
    """Run a program with the server's settings and return what it printed."""
    done = subprocess.run(command, cwd=ROOT, env=server.env, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def back_up(server: Server, folder: Path, *options: str) -> Path:
    return Path(run(server, "deploy/backup", str(folder), *options))


def restore(server: Server, backup: Path) -> None:
    """What docs/operations.md says, with the server stopped."""
    shutil.copy(backup / "secret_key", server.data / "secret_key")
    subprocess.run(["tar", "-C", str(server.data), "-xf", str(backup / "media.tar")], check=True)
    if server.database:
        address, _, name = server.database.rpartition("/")
        with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name}".encode())
            connection.execute(f"CREATE DATABASE {name}".encode())
        run(
            server,
            "pg_restore",
            "--no-owner",
            "--role=lectern",
            "--exit-on-error",
            f"--dbname={server.database}",
            f"{backup}/lectern.dump",
        )
    else:
        for name in ("lectern.sqlite3-wal", "lectern.sqlite3-shm"):
            (server.data / name).unlink(missing_ok=True)
        shutil.copy(backup / "lectern.sqlite3", server.data / "lectern.sqlite3")
    assert "1 lessons have a new epoch" in run(server, sys.executable, "manage.py", "new_epoch")


@pytest.mark.timeout(120)
async def test_after_a_restore_everybody_has_what_the_backup_has_and_no_seat_has_two_people(
    served: Server, tmp_path: Path
) -> None:
    images = served.data / "media/decks/0123"
    images.mkdir(parents=True)
    (images / "image.webp").write_bytes(b"an image")
    lesson = await asyncio.to_thread(served.start_lesson)
    teacher = await Client.staff(served, lesson)
    await teacher.connect()
    kept = await teacher.draw("p1", (1, 1), (9, 9))
    backup = await asyncio.to_thread(back_up, served, tmp_path / "backups")
    lost = await teacher.draw("p1", (2, 2), (8, 8))
    ben = await Client.guest(served, "Ben")
    await ben.connect()
    await ben.draw("p1", (3, 3), (7, 7))
    await teacher.reach(ben.state.seq)
    seen = teacher.state.seq
    assert await asyncio.to_thread(served.stop) == 0
    shutil.rmtree(images)

    await asyncio.to_thread(restore, served, backup)
    assert (images / "image.webp").read_bytes() == b"an image"
    await asyncio.to_thread(served.start)
    events = served.events(lesson)
    assert events[-1]["seq"] < seen
    chi = await Client.guest(served, "Chi")
    assert chi.id == ben.id  # numbered again, so Ben's ticket must not be taken for hers
    await ben.disconnect()
    with pytest.raises(AssertionError, match="closed with 4001"):
        await ben.connect()

    await teacher.disconnect()
    teacher.outcomes.clear()  # what was acknowledged after the backup is what a restore loses
    teacher.ticket = (await asyncio.to_thread(served.join_staff, lesson))["ticket"]
    await teacher.connect()
    assert teacher.frames["welcome"][-1]["mode"] == "snapshot"
    await chi.connect()
    await teacher.draw("p1", (4, 4), (6, 6))
    await chi.reach(teacher.state.seq)
    for client in (teacher, chi):
        items = client.state.boards["p1"].items
        assert kept in items
        assert lost not in items
        client.reconcile(served.events(lesson))
        await client.disconnect()
    assert teacher.state.boards["p1"].digest == chi.state.boards["p1"].digest


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_only_the_newest_backups_are_kept_and_none_that_failed(tmp_path: Path) -> None:
    with Server() as server:
        folder = tmp_path / "backups"
        folder.mkdir()
        for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
            (folder / f"{day}T000000Z").mkdir()
        (folder / "mine").mkdir()
        newest = back_up(server, folder, "2")
        assert names(folder) == ["2026-01-03T000000Z", newest.name, "mine"]
        assert oct(newest.stat().st_mode & 0o777) == "0o700"
        assert {oct(one.stat().st_mode & 0o077) for one in newest.iterdir()} == {"0o0"}
        (server.data / "lectern.sqlite3").rename(server.data / "away")
        failed = subprocess.run(
            ["deploy/backup", str(folder), "2"],
            cwd=ROOT,
            env=server.env | {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/x"},
            capture_output=True,
            check=False,
        )
        assert failed.returncode != 0
        assert names(folder) == ["2026-01-03T000000Z", newest.name, "mine"]


@pytest.mark.usefixtures("database")
def test_snapshots_go_into_the_new_epoch_unless_they_know_more_than_the_log() -> None:
    lesson = Lesson.objects.get(pk=live_lesson())
    for seq in (1, lesson.head, lesson.head + 1):
        Snapshot.objects.create(lesson=lesson, epoch=lesson.epoch, seq=seq, at=1, body=b"")
    replica.carry_over(lesson.pk, lesson.epoch, log.renew_epoch(lesson.pk, lesson.epoch))
    renewed = Lesson.objects.get(pk=lesson.pk).epoch
    assert renewed != lesson.epoch
    carried = Snapshot.objects.filter(epoch=renewed).values_list("seq", flat=True)
    assert sorted(carried) == [1, lesson.head]
