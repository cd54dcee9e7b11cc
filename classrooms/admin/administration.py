"""`/admin/`: every row of every model, for superusers. Teachers work at /teach/, where nobody sees another's.

The same templates, tokens and policy as there, so none of the stock scripts but the one that ticks whole lists.
"""

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django_tasks_db.models import DBTaskResult
from rest_framework.authtoken.models import Token

from classrooms import actions
from classrooms.admin.site import Scriptless, Site
from classrooms.admin.staff import told
from classrooms.models import (
    Attendance,
    Classroom,
    Event,
    Lesson,
    LessonDeck,
    Participant,
    RosterEntry,
    Snapshot,
    Staff,
)
from whiteboard.models import Deck, Slide


class Administration(Site):
    """The superusers' site. A sign-in of its own would count no wrong password: theirs is everybody's."""

    left_out = Site.left_out | {"login"}
    index_title = _("Administration")
    index_template = "admin/administration/index.html"
    app_index_template = "admin/administration/index.html"

    def has_permission(self, request: HttpRequest) -> bool:
        """Let superusers in."""
        return bool(request.user.is_active and getattr(request.user, "is_superuser", False))

    def admin_view(self, view: Callable[..., HttpResponseBase], cacheable: bool = False) -> Any:
        """Guard a page: who has not signed in may do that, whoever else is no superuser is told so (403)."""
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
            if not self.has_permission(request):
                raise PermissionDenied
            return inner(request, *args, **kwargs)

        return update_wrapper(guarded, view)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Tell the templates, which serve /teach/ too, where they are."""
        return super().each_context(request) | {"administration": True}


administration = Administration(name="administration")


class PlainAdmin(Scriptless):
    """The stock features in our templates; the per-model templates of /teach/ are not for here."""

    change_list_template = "admin/change_list.html"
    change_form_template = "admin/change_form.html"
    add_form_template = "admin/change_form.html"
    delete_confirmation_template = "admin/delete_confirmation.html"
    object_history_template = "admin/object_history.html"


class ReadOnly(PlainAdmin):
    """Rows that the software alone writes: a hand in them would part the log from what people saw."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody adds one by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes one by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes one by hand."""
        return False


class Revocable(ReadOnly):
    """Rows that an administrator only ever takes away."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let them go."""
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


# --- accounts ------------------------------------------------------------------------------------------------------


@admin.register(User, site=administration)
class AccountAdmin(PlainAdmin, UserAdmin):  # type: ignore[type-arg]
    """Accounts. Django's own permission tables, and its flag for its own admin, open nothing in Lectern."""

    change_user_password_template = "admin/administration/password.html"  # noqa: S105
    list_display = ("username", "email", "first_name", "last_name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_superuser", "is_active", "groups")
    filter_horizontal = ()
    readonly_fields = ("way_in", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "way_in")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Rights"), {"fields": ("is_active", "is_superuser", "groups")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )

    @admin.display(description=_("Signs in"))
    def way_in(self, user: User) -> str:
        """Say how the account signs in, and lead to where that is changed."""
        how = _("with a password") if user.has_usable_password() else _("without a password")
        page = reverse("administration:auth_user_password_change", args=[user.pk])
        return format_html('{} <a href="{}">{}</a>', how, page, _("Set a password…"))

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save; an account that is switched off leaves the lessons that are live."""
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            told(request, changed=[], gone=list(obj.teaches.select_related("classroom", "user")))

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Delete; who taught leaves the lessons that are live."""
        self._leave_lessons([obj])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Delete several, as `delete_model` does."""
        self._leave_lessons(list(queryset))
        super().delete_queryset(request, queryset)

    @staticmethod
    def _leave_lessons(users: list[User]) -> None:
        """Note the seats of accounts before they go, for a seat forgets its account; the log hears of it afterwards."""
        seats = list(Participant.objects.filter(user__in=users, lesson__status="live").select_related("lesson"))
        for seat in seats:  # one lesson's trouble is its own
            transaction.on_commit(partial(actions.take_out, [seat]), robust=True)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the few groups as boxes to tick."""
        boxes = forms.CheckboxSelectMultiple(attrs={"class": "checkboxes"})
        return super().formfield_for_manytomany(db_field, request, **kwargs | {"widget": boxes})

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """List what goes with an account, its API token without the token."""
        listed, counts, needed, protected = super().get_deleted_objects(objs, request)
        keys = list(Token.objects.filter(user__in=[one.pk for one in objs]).values_list("key", flat=True))

        def told_of(entry: Any) -> Any:
            if isinstance(entry, list):
                return [told_of(one) for one in entry]
            return _("API token") if any(key in entry for key in keys) else entry

        return told_of(listed), counts, needed, protected


