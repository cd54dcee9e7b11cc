"""A patch of the served process: `hello` is awaited 0.1 s, staff may send many ops, and one `sync` fails inside."""

from typing import Any

from classrooms import consumers, messages
from classrooms.room import Room

consumers.HELLO_WITHIN = 0.1
messages.STAFF_LIMITS.update(ops=5000, ops_burst=5000)
resumes = Room.resumes


async def failing(self: Room, epoch: Any, since: int | None, at: int | None) -> bool:
    """Fail where the test says so."""
    if since == 666:
        raise ZeroDivisionError("on purpose")
    return await resumes(self, epoch, since, at)


Room.resumes = failing  # type: ignore[method-assign]
