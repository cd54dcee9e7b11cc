"""Access: a code, a user, a session or a ticket goes in; a checked seat comes out, or a refusal."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core import signing
from django.utils import timezone
from pytest_django import Settings

from classrooms import access, actions, log
from classrooms.access import Seat
from classrooms.guesses import EACH, Curiosity, Guesses, Proven
from classrooms.log import Entry
from classrooms.models import Classroom, Lesson, Participant, Staff
from classrooms.refusals import Code, Refused
from classrooms.roles import Role
from tests.support.cast import CODE, PASSWORD

HOME = "192.0.2.1"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody has guessed anything yet."""
    monkeypatch.setattr(access, "_codes", Guesses())
    monkeypatch.setattr(access, "_proven", Proven())
    monkeypatch.setattr(access, "_passwords", Guesses(each=(0.1, 10)))
    monkeypatch.setattr(access, "_waits", Curiosity())
    yield
    log.stop()


@pytest.fixture
def live(transactional_db: None, classroom: Classroom, teacher: User) -> Lesson:
    """A lesson of the teacher's, with one blank page."""
    return actions.start(classroom, title="Leaves", decks=[], by=teacher)


def commit(lesson: Lesson, kind: str, text: str, op: str = "x") -> None:
    """Put an event of the server's into the log."""
    log.append(lesson.pk, [Entry(kind, None, op, text)]).result(10)


def knows(lesson: Lesson, seat: Seat, name: str = "Ana", role: str = "student") -> None:
    """Let the log know a guest."""
    text = f'{{"participant":"{seat.participant}","name":"{name}","role":"{role}","color":"#8b4fbf"}}'
    commit(lesson, "person.joined", text, f"joined:{seat.participant}")


def removed(lesson: Lesson, seat: Seat) -> None:
    """Let the log know a guest, and that they were removed."""
    knows(lesson, seat)
    commit(lesson, "person.removed", f'{{"participant":"{seat.participant}"}}', f"removed:{seat.participant}")


def come(name: str = "Ana", session: dict[str, Any] | None = None, code: str = CODE, address: str = HOME) -> Seat:
    return access.by_code(code, name, {} if session is None else session, address)


def refused(code: Code) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


# --- by code -----------------------------------------------------------------------------------------------------


def test_a_guest_sits_down_as_a_student_with_a_colour(live: Lesson) -> None:
    seat = come()
    assert seat == Seat(live.pk, "u1", "Ana", access.COLORS[1], Role.STUDENT)
    assert not seat.staff
    assert come("Ben").participant == "u2"


@pytest.mark.parametrize("code", ["TESTED", "tested", " tes-ted ", "T E S T E D", "tes\u2013ted"])
def test_case_spaces_and_dashes_of_a_code_do_not_matter(live: Lesson, code: str) -> None:
    assert come(code=code).lesson == live.pk


@pytest.mark.parametrize("code", ["", "TESTE", "TESTED7", "TESTEO", "AAAAAA", "' OR 1=1", "TEST\x00D", "ＴＥＳＴＥＤ"])
def test_a_wrong_code_is_refused(live: Lesson, code: str) -> None:
    with refused(Code.UNKNOWN_CODE):
        come(code=code)


@pytest.mark.django_db(transaction=True)
def test_nobody_sits_down_before_the_lesson_or_after_it(classroom: Classroom, teacher: User) -> None:
    with refused(Code.NOT_LIVE):
        come()
    actions.end(actions.start(classroom, title="", decks=[], by=teacher), by=teacher)
    with refused(Code.NOT_LIVE):
        come()
    assert not Participant.objects.exists()


@pytest.mark.parametrize(
    ("name", "kept"), [(" Ana ", "Ana"), ("Zoe\u0308", "Zoë"), ("نوید", "نوید"), ("👩\u200d🏫", "👩\u200d🏫")]
)
def test_a_name_is_kept_as_people_write_it(live: Lesson, name: str, kept: str) -> None:
    assert come(name).name == kept


