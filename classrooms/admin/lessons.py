"""Lessons at /teach/: what is live, what has ended, who was there, and ending one."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from tablib import Dataset

from classrooms import actions, attendance, class_list, replica, roster
from classrooms.admin.site import OwnedAdmin, said, teach, user_of, when
from classrooms.lesson import LessonState
from classrooms.models import Attendance, Lesson
from classrooms.refusals import Refused

PEOPLE = 100  # on a page of the attendance
ROLES = {
    "instructor": gettext_lazy("Instructor"),
    "assistant": gettext_lazy("Assistant"),
    "student": gettext_lazy("Student"),
}


@admin.register(Lesson, site=teach)
class LessonAdmin(OwnedAdmin):
    """The lessons of the user's classrooms. They are started from a classroom, and read-only: the log is theirs."""

    owner_path = "classroom__staff__user"
    fields = readonly_fields = ("classroom", "state", "started", "ended", "length", "pages", "readable")
    list_display = ["title", "classroom", "state", "started", "length", "people"]
    list_filter = ["status", ("classroom", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["classroom"]
    search_fields = ["title"]

    def get_fields(self, request: HttpRequest, obj: Lesson | None = None) -> Any:
        """Leave out what only an ended lesson has."""
        fields = super().get_fields(request, obj)
        if obj is None or obj.status == Lesson.Status.ENDED:
            return fields
        return [name for name in fields if name not in ("ended", "readable")]

    @admin.display(description=gettext_lazy("Now"), ordering="status")
    def state(self, lesson: Lesson) -> str:
        """Name the state; a live lesson can be opened."""
        if lesson.status != Lesson.Status.LIVE:
            return lesson.get_status_display()
        return format_html('<a class="chip on" href="{}">{}</a>', reverse("lesson", args=[lesson.pk]), _("Live"))

    @admin.display(description=gettext_lazy("Started"), ordering="started_at")
    def started(self, lesson: Lesson) -> str:
        """Say when it began."""
        return when(lesson.started_at)

    @admin.display(description=gettext_lazy("Ended"), ordering="ended_at")
    def ended(self, lesson: Lesson) -> str:
        """Say when it ended."""
        return when(lesson.ended_at)

    @admin.display(description=gettext_lazy("Length"))
    def length(self, lesson: Lesson) -> str:
        """Say how long it took, so far while it is live."""
        if lesson.status == Lesson.Status.STARTING:
            return ""
        until = lesson.ended_at or timezone.now()
        return minutes(int((until - lesson.started_at).total_seconds() * 1000))

    @admin.display(description=gettext_lazy("Pages"))
    def pages(self, lesson: Lesson) -> int | None:
        """Count its pages, while they are kept."""
        return len(replica.current(lesson.pk).pages) if lesson.emptied_at is None else None

    @admin.display(description=gettext_lazy("Students can look at it until"))
    def readable(self, lesson: Lesson) -> str:
        """Say until when the boards are there for students."""
        return when(lesson.readable_until)

    @admin.display(description=gettext_lazy("People"), ordering="seats")
    def people(self, lesson: Lesson) -> int:
        """Count who has taken a seat."""
        return lesson.seats

    def row_views(self) -> dict[str, Callable[..., HttpResponseBase]]:
        """Return the page that ends a lesson, and the attendance as a file."""
        return {"end": self.end_view, "attendance": self.attendance_view}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show who was there below what is known of the lesson."""
        lesson = self.get_object(request, object_id)
        context = extra_context or {}
        if lesson is not None:
            rows = Paginator(attendance.attended(lesson.pk), PEOPLE).get_page(request.GET.get("page"))
            state = replica.current(lesson.pk)
            context |= {
                "attendance": [(*shown, minutes(present)) for *shown, present in (_shown(row, state) for row in rows)],
                "part": rows,
                "absent": roster.absent(lesson) if lesson.status == Lesson.Status.ENDED else [],
                "has_roster": lesson.classroom.roster.exists(),
            }
        return super().change_view(request, object_id, form_url, context)

    def attendance_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return who was there, and who of the roster was not, as CSV; no cell is a formula. The history notes it."""
        lesson = self.require(request, str(pk))
        if request.method != "POST":
            return redirect(reverse("admin:classrooms_lesson_change", args=[pk], current_app=self.admin_site.name))
        state = replica.current(lesson.pk)
        table = Dataset(headers=["name", "role", "first seen", "last seen", "minutes"])
        for row in attendance.attended(lesson.pk):
            name, role, first, last, present = _shown(row, state)
            table.append([class_list.escape(name), role, _iso(first), _iso(last), round(present / 60_000, 1)])
        for entry in roster.absent(lesson):
            table.append([class_list.escape(entry.name), "absent", "", "", 0])
        self.log_change(request, lesson, "Saved the attendance as a file.")
        response = HttpResponse("\ufeff" + roster.as_csv(table), content_type="text/csv; charset=utf-8")
        name = slugify(f"{lesson.title} {lesson.started_at:%Y-%m-%d}") or "attendance"
        response["Content-Disposition"] = f'attachment; filename="attendance-{name}.csv"'
        return response

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask once more, then end the lesson. No atomic block: the log would wait for it."""
        lesson = self.require(request, str(pk))
        page = reverse("admin:classrooms_lesson_change", args=[lesson.pk], current_app=self.admin_site.name)
        if request.method != "POST":
            context: dict[str, Any] = {"title": _("End the lesson?"), "opts": self.opts, "lesson": lesson}
            context |= self.admin_site.each_context(request)
            return TemplateResponse(request, "admin/classrooms/lesson/end.html", context)
        try:
            actions.end(lesson, by=user_of(request))
        except Refused as refusal:
            self.message_user(request, said(refusal), messages.ERROR)
        else:
            self.log_change(request, lesson, "Ended the lesson.")
            text = _("“%(title)s” has ended.") % {"title": lesson.title}
            self.message_user(request, text, messages.SUCCESS)
        return redirect(page)


def minutes(milliseconds: int) -> str:
    """Say how long something took, in whole minutes; less than one is said so."""
    whole = round(milliseconds / 60_000)
    if whole < 1:
        return _("under a minute")
    if whole < 60:
        return ngettext("%(n)d minute", "%(n)d minutes", whole) % {"n": whole}
    return _("%(hours)d h %(minutes)02d min") % {"hours": whole // 60, "minutes": whole % 60}


def _shown(row: Attendance, state: LessonState) -> tuple[str, str, datetime, datetime, int]:
    """Return name and role as the lesson knows them, first and last moment, and the ms between that they were there."""
    person = state.people.get(row.participant.key)
    name = person.name if person else row.participant.name
    role = person.role if person else row.participant.role
    return name, str(ROLES[role]), _moment(row.first_at), _moment(row.last_at), row.present


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


def _iso(moment: datetime) -> str:
    return timezone.localtime(moment).isoformat(" ", "seconds")
