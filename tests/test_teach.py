"""/teach/ at work: classrooms and their staff, lessons started and ended, the join code."""

import json
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin import StackedInline, TabularInline
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from classrooms import actions, hub, replica
from classrooms.admin import teach
from classrooms.admin.administration import administration
from classrooms.admin.staff import StaffInline
from classrooms.attendance import Span, note
from classrooms.models import Classroom, Lesson, Participant, RosterEntry, Staff
from classrooms.refusals import Refused
from tests.support.cast import make_classroom, make_user
from tests.support.decks import make_deck
from tests.support.teach import address, client_of, make_lesson, page_of, refused, roles, staff_rows, text_of
from whiteboard.models import Deck

GOOD = {"title": "Photosynthesis", "draw": "everyone", "edit": "own", "door": "open", "_continue": "1"}


# --- classrooms ----------------------------------------------------------------------------------------------------


def test_an_instructor_makes_a_classroom_and_owns_it(outsider: User) -> None:
    fields = {"title": "Chemistry", "draw": "everyone", "edit": "own", "door": "open", "chat": "on"}
    response = client_of(outsider).post(address(Classroom, "add"), fields | {"_continue": "1"}, follow=True)

    made = Classroom.objects.get(title="Chemistry")
    assert [(staff.user, staff.role) for staff in made.staff.all()] == [(outsider, "owner")]
    assert made.roam is False
    assert made.code in text_of(response)
    assert f"/j/{made.code}/" in text_of(response)
    assert 'src="data:image/svg+xml' in text_of(response)


def test_staff_without_the_group_make_no_classroom(classroom: Classroom, assistant: User) -> None:
    assistant.groups.clear()
    assert client_of(assistant).get("/teach/").status_code == 200
    assert client_of(assistant).get(address(Classroom, "add")).status_code == 403
    assert client_of(assistant).post(address(Classroom, "add"), GOOD | {"title": "taken"}).status_code == 403


def test_an_assistant_looks_and_changes_nothing(classroom: Classroom, assistant: User) -> None:
    client = client_of(assistant)
    staff = Staff.objects.get(user=assistant)
    page = text_of(client.get(page_of(classroom)))
    assert classroom.code in page
    assert "Start a lesson" not in page
    assert "assistant" in page[page.index("Colleagues") :]

    forged = GOOD | {"title": "taken"} | staff_rows(classroom, (staff, "instructor", False))
    assert client.post(page_of(classroom), forged).status_code == 403
    assert refused(client.post(page_of(classroom, "delete"), {"post": "yes"}))
    client.post(page_of(classroom, "start"), {"title": "Mine"})

    classroom.refresh_from_db()
    staff.refresh_from_db()
    assert (classroom.title, staff.role) == ("Photosynthesis", "assistant")
    assert not Lesson.objects.exists()


def test_a_colleague_is_added_by_user_name(
    classroom: Classroom, teacher: User, assistant: User, outsider: User
) -> None:
    row = (Staff.objects.get(user=assistant), "instructor", False)
    client_of(teacher).post(page_of(classroom), GOOD | staff_rows(classroom, row, new=("outsider", "assistant")))
    assert roles(classroom) == {"teacher": "owner", "assistant": "instructor", "outsider": "assistant"}


@pytest.mark.parametrize("login", ["Outsider@School.example", " o@elsewhere.example "])
def test_a_colleague_is_added_by_e_mail_address(
    classroom: Classroom, teacher: User, outsider: User, login: str
) -> None:
    User.objects.filter(pk=outsider.pk).update(email="outsider@school.example")
    EmailAddress.objects.create(user=outsider, email="o@elsewhere.example", verified=True)
    client_of(teacher).post(page_of(classroom), GOOD | staff_rows(classroom, new=(login, "instructor")))
    assert roles(classroom)["outsider"] == "instructor"


