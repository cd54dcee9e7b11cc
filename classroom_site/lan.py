"""Which addresses this machine has, for a laptop that serves the room it stands in."""

import contextlib
import socket

WILDCARDS = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, not bound to
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]


def address() -> str:
    """Return the IPv4 address that other machines see, or 127.0.0.1 without a network. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a datagram socket only picks the interface it would use
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def hosts(host: str) -> list[str]:
    """Return the names that a server bound to `host` may be called by, as ALLOWED_HOSTS wants them."""
    if host not in WILDCARDS:
        return list(dict.fromkeys([*LOOPBACK, f"[{host}]" if ":" in host else host]))
    name = socket.gethostname()
    known = [*LOOPBACK, address(), name.lower(), f"{name.partition('.')[0].lower()}.local"]
    with contextlib.suppress(OSError):
        known += socket.gethostbyname_ex(name)[2]
    return list(dict.fromkeys(known))
