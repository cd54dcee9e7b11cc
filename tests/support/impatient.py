"""A patch of the served process: `hello` is awaited 0.1 s, staff may send many ops, and looking for 666 fails."""

from classrooms import consumers, messages
from classrooms.room import Room

consumers.HELLO_WITHIN = 0.1
messages.STAFF_LIMITS.update(ops=5000, ops_burst=5000)
look_for = Room.look_for


async def failing(self: Room, seq: int) -> None:
    """Fail where the test says so."""
    if seq == 666:
        raise ZeroDivisionError("on purpose")
    await look_for(self, seq)


Room.look_for = failing  # type: ignore[method-assign]
