"""A disk that is full for the log while the file DATA_DIR/full exists: SQLite itself says so (SQLITE_FULL)."""

from pathlib import Path
from typing import Any

from django.conf import settings

from classrooms import log

FREE, FULL = 1_073_741_823, 1  # pages a database may have; SQLite takes one below its size as its size
_full = Path(settings.DATA_DIR, "full")
_insert = log._insert


def insert(cursor: Any, batches: list[Any]) -> None:
    """Insert with as much room as there is."""
    cursor.execute(f"PRAGMA max_page_count = {FULL if _full.exists() else FREE}")
    cursor.fetchall()
    _insert(cursor, batches)


log._insert = insert
