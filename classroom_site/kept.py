"""Secrets that the first start draws and every later start finds again."""

import contextlib
import secrets
from collections.abc import Callable
from pathlib import Path


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
