"""Rosters at /teach/: a list of students is uploaded, shown as it would be taken, then taken; and given out again."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from classrooms import class_list, roster
from classrooms.admin.site import OwnedAdmin, role_in, teach, user_of
from classrooms.admin.staff import LEADS
from classrooms.class_list import Bad, Sheet, Unreadable, Wrong
from classrooms.models import Classroom, RosterEntry

SENTENCES = {
    Wrong.EMPTY: gettext_lazy("There is no student in this file."),
    Wrong.TOO_LARGE: gettext_lazy("This file is larger than 1 MB: that is no list of students."),
    Wrong.SPREADSHEET: gettext_lazy("This is a spreadsheet. Save it as CSV in your program, and upload that."),
    Wrong.NOT_TEXT: gettext_lazy("This file cannot be read as CSV. Save the list as CSV (UTF-8) and upload that."),
    Wrong.NO_COLUMN: gettext_lazy("The first line names no column with names. Call one of them “name”."),
    Wrong.TOO_MANY: gettext_lazy("A roster has at most 2,000 students."),
    Wrong.NO_NAME: gettext_lazy("There is no name."),
    Wrong.LONG_NAME: gettext_lazy("The name has more than 80 letters."),
    Wrong.LONG_IDENTIFIER: gettext_lazy("The e-mail address or number has more than 120 letters."),
    Wrong.HIDDEN: gettext_lazy("There are hidden characters in it."),
    Wrong.TWICE: gettext_lazy("It is the same student as in line %(line)s."),
}
KINDS = {
    "new": gettext_lazy("New"),
    "update": gettext_lazy("Changed"),
    "skip": gettext_lazy("As before"),
}


class FileForm(forms.Form):
    """The file of a list of students."""

    file = forms.FileField(label=gettext_lazy("List of students (CSV)"))

    def clean_file(self) -> bytes:
        """Return the content, no more of it than the reader refuses."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        return bytes(file.read(class_list.MAX_BYTES + 1))


