"""Starting a lesson at /teach/: what it shows, in which order, and from which lesson it goes on."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy, pgettext

from classrooms import actions, decks
from classrooms.admin.site import OwnedAdmin, role_in, said, user_of
from classrooms.admin.staff import LEADS
from classrooms.models import Classroom, Lesson
from classrooms.refusals import Refused
from whiteboard.models import Deck
from whiteboard.slides import UNFINISHED

DECKS_AT_START = 20
MOST_TITLE = 120
DIGITS = 18  # of an id at most
LAST = 10  # lessons that are offered to go on from


TOO_MUCH = {"max_value": _("At most %(limit_value)s blank pages.")}


def _check_length(pk: Any) -> None:
    """Refuse an id that no row has and no database can compare. Raises ValidationError."""
    if len(str(pk)) > DIGITS:
        raise forms.ValidationError(_("This is not there any more. Choose something else."))


class One(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of one row."""

    def to_python(self, value: Any) -> Any:
        """Return the row."""
        _check_length(value or "")
        return super().to_python(value)


class Several(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """A choice of several rows."""

    def clean(self, value: Any) -> Any:
        """Return the rows."""
        for pk in value or []:
            _check_length(pk)
        return super().clean(value)


class StartForm(forms.Form):
    """What a lesson starts with: a title, an earlier lesson, the user's own decks that have a page, blank pages.

    `order` is the decks' ids in the order in which they were ticked; without it they come as they were uploaded.
    """

    title = forms.CharField(max_length=MOST_TITLE)
    order = forms.CharField(required=False, max_length=400, widget=forms.HiddenInput)
    blank = forms.IntegerField(min_value=0, max_value=actions.MOST_BLANK, required=False, error_messages=TOO_MUCH)

    def __init__(self, *args: Any, user: User, classroom: Classroom, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ready = decks.teachable(user)
        self.past = classroom.lessons.filter(status=Lesson.Status.ENDED, emptied_at=None)
        self.fields["decks"] = Several(self.ready, required=False)
        self.fields["last"] = One(self.past, required=False)

    def clean_decks(self) -> list[Deck]:
        """Refuse more decks than a lesson takes."""
        chosen = list(self.cleaned_data["decks"])
        if len(chosen) > DECKS_AT_START:
            text = ngettext_lazy("Choose at most %(n)s deck.", "Choose at most %(n)s decks.", DECKS_AT_START)
            raise forms.ValidationError(text, params={"n": DECKS_AT_START})
        return chosen

    def clean_blank(self) -> int:
        """Read an empty field as no blank page."""
        return self.cleaned_data["blank"] or 0

    def clean(self) -> dict[str, Any]:
        """Put the decks in order."""
        cleaned = super().clean() or {}
        places = {pk: place for place, pk in enumerate(str(cleaned.pop("order", "")).split(","))}
        if "decks" in cleaned:
            cleaned["decks"].sort(key=lambda deck: (places.get(str(deck.pk), len(places)), deck.pk))
        return cleaned


def named(classroom: Classroom) -> str:
    """Propose a title for today's lesson: the classroom's, cut if it is long, and the date."""
    date = date_format(timezone.localdate(), pgettext("date", "j M"))
    room = Truncator(classroom.title).chars(MOST_TITLE - len(date) - 2)
    return f"{room}, {date}"


class StartViews(OwnedAdmin):
    """The page that starts a lesson, for the admin of classrooms."""

    def row_views(self) -> dict[str, Callable[..., HttpResponseBase]]:
        """Return the page."""
        return super().row_views() | {"start": self.start_view}

    def start_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask what the lesson begins with, start it, and go there. No atomic block: the log would wait for it."""
        classroom: Classroom = self.require(request, str(pk))
        form = StartForm(
            request.POST if request.method == "POST" else None,
            user=user_of(request),
            classroom=classroom,
            initial={"title": named(classroom)},
        )
        if request.method == "POST" and form.is_valid():
            try:
                lesson = actions.start(classroom, by=user_of(request), **form.cleaned_data)
            except Refused as refusal:
                form.add_error(None, said(refusal))
            else:
                self.log_change(request, classroom, f"Started the lesson “{lesson.title}”.")
                return redirect("lesson", lesson.pk)
        context = self._start_context(request, form, classroom)
        return TemplateResponse(request, "admin/classrooms/classroom/start.html", context)

    def _start_context(self, request: HttpRequest, form: StartForm, classroom: Classroom) -> dict[str, Any]:
        own = Deck.objects.filter(owner=user_of(request), hidden=False)
        asked = request.POST or request.GET
        return self.admin_site.each_context(request) | {
            "title": _("Start a lesson"),
            "opts": self.opts,
            "classroom": classroom,
            "form": form,
            "choices": decks.shelf(form.ready),
            "chosen": [int(pk) for pk in asked.getlist("decks") if pk.isdecimal() and len(pk) <= DIGITS],
            "past": form.past[:LAST],
            "last": asked.get("last", ""),
            "most_blank": actions.MOST_BLANK,
            "unready": own.filter(status__in=UNFINISHED).exclude(pk__in=form.ready).count(),
            "live": classroom.lessons.filter(status=Lesson.Status.LIVE).first(),
            "leads": role_in(classroom, request) in LEADS,
        }
