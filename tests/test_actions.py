"""The verbs from a thread, as REST, the admin and commands call them: starting, ending, seating and dismissing."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction

from classrooms import access, actions, log, replica
from classrooms.actions import BYTES_AT_START, PAGES_AT_START
from classrooms.log import Entry
from classrooms.messages import MAX_FRAME_OUT
from classrooms.models import Classroom, Event, Lesson, Staff
from classrooms.refusals import Code, Refused
from whiteboard.models import Deck, Slide

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    """The writer's thread lets go of the database."""
    yield
    log.stop()


@pytest.fixture
def live(classroom: Classroom, teacher: User) -> Lesson:
    return actions.start(classroom, title="Leaves", decks=[], by=teacher)


def events(lesson: Lesson) -> list[Any]:
    return [json.loads(raw) for raw in log.since(lesson.pk, 0)]


def kinds(lesson: Lesson) -> list[str]:
    return [event["kind"] for event in events(lesson)]


def refused(code: Code) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def deck(owner: User, pages: int, text: str = "") -> Deck:
    made = Deck.objects.create(owner=owner, title="Leaves", status=Deck.Status.READY, pages=pages)
    images = {width: f"/media/decks/{made.key}/{width}.webp" for width in ("320", "800", "1600")}
    Slide.objects.bulk_create(
        Slide(deck=made, number=n, position=n, width=1600, height=900, images=images, text=f"Page {n}\n{text}")
        for n in range(1, pages + 1)
    )
    return made


# --- start -------------------------------------------------------------------------------------------------------


def test_a_lesson_without_decks_has_one_blank_page(live: Lesson) -> None:
    assert (live.status, live.head, live.title) == ("live", 1, "Leaves")
    (started,) = events(live)
    assert (started["seq"], started["kind"], started["by"], started["op"]) == (1, "lesson.started", None, "started")
    assert [page["page"] for page in started["data"]["pages"]] == ["p1"]


def test_the_classrooms_defaults_go_into_the_lesson(classroom: Classroom, teacher: User) -> None:
    Classroom.objects.update(draw="staff", edit="shared", roam=False, chat=False, door="locked")
    classroom.refresh_from_db()
    policy = replica.current(actions.start(classroom, title="", decks=[], by=teacher).pk).policy
    assert (policy.draw, policy.edit, policy.door) == ("staff", "shared", "locked")
    assert (policy.roam, policy.chat) == (False, False)


def test_decks_follow_one_another_page_by_page(classroom: Classroom, teacher: User) -> None:
    decks = [deck(teacher, 15), deck(teacher, 10)]
    lesson = actions.start(classroom, title="Leaves", decks=decks, by=teacher)
    assert kinds(lesson) == ["lesson.started"] + ["page.added"] * 5
    state = replica.current(lesson.pk)
    assert [page.id for page in state.pages] == [f"p{number}" for number in range(1, 26)]
    assert [page.title for page in state.pages] == [f"Page {n}" for n in (*range(1, 16), *range(1, 11))]
    assert state.current == "p1"
    assert len({event["at"] for event in events(lesson)}) == 1, "one transaction"


@pytest.mark.parametrize("letter", ["x", "葉", "\\", '"', "😀", "\u2028", "\x07"])
def test_slides_full_of_text_fit_the_frames(classroom: Classroom, teacher: User, letter: str) -> None:
    lesson = actions.start(classroom, title="Leaves", decks=[deck(teacher, 30, letter * 12_000)], by=teacher)
    raws = log.since(lesson.pk, 0)
    assert max(map(len, raws)) < MAX_FRAME_OUT
    assert 1 <= len(json.loads(raws[0])["data"]["pages"]) <= PAGES_AT_START
    state = replica.current(lesson.pk)
    assert [page.id for page in state.pages] == [f"p{number}" for number in range(1, 31)]


