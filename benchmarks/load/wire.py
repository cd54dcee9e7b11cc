"""WebSocket as the load speaks it (RFC 6455): the handshake, frames out, and frames in by walking their headers."""

import secrets
from base64 import b64encode
from collections.abc import Iterator

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA

# A client has to mask, and with which four bytes is its own affair: with four zeros nothing has to be computed here,
# and a server computes as much as with any others.
MASK = bytes(4)


def handshake(port: int, path: str, subprotocol: str = "") -> bytes:
    """Return the request that opens a socket at `path` of 127.0.0.1:`port`."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {b64encode(secrets.token_bytes(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        f"Origin: http://127.0.0.1:{port}",
    ]
    if subprotocol:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return one masked frame."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, 0x80 | size)) + MASK + payload
    if size < 65536:
        return bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2) + MASK + payload
    return bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8) + MASK + payload


def walk(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (opcode, start, end) of each whole frame's payload in `data`; the next frame begins at the last `end`.

    Raises ValueError at a fragment: no server here sends any.
    """
    at, size = 0, len(data)
    while size - at >= 2:
        head, length = data[at], data[at + 1]
        start = at + 2
        if length == 126:
            length = int.from_bytes(data[at + 2 : at + 4])
            start = at + 4
        elif length == 127:
            length = int.from_bytes(data[at + 2 : at + 10])
            start = at + 10
        end = start + length
        if end > size:
            return
        if head < 0x81:
            raise ValueError("a fragment")
        yield head & 0x0F, start, end
        at = end
