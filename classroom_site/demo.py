"""The demo classroom of `make run`: an instructor, a small deck, and a lesson that is live at every start."""

import dataclasses
import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from classroom_site import kept
from classrooms import access, actions
from classrooms.models import CODE_ALPHABET, CODE_LENGTH, Classroom, Lesson, Staff
from whiteboard import slides
from whiteboard.models import Deck

TITLE = "Photosynthesis"
PDF = Path(__file__).resolve().parent.parent / "demo" / "photosynthesis.pdf"


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the demo shall be. An empty `password` means the one kept in DATA_DIR, drawn at the first start."""

    code: str
    user: str
    password: str


@dataclasses.dataclass(frozen=True)
class Demo:
    """Who teaches where. `password` is None when the instructor has chosen one that only they know."""

    code: str
    user: str
    password: str | None


def wanted(*, code: str, user: str, password: str) -> Wanted:
    """Return the demo that is asked for, its code as it is stored; ValueError with a reason where it cannot be."""
    tidy = access.normalise(code)
    if len(tidy) != CODE_LENGTH or not set(tidy) <= set(CODE_ALPHABET):
        raise ValueError(f"{code!r} is no join code, which takes {CODE_LENGTH} of {CODE_ALPHABET}")
    try:
        User.username_validator(user)
    except ValidationError:
        raise ValueError(f"{user!r} is no user name, which takes letters, digits and @.+-_") from None
    return Wanted(tidy, user, password)


def ensure(wanted: Wanted) -> Demo:
    """Make what is missing of the demo, keep what is there, and start a lesson unless one is live."""
    with transaction.atomic():
        teacher, password = _instructor(wanted.user, wanted.password)
        classroom = _classroom(wanted.code, teacher)
    if not classroom.lessons.filter(status=Lesson.Status.LIVE).exists():
        actions.start(classroom, title=TITLE, decks=[_deck(teacher)], by=None)
    return Demo(classroom.code, wanted.user, password)


def _instructor(name: str, wanted: str) -> tuple[User, str | None]:
    teacher, new = User.objects.get_or_create(
        username=name, defaults={"first_name": name.capitalize()[:40], "is_staff": True}
    )
    password = wanted or kept.secret(settings.DATA_DIR / "demo_password", _draw_password)
    fits = not new and teacher.check_password(password)
    if new or (wanted and not fits):
        teacher.set_password(password)
        teacher.save()
        fits = True
    if new:
        teacher.groups.add(Group.objects.get_or_create(name="Instructors")[0])
    return teacher, password if fits else None


def _draw_password() -> str:
    return "-".join("".join(secrets.choice(CODE_ALPHABET.lower()) for _ in range(4)) for _ in range(4))


def _classroom(code: str, teacher: User) -> Classroom:
    """Return the demo's classroom, also where its code or title was changed since it was made for `code`."""
    mark = settings.DATA_DIR / f"demo_classroom_{code}"
    classroom = Classroom.objects.filter(code=code).first() or _marked(mark)
    new = classroom is None
    if classroom is None:
        classroom = Classroom.objects.create(code=code, title="Demo classroom")
    mark.write_text(_sign_of(classroom))
    role = Staff.Role.OWNER if new else Staff.Role.INSTRUCTOR  # another DEMO_USER than last time teaches there too
    Staff.objects.get_or_create(classroom=classroom, user=teacher, defaults={"role": role})
    return classroom


def _marked(mark: Path) -> Classroom | None:
    text = mark.read_text() if mark.exists() else ""
    number = text.split()[0] if text else ""
    found = Classroom.objects.filter(pk=number).first() if number.isdecimal() else None
    return found if found is not None and _sign_of(found) == text else None


def _sign_of(classroom: Classroom) -> str:
    """Return what names a classroom in this database and no other: its number and when it was made."""
    return f"{classroom.pk} {classroom.created_at.isoformat()}"


def _deck(owner: User) -> Deck:
    ready = Deck.objects.filter(owner=owner, title=TITLE, hidden=False, status=Deck.Status.READY).first()
    if ready is None:
        with PDF.open("rb") as file:
            ready = slides.receive(owner, TITLE, UploadedFile(file, name=PDF.name, size=PDF.stat().st_size))
        slides.convert.call(ready.pk)  # at once, so that the first lesson opens on its slides
        ready.refresh_from_db()
    return ready