def test_an_address_that_nobody_has_proven_adds_nobody(classroom: Classroom, teacher: User, outsider: User) -> None:
    EmailAddress.objects.create(user=outsider, email="head@school.example", verified=False)
    page = client_of(teacher).post(
        page_of(classroom), GOOD | staff_rows(classroom, new=("head@school.example", "owner"))
    )
    assert "No account has this e-mail address" in text_of(page)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nobody", "No account has this user name"),
        ("assistant", "on the staff already"),
        ("teacher", "on the staff already"),
        ("gone", "No account has this user name"),
        ("nobody@school.example", "No account has this e-mail address"),
        ("gone@school.example", "No account has this e-mail address"),
        ("twins@school.example", "Several accounts have this e-mail address"),
        ("T@school.example", "on the staff already"),
    ],
)
def test_a_colleague_who_cannot_be_added_is_told_why(
    classroom: Classroom, teacher: User, assistant: User, name: str, said: str
) -> None:
    User.objects.create_user("gone", "gone@school.example", is_active=False)
    User.objects.filter(pk=teacher.pk).update(email="t@school.example")
    for twin in ("castor", "pollux"):
        User.objects.create_user(twin, "twins@school.example")
    row = (Staff.objects.get(user=assistant), "assistant", False)
    response = client_of(teacher).post(page_of(classroom), GOOD | staff_rows(classroom, row, new=(name, "assistant")))
    assert said in text_of(response)
    assert roles(classroom) == {"teacher": "owner", "assistant": "assistant"}


@pytest.mark.parametrize(("language", "word", "whose"), [
    ("en", "Remove", "Remove assistant from the staff"),
    ("de", "Entfernen", "assistant aus dem Team entfernen"),
])  # fmt: skip
def test_a_colleague_is_removed_not_deleted(
    classroom: Classroom, teacher: User, assistant: User, language: str, word: str, whose: str
) -> None:
    page = text_of(client_of(teacher).get(page_of(classroom), headers={"Accept-Language": language}))
    staff = page[page.index('class="colleagues"') :].split("</section>")[0]
    assert f"<span>{word}</span>" in staff
    assert f'aria-label="{whose}"' in staff
    assert "Delete" not in staff.replace("-DELETE", "")
    assert "Löschen" not in staff


def test_no_inline_is_djangos_table() -> None:
    """Its header calls taking a row off "Delete?", whatever the row is."""
    admins = [*teach._registry.values(), *administration._registry.values()]
    inlines = {inline for one in admins for inline in one.inlines}
    assert inlines == {StaffInline}
    assert not {inline.template for inline in inlines} & {TabularInline.template, StackedInline.template}


def test_the_page_tells_no_names_but_the_staffs(classroom: Classroom, teacher: User, outsider: User) -> None:
    assert "outsider" not in text_of(client_of(teacher).get(page_of(classroom)))


@pytest.mark.parametrize("who", ["teacher", "assistant"])
def test_the_owner_cannot_be_forged(
    classroom: Classroom, teacher: User, assistant: User, outsider: User, who: str
) -> None:
    Staff.objects.filter(user=assistant).update(role="instructor")
    mine, owner = Staff.objects.get(user=assistant), Staff.objects.get(user=teacher)
    client = client_of(teacher if who == "teacher" else assistant)
    theirs = Staff.objects.get(classroom=make_classroom(outsider, title="Theirs", code="AAAAAA"))
    for rows in (
        staff_rows(classroom, (mine, "owner", False)),
        staff_rows(classroom, (owner, "assistant", False)),
        staff_rows(classroom, (owner, "assistant", True)),
        staff_rows(classroom, (theirs, "assistant", False)),
        staff_rows(classroom, (mine, "instructor", False), new=("outsider", "owner")),
        staff_rows(classroom, (mine, "instructor", False)) | {"staff-0-user": outsider.pk, "staff-0-username": "ana"},
        staff_rows(classroom, (mine, "instructor", False)) | {"staff-0-classroom": theirs.classroom_id},
    ):
        client.post(page_of(classroom), GOOD | rows)
        assert roles(classroom) == {"teacher": "owner", "assistant": "instructor"}
        assert roles(theirs.classroom) == {"outsider": "owner"}


