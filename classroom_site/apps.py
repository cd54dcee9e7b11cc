"""The site as an app: it brings the system checks, and lets lessons hear of the pages of their decks."""

from typing import Any

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "classroom_site"

    def ready(self) -> None:
        from classroom_site import checks  # noqa: F401 - registers them
        from whiteboard.slides import page_finished

        page_finished.connect(_bring)


def _bring(deck: Any, **_: Any) -> None:
    from classrooms import late_pages

    late_pages.bring(deck)
