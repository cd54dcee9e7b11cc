"""Classrooms at /teach/: settings, join card, staff, and starting a lesson."""

import functools
from typing import Any, cast

import segno
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from classrooms import access, actions, decks
from classrooms.admin.site import OwnedAdmin, role_in, teach, user_of
from classrooms.models import Classroom, Lesson, Staff
from classrooms.refusals import Refused
from whiteboard.models import Deck
from whiteboard.slides import UNFINISHED

LEADS = (Staff.Role.OWNER, Staff.Role.INSTRUCTOR)  # who changes a classroom and starts lessons; assistants do neither
DECKS_AT_START = 20
CHOICES = {
    "draw": {"everyone": "Everyone", "chosen": "Those I choose", "staff": "Staff only"},
    "edit": {"own": "Their own", "shared": "Each other's too"},
    "door": {"open": "Open", "locked": "Locked"},
}


class ClassroomForm(forms.ModelForm[Classroom]):
    """What every lesson of the classroom begins with."""

    class Meta:
        model = Classroom
        fields = ["title", "draw", "edit", "door", "chat", "roam"]
        labels = {
            "draw": "Who may draw",
            "edit": "Whose drawing students may change",
            "door": "Door",
            "chat": "Students may chat",
            "roam": "Students may turn pages",
        }
        help_texts = {
            "draw": "Each lesson begins like this; you can change it while you teach.",
            "door": "Locked: nobody new comes in until you open it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, words in CHOICES.items():
            if name in self.fields:  # those who may only look get no fields
                cast(forms.ChoiceField, self.fields[name]).choices = list(words.items())


class StaffForm(forms.ModelForm[Staff]):
    """A colleague, named by their exact user name: a list to choose from would tell everybody's."""

    username = forms.CharField(label="User name", max_length=150, required=False)
    role = forms.ChoiceField(choices=[(r.value, r.label) for r in (Staff.Role.INSTRUCTOR, Staff.Role.ASSISTANT)])

    class Meta:
        model = Staff
        fields = ["role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.instance.user.get_username() if self.instance.pk else ""
        self.fields["role"].initial = Staff.Role.ASSISTANT
        self.fields["role"].widget.attrs["aria-label"] = f"Role of {name or 'the new colleague'}"
        self.fields["username"].widget.attrs["aria-label"] = "User name" if name else "User name of a new colleague"
        self.fields["username"].initial = name
        self.fields["username"].disabled = bool(name)

    def clean_username(self) -> str:
        """Find the account of a new colleague."""
        name = str(self.cleaned_data["username"]).strip()
        if self.instance.pk or not name:
            return name
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise forms.ValidationError("No account has this user name. Ask your colleague how theirs is spelt.")
        self.instance.user = user
        return name

    def clean(self) -> dict[str, Any]:
        """Ask for the name of a new colleague, and take each only once."""
        cleaned = super().clean() or {}
        if not self.instance.pk and "username" in cleaned:
            if not cleaned["username"]:
                raise forms.ValidationError("Type the user name of your colleague.")
            if Staff.objects.filter(classroom=self.instance.classroom_id, user=self.instance.user).exists():
                raise forms.ValidationError("This person is on the staff already.")
        return cleaned


class StaffFormSet(forms.BaseInlineFormSet[Staff, Classroom, forms.ModelForm[Staff]]):
    """The staff but the owner, who is neither changed nor removed here, whatever a form says."""

    def get_queryset(self) -> QuerySet[Staff]:
        """Return the rows that may be changed."""
        return super().get_queryset().exclude(role=Staff.Role.OWNER)

    def add_fields(self, form: Any, index: int | None) -> None:
        """Say whom the box at the end of a row takes off the staff."""
        super().add_fields(form, index)
        if "DELETE" in form.fields and form.instance.pk:
            form.fields["DELETE"].widget.attrs["aria-label"] = f"Take {form.instance.user.get_username()} off the staff"

    def clean(self) -> None:
        """Refuse a person named twice."""
        names = [form.cleaned_data.get("username") for form in self.forms if hasattr(form, "cleaned_data")]
        named = [name for name in names if name]
        if len(named) != len(set(named)):
            raise forms.ValidationError("The same person is named twice.")


class StaffInline(admin.TabularInline[Staff, Classroom]):
    """Who teaches here beside the owner."""

    model = Staff
    form = StaffForm
    formset = StaffFormSet
    fields = ["username", "role"]
    extra = 1
    verbose_name = "colleague"
    verbose_name_plural = "colleagues"
    media = forms.Media()

    @admin.display(description="User name")
    def username(self, staff: Staff) -> str:
        """Name a colleague to those who may only look."""
        return staff.user.get_username()

    def has_view_permission(self, request: HttpRequest, obj: Classroom | None = None) -> bool:
        """Show the staff of own classrooms to those on it; asked about none in particular, Django means own ones."""
        return obj is None or role_in(obj, request) != ""

    def has_change_permission(self, request: HttpRequest, obj: Classroom | None = None) -> bool:
        """Let those who lead the classroom change roles."""
        return obj is not None and role_in(obj, request) in LEADS

    has_add_permission = has_delete_permission = has_change_permission


class StartForm(forms.Form):
    """What a lesson starts with: a title, and the user's own decks that are ready."""

    title = forms.CharField(max_length=120)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ready = Deck.objects.filter(owner=user, hidden=False, status=Deck.Status.READY)
        self.fields["decks"] = forms.ModelMultipleChoiceField(self.ready, required=False)

    def clean_decks(self) -> list[Deck]:
        """Return the decks in the order in which they were uploaded, so that parts follow each other."""
        chosen = sorted(self.cleaned_data["decks"], key=lambda deck: deck.pk)
        if len(chosen) > DECKS_AT_START:
            raise forms.ValidationError(f"Choose at most {DECKS_AT_START} decks.")
        return chosen


@admin.register(Classroom, site=teach)
class ClassroomAdmin(OwnedAdmin):
    """The classrooms that the user teaches in."""

    owner_path = "staff__user"
    form = ClassroomForm
    radio_fields = {"draw": admin.HORIZONTAL, "edit": admin.HORIZONTAL, "door": admin.HORIZONTAL}
    list_display = ["title", "code", "live"]
    search_fields = ["title"]
    inlines = [StaffInline]

    @admin.display(description="Now")
    def live(self, classroom: Classroom) -> str:
        """Say whether a lesson is live."""
        return "Live" if classroom.lessons.filter(status=Lesson.Status.LIVE).exists() else "–"

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

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save the staff; who was taken off it leaves the lesson that is live, once this is committed."""
        super().save_formset(request, form, formset, change)
        for staff in formset.deleted_objects:
            transaction.on_commit(functools.partial(self._dismiss, request, staff))

    def _dismiss(self, request: HttpRequest, staff: Staff) -> None:
        try:
            actions.dismiss(staff.classroom, staff.user)
        except Refused as refusal:
            text = f"{staff.user} is off the staff, but may still be in the lesson that is live: {refusal.message}"
            self.message_user(request, text, messages.WARNING)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the settings below the join card and the lesson."""
        classroom = self.get_object(request, object_id)
        context = extra_context or {}
        if classroom is not None:
            owner = Staff.objects.filter(classroom=classroom, role=Staff.Role.OWNER).select_related("user").first()
            context |= join_card(request, classroom) | {
                "live": classroom.lessons.filter(status=Lesson.Status.LIVE).first(),
                "past": classroom.lessons.filter(status=Lesson.Status.ENDED)[:5],
                "leads": role_in(classroom, request) in LEADS,
                "owner": owner.user if owner else None,
            }
        return super().change_view(request, object_id, form_url, context)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that start a lesson, change the code, and show it to a room."""
        views = {"start": self.start_view, "code": self.code_view, "projector": self.projector_view}
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"classrooms_classroom_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def code_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask once more, then draw a new code: the old one is worth nothing at once, and who is inside stays."""
        classroom = self.require(request, str(pk))
        if role_in(classroom, request) not in LEADS:
            raise PermissionDenied
        if request.method != "POST":
            context: dict[str, Any] = {"title": "A new join code?", "opts": self.opts, "classroom": classroom}
            context |= self.admin_site.each_context(request)
            return TemplateResponse(request, "admin/classrooms/classroom/code.html", context)
        actions.redraw_code(classroom)
        self.log_change(request, classroom, "Changed the join code.")
        self.message_user(request, f"Students join with {classroom.code} from now on.", messages.SUCCESS)
        return redirect("admin:classrooms_classroom_change", classroom.pk)

    def projector_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show code and address as large as the screen, and nothing else."""
        classroom = self.require(request, str(pk))
        context = join_card(request, classroom) | {"classroom": classroom}
        return TemplateResponse(request, "admin/classrooms/classroom/projector.html", context)

    def start_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for a title and decks, start the lesson, and go there. No atomic block: the log would wait for it."""
        classroom = self.require(request, str(pk))
        live = classroom.lessons.filter(status=Lesson.Status.LIVE).first()
        form = StartForm(
            request.POST if request.method == "POST" else None,
            user=user_of(request),
            initial={"title": classroom.title},
        )
        if request.method == "POST" and form.is_valid():
            try:
                lesson = actions.start(classroom, by=user_of(request), **form.cleaned_data)
            except Refused as refusal:
                form.add_error(None, refusal.message)
            else:
                self.log_change(request, classroom, f"Started the lesson “{lesson.title}”.")
                return redirect("lesson", lesson.pk)
        own = Deck.objects.filter(owner=user_of(request), hidden=False)
        context = self.admin_site.each_context(request) | {
            "title": "Start a lesson",
            "opts": self.opts,
            "classroom": classroom,
            "form": form,
            "choices": decks.shelf(form.ready),
            "chosen": [int(pk) for pk in (request.POST or request.GET).getlist("decks") if pk.isdecimal()],
            "unready": own.filter(status__in=UNFINISHED).count(),
            "live": live,
            "leads": role_in(classroom, request) in LEADS,
        }
        return TemplateResponse(request, "admin/classrooms/classroom/start.html", context)


def join_card(request: HttpRequest, classroom: Classroom) -> dict[str, str]:
    """Return what the join card shows: the address to type, and the one to scan."""
    address = request.build_absolute_uri(reverse("join", args=[classroom.code]))
    return {
        "join_host": request.get_host(),
        "join_url": address,
        "qr": segno.make(address, micro=False).svg_data_uri(scale=1, border=2, light="#fff"),
    }
