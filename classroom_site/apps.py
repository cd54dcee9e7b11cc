"""The site as an app: it brings the system checks."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "classroom_site"

    def ready(self) -> None:
        from classroom_site import checks  # noqa: F401 - registers them
