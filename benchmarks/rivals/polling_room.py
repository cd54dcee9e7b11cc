"""A classroom by polling: a Django view that each client asks every half second for what came after `since`.

    daphne benchmarks.rivals.polling_room:application

Good to polling: connections are kept alive, there is no session and no middleware, and where nothing has come the
answer is an empty 304 out of the cache, without a query. POLLING_DATA is the directory of its SQLite database.
"""

import os
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(
    DEBUG=False,
    SECRET_KEY="nothing is signed here",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": Path(os.environ["POLLING_DATA"]) / "polling.sqlite3",
            "CONN_MAX_AGE": None,
            "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"},
        }
    },
)
django.setup()

from django.core.cache import cache  # noqa: E402
from django.db import connection, models  # noqa: E402


class Message(models.Model):
    """What somebody said in a room."""

    room = models.IntegerField()
    text = models.TextField()
    objects: models.Manager["Message"] = models.Manager()

    class Meta:
        app_label = "polling"
        indexes = [models.Index(fields=["room", "id"], name="message_of_room")]

    def __str__(self) -> str:
        return self.text


with connection.schema_editor() as editor:
    editor.create_model(Message)


async def room(request: HttpRequest, number: int) -> HttpResponse:
    """POST says something; GET answers what was said after `since`, or 304."""
    key = f"head.{number}"
    if request.method == "POST":
        said = await Message.objects.acreate(room=number, text=request.body.decode())
        await cache.aset(key, said.pk, None)
        return HttpResponse(status=204)
    since = int(request.GET["since"])
    if (await cache.aget(key, 0)) <= since:
        return HttpResponse(status=304)
    found: list[tuple[int, Any]] = [
        row async for row in Message.objects.filter(room=number, id__gt=since).order_by("id").values_list("id", "text")
    ]
    texts = ",".join(text for _, text in found)
    head = found[-1][0] if found else since
    body = f'{{"head":{head},"messages":[{texts}]}}'
    length = {"Content-Length": str(len(body.encode()))}  # else Daphne would send it in chunks
    return HttpResponse(body, content_type="application/json", headers=length)


urlpatterns = [path("room/<int:number>/", room)]
application = get_asgi_application()
