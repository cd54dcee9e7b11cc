"""The only door to a seat: a code, a user, a session or a ticket goes in, a checked Seat comes out, or Refused."""

import re
import time
import unicodedata
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import AnonymousUser, User
from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from classrooms import replica
from classrooms.guesses import Curiosity, Guesses, Proven
from classrooms.kinds import MAX_NAME, clean_name
from classrooms.lesson import LessonState
from classrooms.models import CODE_ALPHABET, CODE_LENGTH, Classroom, Lesson, Participant, Staff
from classrooms.refusals import N_, Code, Refused
from classrooms.roles import STAFF, Role

INSTRUCTORS = "Instructors"  # the group whose members may make classrooms
TICKET_AGE = 12 * 3600  # s
SEATS_KEPT = 5  # of one lesson in one session: siblings who share a tablet
LESSONS_KEPT = 20  # in one session, the newest
COLORS = (  # readable on white and beside each other; a participant's number picks one
    "#8b4fbf", "#bd5318", "#2f5fd0", "#0f7c86", "#6a7a1f", "#a8386b", "#17694f", "#b3261e", "#5d4ad1", "#8a5a00",
)  # fmt: skip
WRONG_PASSWORD = N_("This name and password do not belong together.")
NOT_KEPT = N_("The lesson has ended. Its pages and drawings are not kept any more.")
READER = "u0"  # a member of staff who only reads an ended lesson: no row, and no renewal of the ticket
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
    since: int = 0  # the event that made the seat what it is: a door that has not seen it looks at the log first

    @property
    def staff(self) -> bool:
        """Whether the seat is at the front."""
        return self.role in STAFF


def by_code(code: str, name: str, session: MutableMapping[str, Any], address: str) -> Seat:
    """Let a guest in by a join code. The same guest with the same name gets the same seat again.

    Another name is another person: a tablet goes round. Where one of its people was removed, nobody new sits down.
    Raises Refused: unknown_code, not_live, door_locked, removed, full, slow_down, bad_frame and too_long (the name).
    """
    name = clean_name(name)
    classroom = _classroom(code, address)
    lesson = Lesson.objects.filter(classroom=classroom, status=Lesson.Status.LIVE).first()
    if lesson is None:
        raise Refused(Code.NOT_LIVE, classroom=classroom.title)
    state = replica.current(lesson.pk)
    if state.status == "ended":  # and the row is about to say so
        raise Refused(Code.NOT_LIVE, classroom=classroom.title)
    seated = _seated(lesson, session)
    participant = next((one for one in seated if name in (one.name, _seat(one, state).name)), None)
    if participant is None:
        if any(_removed(one, state) for one in seated):
            raise Refused(Code.REMOVED)
        if state.policy.door == "locked":
            raise Refused(Code.DOOR_LOCKED)
        participant = _sit(lesson, name)
    seat = _admitted(participant, state)
    _remember(session, seated, participant)
    return seat


def by_session(lesson: Lesson, session: MutableMapping[str, Any]) -> Seat:
    """Give a guest the seat that their session remembers, the newest; in an ended lesson, to read its boards.

    Raises Refused: not_allowed, removed, ended (after the classroom's retention).
    """
    seated = _seated(lesson, session)
    if not seated:
        raise Refused(Code.NOT_ALLOWED)
    if lesson.status == Lesson.Status.STARTING or _is_past(lesson.readable_until):
        raise Refused(Code.ENDED)
    _check_kept(lesson)
    return _admitted(seated[-1], replica.current(lesson.pk))


def by_user(lesson: Lesson, user: User | AnonymousUser) -> tuple[Participant, Role]:
    """Find or make the row of a member of the classroom's staff, for `actions.seat_staff`, which tells the log.

    Returns it with the role that the classroom gives them.
    Raises Refused: not_allowed, not_live (it is starting), ended (its log is not kept any more).
    """
    staff = staff_of(lesson.classroom, user)
    if staff is None:
        raise Refused(Code.NOT_ALLOWED)
    if lesson.status == Lesson.Status.STARTING:
        raise Refused(Code.NOT_LIVE)
    _check_kept(lesson)
    participant = Participant.objects.filter(lesson=lesson, user=staff.user).first()
    if participant is None and lesson.status == Lesson.Status.ENDED:
        participant = Participant(lesson=lesson, number=0, name=_name_of(staff.user), color=COLORS[0])  # a reader only
    return participant or _sit_staff(lesson, staff), role_of(staff)


