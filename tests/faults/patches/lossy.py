"""A channel layer that loses every tenth publish to a group, doubles some and sends some late.

Every seventh is doubled, every fifth comes after its successor.
While the file DATA_DIR/deaf exists, every one is lost.
DATA_DIR/mishaps-<pid> holds how many publishes were lost, doubled and sent late.
"""

import os
from pathlib import Path
from typing import Any

from channels_redis.pubsub import RedisPubSubLoopLayer
from django.conf import settings

_write = Path(settings.DATA_DIR, f"mishaps-{os.getpid()}").write_text
_deaf = Path(settings.DATA_DIR, "deaf").exists
_send = RedisPubSubLoopLayer.group_send
_count = _lost = _doubled = _late = 0
_held: tuple[str, dict[str, Any]] | None = None


async def group_send(self: Any, group: str, message: dict[str, Any]) -> None:
    global _count, _lost, _doubled, _late, _held
    _count += 1
    if _count % 10 == 0 or _deaf():
        _lost += 1
        _write(f"{_lost} {_doubled} {_late}")
        return
    if _count % 5 == 1 and _held is None:
        _held = group, message
        return
    await _send(self, group, message)
    if _count % 7 == 0:
        _doubled += 1
        await _send(self, group, message)
    if _held is not None:
        (group, message), _held = _held, None
        _late += 1
        await _send(self, group, message)


RedisPubSubLoopLayer.group_send = group_send