class RosterViews(OwnedAdmin):
    """The pages of a classroom's roster, for the admin of classrooms."""

    def row_views(self) -> dict[str, Callable[..., HttpResponseBase]]:
        """Return the pages that take a list in and give one out."""
        return super().row_views() | {"roster": self.roster_view, "roster/export": self.roster_export_view}

    def roster_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a file, show what it would do, and do it when that is confirmed.

        Between the two nothing is kept: the page holds what was read, and it is read and checked again.
        """
        classroom: Classroom = self.require(request, str(pk))
        if role_in(classroom, request) not in LEADS:
            raise PermissionDenied
        context: dict[str, Any] = {"title": _("Import students"), "opts": self.opts, "classroom": classroom}
        status = 200
        if request.method == "POST":
            try:
                sheet = _sheet(request)
                if "save" in request.POST:
                    return self._take(request, classroom, sheet)
                context |= _shown(classroom, sheet)
            except Unreadable as refused:
                status, context["wrong"] = 400, SENTENCES[refused.why]
        context |= self.admin_site.each_context(request) | {
            "most": number_format(class_list.MAX_STUDENTS, force_grouping=True)
        }
        return TemplateResponse(request, "admin/classrooms/classroom/roster.html", context, status=status)

    def _take(self, request: HttpRequest, classroom: Classroom, sheet: Sheet) -> HttpResponse:
        taken = roster.take(classroom, sheet.students, exactly="exactly" in request.POST)
        count = len(taken.rows)
        text = ngettext("%(n)s student imported.", "%(n)s students imported.", count) % {"n": count}
        self.log_change(request, classroom, f"Took a list of {count} students in.")
        self.message_user(request, text, messages.SUCCESS)
        return redirect("admin:classrooms_classroom_change", classroom.pk)

    def roster_export_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give the roster out as CSV, with the mark by which spreadsheets know UTF-8. The history notes it."""
        classroom: Classroom = self.require(request, str(pk))
        if request.method != "POST":
            return redirect("admin:classrooms_classroom_change", classroom.pk)
        self.log_change(request, classroom, "Saved the roster as a file.")
        name = slugify(classroom.title) or f"classroom-{classroom.pk}"
        answer = HttpResponse("\ufeff" + roster.given(classroom), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{name}-roster.csv"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer


def _sheet(request: HttpRequest) -> Sheet:
    """Return what was uploaded, or what the page that asks for confirmation held. Raises Unreadable."""
    held = request.POST.get("rows")
    if held is not None:
        return class_list.read(held.encode())
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        raise Unreadable(Wrong.EMPTY)
    return class_list.read(form.cleaned_data["file"])


def _shown(classroom: Classroom, sheet: Sheet) -> dict[str, Any]:
    """Return what the page shows of a list that was read."""
    taken = roster.preview(classroom, sheet.students)
    kinds = [kind for kind, *_rest in taken.rows]
    return {
        "sheet": sheet,
        "rows": [(KINDS[kind], kind, name, identifier) for kind, name, identifier in taken.rows],
        "counts": [(label, kinds.count(kind)) for kind, label in KINDS.items()],
        "bad": [(bad.line, bad.text, _sentence(bad)) for bad in sheet.bad],
        "gone": taken.gone,
        "held": roster.written(sheet.students),
    }


def _sentence(bad: Bad) -> str:
    return str(SENTENCES[bad.why]) % {"line": bad.earlier}


class EntryForm(forms.ModelForm[RosterEntry]):
    """A student; the classroom is in no form but a new one's, so the model's own check of both together is not made."""

    def clean(self) -> dict[str, Any] | None:
        """Refuse an address or number that another on the roster has."""
        cleaned = super().clean() or self.cleaned_data
        classroom = cleaned.get("classroom") or self.instance.classroom_id
        identifier = cleaned.get("identifier")
        if classroom and identifier:
            others = RosterEntry.objects.filter(classroom=classroom, identifier=identifier).exclude(pk=self.instance.pk)
            other = others.first()
            if other is not None:
                text = _("%(name)s on this roster has this e-mail address or number already.") % {"name": other.name}
                self.add_error("identifier", text)
        return cleaned


@admin.register(RosterEntry, site=teach)
class RosterEntryAdmin(OwnedAdmin):
    """Students on rosters, one by one."""

    owner_path = "classroom__staff__user"
    form = EntryForm
    fields = ("classroom", "name", "identifier")
    list_display = ("name", "identifier", "classroom")
    list_filter = (("classroom", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("classroom",)
    list_per_page = 100
    search_fields = ("name", "identifier")
    search_help_text = gettext_lazy("Search by name or number")

    def led(self, request: HttpRequest) -> QuerySet[Classroom]:
        """Return the classrooms whose rosters the user may change."""
        return Classroom.objects.filter(staff__user=user_of(request), staff__role__in=LEADS)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Keep a student in their classroom."""
        return ("classroom",) if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let those add who lead a classroom."""
        return self.led(request).exists()

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let those who lead the classroom change its roster."""
        if not isinstance(obj, RosterEntry):
            return self.led(request).exists()
        return obj.classroom_id in self._led(request)

    def _led(self, request: HttpRequest) -> frozenset[int]:
        """Ask once for a request, not for each of the students who are chosen."""
        kept: dict[str, frozenset[int]] = request.__dict__.setdefault("_lectern", {})
        if "led" not in kept:
            kept["led"] = frozenset(self.led(request).values_list("pk", flat=True))
        return kept["led"]

    has_delete_permission = has_change_permission

    def _choices(self, db_field: Field[Any, Any], request: HttpRequest) -> dict[str, QuerySet[Any]]:
        return {"queryset": self.led(request)} if db_field.name == "classroom" else super()._choices(db_field, request)

    def response_add(self, request: HttpRequest, obj: RosterEntry, post_url_continue: Any = None) -> HttpResponse:
        """Go back to the list that the student is on now."""
        self.message_user(request, _("%(name)s is on the roster.") % {"name": obj.name}, messages.SUCCESS)
        return redirect(_list_of(obj))

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        """Go back to the roster of the classroom."""
        super().response_change(request, obj)
        return redirect(_list_of(cast(RosterEntry, obj)))

    def _room(self, request: HttpRequest) -> Classroom | None:
        pk = request.GET.get("classroom__id__exact", "")
        rooms = Classroom.objects.filter(staff__user=user_of(request))
        return rooms.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 16 else None

    def get_list_display(self, request: HttpRequest) -> Any:
        """Leave the classroom out where every row would repeat it."""
        return self.list_display[:2] if self._room(request) else self.list_display

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Name the classroom whose roster it is."""
        return super().changelist_view(request, (extra_context or {}) | {"classroom": self._room(request)})


def _list_of(entry: RosterEntry) -> str:
    return f"{reverse('admin:classrooms_rosterentry_changelist')}?classroom__id__exact={entry.classroom_id}"