def may_read(lesson: int, participant: str) -> None:
    """Let a ticket's holder read a lesson: an ended one as long as it is kept for guests, and its staff as such.

    Blocking: one query, more for an ended lesson. Raises Refused (ended, not_allowed) and Lesson.DoesNotExist.
    """
    found = Lesson.objects.select_related("classroom").get(pk=lesson)
    _check_kept(found)
    if found.status != Lesson.Status.ENDED or participant == READER:
        return
    who = Participant.objects.filter(lesson=lesson, number=int(participant[1:])).select_related("user").first()
    if who is not None and who.user is not None:
        if staff_of(found.classroom, who.user) is None:
            raise Refused(Code.NOT_ALLOWED)
    elif _is_past(found.readable_until):
        raise Refused(Code.ENDED)


def by_ticket(ticket: str) -> Seat:
    """Read a ticket: an HMAC, no query. The role is a guest's until the lesson's state is asked (`Room.role_of`).

    One from before the database was restored is refused (settings.TICKETS_SINCE). Raises Refused: not_allowed (401).
    """
    age = timedelta(seconds=min(TICKET_AGE, time.time() - settings.TICKETS_SINCE))
    try:
        lesson, participant, name, color, since = signing.JSONSerializer().loads(
            signing.b64_decode(_signer.unsign(ticket, max_age=age).encode())
        )
    except (signing.BadSignature, ValueError, TypeError):
        raise Refused(Code.NOT_ALLOWED, status=401) from None
    return Seat(lesson, participant, name, color, Role.STUDENT, since)


def by_password(username: str, password: str, address: str) -> User:
    """Return the account of a name, or an e-mail address, and a password. Raises Refused: not_allowed, slow_down."""
    may_try_password(address)
    user = authenticate(username=username, password=password)
    if not isinstance(user, User):
        password_was_wrong(address)
        raise Refused(Code.NOT_ALLOWED, message=WRONG_PASSWORD)
    return user


def may_try_password(address: str) -> None:
    """Let an address try a password, before any work. Raises Refused: slow_down."""
    _check(_passwords, address)


def password_was_wrong(address: str) -> None:
    """Count a wrong password of an address."""
    _passwords.count(address, time.monotonic())


def is_instructor(user: User | AnonymousUser) -> bool:
    """Whether the user may make classrooms."""
    if not user.is_authenticated or not user.is_active:
        return False
    return user.groups.filter(name=INSTRUCTORS).exists()


def ticket(seat: Seat) -> str:
    """Sign a pass to the live doors, good for 12 hours."""
    fields = [seat.lesson, seat.participant, seat.name, seat.color, seat.since]
    return _signer.sign(signing.b64_encode(signing.JSONSerializer().dumps(fields)).decode())


def staff_of(classroom: Classroom, user: User | AnonymousUser) -> Staff | None:
    """Return the user's place among a classroom's staff, if there is one."""
    if not user.is_authenticated:
        return None
    return (
        Staff.objects.filter(classroom=classroom, user_id=user.pk, user__is_active=True).select_related("user").first()
    )


def role_of(staff: Staff) -> Role:
    """Return the role that a member of staff has in a lesson: an owner is an instructor."""
    return Role.ASSISTANT if staff.role == Staff.Role.ASSISTANT else Role.INSTRUCTOR


def seat(participant: Participant, *, pardoned: bool = False) -> Seat:
    """Return a participant's seat. Raises Refused (removed), unless the log is about to pardon them."""
    state = replica.current(participant.lesson_id)
    return _seat(participant, state) if pardoned else _admitted(participant, state)


def person(lesson: int, participant: str) -> Seat | None:
    """Return the seat of a participant who may have left no event yet. Blocking: one query."""
    if not re.fullmatch(r"u[0-9]{1,9}", participant):
        return None
    found = Participant.objects.filter(lesson=lesson, number=int(participant[1:])).first()
    return Seat(lesson, found.key, found.name, found.color, Role(found.role)) if found else None


def may_wait(code: str, address: str) -> bool:
    """Whether a code is worth watching for this address: it can be one, and it is not one of ever new ones."""
    return _is_code(code) and _waits.admit(address, code, time.monotonic())


def vouch(classroom: Classroom, address: str) -> None:
    """Somebody at this address knows the classroom's code: nobody who guesses there holds others up who know it too."""
    _proven.add(address, classroom.code)


