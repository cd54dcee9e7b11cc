"""Who is here: one process's own participants, what other processes say of theirs, and what changed since."""

from dataclasses import dataclass, field
from typing import NamedTuple

from classrooms import messages

PUBLISH_EVERY = 5.0  # s between two rosters of a process
FORGET_AFTER = 15.0  # s: a process that says nothing, and a participant without a connection, are gone after this
NAMED_UP_TO = 100  # people; in a larger room students are told the count alone
PEOPLE_A_FRAME = 500  # about 50 KB


class Person(NamedTuple):
    """Somebody who is here, as presence tells it."""

    id: str
    name: str
    role: str
    color: str

    def told(self) -> messages.Person:
        """Return the person as frames name one."""
        return messages.Person(id=self.id, name=self.name, role=self.role, color=self.color)


class News(NamedTuple):
    """What a process tells the others of its own people: who came or changed, and who left, since it told `since`.

    `since` None: all of them. One that has heard another version asks for that.
    """

    version: int
    since: int | None
    here: list[Person]
    left: list[str]


@dataclass(slots=True)
class _Other:
    """What another process has told."""

    deadline: float
    version: int
    people: dict[str, Person]


@dataclass(slots=True)
class Change:
    """What is to be told: the count now, who came and who left."""

    count: int
    here: list[Person] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


class Presence:
    """The people of one lesson, over all processes. `now` is any monotonic clock in seconds."""

    def __init__(self) -> None:
        self._connections: dict[str, int] = {}
        self._own: dict[str, Person] = {}
        self._leaving: dict[str, float] = {}
        self._others: dict[str, _Other] = {}
        self._changed: dict[str, None] = {}  # own people who came, changed or left since the others were told
        self._version = 0
        self._shown: dict[str, Person] = {}
        self._dirty = False

    @property
    def people(self) -> dict[str, Person]:
        """Everybody who is shown, by id."""
        return self._shown

    def enter(self, person: Person) -> None:
        """One more connection of this person in this process."""
        self._connections[person.id] = self._connections.get(person.id, 0) + 1
        self._leaving.pop(person.id, None)
        if self._own.get(person.id) != person:
            self._set(person)

    def know(self, person: Person) -> None:
        """Somebody has another name or role now; nothing if they are not here."""
        if person.id in self._own and self._own[person.id] != person:
            self._set(person)

    def leave(self, participant: str, now: float) -> None:
        """One connection less; the person goes when none came back for 15 s, so a reconnect does not flicker."""
        left = self._connections.get(participant, 0) - 1
        if left > 0:
            self._connections[participant] = left
        elif self._connections.pop(participant, None):
            self._leaving[participant] = now + FORGET_AFTER

    def dismiss(self, participant: str) -> None:
        """The person was removed from the lesson: gone at once."""
        self._connections.pop(participant, None)
        self._leaving.pop(participant, None)
        if self._own.pop(participant, None) is not None:
            self._changed[participant] = None
            self._dirty = True
        for other in self._others.values():
            self._dirty |= other.people.pop(participant, None) is not None

    def _set(self, person: Person) -> None:
        self._own[person.id] = person
        self._changed[person.id] = None
        self._dirty = True

    # --- between processes: in a large room what changed is a fraction of who is there ------------------------------

    def news(self) -> News:
        """Return what changed among this process's own people, for the other processes."""
        since = self._version
        if self._changed:
            self._version += 1
        here = [self._own[key] for key in self._changed if key in self._own]
        left = [key for key in self._changed if key not in self._own]
        self._changed = {}
        return News(self._version, since, here, left)

    def roster(self) -> News:
        """Return all of this process's own people, for a process that has missed something."""
        self.news()
        return News(self._version, None, list(self._own.values()), [])

    def heard(self, process: str, news: News, now: float) -> bool:
        """Another process has told of its people; False where something before it was missed."""
        other = self._others.setdefault(process, _Other(0.0, 0, {}))
        other.deadline = now + FORGET_AFTER
        if news.since is None:
            fresh = {person.id: person for person in news.here}
            self._dirty |= fresh != other.people
            other.people = fresh
        elif news.since == other.version:
            other.people |= {person.id: person for person in news.here}
            for key in news.left:
                other.people.pop(key, None)
            self._dirty |= bool(news.here or news.left)
        else:
            return news.version == other.version
        other.version = news.version
        return True

    def tick(self, now: float) -> Change | None:
        """Forget who is gone; return what is to be told, None when nothing changed."""
        for participant in [key for key, deadline in self._leaving.items() if deadline <= now]:
            del self._leaving[participant]
            del self._own[participant]
            self._changed[participant] = None
            self._dirty = True
        for process in [key for key, other in self._others.items() if other.deadline <= now]:
            del self._others[process]
            self._dirty = True
        return self._difference() if self._dirty else None

    def _difference(self) -> Change | None:
        self._dirty = False
        now: dict[str, Person] = {}
        for other in self._others.values():
            now |= other.people
        now |= self._own
        here = [person for person in now.values() if self._shown.get(person.id) != person]
        left = [participant for participant in self._shown if participant not in now]
        self._shown = now
        return Change(len(now), here, left) if here or left else None


def count_frame(count: int) -> bytes:
    """Return the presence frame that tells the count alone."""
    return messages.encode(messages.Presence(count=count))


def names_frames(change: Change) -> list[bytes]:
    """Return the presence frames that name who came and who left."""
    starts = range(0, max(1, len(change.here)), PEOPLE_A_FRAME)
    parts = [[person.told() for person in change.here[start : start + PEOPLE_A_FRAME]] for start in starts]
    frames = [messages.Presence(count=change.count, here=part, left=[]) for part in parts]
    frames[0].left = change.left
    return [messages.encode(frame) for frame in frames]
