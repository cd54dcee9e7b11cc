"""Rosters: what schools' files say, what a list does to a roster, and who is missing."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from classrooms import class_list, roster
from classrooms.class_list import MAX_BYTES, MAX_STUDENTS, Student, Unreadable, Wrong, escape, missing, read
from classrooms.models import Classroom, Participant, RosterEntry
from tests.support.cast import make_classroom
from tests.support.teach import make_lesson

ANA, BEN = Student("Ana Müller", "ana@school.example"), Student("Ben O’Hara", "1042")
PLAIN = "name,email\nAna Müller,ana@school.example\nBen O’Hara,1042\n"


def names(classroom: Classroom) -> dict[str, str]:
    return dict(classroom.roster.values_list("name", "identifier"))


# --- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.encode("cp1252"),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode("utf-16"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        ("sep=;\n" + PLAIN.replace(",", ";")).encode(),
        ("\n\n" + PLAIN + ",,\n\n").encode(),
        "E-Mail;Nachname;Vorname\nana@school.example;Müller;Ana\n1042;O’Hara;Ben\n".encode(),
        'Class,Full name,Student ID\n7b,"Ana\nMüller",ana@school.example\n7b,  Ben   O’Hara ,1042\n'.encode(),
    ],
    ids=str,
)
def test_the_files_of_schools_are_read(content: bytes) -> None:
    sheet = read(content)
    assert (sheet.students, sheet.bad) == ([ANA, BEN], [])


def test_a_bare_list_of_names_needs_no_head() -> None:
    assert read(b"Ana\nBen\n").students == [Student("Ana", ""), Student("Ben", "")]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", Wrong.EMPTY),
        (b"\xef\xbb\xbf\n\n", Wrong.EMPTY),
        (b"name,email\n", Wrong.EMPTY),
        (b"a" * (MAX_BYTES + 1), Wrong.TOO_LARGE),
        (b"PK\x03\x04rest", Wrong.SPREADSHEET),
        (b"\xd0\xcf\x11\xe0rest", Wrong.SPREADSHEET),
        (b"%PDF-1.7\n", Wrong.NOT_TEXT),
        (b"\x81\x8d\x8f\x90", Wrong.NOT_TEXT),
        (b"name\nAna\0Ben\n", Wrong.NOT_TEXT),
        (b"\xff\xfea", Wrong.NOT_TEXT),
        (b'name\n"' + b"a" * 200_000 + b'"', Wrong.NOT_TEXT),
        (b"class,room\n7b,12\n", Wrong.NO_COLUMN),
        (b"name\n" + b"".join(b"S%d\n" % n for n in range(MAX_STUDENTS + 1)), Wrong.TOO_MANY),
    ],
)
def test_what_is_no_list_is_refused_for_a_reason(content: bytes, why: Wrong) -> None:
    with pytest.raises(Unreadable) as refused:
        read(content)
    assert refused.value.why == why


def test_bad_lines_are_named_and_the_others_are_taken() -> None:
    long = "x" * 81
    lines = f'Ana,1\n,2\n"Two\nlines",3\n{long},4\nAna B,1\nCid,{long}{long}\nAn\u202ea,5\nBen,6\n'
    sheet = read(f"name,id\n{lines}".encode())
    assert [student.name for student in sheet.students] == ["Ana", "Two lines", "Ben"]
    assert [(bad.line, bad.why, bad.earlier) for bad in sheet.bad] == [
        (3, Wrong.NO_NAME, 0),
        (6, Wrong.LONG_NAME, 0),
        (7, Wrong.TWICE, 2),
        (8, Wrong.LONG_IDENTIFIER, 0),
        (9, Wrong.HIDDEN, 0),
    ]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        sheet = read(content)
    except Unreadable:
        pass
    else:
        assert sheet.students or sheet.bad
        assert all(student.name.isprintable() and len(student.name) <= 80 for student in sheet.students)


@given(st.text(max_size=20))
def test_no_escaped_cell_is_a_formula(text: str) -> None:
    assert not escape(text).startswith(class_list.FORMULA)
    assert escape(text).endswith(text)


# --- who is missing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("came", "left"),
    [
        ([], ["Ana Müller", "Ana Weber", "Ben O’Hara"]),
        (["ana muller", "Weber, Ana", "BEN"], []),
        (["Ana"], ["Ana Müller", "Ana Weber", "Ben O’Hara"]),  # two could be meant
        (["Ana", "Ana Weber"], ["Ben O’Hara"]),
        (["Ben O’Hara jr.", "Zed"], ["Ana Müller", "Ana Weber"]),
        (["", "!!"], ["Ana Müller", "Ana Weber", "Ben O’Hara"]),
    ],
)
def test_who_is_missing(came: list[str], left: list[str]) -> None:
    listed = [Student(name, "") for name in ("Ana Müller", "Ana Weber", "Ben O’Hara")]
    assert [listed[place].name for place in missing(listed, [Student(name, "") for name in came])] == left


def test_an_account_counts_by_its_address() -> None:
    assert missing([ANA, BEN], [Student("A.", "ANA@school.example")]) == [1]


def test_of_two_with_the_same_name_one_who_came_leaves_one() -> None:
    twins = [Student("Ana Müller", "1"), Student("Ana Müller", "2")]
    assert missing(twins, [Student("Ana Müller", "")]) == [1]
    assert missing(twins, [Student("Ana Müller", "")] * 2) == []


@settings(max_examples=60)
@given(st.lists(st.text("ab ", max_size=6), max_size=6), st.lists(st.text("ab ", max_size=6), max_size=6))
def test_nobody_is_counted_twice(listed: list[str], came: list[str]) -> None:
    left = missing([Student(name, "") for name in listed], [Student(name, "") for name in came])
    assert len(listed) - len(came) <= len(left) <= len(listed)
    assert missing([Student(name, "") for name in listed], [Student(name, "") for name in listed]) == []


def test_a_name_is_taken_apart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    taken_apart: list[str] = []
    words = class_list._words
    monkeypatch.setattr(class_list, "_words", lambda name: words(taken_apart.append(name) or name))  # type: ignore[func-returns-value]
    listed = [Student(f"First{number} Last{number}", "") for number in range(200)]
    came = [Student(f"Guest{number} Other{number}", "") for number in range(100)]
    assert len(missing(listed, came)) == 200
    assert len(taken_apart) == len(listed) + len(came)


def test_the_absent_of_a_lesson(classroom: Classroom, teacher: User, ana: User) -> None:
    roster.take(classroom, [ANA, BEN, Student("Cid", ""), Student("Teacher", "")], exactly=False)
    lesson = make_lesson(classroom)
    User.objects.filter(pk=ana.pk).update(email="ana@school.example")
    for number, (name, role, user) in enumerate(
        [("A.", "student", ana), ("Cid", "student", None), ("Teacher", "instructor", teacher)], 1
    ):
        Participant.objects.create(lesson=lesson, number=number, name=name, color="#000000", role=role, user=user)
    assert [entry.name for entry in roster.absent(lesson)] == ["Ben O’Hara", "Teacher"]


def test_who_was_removed_has_not_come(classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    roster.take(classroom, [ANA, BEN], exactly=False)
    lesson = make_lesson(classroom)
    for number, student in enumerate((ANA, BEN), 1):
        Participant.objects.create(lesson=lesson, number=number, name=student.name, color="#000000")
    removed = {"u1": SimpleNamespace(removed=True), "u2": SimpleNamespace(removed=False)}
    monkeypatch.setattr("classrooms.replica.current", lambda pk: SimpleNamespace(people=removed))
    assert [entry.name for entry in roster.absent(lesson)] == [ANA.name]


# --- rosters -------------------------------------------------------------------------------------------------------


def test_a_list_is_previewed_before_anything_is_written(classroom: Classroom) -> None:
    roster.take(classroom, [ANA, Student("Cid", "")], exactly=False)
    before = names(classroom)
    taken = roster.preview(classroom, [Student("Ana Miller", "ANA@school.example"), Student("cid", ""), BEN])
    assert [kind for kind, *_ in taken.rows] == ["update", "update", "new"]
    assert (taken.gone, taken.count) == ([], 3)
    assert names(classroom) == before


def test_a_list_adds_changes_and_leaves_alone(classroom: Classroom) -> None:
    roster.take(classroom, [ANA, Student("Ben O’Hara", ""), Student("Cid", "")], exactly=False)
    again = [Student("Ana Miller", "ana@school.example"), BEN, Student("Cid", "")]
    taken = roster.take(classroom, again, exactly=False)
    assert [kind for kind, *_ in taken.rows] == ["update", "update", "skip"]
    assert names(classroom) == {"Ana Miller": "ana@school.example", "Ben O’Hara": "1042", "Cid": ""}
    roster.take(classroom, [Student("Ana Miller", "")], exactly=False)
    assert names(classroom)["Ana Miller"] == "ana@school.example"


def test_a_list_is_compared_without_a_write_or_a_transaction(classroom: Classroom) -> None:
    with CaptureQueriesContext(connection) as queries:
        roster.preview(classroom, [ANA, BEN])
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}


def test_a_list_that_came_between_is_reckoned_with(classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    compare = roster._compared

    def late(room: Classroom, students: Any) -> Any:
        result = compare(room, students)
        if not room.roster.exists():
            RosterEntry.objects.create(classroom=room, name=ANA.name, identifier=ANA.identifier)
        return result

    monkeypatch.setattr(roster, "_compared", late)
    taken = roster.take(classroom, [ANA, BEN], exactly=False)
    assert [kind for kind, *_ in taken.rows] == ["skip", "new"]
    assert names(classroom) == {ANA.name: ANA.identifier, BEN.name: BEN.identifier}


def test_a_list_replaces_the_roster_if_that_is_asked_for(classroom: Classroom) -> None:
    roster.take(classroom, [ANA, BEN], exactly=False)
    taken = roster.take(classroom, [BEN, Student("Cid", "")], exactly=True)
    assert [entry.name for entry in taken.gone] == ["Ana Müller"]
    assert set(names(classroom)) == {"Ben O’Hara", "Cid"}


def test_another_classrooms_students_are_never_found(classroom: Classroom, outsider: User) -> None:
    other = make_classroom(outsider, title="Theirs", code="AAAAAA")
    roster.take(other, [ANA], exactly=False)
    taken = roster.take(classroom, [Student("Taken", "ana@school.example")], exactly=True)
    assert [kind for kind, *_ in taken.rows] == ["new"]
    assert names(other) == {"Ana Müller": "ana@school.example"}
    assert names(classroom) == {"Taken": "ana@school.example"}


def test_a_roster_has_an_end(classroom: Classroom) -> None:
    many = [Student(f"Student {number}", "") for number in range(MAX_STUDENTS)]
    roster.take(classroom, many, exactly=False)
    with pytest.raises(Unreadable):
        roster.take(classroom, [ANA], exactly=False)
    assert classroom.roster.count() == MAX_STUDENTS
    roster.take(classroom, [ANA], exactly=True)
    assert names(classroom) == {ANA.name: ANA.identifier}


def test_what_is_given_out_is_taken_in_again_and_runs_nothing(classroom: Classroom) -> None:
    evil = Student('=HYPERLINK("http://evil.example";"Ana")', "@SUM(A1)")
    roster.take(classroom, [evil, ANA, Student('Quote "x", y', "+49 1")], exactly=False)
    before = names(classroom)
    text = roster.given(classroom)
    assert "'=HYPERLINK" in text
    cells = [cell.strip('"') for row in text.splitlines() for cell in row.split(",")]
    assert all(row.startswith('"') for row in text.splitlines())
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))]
    RosterEntry.objects.all().delete()
    roster.take(classroom, read(text.encode()).students, exactly=False)
    assert names(classroom) == before