def test_the_owner_hands_the_classroom_on_after_a_question(
    classroom: Classroom, teacher: User, assistant: User
) -> None:
    client, heir = client_of(teacher), Staff.objects.get(user=assistant)
    page = page_of(classroom, "owner")
    assert page in text_of(client.get(page_of(classroom)))
    assert "assistant" in text_of(client.get(page))
    assert "Choose who owns" in text_of(client.post(page))
    assert roles(classroom) == {"teacher": "owner", "assistant": "assistant"}

    done = text_of(client.post(page, {"to": heir.pk}, follow=True))

    assert "assistant owns this classroom now" in done
    assert page not in done
    assert roles(classroom) == {"teacher": "instructor", "assistant": "owner"}
    assert LogEntry.objects.filter(
        user=teacher, change_message__contains="Handed the classroom on to assistant"
    ).exists()
    assert client.post(page, {"to": heir.pk}).status_code == 403
    assert client_of(assistant).get(page).status_code == 200


def test_a_classroom_is_handed_on_to_its_staff_alone(classroom: Classroom, teacher: User, outsider: User) -> None:
    other = make_classroom(outsider, title="Theirs", code="AAAAAA")
    theirs, own = Staff.objects.get(classroom=other), Staff.objects.get(classroom=classroom, user=teacher)
    for forged in (theirs.pk, own.pk, 0, "x"):
        page = text_of(client_of(teacher).post(page_of(classroom, "owner"), {"to": forged}))
        assert "not on the staff any more" in page
    assert (roles(classroom)["teacher"], roles(other)) == ("owner", {"outsider": "owner"})


def test_only_the_owner_hands_on(classroom: Classroom, assistant: User) -> None:
    Staff.objects.filter(user=assistant).update(role="instructor")
    own = Staff.objects.get(user=assistant)
    assert client_of(assistant).post(page_of(classroom, "owner"), {"to": own.pk}).status_code == 403
    assert page_of(classroom, "owner") not in text_of(client_of(assistant).get(page_of(classroom)))
    with pytest.raises(Refused):
        actions.hand_on(classroom, by=assistant, to=Staff.objects.get(role="owner").user)
    assert roles(classroom) == {"teacher": "owner", "assistant": "instructor"}


def test_staff_leave_after_a_question_and_the_owner_does_not(
    classroom: Classroom, teacher: User, assistant: User
) -> None:
    leave = page_of(classroom, "leave")
    assert "hand it on" in text_of(client_of(teacher).get(leave)).lower()
    assert client_of(teacher).post(leave).status_code == 409
    with pytest.raises(Refused):
        actions.leave(classroom, teacher)
    assert "Leave" in text_of(client_of(assistant).get(leave))
    assert roles(classroom) == {"teacher": "owner", "assistant": "assistant"}
    assert "You are off the staff" in text_of(client_of(assistant).post(leave, follow=True))
    assert roles(classroom) == {"teacher": "owner"}
    assert client_of(assistant).get(page_of(classroom)).status_code == 302


def test_a_classroom_that_never_had_a_lesson_is_deleted_by_its_owner(classroom: Classroom, teacher: User) -> None:
    assert "teacher (owner)" in text_of(client_of(teacher).get(page_of(classroom, "delete")))
    client_of(teacher).post(page_of(classroom, "delete"), {"post": "yes"})
    assert not Classroom.objects.exists()


def test_a_classroom_with_a_lesson_is_kept(classroom: Classroom, teacher: User) -> None:
    delete = page_of(classroom, "delete")
    assert delete in text_of(client_of(teacher).get(page_of(classroom)))
    make_lesson(classroom, status="ended")
    assert delete not in text_of(client_of(teacher).get(page_of(classroom)))
    assert refused(client_of(teacher).post(page_of(classroom, "delete"), {"post": "yes"}))
    assert Classroom.objects.exists()


