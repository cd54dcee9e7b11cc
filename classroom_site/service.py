"""What systemd is told of a service of `Type=notify`: that it is ready, and that it is ending."""

import contextlib
import socket

import environ

env = environ.Env()


def tell(state: str) -> None:
    """Tell the service manager, if one started us, a line such as `READY=1` (sd_notify(3)). Never raises."""
    place = env.str("NOTIFY_SOCKET", default="")
    if not place:
        return
    address = f"\0{place[1:]}" if place.startswith("@") else place  # "@": in Linux' abstract namespace
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.sendto(state.encode(), address)
