"""Decks at /teach/: uploading a PDF, watching it convert, hiding one that is no longer wanted."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from classrooms import decks
from classrooms.admin.site import OwnedAdmin, teach, user_of, when
from classrooms.models import Classroom, Staff
from classrooms.refusals import Refused
from whiteboard.models import Deck

ROOMS = 3  # classrooms that a deck's page offers to start a lesson in


class UploadForm(forms.Form):
    """A PDF, and a title if it shall not be the file's name."""

    file = forms.FileField(allow_empty_file=True)  # an empty one is told that it is no PDF
    title = forms.CharField(max_length=120, required=False)


class Shown(admin.SimpleListFilter):
    """Decks that are offered when a lesson starts, or those that are hidden."""

    title = "deck"
    parameter_name = "hidden"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the two."""
        return [("0", "Offered"), ("1", "Hidden")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Deck]) -> QuerySet[Deck]:
        """Keep the chosen ones."""
        return queryset.filter(hidden=self.value() == "1") if self.value() in ("0", "1") else queryset


@admin.register(Deck, site=teach)
class DeckAdmin(OwnedAdmin):
    """The user's own decks. They are hidden, never deleted: lessons of the past show their pages."""

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

    @admin.display(description="")
    def picture(self, deck: Deck) -> str:
        """Show the first page."""
        slide = decks.first_page(deck)
        if slide is None:
            return format_html('<span class="thumb blank"></span><span class="spoken">{}</span>', deck.title)
        return format_html(
            '<img class="thumb" src="{}" alt="First page of {}" width="320" height="{}" loading="lazy">',
            slide.images["320"],
            deck.title,
            round(320 * slide.height / slide.width),
        )

    @admin.display(description="State", ordering="status")
    def state(self, deck: Deck) -> str:
        """Say how far the conversion is, or why it failed."""
        return decks.describe(deck)

    @admin.display(description="Uploaded", ordering="created_at")
    def uploaded(self, deck: Deck) -> str:
        """Say when it came."""
        return when(deck.created_at)

    @admin.display(description="When a lesson starts", ordering="hidden")
    def shown(self, deck: Deck) -> str:
        """Say whether it is offered when a lesson starts."""
        return "Hidden" if deck.hidden else "Offered"

    @admin.action(description="Hide the selected decks", permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Deck]) -> None:
        """Offer these no more when a lesson starts."""
        self.message_user(request, f"{queryset.update(hidden=True)} hidden. Past lessons still show their pages.")

    @admin.action(description="Show the selected decks again", permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Deck]) -> None:
        """Offer these again."""
        self.message_user(request, f"{queryset.update(hidden=False)} can be chosen again.")

    def get_urls(self) -> list[URLPattern]:
        """Add the address that a deck's page asks for progress."""
        progress = self.admin_site.admin_view(self.progress_view)
        return [path("<int:pk>/progress/", progress, name="whiteboard_deck_progress"), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Take an upload. Not the stock view: that one is atomic, and the file must not outlive a rolled back row.

        A page of ours that sends the file by script asks for JSON: 201 with `location`, or `code` and `message`.
        """
        if not self.has_add_permission(request):
            raise PermissionDenied
        wants_json = request.headers.get("Accept") == "application/json"
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                deck = self._receive(request, **form.cleaned_data)
            except Refused as refusal:
                if wants_json:
                    return JsonResponse({"code": refusal.code, "message": refusal.message}, status=refusal.status)
                form.add_error("file", refusal.message)
            else:
                page = reverse("admin:whiteboard_deck_change", args=[deck.pk], current_app=self.admin_site.name)
                return JsonResponse({"location": page}, status=201) if wants_json else redirect(page)
        context = self.admin_site.each_context(request) | {
            "title": "Upload a deck",
            "opts": self.opts,
            "form": form,
            "most_megabytes": settings.DECK_MAX_BYTES // (1024 * 1024),
            "most_pages": settings.DECK_MAX_PAGES,
        }
        return TemplateResponse(request, "admin/whiteboard/deck/upload.html", context)

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
                "slides": deck.slides.all(),
                "state": decks.describe(deck),
                "unfinished": decks.unfinished(deck),
                "rooms": Classroom.objects.filter(pk__in=led.values("classroom"))[:ROOMS],
            }
        return super().change_view(request, object_id, form_url, context)

    def progress_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Say how far the conversion is, with the pages after `?after=`."""
        deck = self.require(request, str(pk))
        after = request.GET.get("after", "0")
        new = deck.slides.filter(number__gt=int(after)) if after.isdecimal() and len(after) < 5 else []
        return JsonResponse(
            {
                "status": deck.status,
                "state": decks.describe(deck),
                "unfinished": decks.unfinished(deck),
                "pages": deck.pages,
                "pages_done": deck.pages_done,
                "slides": [
                    {"number": slide.number, "image": slide.images["320"], "width": slide.width, "height": slide.height}
                    for slide in new
                ],
            }
        )
