"""Lectern's ASGI application: the live doors, static files, and Django for everything else."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom_site.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()  # sets Django up: what follows may import models

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path
from servestatic import ServeStaticASGI

from classrooms import fallback
from classrooms.consumers import LessonConsumer
from classrooms.origins import own_origins_only
from whiteboard import images

pages = ServeStaticASGI(
    django_application,
    root=settings.STATIC_ROOT,
    prefix=settings.STATIC_URL,
    immutable_file_test=r"^.+\.[0-9a-f]{12}\..+$",  # hashed by StaticStorage
)

application = ProtocolTypeRouter(
    {
        "http": URLRouter(
            [
                path("live/lessons/<int:lesson>/state/", fallback.state),
                path("live/waiting/<str:code>/", fallback.waiting),
                path("media/decks/<path:image>", images.door),
                path("<path:rest>", pages),
                path("", pages),
            ]
        ),
        "websocket": own_origins_only(URLRouter([path("live/lessons/<int:lesson>/socket/", LessonConsumer.as_asgi())])),
    }
)
