"""A classroom's roster: lists of students taken in and given out, and who of it is missing in a lesson."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from import_export import fields, resources
from import_export.results import Result, RowResult
from tablib import Dataset

from classrooms import class_list, replica
from classrooms.class_list import Student
from classrooms.models import Classroom, Lesson, Participant, RosterEntry

COLUMNS = ("name", "e-mail or number")


class RosterResource(resources.ModelResource):  # type: ignore[type-arg]  # its stub alone is generic
    """The roster of one classroom: no file names another, and no row of another is found.

    A row is the student with its identifier, else the one with its name who has none or whom alone it can mean.
    """

    name = fields.Field(attribute="name", column_name=COLUMNS[0])
    identifier = fields.Field(attribute="identifier", column_name=COLUMNS[1])

    class Meta:
        model = RosterEntry
        fields = ("name", "identifier")
        import_id_fields = ()
        skip_unchanged = True
        report_skipped = True
        store_instance = True
        use_bulk = True
        batch_size = 500

    def __init__(self, classroom: Classroom) -> None:
        super().__init__()
        self.classroom = classroom
        self._by_identifier: dict[str, RosterEntry] = {}
        self._by_name: dict[str, list[RosterEntry]] = {}

    def get_queryset(self) -> QuerySet[RosterEntry]:
        """Return this classroom's rows."""
        return RosterEntry.objects.filter(classroom=self.classroom)

    def before_import(self, dataset: Dataset, **kwargs: Any) -> None:
        """Read the roster once, not for each row."""
        for entry in self.get_queryset():
            if entry.identifier:
                self._by_identifier[entry.identifier.casefold()] = entry
            self._by_name.setdefault(entry.name.casefold(), []).append(entry)

    def get_instance(self, instance_loader: Any, row: Any) -> RosterEntry | None:
        """Return the student of a row, None for a new one."""
        name, identifier = row[COLUMNS[0]].casefold(), row[COLUMNS[1]].casefold()
        if identifier in self._by_identifier:
            return self._by_identifier[identifier]
        alike = [one for one in self._by_name.get(name, []) if not (identifier and one.identifier)]
        return alike[0] if len(alike) == 1 else None

    def init_instance(self, row: Any = None) -> RosterEntry:
        """Begin a new student, in this classroom whatever a row says."""
        return RosterEntry(classroom=self.classroom)

    def import_field(self, field: Any, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        """Keep an identifier that a row leaves out."""
        if field.attribute != "identifier" or row[COLUMNS[1]]:
            super().import_field(field, instance, row, is_m2m, **kwargs)

    def dehydrate_name(self, entry: RosterEntry) -> str:
        """Return a name as a spreadsheet may have it."""
        return class_list.escape(entry.name)

    def dehydrate_identifier(self, entry: RosterEntry) -> str:
        """Return an identifier as a spreadsheet may have it."""
        return class_list.escape(entry.identifier)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a list does, or would do, to a roster."""

    rows: list[tuple[str, str, str]]  # "new", "update" or "skip", name, identifier: escaped, for showing
    gone: list[RosterEntry]  # who is on the roster and not on the list
    count: int  # students on the roster, if those who are not on the list stay


def preview(classroom: Classroom, students: Sequence[Student]) -> Taken:
    """Say what a list would do. Writes nothing."""
    return _taken(classroom, _compared(classroom, students))


def take(classroom: Classroom, students: Sequence[Student], *, exactly: bool) -> Taken:
    """Put a list's students on the roster; `exactly`: and take everybody else off. All of it or nothing.

    Raises Unreadable (too_many) where the roster would be longer than it may be.
    """
    seen = _rows(classroom)
    result = _compared(classroom, students)
    with transaction.atomic():  # on SQLite every lesson's ink waits for it
        Classroom.objects.select_for_update().get(pk=classroom.pk)  # one list at a time
        if _rows(classroom) != seen:  # another list came between
            result = _compared(classroom, students)
        taken = _taken(classroom, result)
        if taken.count - (len(taken.gone) if exactly else 0) > class_list.MAX_STUDENTS:
            raise class_list.Unreadable(class_list.Wrong.TOO_MANY)
        if exactly:
            RosterEntry.objects.filter(classroom=classroom, pk__in=[one.pk for one in taken.gone]).delete()
        _write(result)
    return taken


def written(students: Sequence[Student]) -> str:
    """Return a list as CSV, as `class_list.read` reads it; no cell is a formula."""
    cells = ([class_list.escape(cell) for cell in student] for student in students)
    return as_csv(Dataset(*cells, headers=COLUMNS))


def given(classroom: Classroom) -> str:
    """Return the roster as CSV, as `class_list.read` reads it; no cell is a formula."""
    resource = RosterResource(classroom)
    return as_csv(resource.export(resource.get_queryset()))


def as_csv(table: Dataset) -> str:
    """Return a table as CSV, each cell in quotes: where a list is parted at semicolons, one in a name parts nothing."""
    return str(table.export("csv", quoting=csv.QUOTE_ALL))


def absent(lesson: Lesson) -> list[RosterEntry]:
    """Return who is on the roster and was not in the lesson, as far as names tell; accounts count by their address.

    Who was removed does not count as having come.
    """
    entries = list(lesson.classroom.roster.all())
    people = Participant.objects.filter(lesson=lesson).exclude(role__in=("instructor", "assistant"))
    known = replica.current(lesson.pk).people
    came = [
        Student(one.name, login)
        for one in people.select_related("user")
        if not (one.key in known and known[one.key].removed)
        for login in ([one.user.email or one.user.get_username()] if one.user else [""])
    ]
    places = class_list.missing([Student(entry.name, entry.identifier) for entry in entries], came)
    return [entries[place] for place in places]


def _rows(classroom: Classroom) -> list[tuple[Any, ...]]:
    return list(classroom.roster.order_by("pk").values_list("pk", "name", "identifier"))


def _compared(classroom: Classroom, students: Sequence[Student]) -> Result:
    """Return what a list would do, with the rows as they would be. Writes nothing, and so has no transaction.

    `import_data` would open one for a dry run, whatever it is told, and on SQLite every lesson's ink would wait.
    """
    rows = Dataset(*students, headers=COLUMNS)
    result: Result = RosterResource(classroom).import_data_inner(
        rows, dry_run=True, raise_errors=True, using_transactions=False, collect_failed_rows=False
    )
    return result


def _write(result: Result) -> None:
    """Write the rows as the comparison has them."""
    new: list[Any] = [row.instance for row in result.rows if row.import_type == RowResult.IMPORT_TYPE_NEW]
    old: Any = {row.instance.pk: row.instance for row in result.rows if row.import_type == RowResult.IMPORT_TYPE_UPDATE}
    RosterEntry.objects.bulk_update(old.values(), ["name", "identifier"], batch_size=500)
    RosterEntry.objects.bulk_create(new)


def _taken(classroom: Classroom, result: Result) -> Taken:
    rows: list[tuple[str, str, str]] = []
    kept, new = set(), 0
    for row in result.rows:
        entry: Any = row.instance
        kept.add(entry.pk)
        new += row.import_type == RowResult.IMPORT_TYPE_NEW
        rows.append((row.import_type, class_list.escape(entry.name), class_list.escape(entry.identifier)))
    entries = list(classroom.roster.all())
    return Taken(rows, [one for one in entries if one.pk not in kept], len(entries) + new)
