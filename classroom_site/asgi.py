"""Lectern's ASGI application: the live doors, static files, and Django for everything else."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom_site.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()  # sets Django up: what follows may import models

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path
from servestatic import ServeStaticASGI

from classroom_site.parts import part
from classrooms import fallback, observing
from classrooms.consumers import LessonConsumer
from classrooms.origins import own_origins_only, refuse_socket
from whiteboard import images


def harden(headers: Any, path: str, url: str) -> None:
    """Have browsers take a static file for what we say that it is, as they take everything else of ours."""
    headers["X-Content-Type-Options"] = "nosniff"


pages = ServeStaticASGI(
    django_application,
    root=settings.STATIC_ROOT,
    prefix=settings.STATIC_URL,
    immutable_file_test=r"^.+\.[0-9a-f]{12}\..+$",  # hashed by StaticStorage
    add_headers_function=harden,
)


def door(pattern: str, application: Any) -> Any:
    """Route a pattern to an ASGI application, which `path` takes as well as a view."""
    return path(pattern, application)


application = ProtocolTypeRouter(
    {
        "http": URLRouter(
            [
                door("healthz", observing.healthz),
                door("readyz", observing.readyz),
                door("metrics", observing.show_metrics),
                door("live/lessons/<int:lesson>/state/", fallback.state),
                door("live/waiting/<str:code>/", fallback.waiting),
                door("media/decks/<path:image>", images.door),
                door("<path:rest>", pages),
                door("", pages),
            ]
        ),
        "websocket": own_origins_only(
            URLRouter(
                [
                    door("live/lessons/<int:lesson>/socket/", LessonConsumer.as_asgi()),
                    door("<path:rest>", refuse_socket),
                    door("", refuse_socket),
                ]
            )
        ),
    }
)

live_doors = part(application, live=True)
other_doors = part(application, live=False)
