"""Pure: a school's list of students, as its programs and spreadsheets write one: bytes in, names with their lines out.

Also which names of a list are missing among the people who came, and how a cell is kept from being a formula.
"""

import codecs
import csv
import enum
import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)

MAX_BYTES: Final = 1024 * 1024
MAX_STUDENTS: Final = 2000  # on one roster
MAX_NAME: Final = 80
MAX_IDENTIFIER: Final = 120  # an e-mail address, or a number that the school gives
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the beginning of one

_NAMES = frozenset({"name", "names", "fullname", "student", "students", "studentname", "schüler", "schülerin"})
_FIRST = frozenset({"firstname", "first", "given", "givenname", "forename", "vorname", "rufname"})
_LAST = frozenset({"lastname", "last", "surname", "familyname", "family", "nachname", "familienname"})
_IDENTIFIERS = frozenset(
    {
        "email", "emailaddress", "mail", "id", "identifier", "studentid", "studentnumber", "number", "username",
        "login", "emailorid", "emailornumber", "nummer", "matrikelnummer", "emailadresse", "benutzername",
    }
)  # fmt: skip


class Wrong(enum.StrEnum):
    """Why a file, or a line of it, is not taken. The door has a sentence for each."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    SPREADSHEET = "spreadsheet"
    NOT_TEXT = "not_text"
    NO_COLUMN = "no_column"
    TOO_MANY = "too_many"
    NO_NAME = "no_name"
    LONG_NAME = "long_name"
    LONG_IDENTIFIER = "long_identifier"
    HIDDEN = "hidden"
    TWICE = "twice"


class Unreadable(ValueError):  # noqa: N818 - it says what the file is
    """A file that is no list of students; `why` says what it is instead."""

    def __init__(self, why: Wrong) -> None:
        super().__init__(why)
        self.why = why


class Student(NamedTuple):
    """Somebody on a list; `identifier` may be empty."""

    name: str
    identifier: str


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that is not taken. `line` counts from 1, as an editor does; `earlier` is the line that said it first."""

    line: int
    text: str
    why: Wrong
    earlier: int = 0


@dataclass(slots=True)
class Sheet:
    """What a file says: students in its order, and what of it is not taken."""

    students: list[Student] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)


def read(content: bytes) -> Sheet:
    """Read a file. Raises Unreadable. Separators, encodings, byte-order marks and the order of columns are forgiven."""
    rows = _rows(_text(content))
    if not rows:
        raise Unreadable(Wrong.EMPTY)
    columns = _columns(rows[0][1])
    if columns is None and max(len(_filled(cells)) for _, cells in rows) == 1:
        columns = _Columns(name=0)  # a bare list of names
    elif columns is None:
        raise Unreadable(Wrong.NO_COLUMN)
    else:
        rows = rows[1:]
    if not rows:
        raise Unreadable(Wrong.EMPTY)
    if len(rows) > MAX_STUDENTS:
        raise Unreadable(Wrong.TOO_MANY)
    return _sheet(rows, columns)


def escape(value: str) -> str:
    """Return a cell that a spreadsheet takes for text, whatever it begins with."""
    return f"'{value}" if value.startswith(FORMULA) else value


def missing(students: Sequence[Student], came: Iterable[Student]) -> list[int]:
    """Return the places of those on a list who are not among the people who came, as far as names tell.

    People type their names as they like: word order, case, accents and a left-out family name do not matter, as long
    as no two on the list could be meant; then both stay missing. An equal `identifier` always counts.
    """
    left = dict(enumerate(_words(student.name) for student in students))
    people = [(person.identifier.casefold(), _words(person.name)) for person in came]
    identifiers = _places((place, students[place].identifier.casefold()) for place in left)
    rest = [words for identifier, words in people if not (identifier and _take(left, identifiers.get(identifier, [])))]
    names = _places(left.items())
    rest = [words for words in rest if not _take(left, names.get(words, []))]
    parts = _places((place, word) for place, words in left.items() for word in words)
    for words in rest:
        shared = Counter(place for word in words for place in parts.get(word, []) if place in left)
        found = [place for place, count in shared.items() if count in (len(words), len(left[place]))]
        if len(found) == 1:  # two who share only a part of a name stay
            del left[found[0]]
    return list(left)


# --- reading -------------------------------------------------------------------------------------------------------


