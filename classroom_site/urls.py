"""Every address that Django serves; the live doors and slide images are in asgi.py."""

from django.contrib.staticfiles.storage import staticfiles_storage
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from classrooms import api, views
from classrooms.admin import administration, teach


class Favicon(RedirectView):
    """Browsers ask for /favicon.ico whatever a page says."""

    def get_redirect_url(self, *args: object, **kwargs: object) -> str:
        return staticfiles_storage.url("icons/favicon.svg")


urlpatterns = [
    path("", views.home, name="home"),
    path("j/<str:code>/", views.home, name="join"),
    path("lessons/<int:lesson>/", views.lesson, name="lesson"),
    # Before /teach/: of two admin sites the later one is meant by addresses that name none.
    path("admin/", administration.urls),
    path("teach/", include("classrooms.admin.account")),
    path("teach/", teach.urls),
    path("api/", include(api.urls)),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("favicon.ico", Favicon.as_view()),
]
