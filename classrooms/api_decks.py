"""The REST door of decks: upload a PDF, watch it convert, read its pages."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from classrooms import decks
from whiteboard.models import Deck, Slide


class SlideSerializer(serializers.ModelSerializer[Slide]):
    """A page: size in board units, addresses of its images by width, the text on it, what is to be seen on it (`alt`).

    Lessons are not given hidden pages.
    """

    images = serializers.DictField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Slide
        fields = ["number", "width", "height", "images", "text", "alt", "hidden"]
        read_only_fields = fields


class DeckSerializer(serializers.ModelSerializer[Deck]):
    """A deck. While it converts, `pages_done` grows to `pages`; `error` and `message` say why it failed.

    `failures`: the codes of pages that could not be drawn, by their number; the other pages can be taught from.
    """

    failures = serializers.DictField(child=serializers.CharField(), read_only=True)
    message = serializers.SerializerMethodField()

    class Meta:
        model = Deck
        fields = [
            "id", "title", "status", "error", "message", "failures", "pages", "pages_done", "hidden", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_message(self, deck: Deck) -> str:
        """Return the sentence of `error`."""
        return decks.sentence(deck.error)


class DeckDetailSerializer(DeckSerializer):
    """A deck with the pages that are done, in its owner's order."""

    slides = SlideSerializer(many=True, read_only=True)

    class Meta(DeckSerializer.Meta):
        fields = [*DeckSerializer.Meta.fields, "slides"]
        read_only_fields = fields


class UploadSerializer(serializers.Serializer[Any]):
    """A PDF, and a title if it shall not be the file's name."""

    file = serializers.FileField(allow_empty_file=True, max_length=None)  # an empty one has a sentence of its own
    title = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")


class DeckViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, viewsets.GenericViewSet[Deck]
):
    """The user's own decks."""

    queryset = Deck.objects.none()
    parser_classes = [MultiPartParser]

    def get_queryset(self) -> QuerySet[Deck]:
        """Return the user's decks, hidden ones too, newest first."""
        if not self.request.user.is_authenticated:
            return Deck.objects.none()
        return Deck.objects.filter(owner=self.request.user)

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        """Return the pages with a single deck alone."""
        return DeckDetailSerializer if self.action == "retrieve" else DeckSerializer

    @extend_schema(
        request={"multipart/form-data": UploadSerializer},
        responses={201: DeckSerializer},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take a PDF; it converts while you ask for it again: bad_file, too_large at once, the others in `error`."""
        fields = UploadSerializer(data=request.data)
        fields.is_valid(raise_exception=True)
        deck = decks.receive(request.user, fields.validated_data["title"], fields.validated_data["file"])
        return Response(DeckSerializer(deck).data, status.HTTP_201_CREATED)