def normalise(code: str) -> str:
    """Return a code as it is stored: case, spaces and dashes do not matter."""
    return re.sub(r"[\s\-\u2010-\u2015]", "", code).upper()


def _classroom(code: str, address: str) -> Classroom:
    """Find a classroom by its code. Failures are counted per address and in all, successes never.

    A code that was right at this address before is let pass however much is guessed there.
    """
    code = normalise(code)
    if not _proven.has(address, code):
        _check(_codes, address)
    if _is_code(code):
        found = Classroom.objects.filter(code=code).first()
        if found is not None:
            vouch(found, address)
            return found
    _codes.count(address, time.monotonic())
    raise Refused(Code.UNKNOWN_CODE)


def _is_code(code: str) -> bool:
    return len(code) == CODE_LENGTH and set(code) <= set(CODE_ALPHABET)


def _check_kept(lesson: Lesson) -> None:
    """Let nobody read a lesson whose log is gone. Raises Refused: ended."""
    if lesson.emptied_at is not None:
        raise Refused(Code.ENDED, message=NOT_KEPT)


def _is_past(moment: datetime | None) -> bool:
    return moment is not None and moment < timezone.now()


def _check(guesses: Guesses, address: str) -> None:
    wait = guesses.wait(address, time.monotonic())
    if wait:
        raise Refused(Code.SLOW_DOWN, after=int(wait * 1000) + 1)


def _seated(lesson: Lesson, session: MutableMapping[str, Any]) -> list[Participant]:
    """Return the people of a lesson whom a session remembers, the newest last."""
    numbers = session.get(_SESSION_KEY, {}).get(str(lesson.pk), [])
    found = {one.number: one for one in Participant.objects.filter(lesson=lesson, number__in=numbers)}
    return [found[number] for number in numbers if number in found]


def _remember(session: MutableMapping[str, Any], seated: list[Participant], newest: Participant) -> None:
    """Keep a seat in a session; what is oldest gives way."""
    numbers = [one.number for one in seated if one != newest] + [newest.number]
    lesson = str(newest.lesson_id)
    others = [item for item in session.get(_SESSION_KEY, {}).items() if item[0] != lesson]
    session[_SESSION_KEY] = dict([*others[1 - LESSONS_KEPT :], (lesson, numbers[-SEATS_KEPT:])])


def _sit(lesson: Lesson, name: str, user: Any = None, role: Role = Role.STUDENT) -> Participant:
    """Number a new participant of a lesson. Raises Refused: full."""
    with transaction.atomic():
        Lesson.objects.filter(pk=lesson.pk).update(seats=F("seats") + 1)
        number = Lesson.objects.values_list("seats", flat=True).get(pk=lesson.pk)
        if number > settings.LESSON_MAX_SEATS and user is None:
            raise Refused(Code.FULL)
        color = COLORS[number % len(COLORS)]
        return Participant.objects.create(lesson=lesson, number=number, user=user, name=name, color=color, role=role)


def _sit_staff(lesson: Lesson, staff: Staff) -> Participant:
    try:
        return _sit(lesson, _name_of(staff.user), staff.user, role_of(staff))
    except IntegrityError:  # their other tab was faster
        return Participant.objects.get(lesson=lesson, user=staff.user)


def _name_of(user: User) -> str:
    """Return an account's name as `clean_name` has one; accounts may be called anything."""
    for text in (user.get_full_name(), user.get_username()):
        shown = "".join(char if char.isprintable() else " " for char in unicodedata.normalize("NFC", text))
        with suppress(Refused):
            return clean_name(" ".join(shown.split())[:MAX_NAME])
    return "Teacher"


def _admitted(participant: Participant, state: LessonState) -> Seat:
    if _removed(participant, state):
        raise Refused(Code.REMOVED)
    return _seat(participant, state)


def _removed(participant: Participant, state: LessonState) -> bool:
    person = state.people.get(participant.key)
    return person is not None and person.removed


def _seat(participant: Participant, state: LessonState) -> Seat:
    """Return a participant's seat as the log knows them, or as they sat down."""
    person = state.people.get(participant.key)
    name, role = (person.name, person.role) if person else (participant.name, participant.role)
    return Seat(participant.lesson_id, participant.key, name, participant.color, Role(role))


_codes = Guesses()
_passwords = Guesses(each=(0.1, 10), all_together=(1.0, 30))  # each costs a third of a second of hashing
_waits = Curiosity()
_proven = Proven()
