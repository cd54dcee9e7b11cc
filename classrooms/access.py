"""The only door to a seat: a code, a user, a session or a ticket goes in, a checked Seat comes out, or Refused."""

import re
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core import signing
from django.db import transaction
from django.db.models import F

from classrooms import replica
from classrooms.lesson import LessonState
from classrooms.messages import clean_name
from classrooms.meter import Meter
from classrooms.models import CODE_ALPHABET, CODE_LENGTH, Classroom, Lesson, Participant, Staff
from classrooms.refusals import Code, Refused
from classrooms.roles import Role

INSTRUCTORS = "Instructors"  # the group whose members may make classrooms
TICKET_AGE = 12 * 3600  # s
# Wrong codes a second and at once. A school is one address, and of 300 children some mistype: 30 at once, then one every
# 2 s, is a hit in 100 days of trying for one address where 200 lessons are live.
GUESSES_EACH = (0.5, 30)
GUESSES_ALL = (5, 300)
COLORS = (  # readable on white and beside each other; a participant's number picks one
    "#8b4fbf", "#c2571a", "#2f5fd0", "#0f7c86", "#6a7a1f", "#a8386b", "#17694f", "#b3261e", "#5d4ad1", "#8a5a00",
)  # fmt: skip
_SESSION_KEY = "seats"
_signer = signing.TimestampSigner(salt="lectern.ticket")


@dataclass(frozen=True, slots=True)
class Seat:
    """A participant in a lesson, checked."""

    lesson: int
    participant: str
    name: str
    color: str
    role: Role

    @property
    def staff(self) -> bool:
        """Whether the seat is at the front."""
        return self.role is not Role.STUDENT


def by_code(code: str, name: str, session: MutableMapping[str, Any], address: str) -> Seat:
    """Let a guest in by a join code. The same guest with the same name gets the same seat again.

    Raises Refused: unknown_code, not_live, door_locked, removed, full, slow_down, bad_frame (the name).
    """
    name = clean_name(name)
    classroom = _classroom(code, address)
    lesson = Lesson.objects.filter(classroom=classroom, status=Lesson.Status.LIVE).first()
    if lesson is None:
        raise Refused(Code.NOT_LIVE)
    state = replica.current(lesson.pk)
    known = _seated(lesson, session)
    if known is not None and _name_of(known, state) == name:
        return _guest(known, state)
    if state.policy.door == "locked":
        raise Refused(Code.DOOR_LOCKED)
    participant = _sit(lesson, name)
    session[_SESSION_KEY] = session.get(_SESSION_KEY, {}) | {str(lesson.pk): participant.number}
    return _guest(participant, state)


def by_session(lesson: Lesson, session: MutableMapping[str, Any]) -> Seat:
    """Give a guest the seat that their session remembers. Raises Refused: not_allowed, removed, ended."""
    if lesson.status != Lesson.Status.LIVE:
        raise Refused(Code.ENDED)
    participant = _seated(lesson, session)
    if participant is None:
        raise Refused(Code.NOT_ALLOWED)
    return _guest(participant, replica.current(lesson.pk))


def by_user(lesson: Lesson, user: AbstractBaseUser | AnonymousUser) -> Seat:
    """Give a member of the classroom's staff their seat. Raises Refused: not_allowed, ended."""
    staff = staff_of(lesson.classroom, user)
    if staff is None:
        raise Refused(Code.NOT_ALLOWED)
    if lesson.status != Lesson.Status.LIVE:
        raise Refused(Code.ENDED)
    participant = Participant.objects.filter(lesson=lesson, user=staff.user).first()
    if participant is None:
        name = (staff.user.get_full_name() or staff.user.get_username())[:40]
        participant = _sit(lesson, name, staff.user)
    return _seat(participant, role_of(staff))


def by_ticket(ticket: str) -> Seat:
    """Read a ticket: an HMAC, no query. The role is a guest's until the lesson's state is asked (`Room.role_of`).

    Raises Refused: not_allowed.
    """
    try:
        lesson, participant, name, color = signing.JSONSerializer().loads(
            signing.b64_decode(_signer.unsign(ticket, max_age=TICKET_AGE).encode())
        )
    except (signing.BadSignature, ValueError, TypeError):
        raise Refused(Code.NOT_ALLOWED) from None
    return Seat(lesson, participant, name, color, Role.STUDENT)


def by_password(username: str, password: str, address: str) -> AbstractBaseUser:
    """Return the account of a name and a password. Raises Refused: not_allowed, slow_down."""
    _passwords.check(address)
    user = authenticate(username=username, password=password)
    if user is None:
        _passwords.count(address)
        raise Refused(Code.NOT_ALLOWED, message="This name and password do not belong together.")
    return user