@admin.register(Group, site=administration)
class PlainGroupAdmin(PlainAdmin, GroupAdmin):
    """Groups: "Instructors" may make classrooms."""

    fields = ("name",)


@admin.register(EmailAddress, site=administration)
class EmailAddressAdmin(PlainAdmin):
    """Addresses that people sign in with: at the school's sign-in only verified ones count."""

    list_display = ("email", "user", "verified", "primary")
    list_filter = ("verified",)
    search_fields = ("email", "user__username")


@admin.register(Authenticator, site=administration)
class AuthenticatorAdmin(Revocable):
    """Second factors. The secret is shown to nobody; a lost phone's is deleted."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__username",)
    fields = readonly_fields = ("user", "type", "created_at", "last_used_at")


@admin.register(SocialAccount, site=administration)
class SocialAccountAdmin(Revocable):
    """Whom the school's sign-in knows by which account here."""

    list_display = ("user", "provider", "uid", "last_login")
    search_fields = ("user__username", "uid")
    fields = readonly_fields = ("user", "provider", "uid", "last_login", "date_joined")


# --- classrooms ----------------------------------------------------------------------------------------------------


@admin.register(Classroom, site=administration)
class AllClassroomsAdmin(PlainAdmin):
    """Classrooms. One that had a lesson is kept, with the lesson's log."""

    list_display = ("title", "code", "created_at")
    search_fields = ("title", "code")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let one go that never had a lesson; not whole lists."""
        return isinstance(obj, Classroom) and not obj.lessons.exists()


@admin.register(Staff, site=administration)
class StaffAdmin(PlainAdmin):
    """Who teaches where."""

    list_display = ("classroom", "user", "role")
    list_filter = ("role",)
    list_select_related = ("classroom", "user")
    search_fields = ("classroom__title", "user__username")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Change the role alone: another person, or another classroom, is another row."""
        return ("classroom", "user") if obj else ()

    def save_model(self, request: HttpRequest, obj: Staff, form: Any, change: bool) -> None:
        """Save it, and tell the lesson that is live."""
        super().save_model(request, obj, form, change)
        told(request, changed=[obj], gone=[])

    def delete_model(self, request: HttpRequest, obj: Staff) -> None:
        """Delete it, and tell the lesson that is live."""
        super().delete_model(request, obj)
        told(request, changed=[], gone=[obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Staff]) -> None:
        """Delete them, and tell the lessons that are live."""
        gone = list(queryset.select_related("classroom", "user"))
        super().delete_queryset(request, queryset)
        told(request, changed=[], gone=gone)


@admin.register(RosterEntry, site=administration)
class AllRostersAdmin(PlainAdmin):
    """Students on rosters."""

    list_display = ("name", "identifier", "classroom")
    list_select_related = ("classroom",)
    search_fields = ("name", "identifier", "classroom__title")


@admin.register(Lesson, site=administration)
class AllLessonsAdmin(ReadOnly):
    """Lessons, as their logs have made them."""

    list_display = ("title", "classroom", "status", "started_at", "ended_at", "seats", "head")
    fields = readonly_fields = (*list_display, "epoch")
    list_filter = ("status",)
    list_select_related = ("classroom",)
    search_fields = ("title", "classroom__title")


