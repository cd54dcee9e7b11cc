"""The admin site of instructors, and the base that keeps each of them to their own rows."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.auth.models import User
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from classrooms import access, decks
from classrooms.models import Classroom, Lesson, Staff
from classrooms.refusals import Refused
from whiteboard.models import Deck

RECENT = 6  # decks on the first page


def user_of(request: HttpRequest) -> User:
    """Return the account behind a request that has come past the site's door."""
    return cast(User, request.user)


def role_in(classroom: Classroom, request: HttpRequest) -> str:
    """Return the requester's role among the classroom's staff, "" if none."""
    staff = access.staff_of(classroom, request.user)
    return staff.role if staff else ""


def said(refusal: Refused) -> str:
    """Return a refusal's sentence in the reader's language."""
    return gettext(refusal.message)


def when(time: datetime | None) -> str:
    """Return a moment in the server's time zone, as a list has it; "" for none."""
    return date_format(localtime(time), pgettext("date", "j M Y, H:i")) if time else ""


class Scriptless(admin.ModelAdmin[Any]):
    """The base of both sites' admins: without the stock scripts (jQuery, pop-ups, calendars), which the policy bars."""

    show_full_result_count = False

    @property
    def media(self) -> forms.Media:
        """Keep the one that ticks whole lists."""
        return forms.Media(js=["admin/js/actions.js"])

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer rows in a plain list, below a word, without the links that open pop-ups by script."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        if isinstance(field, forms.ModelChoiceField) and field.empty_label is not None:
            field.empty_label = _("Choose…")
        return field

    def get_action_choices(self, request: HttpRequest, default_choices: Any = None) -> Any:
        """Offer actions below a word, not below dashes."""
        return super().get_action_choices(request, default_choices or [("", _("Choose…"))])


class OwnedAdmin(Scriptless):
    """Base of every model at /teach/: rows of the user's own, chosen by `owner_path`, and nothing by default.

    Nobody sees or touches another's row: not by list, address, filter, search, drop-down or forged value.
    """

    owner_path: ClassVar[str]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Label fields as our own forms do, without a colon."""
        context["adminform"].form.label_suffix = ""
        return super().render_change_form(request, context, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        """Stay, and say it in a word."""
        self.message_user(request, gettext("Saved."), messages.SUCCESS)
        return redirect(request.path)

    def owned(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the user's own rows."""
        rows: QuerySet[Any] = self.model._default_manager.filter(**{self.owner_path: request.user})
        return rows

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the user's own rows, each once, whatever `owner_path` joins."""
        return super().get_queryset(request).filter(pk__in=self.owned(request).values("pk"))

    def owns(self, request: HttpRequest, row: Model | None) -> bool:
        """Whether the row is the user's own; no row in particular is nobody else's."""
        return row is None or self.owned(request).filter(pk=row.pk).exists()

    # Permissions come from the staff's roles alone, never from Django's tables: granting one there opens nothing here.
    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the model to everybody who may open the site."""
        return self.admin_site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Show own rows."""
        return self.admin_site.has_permission(request) and self.owns(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Add nothing, unless a model says so."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Change nothing, unless a model says so."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Delete nothing, unless a model says so."""
        return False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer, and accept, only rows that the user owns; of models that are not on the site, none."""
        return super().formfield_for_foreignkey(db_field, request, **kwargs | self._choices(db_field, request))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer, and accept, only rows that the user owns."""
        return super().formfield_for_manytomany(db_field, request, **kwargs | self._choices(db_field, request))

    def _choices(self, db_field: Field[Any, Any], request: HttpRequest) -> dict[str, QuerySet[Any]]:
        model = cast(type[Model], db_field.related_model)
        target = self.admin_site._registry.get(model)
        return {"queryset": target.get_queryset(request) if target else model._default_manager.none()}

    def row_views(self) -> dict[str, Callable[..., HttpResponseBase]]:
        """Return the pages of our own that a row has, by their address below the row's: `code` is `<pk>/code/`."""
        return {}

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of our own, named as Django names its: `classrooms_classroom_code`."""
        model = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"{model}_{name.replace('/', '_')}")
            for name, view in self.row_views().items()
        ]
        return [*own, *super().get_urls()]

    def require(self, request: HttpRequest, pk: str) -> Any:
        """Return an own row, for a view of ours. Raises PermissionDenied, for a row that is not there too."""
        row = self.get_object(request, pk)
        if row is None:
            raise PermissionDenied
        return row


class Site(admin.AdminSite):
    """What both sites are: Django's own in our templates, without the addresses that no page of ours leads to.

    "View on site" looks any row of any model up.
    """

    site_header = site_title = "Lectern"
    left_out: ClassVar[frozenset[str]] = frozenset({"view_on_site", "autocomplete"})
    logout_template = "admin/logged_out.html"
    password_change_template = "admin/password_change.html"  # noqa: S105
    password_change_done_template = "admin/password_changed.html"  # noqa: S105
    enable_nav_sidebar = False
    empty_value_display = "–"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Leave some out."""
        return [url for url in super().get_urls() if getattr(url, "name", None) not in self.left_out]


class TeachSite(Site):
    """`/teach/`: for instructors and the staff of classrooms; superusers are nothing special here."""

    index_title = _("Your classrooms")
    index_template = "admin/teach.html"

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in whoever teaches."""
        return decks.teaches(request.user)

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register a model. Raises ImproperlyConfigured unless its admin keeps instructors apart."""
        if admin_class is None or not issubclass(admin_class, OwnedAdmin):
            raise ImproperlyConfigured(f"{model_or_iterable} at /teach/ needs an OwnedAdmin")
        super().register(model_or_iterable, admin_class, **options)

    def check(self, app_configs: Any) -> list[CheckMessage]:
        """Say the same of whatever came by another way than `register`, by Django's system checks."""
        strange = [model for model, one in self._registry.items() if not isinstance(one, OwnedAdmin)]
        hint = "Derive its admin from classrooms.admin.site.OwnedAdmin."
        errors = [
            Error(f"{one.__name__} at /teach/ needs an OwnedAdmin.", hint=hint, id="lectern.E007") for one in strange
        ]
        return [*super().check(app_configs), *errors]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the user's classrooms, what is live in them, and the newest decks."""
        user = user_of(request)
        rooms = Classroom.objects.filter(staff__user=user)
        live = {lesson.classroom_id: lesson for lesson in Lesson.objects.filter(classroom__in=rooms, status="live")}
        roles = dict(Staff.objects.filter(user=user).values_list("classroom_id", "role"))
        context = {
            "rooms": [(room, live.get(room.pk), roles[room.pk] != Staff.Role.ASSISTANT) for room in rooms],
            "decks": decks.shelf(Deck.objects.filter(owner=user, hidden=False)[:RECENT]),
            "may_add": access.is_instructor(user),
        }
        return super().index(request, context | (extra_context or {}))

    def app_index(  # type: ignore[override]
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send to the first page: how the code is cut into apps is of no interest to a teacher."""
        return redirect(reverse("admin:index", current_app=self.name))


teach = TeachSite(name="teach")