@pytest.mark.parametrize(
    "name", ["", "  ", "\u200d", "Ana\u202e", "A\x00na", "A\nna", "\u2066Ana", "Ana\u200b", "\ue000"]
)
def test_a_name_that_hides_something_is_refused(live: Lesson, name: str) -> None:
    with refused(Code.BAD_FRAME):
        come(name)


def test_a_name_that_is_too_long_is_refused(live: Lesson) -> None:
    assert come("x" * 40).name == "x" * 40
    with refused(Code.TOO_LONG):
        come("x" * 41)


def test_the_same_guest_with_the_same_name_keeps_their_seat(live: Lesson) -> None:
    session: dict[str, Any] = {}
    assert come("Ana", session) == come("Ana", session)


def test_two_people_on_one_tablet_have_a_seat_each_and_keep_it(live: Lesson) -> None:
    session: dict[str, Any] = {}
    ana, ben = come("Ana", session), come("Ben", session)
    assert ana.participant != ben.participant
    assert access.by_session(live, session) == ben
    assert come("Ana", session) == ana
    assert access.by_session(live, session) == ana
    assert come("Ben", session) == ben


def test_a_guest_who_was_renamed_is_known_by_both_names(live: Lesson) -> None:
    session: dict[str, Any] = {}
    ana = come("Ana", session)
    knows(live, ana)
    commit(live, "person.changed", '{"participant":"u1","name":"Anna"}')
    assert come("Anna", session).participant == come("Ana", session).participant == "u1"
    assert come("Ana", session).name == "Anna", "the log's name, not the one that was typed"


def test_a_guest_whom_the_instructor_made_an_assistant_comes_back_as_one(live: Lesson) -> None:
    session: dict[str, Any] = {}
    knows(live, come("Ana", session))
    commit(live, "person.changed", '{"participant":"u1","role":"assistant"}')
    assert access.by_session(live, session).role is Role.ASSISTANT


def test_whoever_was_removed_does_not_come_back_under_another_name(live: Lesson) -> None:
    session: dict[str, Any] = {}
    removed(live, come("Ana", session))
    for name in ("Ana", "Zoe"):
        with refused(Code.REMOVED):
            come(name, session)
    with refused(Code.REMOVED):
        access.by_session(live, session)
    assert Participant.objects.count() == 1


def test_whoever_shares_a_tablet_with_the_removed_keeps_their_seat(live: Lesson) -> None:
    session: dict[str, Any] = {}
    ben = come("Ben", session)
    removed(live, come("Ana", session))
    assert come("Ben", session) == ben


def test_a_locked_door_holds_newcomers_and_lets_those_inside_return(live: Lesson) -> None:
    session: dict[str, Any] = {}
    ana = come("Ana", session)
    commit(live, "policy.set", '{"door":"locked"}')
    assert come("Ana", session) == ana
    for known in ({}, session):
        with refused(Code.DOOR_LOCKED):
            come("Ben", known)


def test_a_full_lesson_takes_its_staff_and_nobody_else(live: Lesson, settings: Settings, teacher: User) -> None:
    settings.LESSON_MAX_SEATS = 1
    session: dict[str, Any] = {}
    come("Ana", session)
    with refused(Code.FULL):
        come("Ben")
    assert come("Ana", session).participant == "u1"
    assert actions.seat_staff(live, teacher).participant == "u2"


def test_a_session_keeps_few_seats_of_few_lessons(live: Lesson) -> None:
    session: dict[str, Any] = {"seats": {str(number): [1] for number in range(-50, 0)}}
    for number in range(12):
        come(f"Guest {number}", session)
    kept = session["seats"]
    assert len(kept) == access.LESSONS_KEPT
    assert kept[str(live.pk)] == [8, 9, 10, 11, 12]


# --- guessing ----------------------------------------------------------------------------------------------------


def test_wrong_codes_are_counted_by_address_and_right_ones_never(live: Lesson) -> None:
    for number in range(EACH[1] + 20):
        come(f"Guest {number}", address="198.51.100.7")
    for _ in range(EACH[1]):
        with refused(Code.UNKNOWN_CODE):
            come(code="AAAAAA")
    with pytest.raises(Refused) as told:
        come()
    assert told.value.code is Code.SLOW_DOWN
    assert told.value.after is not None
    assert 0 < told.value.after <= 2001
    assert come(address="198.51.100.7")


