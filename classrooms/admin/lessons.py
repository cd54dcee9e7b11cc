"""Lessons at /teach/: what is live, what has ended, and ending one."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from classrooms import actions
from classrooms.admin.site import OwnedAdmin, teach, user_of, when
from classrooms.models import Lesson
from classrooms.refusals import Refused


@admin.register(Lesson, site=teach)
class LessonAdmin(OwnedAdmin):
    """The lessons of the user's classrooms. They are started from a classroom, and read-only: the log is theirs."""

    owner_path = "classroom__staff__user"
    fields = readonly_fields = ("title", "classroom", "state", "started", "ended", "people")
    list_display = ["title", "classroom", "state", "started", "ended", "people"]
    list_filter = ["status", ("classroom", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["classroom"]
    search_fields = ["title"]

    @admin.display(description="Now", ordering="status")
    def state(self, lesson: Lesson) -> str:
        """Name the state; a live lesson can be opened."""
        if lesson.status != Lesson.Status.LIVE:
            return lesson.get_status_display()
        return format_html('<a class="chip on" href="{}">Live</a>', reverse("lesson", args=[lesson.pk]))

    @admin.display(description="Started", ordering="started_at")
    def started(self, lesson: Lesson) -> str:
        """Say when it began."""
        return when(lesson.started_at)

    @admin.display(description="Ended", ordering="ended_at")
    def ended(self, lesson: Lesson) -> str:
        """Say when it ended."""
        return when(lesson.ended_at)

    @admin.display(description="People", ordering="seats")
    def people(self, lesson: Lesson) -> int:
        """Count who has taken a seat."""
        return lesson.seats

    def get_urls(self) -> list[URLPattern]:
        """Add the page that ends a lesson."""
        end = self.admin_site.admin_view(self.end_view)
        return [path("<int:pk>/end/", end, name="classrooms_lesson_end"), *super().get_urls()]

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask once more, then end the lesson. No atomic block: the log would wait for it."""
        lesson = self.require(request, str(pk))
        page = reverse("admin:classrooms_lesson_change", args=[lesson.pk], current_app=self.admin_site.name)
        if request.method != "POST":
            context: dict[str, Any] = {"title": "End the lesson?", "opts": self.opts, "lesson": lesson}
            context |= self.admin_site.each_context(request)
            return TemplateResponse(request, "admin/classrooms/lesson/end.html", context)
        try:
            actions.end(lesson, by=user_of(request))
        except Refused as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            self.log_change(request, lesson, "Ended the lesson.")
            self.message_user(request, f"“{lesson.title}” has ended.", messages.SUCCESS)
        return redirect(page)