def test_pages_at_start_are_as_many_as_fit() -> None:
    from classrooms.messages import Draft

    small = [Draft("page.added", f"page:p{n}", {}, "x" * 100) for n in range(30)]
    large = [Draft("page.added", f"page:p{n}", {}, "x" * (BYTES_AT_START // 3)) for n in range(30)]
    huge = [Draft("page.added", f"page:p{n}", {}, "x" * BYTES_AT_START * 2) for n in range(30)]
    assert [actions._fitting(pages) for pages in (small, small[:3], large, huge)] == [PAGES_AT_START, 3, 3, 1]


TITLES = [("  Leaves\tand\nroots ", "Leaves and roots"), ("\x00\u202e", ""), ("x" * 500, "x" * 120)]


@pytest.mark.parametrize(("title", "kept"), TITLES)
def test_a_title_from_anywhere_becomes_one_line(classroom: Classroom, teacher: User, title: str, kept: str) -> None:
    lesson = actions.start(classroom, title=title, decks=[], by=teacher)
    assert lesson.title == kept == replica.current(lesson.pk).title


def test_one_lesson_is_live_in_a_classroom(classroom: Classroom, live: Lesson, teacher: User) -> None:
    with refused(Code.NOT_ALLOWED) as told:
        actions.start(classroom, title="Roots", decks=[], by=teacher)
    assert told.value.status == 409
    assert told.value.message == actions.ONE_LIVE
    actions.end(live, by=teacher)
    assert actions.start(classroom, title="Roots", decks=[], by=teacher).pk != live.pk


def test_of_two_starts_at_once_one_wins_whole(classroom: Classroom, teacher: User) -> None:
    decks = {"Short": [deck(teacher, 2)], "Long": [deck(teacher, 40)]}
    together = threading.Barrier(2)

    def start(title: str) -> Lesson | Refused:
        together.wait(10)
        try:
            return actions.start(classroom, title=title, decks=decks[title], by=teacher)
        except Refused as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(start, decks))
    won = [answer for answer in answers if isinstance(answer, Lesson)]
    lost = [answer for answer in answers if isinstance(answer, Refused)]
    assert [refusal.message for refusal in lost] == [actions.ONE_LIVE]
    assert [lesson.title for lesson in Lesson.objects.all()] == [won[0].title]
    state = replica.current(won[0].pk)
    assert (state.title, len(state.pages)) == (won[0].title, 2 if won[0].title == "Short" else 40)


def test_a_start_that_is_overtaken_before_it_commits_says_so(
    classroom: Classroom, teacher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = actions._take_lesson

    def overtaken(classroom: Classroom, title: str) -> Lesson:
        lesson = take(classroom, title)
        monkeypatch.setattr(actions, "_take_lesson", take)
        actions.start(classroom, title="Faster", decks=[], by=teacher)
        return lesson

    monkeypatch.setattr(actions, "_take_lesson", overtaken)
    with refused(Code.NOT_ALLOWED) as told:
        actions.start(classroom, title="Slower", decks=[], by=teacher)
    assert told.value.message == actions.ONE_LIVE
    assert [lesson.title for lesson in Lesson.objects.all()] == ["Faster"]


def test_a_start_that_was_interrupted_is_in_nobodys_way(classroom: Classroom, teacher: User) -> None:
    interrupted = Lesson.objects.create(classroom=classroom, title="Never was")
    lesson = actions.start(classroom, title="Leaves", decks=[], by=teacher)
    assert [one.pk for one in Lesson.objects.all()] == [lesson.pk]
    assert interrupted.pk != lesson.pk or lesson.title == "Leaves"


@pytest.mark.parametrize("who", ["assistant", "outsider", "ana"])
def test_only_instructors_start_a_lesson(classroom: Classroom, who: str, request: pytest.FixtureRequest) -> None:
    with refused(Code.NOT_ALLOWED):
        actions.start(classroom, title="", decks=[], by=request.getfixturevalue(who))
    assert not Lesson.objects.exists()


def test_a_verb_inside_a_transaction_says_what_is_wrong(classroom: Classroom, teacher: User) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="on_commit"):
        actions.start(classroom, title="", decks=[], by=teacher)


def test_a_log_that_does_not_answer_is_not_waited_for(
    classroom: Classroom, teacher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from concurrent.futures import Future

    monkeypatch.setattr(actions, "PATIENCE", 0.01)
    monkeypatch.setattr(log, "append", lambda *_: Future())
    with refused(Code.TRY_AGAIN) as told:
        actions.start(classroom, title="", decks=[], by=teacher)
    assert told.value.retry
    monkeypatch.undo()
    assert actions.start(classroom, title="", decks=[], by=teacher).status == "live"


# --- end ---------------------------------------------------------------------------------------------------------


def test_ending_is_an_event_once(live: Lesson, teacher: User, assistant: User) -> None:
    actions.end(live, by=assistant)
    live.refresh_from_db()
    ended_at = live.ended_at
    assert (live.status, ended_at is not None) == ("ended", True)
    actions.end(live, by=teacher)
    actions.end(live, by=None)
    live.refresh_from_db()
    assert kinds(live) == ["lesson.started", "lesson.ended"]
    assert live.ended_at == ended_at


def test_a_lesson_that_never_started_does_not_end(classroom: Classroom, teacher: User) -> None:
    starting = Lesson.objects.create(classroom=classroom, title="Leaves")
    with refused(Code.NOT_LIVE):
        actions.end(starting, by=teacher)
    assert not Event.objects.exists()


def test_only_staff_end_a_lesson(live: Lesson, outsider: User, ana: User) -> None:
    for user in (outsider, ana):
        with refused(Code.NOT_ALLOWED):
            actions.end(live, by=user)
    assert kinds(live) == ["lesson.started"]


# --- staff -------------------------------------------------------------------------------------------------------


def test_staff_are_in_the_log_when_they_have_their_seat(live: Lesson, teacher: User) -> None:
    seat = actions.seat_staff(live, teacher)
    assert actions.seat_staff(live, teacher) == seat
    assert kinds(live) == ["lesson.started", "person.joined"]
    assert (seat.role, seat.since) == ("instructor", 2)
    assert replica.current(live.pk).people[seat.participant].role == "instructor"


def appoint(user: User, role: str) -> None:
    Staff.objects.filter(user=user).update(role=role)


def roles(live: Lesson, user: User) -> tuple[str, str]:
    """The role of the seat they are given, and the one that the log knows."""
    seat = actions.seat_staff(live, user)
    return seat.role, replica.current(live.pk).people[seat.participant].role


def test_a_new_role_in_the_classroom_reaches_the_log(live: Lesson, assistant: User) -> None:
    assert roles(live, assistant) == ("assistant", "assistant")
    appoint(assistant, "instructor")
    assert roles(live, assistant) == ("instructor", "instructor")
    appoint(assistant, "assistant")
    assert roles(live, assistant) == ("assistant", "assistant")
    assert kinds(live).count("person.changed") == 2


def test_what_the_instructor_changed_in_the_lesson_stays(live: Lesson, teacher: User, assistant: User) -> None:
    boss, helper = actions.seat_staff(live, teacher), actions.seat_staff(live, assistant)
    text = f'{{"participant":"{helper.participant}","role":"student"}}'
    demoted = Entry("person.changed", boss.participant, "c:1", text)
    log.append(live.pk, [demoted]).result(10)
    assert roles(live, assistant) == ("student", "student")


def test_a_removed_assistant_stays_removed(live: Lesson, teacher: User, assistant: User) -> None:
    boss, helper = actions.seat_staff(live, teacher), actions.seat_staff(live, assistant)
    removed = Entry("person.removed", boss.participant, "c:1", f'{{"participant":"{helper.participant}"}}')
    log.append(live.pk, [removed]).result(10)
    with refused(Code.REMOVED):
        actions.seat_staff(live, assistant)


def test_who_is_dismissed_is_removed_and_comes_back_with_a_new_appointment(
    live: Lesson, classroom: Classroom, assistant: User
) -> None:
    seat = actions.seat_staff(live, assistant)
    Staff.objects.filter(user=assistant).delete()
    actions.dismiss(classroom, assistant)
    assert replica.current(live.pk).people[seat.participant].removed
    with refused(Code.NOT_ALLOWED):
        actions.seat_staff(live, assistant)

    Staff.objects.create(classroom=classroom, user=assistant, role=Staff.Role.INSTRUCTOR)
    assert roles(live, assistant) == ("instructor", "instructor")
    assert not replica.current(live.pk).people[seat.participant].removed


def test_dismissing_who_was_never_there_is_no_event(live: Lesson, classroom: Classroom, outsider: User) -> None:
    actions.dismiss(classroom, outsider)
    assert kinds(live) == ["lesson.started"]


def test_a_guest_who_becomes_staff_has_a_seat_of_each_kind(live: Lesson, ana: User) -> None:
    session: dict[str, Any] = {}
    guest = access.by_code(live.classroom.code, "Ana", session, "192.0.2.1")
    Staff.objects.create(classroom=live.classroom, user=ana, role=Staff.Role.ASSISTANT)
    seat = actions.seat_staff(live, ana)
    assert (guest.participant, guest.role, seat.participant, seat.role) == ("u1", "student", "u2", "assistant")
    assert access.by_session(live, session) == guest


def test_staff_read_a_lesson_that_ended_and_the_log_says_no_word_of_it(live: Lesson, teacher: User) -> None:
    actions.end(live, by=teacher)
    live.refresh_from_db()
    seat = actions.seat_staff(live, teacher)
    assert (seat.participant, seat.role) == (access.READER, "instructor")
    assert kinds(live) == ["lesson.started", "lesson.ended"]
    live.refresh_from_db()
    assert live.seats == 0


def test_a_lesson_ended_without_a_right_to_goes_on(live: Lesson, teacher: User) -> None:
    seat = actions.seat_staff(live, teacher)
    gone = Entry("person.removed", None, "gone", json.dumps({"participant": seat.participant}))
    log.append(live.pk, [gone, Entry("lesson.ended", seat.participant, "c:1", "{}")]).result(5)
    live.refresh_from_db()
    assert (live.status, replica.current(live.pk).status) == ("live", "live")
    actions.end(live, by=teacher)
    live.refresh_from_db()
    assert (live.status, replica.current(live.pk).status) == ("ended", "ended")
