"""Somebody at the pages of a real server, without a browser: cookies, forms, redirects."""

import http.cookiejar
import re
import urllib.parse
import urllib.request

from tests.support.server import Server


class Visitor:
    """Somebody with a browser's cookies and no browser."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> str:
        """Return a page."""
        with self.opener.open(f"{self.server.url}{path}", timeout=30) as answer:
            return str(answer.read().decode())

    def post(self, path: str, **fields: str) -> str:
        """Submit the form that is shown at `path`; return the address where that leads."""
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(path))
        assert found, f"{path} shows no form"
        body = urllib.parse.urlencode(fields | {"csrfmiddlewaretoken": found[1]}).encode()
        with self.opener.open(f"{self.server.url}{path}", body, timeout=30) as answer:
            return str(urllib.parse.urlsplit(answer.url).path)
