"""A reader of Prometheus's text format that takes nothing which is not quite right."""

import math
import re
import urllib.error
import urllib.request

from tests.support.server import Server

Metrics = dict[str, float]

_SAMPLE = re.compile(r'([a-z_:][a-z0-9_:]*)(\{[a-z_]+="[^"\\\n]*"(?:,[a-z_]+="[^"\\\n]*")*\})? (\S+)')
KINDS = {"counter", "gauge", "histogram"}


def scrape(server: Server) -> Metrics:
    """Return {name and labels as written: value} of a server, asked from its own machine."""
    status, kind, body = ask(server, "/metrics")
    assert status == 200
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    return read(body)


def ask(server: Server, path: str, **headers: str) -> tuple[int, str, str]:
    """Return (status, content type, text); a header's name has _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"{server.url}{path}", headers=named)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers["content-type"], answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers.get("content-type", ""), refused.read().decode()


def read(text: str) -> Metrics:
    """Read a page: each family has a help and a type before its samples, no sample comes twice, histograms add up."""
    assert text.endswith("\n")
    found: Metrics = {}
    family = kind = ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family, kind = line.split(" ", 3)[2], ""
            assert line.split(" ", 3)[3], line
        elif line.startswith("# TYPE "):
            assert line.split(" ")[2] == family
            kind = line.split(" ")[3]
            assert kind in KINDS
        else:
            sample = _SAMPLE.fullmatch(line)
            assert sample, line
            name, labels, value = sample.groups()
            assert kind, line
            assert name.removeprefix(family) in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",)), line
            assert (kind == "counter") == family.endswith("_total"), line
            key = name + (labels or "")
            assert key not in found, key
            found[key] = float(value)
            assert found[key] >= 0
    for count in [name for name in found if name.endswith("_count")]:
        _adds_up(found, count.removesuffix("_count"))
    return found


def _adds_up(found: Metrics, name: str) -> None:
    """Check a histogram: buckets grow to the count, their bounds too, and the last has no bound."""
    buckets = [(key, value) for key, value in found.items() if key.startswith(f"{name}_bucket")]
    bounds = [float(key.split('"')[1]) for key, _ in buckets]
    assert bounds == sorted(bounds)
    assert bounds[-1] == math.inf
    values = [value for _, value in buckets]
    assert values == sorted(values)
    assert values[-1] == found[f"{name}_count"]


def grown(before: Metrics, after: Metrics, name: str) -> float:
    """Return by how much a metric has grown; one that was not there was zero."""
    return after.get(name, 0.0) - before.get(name, 0.0)
