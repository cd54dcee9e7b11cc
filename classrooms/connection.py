"""A connection: one client at one door, and what the hub writes to it with."""

from typing import Protocol

from classrooms import messages
from classrooms.closes import Close
from classrooms.presence import Person


class Writer(Protocol):
    """What a door gives a connection to write with. Nothing here waits."""

    @property
    def buffered(self) -> int:
        """Bytes that were written and not yet taken by the network."""

    def write(self, frame: bytes) -> None:
        """Send one text message."""

    def close(self, code: int) -> None:
        """Close after what was written; a code from the closed list."""

    def abort(self) -> None:
        """Drop at once."""


class Connection:
    """One client at one door: a seat and a cursor. `sent` is None while the client fetches a snapshot."""

    __slots__ = ("client", "color", "heard", "name", "participant", "reading", "rested", "sent", "writer")

    def __init__(self, person: Person, client: str, writer: Writer, now: float) -> None:
        self.participant = person.id
        self.name = person.name
        self.color = person.color
        self.client = client
        self.writer = writer
        self.sent: int | None = None
        self.reading = False  # a range read is under way for it
        self.heard = now  # when its last frame came, monotonic seconds
        self.rested: float | None = None  # since when its cursor rests, monotonic seconds

    def bye(self, code: Close, *, after: int = 0, spread: int = 0) -> None:
        """Say why, then close."""
        self.writer.write(messages.encode(messages.Bye.of(code, after=after, spread=spread)))
        self.writer.close(code)