def test_a_guesser_keeps_nobody_out_who_comes_where_somebody_has_come_before(
    live: Lesson, classroom: Classroom
) -> None:
    come("Ana")
    other = "198.51.100.7"
    for address in (HOME, other):
        for _ in range(EACH[1]):
            with refused(Code.UNKNOWN_CODE):
                come(code="AAAAAA", address=address)
    assert come("Ben")
    with refused(Code.SLOW_DOWN):
        come(code="AAAAAB")
    with refused(Code.SLOW_DOWN):
        come("Ben", address=other)
    access.vouch(classroom, other)
    assert come("Ben", address=other)


def test_wrong_passwords_are_counted_by_address_and_right_ones_never(teacher: User) -> None:
    for _ in range(15):
        assert access.by_password("teacher", PASSWORD, HOME) == teacher
    for _ in range(10):
        with refused(Code.NOT_ALLOWED):
            access.by_password("teacher", "wrong", HOME)
    with refused(Code.SLOW_DOWN):
        access.by_password("teacher", PASSWORD, HOME)
    assert access.by_password("teacher", PASSWORD, "198.51.100.7") == teacher


def test_an_account_that_is_not_active_has_no_password(teacher: User) -> None:
    User.objects.update(is_active=False)
    with refused(Code.NOT_ALLOWED):
        access.by_password("teacher", PASSWORD, HOME)


def test_only_what_can_be_a_code_is_waited_for() -> None:
    assert access.may_wait("TESTED", HOME)
    for code in ("", "TESTEO", "X" * 10_000):
        assert not access.may_wait(code, HOME)


# --- by session and by user --------------------------------------------------------------------------------------


def test_a_session_without_a_seat_opens_nothing_not_even_whether_the_lesson_ended(live: Lesson, teacher: User) -> None:
    with refused(Code.NOT_ALLOWED):
        access.by_session(live, {})
    actions.end(live, by=teacher)
    live.refresh_from_db()
    with refused(Code.NOT_ALLOWED):
        access.by_session(live, {})


def test_a_session_reads_an_ended_lesson_as_long_as_its_classroom_keeps_it(live: Lesson, teacher: User) -> None:
    session: dict[str, Any] = {}
    seat = come("Ana", session)
    actions.end(live, by=teacher)
    live.refresh_from_db()
    assert access.by_session(live, session) == seat
    live.ended_at = timezone.now() - timedelta(days=live.classroom.retention, seconds=-60)
    assert access.by_session(live, session) == seat
    live.ended_at -= timedelta(seconds=120)
    with refused(Code.ENDED):
        access.by_session(live, session)


def test_who_was_removed_does_not_read_the_ended_lesson(live: Lesson, teacher: User) -> None:
    session: dict[str, Any] = {}
    seat = come("Ana", session)
    known = Entry("person.joined", None, "joined", json.dumps({
        "participant": seat.participant, "name": "Ana", "role": "student", "color": "#000000"}))  # fmt: skip
    removed = Entry("person.removed", None, "removed", json.dumps({"participant": seat.participant}))
    log.append(live.pk, [known, removed]).result(5)
    actions.end(live, by=teacher)
    live.refresh_from_db()
    with refused(Code.REMOVED):
        access.by_session(live, session)


def test_staff_have_the_role_of_their_classroom(live: Lesson, teacher: User, assistant: User) -> None:
    assert access.by_user(live, teacher)[1] is Role.INSTRUCTOR
    assert access.by_user(live, assistant)[1] is Role.ASSISTANT
    assert access.by_user(live, assistant)[0].name == "Assistant"


@pytest.mark.parametrize("who", ["outsider", "ana"])
def test_other_accounts_have_no_seat(live: Lesson, who: str, request: pytest.FixtureRequest) -> None:
    with refused(Code.NOT_ALLOWED):
        access.by_user(live, request.getfixturevalue(who))
    with refused(Code.NOT_ALLOWED):
        access.by_user(live, AnonymousUser())