# --- lessons -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_lesson_is_started_opened_and_ended(client: Client) -> None:
    teacher = make_user("teacher")
    classroom = make_classroom(teacher)
    first, second = make_deck(teacher), make_deck(teacher, title="More")
    client.force_login(teacher)
    start = page_of(classroom, "start")
    assert "More" in text_of(client.get(start))

    response = client.post(start, {"title": "Leaves", "decks": [second.pk, first.pk]})

    lesson = Lesson.objects.get()
    assert (lesson.title, lesson.status, response["Location"]) == ("Leaves", "live", f"/lessons/{lesson.pk}/")
    started = lesson.events.get(seq=1)
    assert [page["slide"]["deck"] for page in json.loads(started.data)["pages"]] == [first.pk, second.pk]
    assert f"/lessons/{lesson.pk}/" in text_of(client.get("/teach/"))
    assert "is live" in text_of(client.get(start))

    again = client.post(start, {"title": "Roots"})
    assert "A lesson is live" in text_of(again) or "is live" in text_of(again)
    assert Lesson.objects.count() == 1

    end = page_of(lesson, "end")
    assert "End the lesson" in text_of(client.get(end))
    lesson.refresh_from_db()
    assert lesson.status == "live"
    assert "has ended" in text_of(client.post(end, follow=True))
    lesson.refresh_from_db()
    assert lesson.status == "ended"
    assert "It has ended already" in text_of(client.get(end))
    history = text_of(client.get(page_of(classroom, "history"))) + text_of(client.get(page_of(lesson, "history")))
    assert "Started the lesson" in history
    assert "Ended the lesson" in history


def test_a_lesson_starts_with_own_decks_that_have_a_page(classroom: Classroom, teacher: User, outsider: User) -> None:
    decks = [
        make_deck(outsider, title="Not yours"),
        Deck.objects.create(owner=teacher, title="No page yet", status="converting"),
        make_deck(teacher, title="Not shown", hidden=True),
    ]
    make_deck(teacher, title="Half done", status="converting", pages=2, pages_done=1)
    start = page_of(classroom, "start")
    page = text_of(client_of(teacher).get(start))
    assert "1 deck has no page yet" in page
    assert "Half done" in page
    for deck in decks:
        assert deck.title not in page
        response = client_of(teacher).post(start, {"title": "Leaves", "decks": [deck.pk]})
        assert response.status_code == 200
    assert not Lesson.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_is_taken_off_the_staff_leaves_the_live_lesson(client: Client) -> None:
    teacher, assistant = make_user("teacher"), make_user("assistant")
    classroom = make_classroom(teacher, assistant=assistant)
    lesson = actions.start(classroom, title="Leaves", decks=[], by=teacher)
    seat = actions.seat_staff(lesson, assistant)
    client.force_login(teacher)

    row = (Staff.objects.get(user=assistant), "assistant", True)
    client.post(page_of(classroom), GOOD | staff_rows(classroom, row))

    assert roles(classroom) == {"teacher": "owner"}
    [removed] = lesson.events.filter(kind="person.removed")
    assert seat.participant in removed.data


@pytest.mark.django_db(transaction=True)
def test_who_gets_another_role_has_it_in_the_live_lesson(client: Client) -> None:
    teacher, assistant = make_user("teacher"), make_user("assistant")
    classroom = make_classroom(teacher, assistant=assistant)
    lesson = actions.start(classroom, title="Leaves", decks=[], by=teacher)
    seat = actions.seat_staff(lesson, assistant)
    staff = Staff.objects.get(user=assistant)
    client.force_login(teacher)

    def role_after(rows: dict[str, Any]) -> str:
        client.post(page_of(classroom), GOOD | rows)
        state = replica.current(lesson.pk)
        return "removed" if state.people[seat.participant].removed else str(state.people[seat.participant].role)

    assert role_after(staff_rows(classroom, (staff, "instructor", False))) == "instructor"
    assert role_after(staff_rows(classroom, (staff, "instructor", False))) == "instructor"
    assert role_after(staff_rows(classroom, (staff, "assistant", False))) == "assistant"
    assert role_after(staff_rows(classroom, (staff, "assistant", True))) == "removed"
    assert role_after(staff_rows(classroom, new=("assistant", "instructor"))) == "instructor"
    client.post(page_of(classroom, "owner"), {"to": Staff.objects.get(user=assistant).pk})
    assert lesson.events.filter(kind="person.changed").count() == 3


