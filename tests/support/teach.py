"""Going about at /teach/: addresses, rows, answers."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from classrooms.models import Classroom, Lesson, Staff


def client_of(user: User) -> Client:
    """Return a browser that is signed in."""
    client = Client()
    client.force_login(user)
    return client


def make_lesson(classroom: Classroom, **fields: Any) -> Lesson:
    """Make a lesson's row, without a log."""
    return Lesson.objects.create(classroom=classroom, **{"title": "Lesson", "status": "live"} | fields)


def address(model: type[Model], page: str, *args: object) -> str:
    """Return the address of one of a model's pages."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args, current_app="teach")


def page_of(row: Model, page: str = "change") -> str:
    """Return the address of one of a row's pages; those of our own, too, by their last word."""
    if page in ("change", "delete", "history"):
        return address(type(row), page, row.pk)
    return address(type(row), "change", row.pk).removesuffix("change/") + f"{page}/"


def stored(row: Model) -> dict[str, Any] | None:
    """Return the row as the database has it."""
    return type(row)._default_manager.filter(pk=row.pk).values().first()


def text_of(response: Any) -> str:
    """Return the page."""
    return str(response.content.decode())


def refused(response: Any) -> bool:
    """Whether the answer is a refusal: forbidden, not there, not possible, or sent away from the row."""
    return response.status_code in (400, 403, 404) or (
        response.status_code == 302 and response["Location"].split("?")[0] in ("/teach/", "/teach/login/")
    )


def roles(classroom: Classroom) -> dict[str, str]:
    """Return the staff: role by user name."""
    return dict(classroom.staff.values_list("user__username", "role"))


def staff_rows(
    classroom: Classroom, *rows: tuple[Staff, str, bool], new: tuple[str, str] | None = None
) -> dict[str, Any]:
    """Return the staff part of a classroom's form: rows with their role and whether to delete them, and a new one."""
    data: dict[str, Any] = {"staff-TOTAL_FORMS": len(rows) + bool(new), "staff-INITIAL_FORMS": len(rows)}
    for number, (staff, role, delete) in enumerate(rows):
        data |= {f"staff-{number}-id": staff.pk, f"staff-{number}-classroom": classroom.pk}
        data |= {f"staff-{number}-role": role} | ({f"staff-{number}-DELETE": "on"} if delete else {})
    if new:
        number = len(rows)
        data |= {f"staff-{number}-username": new[0], f"staff-{number}-role": new[1]}
        data |= {f"staff-{number}-classroom": classroom.pk}
    return data