@pytest.mark.parametrize(
    ("first", "last", "username", "shown"),
    [
        ("Ada", "Lovelace", "ada", "Ada Lovelace"),
        ("", "", "ada", "ada"),
        ("\u202e\u200b", "", "ada", "ada"),
        ("A\tda\n", "\x00", "ada", "A da"),
        ("x" * 39, "yz", "ada", "x" * 39),
        ("", "", "\u200b", "Teacher"),
        ("Z" + "\u0316" * 9, "", "ada", "ada"),
        ("", "", "\u3164", "Teacher"),
    ],
)
def test_an_accounts_name_becomes_one_that_the_log_takes(
    live: Lesson, first: str, last: str, username: str, shown: str
) -> None:
    user = User(username=username, first_name=first, last_name=last)
    user.save()
    Staff.objects.create(classroom=live.classroom, user=user)
    assert actions.seat_staff(live, user).name == shown


def test_staff_in_two_tabs_at_once_get_one_seat(live: Lesson, teacher: User) -> None:
    staff = Staff.objects.get(user=teacher)
    assert access._sit_staff(live, staff) == access._sit_staff(live, staff)
    assert Participant.objects.count() == 1


# --- tickets -----------------------------------------------------------------------------------------------------

SEAT = Seat(7, "u17", "Ana", "#8b4fbf", Role.STUDENT)


def test_a_ticket_gives_its_seat_back_as_a_students_without_a_query() -> None:
    assert access.by_ticket(access.ticket(SEAT)) == SEAT
    teacher = Seat(7, "u1", "Teacher", "#8b4fbf", Role.INSTRUCTOR, since=2)
    back = access.by_ticket(access.ticket(teacher))
    assert (back.role, back.since) == (Role.STUDENT, 2)


@pytest.mark.parametrize("ticket", ["", ":", "::", "a:b:c", "\x00", "é" * 20, "W10:1xViOo:abc", "😀"])
def test_a_ticket_that_is_none_opens_nothing(ticket: str) -> None:
    with refused(Code.NOT_ALLOWED):
        access.by_ticket(ticket)


def test_every_character_of_a_ticket_is_signed() -> None:
    ticket = access.ticket(SEAT)
    for place in range(len(ticket)):
        forged = ticket[:place] + ("A" if ticket[place] != "A" else "B") + ticket[place + 1 :]
        if place == len(ticket) - 1 and forged[:-1] == ticket[:-1]:
            continue  # two of the last character's bits say nothing in base64
        with refused(Code.NOT_ALLOWED):
            access.by_ticket(forged)


def test_a_ticket_runs_out_after_twelve_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = access.ticket(SEAT)
    now = time.time()
    monkeypatch.setattr("django.core.signing.time.time", lambda: now + access.TICKET_AGE - 60)
    assert access.by_ticket(ticket) == SEAT
    monkeypatch.setattr("django.core.signing.time.time", lambda: now + access.TICKET_AGE + 60)
    with refused(Code.NOT_ALLOWED):
        access.by_ticket(ticket)


@pytest.mark.parametrize("fields", [[], {}, 7, [7, "u17"], [1, 2, 3, 4, 5, 6], None])
def test_something_else_that_we_signed_is_no_ticket(fields: Any) -> None:
    signed = access._signer.sign(signing.b64_encode(signing.JSONSerializer().dumps(fields)).decode())
    with refused(Code.NOT_ALLOWED):
        access.by_ticket(signed)
    with refused(Code.NOT_ALLOWED):
        access.by_ticket(signing.TimestampSigner(salt="other").sign("x"))


@pytest.mark.parametrize("participant", ["u1", "u999999999", "u0", "u", "1", "u1x", "u-1", "u" + "9" * 40, "__proto__"])
def test_only_people_with_a_seat_are_persons(live: Lesson, participant: str) -> None:
    come("Ana")
    found = access.person(live.pk, participant)
    assert (found is not None) == (participant == "u1")
