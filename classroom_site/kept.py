"""What is kept in DATA_DIR: secrets that the first start draws, the database, and the lock of who serves from it."""

import contextlib
import fcntl
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO


def secret(path: Path, draw: Callable[[], str]) -> str:
    """Return the text of `path`, made by `draw` at the first call, readable by its owner alone (mode 0600)."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(draw())
        with contextlib.suppress(FileExistsError):  # whoever links first wins: two processes starting at once agree
            path.hardlink_to(fresh)
        fresh.unlink()
    return path.read_text()


def private(path: Path) -> Path:
    """Return `path`, made as an empty file of mode 0600 at the first call: what is written into it stays so."""
    with contextlib.suppress(FileExistsError):
        path.touch(mode=0o600, exist_ok=False)
    return path


def locked(directory: Path) -> IO[str] | None:
    """Hold a directory for this process until the returned file is closed; None if another process has it."""
    lock = (directory / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def moment(path: Path) -> int:
    """Return the moment that `keep_moment` left at `path`, s since 1970; 0 where there is none."""
    try:
        return int(path.read_text())
    except FileNotFoundError:
        return 0


def keep_moment(path: Path, seconds: int) -> None:
    """Leave a moment at `path`, whole or not at all."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    fresh.write_text(f"{seconds}\n")
    fresh.replace(path)
