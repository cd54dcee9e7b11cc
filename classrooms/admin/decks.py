"""Decks at /teach/: uploading a PDF, watching it convert, putting its pages in order, replacing and hiding it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db.models import F, Max, Model, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from classrooms import decks, late_pages
from classrooms.admin.site import OwnedAdmin, said, teach, user_of, when
from classrooms.models import Classroom, Staff
from classrooms.refusals import Refused
from whiteboard import slides
from whiteboard.models import Deck, Slide

DONE = ("save", "earlier", "later", "hide", "show")  # what the buttons of a page do
ROOMS = 3  # classrooms that a deck's page offers to start a lesson in


class UploadForm(forms.Form):
    """A PDF, and a title if it shall not be the file's name."""

    file = forms.FileField(allow_empty_file=True)  # an empty one is told that it is no PDF
    title = forms.CharField(max_length=120, required=False)


class PageForm(forms.ModelForm[Slide]):
    """What is written on a page, and what is to be seen on it."""

    text = forms.CharField(max_length=slides.TEXT, required=False, empty_value="")
    alt = forms.CharField(max_length=slides.TEXT, required=False, empty_value="")

    class Meta:
        model = Slide
        fields = ["text", "alt"]

    def clean_text(self) -> str:
        """Return the text as the wire has it."""
        return slides.clean(self.cleaned_data["text"])

    def clean_alt(self) -> str:
        """Return the description as the wire has it."""
        return slides.clean(self.cleaned_data["alt"])


