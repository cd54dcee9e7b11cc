"""Classrooms at /teach/: settings, join card, staff."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import segno
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classrooms import access, actions, hub
from classrooms.admin.roster import RosterViews
from classrooms.admin.site import role_in, said, teach, user_of
from classrooms.admin.staff import LEADS, HandOnForm, StaffInline, told
from classrooms.admin.start import StartViews
from classrooms.models import Classroom, Lesson, Staff
from classrooms.refusals import Refused

PAST = 8  # lessons on the classroom's page; the others are in the list of lessons
CHOICES = {
    "draw": {
        "everyone": gettext_lazy("Everyone"),
        "chosen": gettext_lazy("Chosen"),
        "staff": gettext_lazy("Staff"),
    },
    "edit": {"own": gettext_lazy("Their own"), "shared": gettext_lazy("Each other's too")},
    "door": {"open": gettext_lazy("Open"), "locked": gettext_lazy("Locked")},
}


class ClassroomForm(forms.ModelForm[Classroom]):
    """What every lesson of the classroom begins with."""

    class Meta:
        model = Classroom
        fields = ["title", "draw", "edit", "door", "chat", "roam", "retention"]
        labels = {
            "draw": gettext_lazy("Who may draw"),
            "edit": gettext_lazy("Whose drawing students may change"),
            "door": gettext_lazy("Door"),
            "chat": gettext_lazy("Students may chat"),
            "roam": gettext_lazy("Students may turn pages"),
            "retention": gettext_lazy("Days that students can look at the pages after a lesson"),
        }
        help_texts = {
            "draw": gettext_lazy("Each lesson begins like this; you can change it while you teach."),
            "door": gettext_lazy("Locked: nobody new comes in until you open it."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, words in CHOICES.items():
            if name in self.fields:  # those who may only look get no fields
                cast(forms.ChoiceField, self.fields[name]).choices = list(words.items())
        if "retention" in self.fields:
            self.fields["retention"].required = False

    def clean_retention(self) -> int:
        """Read an empty field as what the classroom has."""
        return self.cleaned_data["retention"] or self.instance.retention


@admin.register(Classroom, site=teach)
class ClassroomAdmin(StartViews, RosterViews):
    """The classrooms that the user teaches in."""

    owner_path = "staff__user"
    form = ClassroomForm
    radio_fields = {"draw": admin.HORIZONTAL, "edit": admin.HORIZONTAL, "door": admin.HORIZONTAL}
    list_display = ["title", "code", "live"]
    search_fields = ["title"]
    inlines = [StaffInline]

    @admin.display(description=gettext_lazy("Now"))
    def live(self, classroom: Classroom) -> str:
        """Say whether a lesson is live."""
        return _("Live") if classroom.lessons.filter(status=Lesson.Status.LIVE).exists() else "–"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let instructors make classrooms before they own one."""
        return access.is_instructor(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let those who lead a classroom change it."""
        if not isinstance(obj, Classroom):
            return self.admin_site.has_permission(request)
        return role_in(obj, request) in LEADS

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let the owner delete a classroom that never had a lesson: lessons and their logs are kept."""
        if not isinstance(obj, Classroom):
            return False
        return role_in(obj, request) == Staff.Role.OWNER and not obj.lessons.exists()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the staff among what goes with a classroom, without asking for a right of its own."""
        listed, counts, needed, protected = super().get_deleted_objects(objs, request)
        return listed, counts, needed - {Staff._meta.verbose_name}, protected

    def get_inlines(self, request: HttpRequest, obj: Classroom | None) -> list[Any]:
        """Ask for colleagues once there is a classroom for them."""
        return self.inlines if obj else []

    def save_model(self, request: HttpRequest, obj: Classroom, form: Any, change: bool) -> None:
        """Make the creator the owner; the owner is no field of any form."""
        super().save_model(request, obj, form, change)
        if not change:
            Staff.objects.create(classroom=obj, user=user_of(request), role=Staff.Role.OWNER)

    def response_add(self, request: HttpRequest, obj: Classroom, post_url_continue: Any = None) -> HttpResponse:
        """Go to its page, and say what comes next."""
        self.message_user(request, _("Made. Next: start a lesson, or add colleagues."), messages.SUCCESS)
        return redirect("admin:classrooms_classroom_change", obj.pk)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save the staff, and tell the lesson that is live."""
        super().save_formset(request, form, formset, change)
        changed = [staff for staff, _ in formset.changed_objects] + formset.new_objects
        told(request, changed=changed, gone=formset.deleted_objects)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the settings below the join card and the lesson."""
        classroom = self.get_object(request, object_id)
        context = extra_context or {}
        if classroom is not None:
            owner = Staff.objects.filter(classroom=classroom, role=Staff.Role.OWNER).select_related("user").first()
            live = classroom.lessons.filter(status=Lesson.Status.LIVE).first()
            context |= join_card(request, classroom) | {
                "live": live,
                "fresh": live is not None and timezone.now() - live.started_at < timedelta(minutes=1),
                "present": hub.present(live.pk) if live else None,
                "past": classroom.lessons.filter(status=Lesson.Status.ENDED)[:PAST],
                "leads": role_in(classroom, request) in LEADS,
                "owner": owner.user if owner else None,
                "students": classroom.roster.count(),
                "owns": owner is not None and owner.user == request.user,
            }
        return super().change_view(request, object_id, form_url, context)

    def row_views(self) -> dict[str, Callable[..., HttpResponseBase]]:
        """Return the pages that change the code, show it to a room, and change who owns or leaves it."""
        return super().row_views() | {
            "code": self.code_view,
            "projector": self.projector_view,
            "owner": self.owner_view,
            "leave": self.leave_view,
        }

    def code_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask once more, then draw a new code: the old one is worth nothing at once, and who is inside stays."""
        classroom = self.require(request, str(pk))
        if role_in(classroom, request) not in LEADS:
            raise PermissionDenied
        if request.method != "POST":
            context: dict[str, Any] = {"title": _("A new join code?"), "opts": self.opts, "classroom": classroom}
            context |= self.admin_site.each_context(request)
            return TemplateResponse(request, "admin/classrooms/classroom/code.html", context)
        actions.redraw_code(classroom)
        self.log_change(request, classroom, "Changed the join code.")
        self.message_user(
            request, _("Students join with %(code)s from now on.") % {"code": classroom.code}, messages.SUCCESS
        )
        return redirect("admin:classrooms_classroom_change", classroom.pk)

    def projector_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show code and address as large as the screen, and nothing else."""
        classroom = self.require(request, str(pk))
        context = join_card(request, classroom) | {"classroom": classroom}
        return TemplateResponse(request, "admin/classrooms/classroom/projector.html", context)

    def owner_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask the owner to whom the classroom shall belong, then hand it on."""
        classroom = self.require(request, str(pk))
        if role_in(classroom, request) != Staff.Role.OWNER:
            raise PermissionDenied
        form = HandOnForm(request.POST if request.method == "POST" else None, classroom=classroom)
        if request.method == "POST" and form.is_valid():
            heir = form.cleaned_data["to"]
            try:
                actions.hand_on(classroom, by=user_of(request), to=heir.user)
            except Refused as refusal:  # somebody was faster
                form.add_error("to", said(refusal))
            else:
                name = heir.user.get_username()
                self.log_change(request, classroom, f"Handed the classroom on to {name}.")
                told(request, changed=[heir], gone=[])
                text = _("%(name)s owns this classroom now. You teach here as an instructor.") % {"name": name}
                self.message_user(request, text, messages.SUCCESS)
                return redirect("admin:classrooms_classroom_change", classroom.pk)
        context = {"title": _("Hand the classroom on"), "opts": self.opts, "classroom": classroom, "form": form}
        context |= self.admin_site.each_context(request)
        return TemplateResponse(request, "admin/classrooms/classroom/owner.html", context)

    def leave_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask once more, then take the user off the staff; the owner hands the classroom on first."""
        classroom = self.require(request, str(pk))
        own = Staff.objects.select_related("user").get(classroom=classroom, user=user_of(request))
        owns = own.role == Staff.Role.OWNER
        if request.method != "POST" or owns:
            context = {"title": _("Leave this classroom?"), "opts": self.opts, "classroom": classroom, "owns": owns}
            context |= self.admin_site.each_context(request)
            status = 200 if request.method != "POST" else 409
            return TemplateResponse(request, "admin/classrooms/classroom/leave.html", context, status=status)
        actions.leave(classroom, own.user)
        self.log_change(request, classroom, "Left the staff.")
        told(request, changed=[], gone=[own])
        text = _("You are off the staff of “%(title)s”.") % {"title": classroom.title}
        self.message_user(request, text, messages.SUCCESS)
        return redirect("admin:index")


def join_card(request: HttpRequest, classroom: Classroom) -> dict[str, str]:
    """Return what the join card shows: the address to type, and the one to scan."""
    address = request.build_absolute_uri(reverse("join", args=[classroom.code]))
    return {
        "join_host": request.get_host(),
        "join_url": address,
        "qr": segno.make(address, micro=False).svg_data_uri(scale=1, border=2, light="#fff"),
    }
