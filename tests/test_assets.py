"""Static files: the import map, preload hints, and that every name a template or script asks for is there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.template import Context, Template
from django.test import override_settings

from classroom_site import modules
from classroom_site.templatetags import assets

ROOT = Path(__file__).resolve().parent.parent
ENTRY = "js/session.js"
TEMPLATE = "{% load static assets %}{% importmap %}{% modulepreload '" + ENTRY + "' %}{% static '" + ENTRY + "' %}"


def render(source: str) -> str:
    return Template(source).render(Context({"request": SimpleNamespace(csp_nonce="n0nce")}))


@pytest.fixture
def _forget() -> Iterator[None]:
    def forget() -> None:
        assets._import_map.cache_clear()
        assets._preloads.cache_clear()

    forget()
    yield
    forget()


def served_from(root: Path) -> dict[str, Any]:
    """Return the settings for it; Django makes its storages anew when STORAGES is another object."""
    return {"STATIC_ROOT": root, "STORAGES": dict(settings.STORAGES)}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files, collected."""
    root = tmp_path_factory.mktemp("static")
    with override_settings(**served_from(root)):
        call_command("collectstatic", interactive=False, verbosity=0)
    return root


@pytest.fixture
def _collected(root: Path, _forget: None) -> Iterator[None]:
    with override_settings(**served_from(root)):
        yield


@pytest.mark.usefixtures("_collected")
def test_the_import_map_leads_every_module_to_a_hashed_file_that_is_there(root: Path) -> None:
    html = render(TEMPLATE)
    found = re.match(r'<script type="importmap" nonce="n0nce">(.*?)</script>', html)
    assert found
    imports = json.loads(found[1])["imports"]
    sources = {f"/static/{path.relative_to(ROOT / 'static').as_posix()}" for path in (ROOT / "static/js").rglob("*.js")}
    assert set(imports) == sources
    for plain, hashed in imports.items():
        assert re.fullmatch(re.escape(plain.removesuffix(".js")) + r"\.[0-9a-f]{12}\.js", hashed)
        assert (root / hashed.removeprefix("/static/")).is_file()


@pytest.mark.usefixtures("_collected")
def test_the_hints_name_what_the_entry_loads_by_the_addresses_of_the_map() -> None:
    html = render(TEMPLATE)
    hints = re.findall(r'<link rel="modulepreload" href="([^"]+)">', html)
    addresses = json.loads(html.partition(">")[2].partition("</script>")[0])["imports"].values()
    assert len(hints) == len(modules.loads(ROOT / "static" / ENTRY))
    assert set(hints) <= set(addresses)
    assert html.endswith(hints[0])


@pytest.mark.usefixtures("_collected")
def test_what_is_imported_later_is_hinted_at_with_patience() -> None:
    html = render("{% load assets %}{% modulepreload 'js/pages/lesson.js' %}")
    now = modules.loads(ROOT / "static" / "js" / "pages" / "lesson.js")
    later = modules.loads(ROOT / "static" / "js" / "panels" / "furniture.js")
    patient = re.findall(r'fetchpriority="low" href="[^"]*/([^"/]+)\.[0-9a-f]{12}\.js"', html)
    assert patient == [path.stem for path in later if path not in now]
    assert len(re.findall(r'rel="modulepreload" href=', html)) == len(now)


@pytest.mark.usefixtures("_collected")
def test_a_name_that_was_not_collected_is_an_error() -> None:
    with pytest.raises(ValueError, match="no_such"):
        render("{% load static %}{% static 'js/no_such.js' %}")


@pytest.mark.usefixtures("_forget")
def test_without_collected_files_names_are_plain_and_the_map_is_empty() -> None:
    html = render(TEMPLATE)
    assert html.startswith('<script type="importmap" nonce="n0nce">{"imports":{}}</script>')
    assert html.endswith(f"/static/{ENTRY}")


def test_every_static_name_in_a_template_is_a_file() -> None:
    tag = re.compile(r"{%\s*(?:static|modulepreload)\s+['\"]([^'\"]+)['\"]")
    for path in (ROOT / "templates").rglob("*.html"):
        for name in tag.findall(path.read_text()):
            assert finders.find(name), f"{path.relative_to(ROOT)} asks for {name}"


def test_imports_are_read_and_comments_are_not(tmp_path: Path) -> None:
    module = tmp_path / "a.js"
    module.write_text(
        '/** @typedef {import("./type.js").T} T */\n'
        '// import "./line.js";\n'
        'import { one,\n  two } from "./two.js";\n'
        'import "../bare.js"\n'
        'export * from "./again.js";\n'
        'const later = () => import("./later.js");\n'
        'const text = "import x from nowhere";\n'
    )
    assert [path.name for path in modules.imports(module)] == ["two.js", "bare.js", "again.js"]
    assert [path.name for path in modules.lazy_imports(module)] == ["later.js"]
