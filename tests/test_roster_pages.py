"""A classroom's roster at /teach/: a file is read, shown, taken in when confirmed, and given out again."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from classrooms import roster
from classrooms.admin.roster import SENTENCES
from classrooms.class_list import Student, Wrong
from classrooms.models import Classroom, RosterEntry, Staff
from tests.support.cast import make_classroom
from tests.support.teach import address, client_of, page_of, refused, text_of

GOOD = "name;email\nAna Müller;ana@school.example\nBen;\n;7\n=1+1 Cid;\nBen;\n"


def upload(client: Client, room: Classroom, content: bytes, **fields: Any) -> Any:
    return client.post(page_of(room, "roster"), {"file": SimpleUploadedFile("list.csv", content)} | fields)


def confirm(client: Client, room: Classroom, page: Any, **fields: Any) -> Any:
    """Press the button of a page that shows what was read."""
    held = re.search(r'<textarea name="rows" hidden>(.*?)</textarea>', text_of(page), re.DOTALL)
    assert held
    return client.post(page_of(room, "roster"), {"rows": unescape(held[1]), "save": "1"} | fields, follow=True)


def names(classroom: Classroom) -> list[str]:
    return list(classroom.roster.values_list("name", flat=True))


def test_a_list_is_shown_before_it_is_taken_in(classroom: Classroom, teacher: User) -> None:
    client = client_of(teacher)
    page = upload(client, classroom, GOOD.encode("utf-16"))

    text = unescape(text_of(page))
    assert "3 students in the file. Nothing is saved yet." in text
    assert "'=1+1 Cid" in text
    assert re.search(r"Line 4</b> 7</span> <span>There is no name\.", text)
    assert re.search(r"Line 6</b> Ben</span> <span>It is the same student as in line 3\.", text)
    assert names(classroom) == []

    done = text_of(confirm(client, classroom, page))

    assert "3 students imported." in done
    assert "<b>3</b> students" in done
    assert names(classroom) == ["=1+1 Cid", "Ana Müller", "Ben"]
    assert LogEntry.objects.filter(user=teacher, change_message__contains="list of 3 students").exists()


def test_who_is_not_in_the_file_is_taken_off_only_if_that_is_ticked(classroom: Classroom, teacher: User) -> None:
    roster.take(classroom, [Student("Old", "")], exactly=False)
    client = client_of(teacher)
    page = upload(client, classroom, b"name\nAna\n")
    assert "Take 1 student off the roster" in text_of(page)
    confirm(client, classroom, page)
    assert names(classroom) == ["Ana", "Old"]
    confirm(client, classroom, upload(client, classroom, b"name\nAna\n"), exactly="1")
    assert names(classroom) == ["Ana"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"PK\x03\x04", Wrong.SPREADSHEET),
        (b"", Wrong.EMPTY),
        (b"a" * 1_100_000, Wrong.TOO_LARGE),
        (b"%PDF", Wrong.NOT_TEXT),
        (b"room,class\n1,2\n", Wrong.NO_COLUMN),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_a_sentence(
    classroom: Classroom, teacher: User, content: bytes, why: Wrong
) -> None:
    answer = upload(client_of(teacher), classroom, content)
    assert answer.status_code == 400
    assert str(SENTENCES[why]) in unescape(text_of(answer))


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Wrong)


def test_a_file_without_a_good_line_saves_nothing(classroom: Classroom, teacher: User) -> None:
    text = text_of(upload(client_of(teacher), classroom, b"name,id\n,1\n,2\n"))
    assert "No line of this file can be taken" in text
    assert 'name="save"' not in text


def test_what_is_confirmed_is_checked_again(classroom: Classroom, teacher: User) -> None:
    forged = "name,classroom,id,pk\nAna,99,7,1\n" + ",1,8,2\n"
    client_of(teacher).post(page_of(classroom, "roster"), {"rows": forged, "save": "1", "classroom": "99"})
    assert list(RosterEntry.objects.values_list("name", "identifier", "classroom")) == [("Ana", "7", classroom.pk)]
    answer = client_of(teacher).post(page_of(classroom, "roster"), {"rows": "", "save": "1"})
    assert answer.status_code == 400


def test_no_file_reaches_another_classroom(classroom: Classroom, teacher: User, outsider: User) -> None:
    other = make_classroom(outsider, title="Theirs", code="AAAAAA")
    roster.take(other, [Student("Ana", "7")], exactly=False)
    theirs = RosterEntry.objects.get()
    content = f"name,number,classroom,id\nTaken,7,{other.pk},{theirs.pk}\n".encode()
    page = upload(client_of(teacher), classroom, content, classroom=other.pk)
    assert "Ana" not in text_of(page)
    confirm(client_of(teacher), classroom, page, classroom=other.pk)
    assert names(other) == ["Ana"]
    assert names(classroom) == ["Taken"]
    assert upload(client_of(teacher), other, content).status_code == 403
    assert client_of(teacher).get(page_of(other, "roster/export")).status_code == 403
    assert client_of(teacher).post(page_of(other, "roster"), {"rows": "name\nX\n", "save": "1"}).status_code == 403


def test_assistants_read_the_roster_and_change_nothing(classroom: Classroom, assistant: User) -> None:
    roster.take(classroom, [Student("Ana", "7")], exactly=False)
    entry, client = RosterEntry.objects.get(), client_of(assistant)
    assert "Ana" in text_of(client.get(address(RosterEntry, "changelist")))
    assert "Ana" in text_of(client.post(page_of(classroom, "roster/export")))
    page = text_of(client.get(page_of(classroom)))
    assert page_of(classroom, "roster/export") in page
    assert f'"{page_of(classroom, "roster")}"' not in page
    assert client.get(page_of(classroom, "roster")).status_code == 403
    assert upload(client, classroom, b"name\nBen\n").status_code == 403
    assert refused(client.post(page_of(entry), {"name": "taken"}))
    assert refused(client.post(page_of(entry, "delete"), {"post": "yes"}))
    assert refused(client.post(address(RosterEntry, "add"), {"name": "Ben", "classroom": classroom.pk}))
    client.post(
        address(RosterEntry, "changelist"),
        {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes", "index": "0"},
    )
    assert names(classroom) == ["Ana"]


def test_who_leads_one_and_assists_in_another_changes_the_one(
    classroom: Classroom, teacher: User, assistant: User
) -> None:
    make_classroom(assistant, title="Own", code="AAAAAA")
    roster.take(classroom, [Student("Ana", "7")], exactly=False)
    entry, client = RosterEntry.objects.get(), client_of(assistant)
    client.post(address(RosterEntry, "add"), {"name": "Ben", "classroom": classroom.pk})
    chosen = {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes", "index": "0"}
    assert client.post(address(RosterEntry, "changelist"), chosen).status_code == 403
    assert refused(client.post(page_of(entry), {"name": "taken"}))
    assert names(classroom) == ["Ana"]


def test_students_are_added_changed_and_deleted_one_by_one(classroom: Classroom, teacher: User) -> None:
    client = client_of(teacher)
    there = client.post(address(RosterEntry, "add"), {"name": "Ana", "classroom": classroom.pk, "identifier": "7"})
    assert there["Location"] == f"{address(RosterEntry, 'changelist')}?classroom__id__exact={classroom.pk}"
    assert "already" in text_of(
        client.post(address(RosterEntry, "add"), {"name": "Ben", "classroom": classroom.pk, "identifier": "7"})
    ) or names(classroom) == ["Ana"]
    entry = RosterEntry.objects.get()
    client.post(page_of(entry), {"name": "Anna", "identifier": "7"})
    assert names(classroom) == ["Anna"]
    chosen = {"action": "delete_selected", "_selected_action": [entry.pk], "index": "0"}
    assert "Anna" in text_of(client.post(address(RosterEntry, "changelist"), chosen))
    client.post(address(RosterEntry, "changelist"), chosen | {"post": "yes"})
    assert names(classroom) == []


def test_an_address_that_another_has_is_refused_with_a_sentence(classroom: Classroom, teacher: User) -> None:
    roster.take(classroom, [Student("Ana", "7"), Student("Ben", "8")], exactly=False)
    ben = RosterEntry.objects.get(name="Ben")
    answer = client_of(teacher).post(page_of(ben), {"name": "Ben", "identifier": "7"})
    assert "Ana on this roster has this e-mail address or number already." in text_of(answer)
    ben.refresh_from_db()
    assert ben.identifier == "8"


def test_deleting_many_asks_once_who_may(
    classroom: Classroom, teacher: User, django_assert_max_num_queries: Any
) -> None:
    roster.take(classroom, [Student(f"Student {number}", "") for number in range(60)], exactly=False)
    chosen = {"action": "delete_selected", "_selected_action": [entry.pk for entry in classroom.roster.all()]}
    client = client_of(teacher)
    with django_assert_max_num_queries(40):
        assert client.post(address(RosterEntry, "changelist"), chosen | {"index": "0"}).status_code == 200


def test_the_roster_is_given_out_without_formulae(classroom: Classroom, assistant: User) -> None:
    roster.take(classroom, [Student("=1+1", "@x"), Student("Müller, Ana", "")], exactly=False)
    assert client_of(assistant).get(page_of(classroom, "roster/export"))["Location"] == page_of(classroom)
    answer = client_of(assistant).post(page_of(classroom, "roster/export"))
    assert LogEntry.objects.get(user=assistant).change_message == "Saved the roster as a file."
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="photosynthesis-roster.csv"'
    assert answer.content.decode("utf-8-sig").splitlines() == [
        '"name","e-mail or number"',
        '"\'=1+1","\'@x"',
        '"Müller, Ana",""',
    ]
    assert answer.content.startswith(b"\xef\xbb\xbf")


def test_a_roster_lets_nobody_in_and_keeps_nobody_out(classroom: Classroom, teacher: User) -> None:
    assert Staff.objects.filter(classroom=classroom).count() == 2
    roster.take(classroom, [Student("assistant", "assistant")], exactly=False)
    assert Staff.objects.filter(classroom=classroom).count() == 2


def test_a_roster_is_named_after_its_classroom_and_one_goes_back_to_it(classroom: Classroom, teacher: User) -> None:
    entry = RosterEntry.objects.create(classroom=classroom, name="Ana")
    client = client_of(teacher)
    form = {"name": "Ana B", "identifier": "", "_continue": "1"}
    page = client.post(page_of(entry), form, follow=True)
    assert f"Roster of {classroom.title}" in text_of(page)
    assert "Ana B" in text_of(page)
    assert "field-classroom" not in text_of(page)
    assert "field-classroom" in text_of(client.get(address(RosterEntry, "changelist")))