class Shown(admin.SimpleListFilter):
    """Decks that are offered when a lesson starts, or those that are hidden."""

    title = gettext_lazy("deck")
    parameter_name = "hidden"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the two."""
        return [("0", _("Offered")), ("1", _("Hidden"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Deck]) -> QuerySet[Deck]:
        """Keep the chosen ones."""
        return queryset.filter(hidden=self.value() == "1") if self.value() in ("0", "1") else queryset


@admin.register(Deck, site=teach)
class DeckAdmin(OwnedAdmin):
    """The user's own decks. Those that a lesson was given are hidden, never deleted: past lessons show their pages."""

    owner_path = "owner"
    fields = ["title", "hidden"]
    list_display = ["picture", "title", "state", "uploaded", "shown"]
    list_display_links = ["picture", "title"]
    list_filter = ["status", Shown]
    search_fields = ["title"]
    actions = ["hide", "show"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the first page of each deck along."""
        return super().get_queryset(request).prefetch_related(decks.FIRST_PAGE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let everybody who teaches upload."""
        return self.admin_site.has_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let owners rename and hide."""
        return self.has_view_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let owners delete, one by one, what no lesson was given."""
        return isinstance(obj, Deck) and self.has_view_permission(request, obj) and not obj.lessons.exists()

    def delete_model(self, request: HttpRequest, obj: Deck) -> None:
        """Delete its images and its file too."""
        slides.discard(obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Count the pages that go with a deck: a list of them by number tells a teacher nothing."""
        _listed, counts, needed, protected = super().get_deleted_objects(objs, request)
        pages = Slide.objects.filter(deck__in=objs).count()
        text = ngettext("%(n)d page", "%(n)d pages", pages) % {"n": pages}
        return [text] if pages else [], counts, needed, protected

    @admin.display(description="")
    def picture(self, deck: Deck) -> str:
        """Show the first page."""
        slide = decks.first_page(deck)
        if slide is None:
            return format_html('<span class="thumb blank"></span><span class="spoken">{}</span>', deck.title)
        return format_html(
            '<img class="thumb" src="{}" alt="{}" width="320" height="{}" loading="lazy">',
            slide.images["320"],
            _("First page of %(title)s") % {"title": deck.title},
            round(320 * slide.height / slide.width),
        )

    @admin.display(description=gettext_lazy("State"), ordering="status")
    def state(self, deck: Deck) -> str:
        """Say how far the conversion is, or why it failed."""
        return decks.describe(deck)

    @admin.display(description=gettext_lazy("Uploaded"), ordering="created_at")
    def uploaded(self, deck: Deck) -> str:
        """Say when it came."""
        return when(deck.created_at)

    @admin.display(description=gettext_lazy("When a lesson starts"), ordering="hidden")
    def shown(self, deck: Deck) -> str:
        """Say whether it is offered when a lesson starts."""
        return _("Hidden") if deck.hidden else _("Offered")

    @admin.action(description=gettext_lazy("Hide the selected decks"), permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Deck]) -> None:
        """Offer these no more when a lesson starts."""
        self.message_user(
            request, _("%(n)d hidden. Past lessons still show their pages.") % {"n": queryset.update(hidden=True)}
        )

    @admin.action(description=gettext_lazy("Show the selected decks again"), permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Deck]) -> None:
        """Offer these again."""
        self.message_user(request, _("%(n)d can be chosen again.") % {"n": queryset.update(hidden=False)})

    def row_views(self) -> dict[str, Callable[..., HttpResponseBase]]:
        """Return what a deck's page asks for progress, and what its buttons do."""
        return {
            "progress": self.progress_view,
            "page": self.page_view,
            "retry": self.retry_view,
            "replace": self.replace_view,
            "original": self.original_view,
        }

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Take an upload. Not the stock view: that one is atomic, and the file must not outlive a rolled back row.

        A page of ours that sends the file by script asks for JSON: 201 with `location`, or `code` and `message`.
        """
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._take(
            request, lambda file, title: self._receive(request, file, title), {"title": _("Upload a deck")}
        )

    def replace_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take another PDF for a deck, as an upload does."""
        deck: Deck = self.require(request, str(pk))

        def take(file: UploadedFile[Any], title: str) -> Deck:
            decks.replace(deck, file)
            self.log_change(request, deck, "Replaced the PDF.")
            return deck

        return self._take(request, take, {"title": _("Another PDF for “%(deck)s”") % {"deck": deck}, "deck": deck})

    def _take(
        self, request: HttpRequest, take: Callable[[UploadedFile[Any], str], Deck], context: dict[str, Any]
    ) -> HttpResponse:
        wants_json = request.headers.get("Accept") == "application/json"
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                deck = take(form.cleaned_data["file"], form.cleaned_data["title"])
            except Refused as refusal:
                if wants_json:
                    return JsonResponse({"code": refusal.code, "message": said(refusal)}, status=refusal.status)
                form.add_error("file", said(refusal))
            else:
                page = self._page(deck)
                return JsonResponse({"location": page}, status=201) if wants_json else redirect(page)
        context = (
            self.admin_site.each_context(request)
            | context
            | {
                "opts": self.opts,
                "form": form,
                "most_megabytes": settings.DECK_MAX_BYTES // (1024 * 1024),
                "most_pages": settings.DECK_MAX_PAGES,
            }
        )
        return TemplateResponse(request, "admin/whiteboard/deck/upload.html", context)

    def _page(self, deck: Deck) -> str:
        return reverse("admin:whiteboard_deck_change", args=[deck.pk], current_app=self.admin_site.name)

    def _receive(self, request: HttpRequest, file: UploadedFile[Any], title: str) -> Deck:
        deck = decks.receive(user_of(request), title, file)
        self.log_addition(request, deck, [{"added": {}}])
        return deck

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the pages, and how far they are, above the form."""
        deck = self.get_object(request, object_id)
        context = extra_context or {}
        if deck is not None:
            led = Staff.objects.filter(user=user_of(request)).exclude(role=Staff.Role.ASSISTANT)
            context |= {
                "slides": (pages := list(deck.slides.all())),
                "teachable": any(not page.hidden for page in pages),
                "failures": [(int(n), decks.sentence_of_page(code)) for n, code in deck.failures.items()],
                "again": decks.again(deck),
                "used": deck.lessons.exists(),
                "text_limit": slides.TEXT,
                "state": decks.describe(deck),
                "unfinished": decks.unfinished(deck),
                "rooms": Classroom.objects.filter(pk__in=led.values("classroom"))
                .annotate(newest=Max("lessons__started_at"))
                .order_by(F("newest").desc(nulls_last=True), "-pk")[:ROOMS],
            }
        return super().change_view(request, object_id, form_url, context)

    def progress_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Say how far the conversion is, with the pages that were finished after that with the id `?after=`."""
        deck = self.require(request, str(pk))
        after = request.GET.get("after", "0")
        new = deck.slides.filter(pk__gt=int(after)).order_by("pk") if after.isdecimal() and len(after) < 16 else []
        return JsonResponse(
            {
                "status": deck.status,
                "state": decks.describe(deck),
                "unfinished": decks.unfinished(deck),
                "pages": deck.pages,
                "pages_done": deck.pages_done,
                "slides": [
                    {
                        "id": slide.pk,
                        "number": slide.number,
                        "image": slide.images["320"],
                        "width": slide.width,
                        "height": slide.height,
                        "text": slide.text,
                    }
                    for slide in new
                ],
            }
        )

    def page_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Keep what was written about a page, and move, hide or show it as the pressed button says."""
        deck = self.require(request, str(pk))
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        number = request.POST.get("number", "")
        page = deck.slides.filter(number=int(number)).first() if number.isdecimal() and len(number) < 6 else None
        form = PageForm(request.POST, instance=page)
        if page is None or not form.is_valid():
            text = _("This page was not saved. A text has at most %(most)d characters.") % {"most": slides.TEXT}
            self.message_user(request, text, messages.ERROR)
            return redirect(self._page(deck))
        do = request.POST.get("do", "save")
        if do in ("hide", "show"):
            form.instance.hidden = do == "hide"
        Slide.objects.filter(pk=page.pk).update(
            **{name: getattr(form.instance, name) for name in ("text", "alt", "hidden")}
        )
        if do in ("earlier", "later"):
            decks.move(deck, page.number, -1 if do == "earlier" else 1)
        self.log_change(request, deck, f"Page {page.number}: {do if do in DONE else 'save'}.")
        if not late_pages.describe(form.instance):
            text = _("Saved, but a lesson that is under way keeps the earlier words. Save it once more in a moment.")
            self.message_user(request, text, messages.WARNING)
        elif do == "save":
            self.message_user(request, _("Saved."), messages.SUCCESS)
        return redirect(f"{self._page(deck)}#page-{page.number}")

    def retry_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have the pages that are missing converted once more."""
        deck = self.require(request, str(pk))
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if slides.retry(deck):
            self.log_change(request, deck, "Tried again.")
        return redirect(self._page(deck))

    def original_view(self, request: HttpRequest, pk: int) -> HttpResponse | FileResponse:
        """Give the PDF back as it came."""
        deck = self.require(request, str(pk))
        try:
            file = deck.file.open("rb")
        except (OSError, ValueError):
            self.message_user(request, _("The PDF of this deck is not here any more."), messages.ERROR)
            return redirect(self._page(deck))
        return FileResponse(file, as_attachment=True, filename=f"{deck.title}.pdf", content_type="application/pdf")
