"""Every address that Django serves; the live doors and slide images are in asgi.py."""

from typing import cast

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils import translation
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView
from rest_framework.response import Response

from classrooms import api, views
from classrooms.admin import administration, teach


class Favicon(RedirectView):
    """Browsers ask for /favicon.ico whatever a page says."""

    def get_redirect_url(self, *args: object, **kwargs: object) -> str:
        return staticfiles_storage.url("icons/favicon.svg")


class Schema(SpectacularAPIView):
    """The REST door's schema: for programs, so in the source's language whoever asks."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Answer in English, written out before the language changes back."""
        with translation.override(settings.LANGUAGE_CODE):
            response = cast(Response, super().dispatch(request, *args, **kwargs))
            response.render()
            return response


urlpatterns = [
    path("", views.home, name="home"),
    path("j/<str:code>/", views.home, name="join"),
    path("lessons/<int:lesson>/", views.lesson, name="lesson"),
    # Before /teach/: of two admin sites the later one is meant by addresses that name none.
    path("admin/", administration.urls),
    path("teach/", include("classrooms.admin.account")),
    path("teach/", teach.urls),
    path("api/", include(api.urls)),
    path("api/schema/", Schema.as_view(), name="schema"),
    path("favicon.ico", Favicon.as_view()),
]