# --- the join code -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_new_code_opens_and_the_old_one_does_not(classroom: Classroom, teacher: User, client: Client) -> None:
    client.force_login(teacher)
    page = f"/teach/classrooms/classroom/{classroom.pk}/code/"
    assert classroom.code in client.get(page).content.decode()
    client.post(page)
    old = classroom.code
    classroom.refresh_from_db()
    assert classroom.code != old
    assert not Classroom.objects.filter(code=old).exists()
    assert LogEntry.objects.filter(user=teacher, change_message__contains="join code").exists()


def test_an_assistant_changes_no_code_and_sees_no_button(classroom: Classroom, assistant: User, client: Client) -> None:
    client.force_login(assistant)
    room = f"/teach/classrooms/classroom/{classroom.pk}/"
    assert client.post(f"{room}code/").status_code == 403
    assert "New code" not in client.get(f"{room}change/").content.decode()
    before = classroom.code
    classroom.refresh_from_db()
    assert classroom.code == before


def test_the_wall_shows_the_code_and_no_name(classroom: Classroom, teacher: User, client: Client) -> None:
    client.force_login(teacher)
    text = client.get(f"/teach/classrooms/classroom/{classroom.pk}/projector/").content.decode()
    assert classroom.code in text
    assert "data:image/svg+xml" in text
    assert teacher.get_username() not in text


@pytest.mark.parametrize(("present", "said"), [
    (2, "<b>2</b> people are in it."), (1, "<b>1</b> person is in it."), (None, "31 people have come in."),
])  # fmt: skip
def test_a_classroom_tells_who_is_in_its_lesson_and_which_are_past(
    classroom: Classroom, teacher: User, monkeypatch: pytest.MonkeyPatch, present: int | None, said: str
) -> None:
    monkeypatch.setattr(hub, "present", lambda lesson: present)
    make_lesson(classroom, title="Leaves", status="ended")
    live = make_lesson(classroom, title="Roots", seats=31)
    page = text_of(client_of(teacher).get(page_of(classroom)))
    assert said in page
    assert f'href="/lessons/{live.pk}/"' in page
    assert page.count(">Leaves</a>") == 1


def test_making_says_what_comes_next_and_labels_have_no_colon(outsider: User) -> None:
    client = client_of(outsider)
    made = text_of(client.post(address(Classroom, "add"), GOOD, follow=True))
    assert "Made. Next: start a lesson, or add colleagues." in made
    assert "Who may draw" in made
    assert "Who may draw:" not in made
    room = Classroom.objects.get(staff__user=outsider)
    assert f'value="{room.title}, ' in text_of(client.get(page_of(room, "start")))  # the date follows


def test_the_first_page_is_where_classrooms_leads(teacher: User) -> None:
    client = client_of(teacher)
    mark = '<a href="/teach/" aria-current="true">'
    assert mark in text_of(client.get("/teach/"))
    assert mark in text_of(client.get(address(Classroom, "changelist")))
    assert mark not in text_of(client.get(address(Deck, "changelist")))


def test_a_live_lesson_tells_no_end(classroom: Classroom, teacher: User) -> None:
    lesson = make_lesson(classroom)
    page = text_of(client_of(teacher).get(page_of(lesson)))
    assert "Length" in page
    assert "Students can look at it until" not in page


def test_a_live_lesson_tells_who_was_there_so_far_and_of_nobody_that_they_were_not(
    classroom: Classroom, teacher: User
) -> None:
    RosterEntry.objects.create(classroom=classroom, name="Ben")
    lesson = make_lesson(classroom)
    assert "Nobody has come in yet" in text_of(client_of(teacher).get(page_of(lesson)))
    Participant.objects.create(lesson=lesson, number=1, name="Ana", color="#000000")
    note(lesson.pk, [Span("u1", 0, 7 * 60_000)])
    page = text_of(client_of(teacher).get(page_of(lesson)))
    assert '<th scope="row">Ana</th><td>7 minutes</td>' in page
    assert "Ben" not in page
