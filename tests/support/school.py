"""A school's sign-in: an OpenID Connect provider on a port of 127.0.0.1 that vouches for whoever the test says."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT = "lectern"


class School:
    """Use it as a context. `person` holds the claims of whoever signs in next."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {}
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._nonces: dict[str, str] = {}
        school = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                if path == "/.well-known/openid-configuration":
                    self.say(school._configuration())
                elif path == "/keys":
                    key = json.loads(RSAAlgorithm.to_jwk(school._key.public_key()))
                    self.say({"keys": [key | {"kid": "k1", "alg": "RS256", "use": "sig"}]})
                elif path == "/person":
                    self.say(school.person)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.say({"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": school._token()})

            def say(self, body: dict[str, Any]) -> None:
                data = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, asked: str) -> str:
        """Return where a browser that was sent to `asked` comes back to, having signed in."""
        query = parse_qs(urlsplit(asked).query)
        return f"{query['redirect_uri'][0]}?{urlencode({'code': 'c', 'state': query['state'][0]})}"

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/sign-in", "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/person", "jwks_uri": f"{self.url}/keys",
        }  # fmt: skip

    def _token(self) -> str:
        now = int(time.time())
        told = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 60, **self.person}
        return jwt.encode(told, self._key, algorithm="RS256", headers={"kid": "k1"})