@admin.register(LessonDeck, site=administration)
class LessonDeckAdmin(ReadOnly):
    """Which decks lessons were given."""

    list_display = ("lesson", "deck", "upto")
    list_select_related = ("lesson", "deck")
    search_fields = ("lesson__title", "deck__title")


@admin.register(Participant, site=administration)
class ParticipantAdmin(ReadOnly):
    """People in lessons."""

    list_display = ("name", "lesson", "number", "role", "user", "joined_at")
    list_filter = ("role",)
    list_select_related = ("lesson", "user")
    search_fields = ("name", "lesson__title")


@admin.register(Attendance, site=administration)
class AttendanceAdmin(ReadOnly):
    """When people were in lessons."""

    list_display = ("participant", "lesson", "first_at", "last_at", "present")
    list_select_related = ("lesson", "participant__lesson")
    search_fields = ("participant__name", "lesson__title")


@admin.register(Event, site=administration)
class EventAdmin(ReadOnly):
    """The logs."""

    list_display = ("lesson", "seq", "kind", "by", "at")
    list_filter = ("kind",)
    list_select_related = ("lesson",)
    search_fields = ("=lesson__title", "kind", "=by", "=op")
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """Leave what an event holds where it is until it is asked for: it can be large."""
        return super().get_queryset(request).defer("data")


@admin.register(Snapshot, site=administration)
class SnapshotAdmin(ReadOnly):
    """Folded states."""

    list_display = ("lesson", "epoch", "seq", "at")
    list_select_related = ("lesson",)
    search_fields = ("lesson__title",)
    fields = readonly_fields = ("lesson", "epoch", "seq", "at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Snapshot]:
        """Leave the states where they are: they are large, and nothing here shows them."""
        return super().get_queryset(request).defer("body")


# --- decks and the machinery ---------------------------------------------------------------------------------------


@admin.register(Deck, site=administration)
class AllDecksAdmin(PlainAdmin):
    """Decks. They come by upload at /teach/, and stay, because lessons show their pages."""

    list_display = ("title", "owner", "status", "error", "pages", "hidden", "created_at")
    list_filter = ("status", "hidden")
    list_select_related = ("owner",)
    search_fields = ("title", "owner__username")
    fields = ("title", "owner", "hidden", "status", "error", "pages", "pages_done", "attempts", "created_at")
    readonly_fields = ("status", "error", "pages", "pages_done", "attempts", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """None without a file, which only the upload takes in."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Hide it instead."""
        return False


@admin.register(Slide, site=administration)
class SlideAdmin(ReadOnly):
    """Pages of decks."""

    list_display = ("deck", "number", "width", "height")
    list_select_related = ("deck",)
    search_fields = ("deck__title", "text")


@admin.register(DBTaskResult, site=administration)
class TaskAdmin(ReadOnly):
    """Work that was put off: conversions."""

    list_display = ("task_path", "status", "enqueued_at", "started_at", "finished_at")
    list_filter = ("status",)
    search_fields = ("task_path",)
    fields = readonly_fields = (
        "task_path", "args_kwargs", "status", "enqueued_at", "started_at", "finished_at", "traceback",
    )  # fmt: skip


@admin.register(LogEntry, site=administration)
class LogEntryAdmin(ReadOnly):
    """Who changed what, here and at /teach/."""

    list_display = ("action_time", "user", "content_type", "object_repr", "told")
    list_filter = ("action_flag", "content_type")
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "user__username")
    fields = readonly_fields = ("action_time", "user", "content_type", "object_repr", "told")

    @admin.display(description=_("What"))
    def told(self, entry: LogEntry) -> str:
        """Say what was done in words."""
        return entry.get_change_message()
