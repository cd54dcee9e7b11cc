"""What a phone has to fetch before a lesson shows, as it is collected and as it is served."""

import gzip
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from classroom_site import lean, modules
from tests.support.server import Server, template

ROOT = Path(__file__).resolve().parent.parent
MOST = 120_000  # bytes, compressed
ENTRY = "static/js/pages/lesson.js"


def styles() -> list[Path]:
    """The style sheets of the lesson page, in its order."""
    markup = "".join((ROOT / "templates" / name).read_text() for name in ("base.html", "lesson.html"))
    found = [finders.find(name) for name in re.findall(r'{% static "(css/[^"]+)" %}', markup)]
    return [Path(path) for path in found if path]


def scripts() -> list[Path]:
    """Every module that the lesson page may load, at once or later, and its classic scripts."""
    found = dict.fromkeys([*modules.loads(ROOT / ENTRY), ROOT / "static/js/pages/theme.js"])
    for path in list(found):
        for later in modules.lazy_imports(path):
            found |= dict.fromkeys(modules.loads(later))
    return list(found)


def zipped(text: str) -> int:
    return len(gzip.compress(text.encode(), 9, mtime=0))


def test_scripts_and_styles_of_the_lesson_page_weigh_less_than_120_kb_compressed() -> None:
    weights = {path: zipped(lean.script(path.read_text(encoding="utf-8"))) for path in scripts()}
    weights |= {path: zipped(lean.style(path.read_text(encoding="utf-8"))) for path in styles()}
    assert len(styles()) >= 6
    assert len(weights) > 60
    heaviest = sorted(weights, key=weights.__getitem__, reverse=True)[:5]
    assert sum(weights.values()) < MOST, {path.name: weights[path] for path in heaviest}


def test_collected_files_have_a_compressed_copy_that_says_the_same() -> None:
    static = template() / "static"
    hashed = [path for path in static.glob("js/**/*.js") if re.search(r"\.[0-9a-f]{12}\.js$", path.name)]
    assert len(hashed) > 60
    small = [path for path in hashed if not path.with_name(f"{path.name}.gz").exists()]
    assert all(path.stat().st_size < 200 for path in small)
    for path in set(hashed) - set(small):
        assert gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes()) == path.read_bytes()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Server() as server:
        yield server.url


@pytest.mark.parametrize("entry", ["js/session", "css/tokens"])
def test_a_browser_that_takes_gzip_gets_it_and_another_the_plain_file(url: str, entry: str) -> None:
    suffix = "js" if entry.startswith("js") else "css"
    (path,) = (template() / "static").glob(f"{entry}.????????????.{suffix}")
    address = f"{url}/static/{path.relative_to(template() / 'static')}"
    with urllib.request.urlopen(urllib.request.Request(address, headers={"Accept-Encoding": "gzip, br"})) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert "immutable" in answer.headers["Cache-Control"]
        assert gzip.decompress(answer.read()) == path.read_bytes()
    with urllib.request.urlopen(address) as answer:
        assert answer.headers["Content-Encoding"] is None
        assert answer.read() == path.read_bytes()