def is_instructor(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether the user may make classrooms."""
    if not user.is_authenticated or not user.is_active:
        return False
    return user.groups.filter(name=INSTRUCTORS).exists()


def ticket(seat: Seat) -> str:
    """Sign a pass to the live doors, good for 12 hours."""
    fields = [seat.lesson, seat.participant, seat.name, seat.color]
    return _signer.sign(signing.b64_encode(signing.JSONSerializer().dumps(fields)).decode())


def staff_of(classroom: Classroom, user: AbstractBaseUser | AnonymousUser) -> Staff | None:
    """Return the user's place among a classroom's staff, if there is one."""
    if not user.is_authenticated:
        return None
    return Staff.objects.filter(classroom=classroom, user_id=user.pk).select_related("user").first()


def role_of(staff: Staff) -> Role:
    """Return the role that a member of staff has in a lesson: an owner is an instructor."""
    return Role.ASSISTANT if staff.role == Staff.Role.ASSISTANT else Role.INSTRUCTOR


def person(lesson: int, participant: str) -> Seat | None:
    """Return the seat of a participant who may have left no event yet. Blocking: one query."""
    if not re.fullmatch(r"u[0-9]{1,9}", participant):
        return None
    found = Participant.objects.filter(lesson=lesson, number=int(participant[1:])).first()
    return _seat(found, Role.STUDENT) if found else None


def normalise(code: str) -> str:
    """Return a code as it is stored: case, spaces and dashes do not matter."""
    return re.sub(r"[\s\-\u2010-\u2015]", "", code).upper()


def _classroom(code: str, address: str) -> Classroom:
    """Find a classroom by its code. Failures are counted per address and in all, successes never."""
    _guesses.check(address)
    code = normalise(code)
    if len(code) == CODE_LENGTH and set(code) <= set(CODE_ALPHABET):
        found = Classroom.objects.filter(code=code).first()
        if found is not None:
            return found
    _guesses.count(address)
    raise Refused(Code.UNKNOWN_CODE)


def _seated(lesson: Lesson, session: MutableMapping[str, Any]) -> Participant | None:
    number = session.get(_SESSION_KEY, {}).get(str(lesson.pk))
    return Participant.objects.filter(lesson=lesson, number=number).first() if number else None


def _sit(lesson: Lesson, name: str, user: Any = None) -> Participant:
    """Number a new participant of a lesson."""
    with transaction.atomic():
        Lesson.objects.filter(pk=lesson.pk).update(seats=F("seats") + 1)
        number = Lesson.objects.values_list("seats", flat=True).get(pk=lesson.pk)
        if number > settings.LESSON_MAX_SEATS and user is None:
            raise Refused(Code.FULL)
        color = COLORS[number % len(COLORS)]
        return Participant.objects.create(lesson=lesson, number=number, user=user, name=name, color=color)


def _name_of(participant: Participant, state: LessonState) -> str:
    known = state.people.get(participant.key)
    return known.name if known else participant.name


def _guest(participant: Participant, state: LessonState) -> Seat:
    known = state.people.get(participant.key)
    if known is not None and known.removed:
        raise Refused(Code.REMOVED)
    return _seat(participant, Role(known.role) if known else Role.STUDENT)


def _seat(participant: Participant, role: Role) -> Seat:
    return Seat(participant.lesson_id, participant.key, participant.name, participant.color, role)


class _Guesses:
    """Wrong guesses at a secret, counted in this process."""

    MAX_ADDRESSES = 10_000  # remembered; past that all are forgotten, and the count of all still holds

    def __init__(self) -> None:
        self._each: dict[str, Meter] = {}
        self._all = Meter()

    def check(self, address: str) -> None:
        """Raise Refused (slow_down) while this address, or all together, have guessed wrong too often."""
        now = time.monotonic()
        each = self._each.get(address)
        wait = max(each.wait(now, *GUESSES_EACH) if each else 0.0, self._all.wait(now, *GUESSES_ALL))
        if wait:
            raise Refused(Code.SLOW_DOWN, after=int(wait * 1000) + 1)

    def count(self, address: str) -> None:
        """Count a wrong code."""
        now = time.monotonic()
        if len(self._each) > self.MAX_ADDRESSES:
            self._each.clear()
        self._each.setdefault(address, Meter()).take(now, *GUESSES_EACH)
        self._all.take(now, *GUESSES_ALL)


_guesses = _Guesses()
_passwords = _Guesses()
