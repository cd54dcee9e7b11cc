"""A classroom on stock Channels: a consumer that passes on what one says to the group, under stock Daphne.

    daphne benchmarks.rivals.channels_room:application

RIVAL_LAYER names the layer's class, RIVAL_REDIS its server. `/lag` answers how late the event loop was, in ms.
"""

import asyncio
import json
import os
import time
from typing import Any

import django
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path

CAPACITY = 20_000  # messages of a channel that may wait; with the default, 100, a busy room loses some

settings.configure(
    DEBUG=False,
    SECRET_KEY="nothing is signed here",
    ALLOWED_HOSTS=["127.0.0.1"],
    INSTALLED_APPS=["channels"],
    DATABASES={},
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": os.environ["RIVAL_LAYER"],
            "CONFIG": {"hosts": [os.environ["RIVAL_REDIS"]]}
            | ({"capacity": CAPACITY} if "RedisPubSub" not in os.environ["RIVAL_LAYER"] else {}),
        }
    },
)
django.setup()

lags: list[float] = []
watching: set[asyncio.Task[None]] = set()


class Room(AsyncJsonWebsocketConsumer):
    """A client of a room: what it says, everybody hears."""

    room: str

    async def connect(self) -> None:
        self.room = f"room.{self.scope['url_route']['kwargs']['room']}"
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.room, self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        await self.channel_layer.group_send(self.room, {"type": "deliver", "message": content})

    async def deliver(self, event: dict[str, Any]) -> None:
        """Pass a message on to the client."""
        await self.send_json(event["message"])


async def watch() -> None:
    """Note how late the loop is."""
    while True:
        due = time.monotonic() + 0.1
        await asyncio.sleep(0.1)
        lags.append(time.monotonic() - due)


async def tell_lag(scope: Any, receive: Any, send: Any) -> None:
    """Answer GET /lag, and look from the first time on."""
    if not watching:
        watching.add(asyncio.get_running_loop().create_task(watch()))
    found = sorted(lags) or [0.0]
    lags.clear()
    told = {"p50": found[len(found) // 2] * 1000, "p99": found[min(len(found) - 1, len(found) * 99 // 100)] * 1000}
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]},
    )
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})


application = ProtocolTypeRouter(
    {"http": tell_lag, "websocket": URLRouter([path("room/<int:room>/", Room.as_asgi())])},  # type: ignore[arg-type, list-item]
)