def _text(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise Unreadable(Wrong.TOO_LARGE)
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Unreadable(Wrong.SPREADSHEET)
    encoding = _encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252" if encoding == "utf-8" else encoding)  # Excel's, in much of Europe
        except UnicodeDecodeError:
            raise Unreadable(Wrong.NOT_TEXT) from None
    if "\0" in text or content.startswith(b"%PDF"):
        raise Unreadable(Wrong.NOT_TEXT)
    return text.removeprefix("\ufeff")


def _encoding(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if content[1:40:2].count(0) > len(content[1:40:2]) / 2:
        return "utf-16-le"
    if content[0:40:2].count(0) > len(content[0:40:2]) / 2:
        return "utf-16-be"
    return "utf-8"


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Return the rows that hold anything, each with the line on which it begins."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    skipped = 0
    mark = ""
    if lines[0].lower().startswith("sep=") and len(lines[0].strip()) == 5:  # Excel's own way to name it
        mark, skipped = lines[0].strip()[4], 1
    head = next((line for line in lines[skipped:] if line.strip()), "")
    mark = mark or max(",;\t", key=head.count)
    reader = csv.reader((f"{line}\n" for line in lines[skipped:]), delimiter=mark)
    rows = []
    begins = 1
    try:
        for cells in reader:
            if _filled(cells):
                rows.append((begins + skipped, cells))
            begins = reader.line_num + 1
    except csv.Error:
        raise Unreadable(Wrong.NOT_TEXT) from None
    return rows


def _filled(cells: list[str]) -> list[str]:
    return [cell for cell in cells if cell.strip()]


class _Columns(NamedTuple):
    name: int | None = None
    first: int | None = None
    last: int | None = None
    identifier: int | None = None


def _columns(head: list[str]) -> _Columns | None:
    """Return which column holds what, None where the first row names none that holds names."""
    keys = ["".join(char for char in cell.casefold() if char.isalnum()) for cell in head]

    def place(words: frozenset[str]) -> int | None:
        return next((number for number, key in enumerate(keys) if key in words), None)

    found = _Columns(place(_NAMES), place(_FIRST), place(_LAST), place(_IDENTIFIERS))
    return None if (found.name, found.first, found.last) == (None, None, None) else found


def _sheet(rows: list[tuple[int, list[str]]], columns: _Columns) -> Sheet:
    sheet = Sheet()
    seen: dict[str, int] = {}
    for line, cells in rows:
        student = _student(cells, columns)
        why = _wrong(student)
        key = student.identifier.casefold() or " ".join(sorted(_words(student.name)))
        if why is None and key in seen:
            why = Wrong.TWICE
        if why is None:
            seen[key] = line
            sheet.students.append(student)
        else:
            sheet.bad.append(Bad(line, " ".join(_filled(cells))[:MAX_NAME], why, seen.get(key, 0)))
    return sheet


def _student(cells: list[str], columns: _Columns) -> Student:
    def cell(number: int | None) -> str:
        text = cells[number] if number is not None and number < len(cells) else ""
        if text.startswith("'") and text[1:].startswith(FORMULA):
            text = text[1:]  # as `escape` writes it
        return unicodedata.normalize("NFC", " ".join(text.split()))

    name = cell(columns.name) or f"{cell(columns.first)} {cell(columns.last)}".strip()
    return Student(name, cell(columns.identifier))


def _wrong(student: Student) -> Wrong | None:
    if not any(char.isalnum() for char in student.name):
        return Wrong.NO_NAME
    if len(student.name) > MAX_NAME:
        return Wrong.LONG_NAME
    if len(student.identifier) > MAX_IDENTIFIER:
        return Wrong.LONG_IDENTIFIER
    return None if (student.name + student.identifier).isprintable() else Wrong.HIDDEN


# --- who is missing ------------------------------------------------------------------------------------------------


def _words(name: str) -> frozenset[str]:
    plain = "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))
    return frozenset("".join(char if char.isalnum() else " " for char in plain.casefold()).split())


def _places(keyed: Iterable[tuple[int, Key]]) -> dict[Key, list[int]]:
    """Return which places have which key, in the list's order."""
    found: dict[Key, list[int]] = {}
    for place, key in keyed:
        found.setdefault(key, []).append(place)
    return found


def _take(left: dict[int, frozenset[str]], places: list[int]) -> bool:
    """Take the first of the places that is left off both; whether there was one."""
    while places:
        place = places.pop(0)
        if left.pop(place, None) is not None:
            return True
    return False
