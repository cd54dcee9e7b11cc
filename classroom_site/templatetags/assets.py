"""`{% importmap %}` and `{% modulepreload %}`: ES modules under hashed names without a bundler.

A browser resolves `./store.js` against the importing module's address first and then looks the result up in the import
map, so a map from plain to hashed addresses serves sources that nobody rewrote.
"""

import functools
import json
from collections.abc import Iterable
from pathlib import Path

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template.context import RequestContext
from django.utils.html import format_html, format_html_join, json_script
from django.utils.safestring import SafeString, mark_safe

from classroom_site import modules
from classroom_site import words as catalogues

register = template.Library()

_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}  # as json_script does


@register.simple_tag(takes_context=True)
def importmap(context: RequestContext) -> SafeString:
    """Return the import map of all modules; it must stand before the page's first module script."""
    body = mark_safe(_import_map().translate(_ESCAPES))  # noqa: S308 - JSON of our own file names, `<>&` escaped
    return format_html('<script type="importmap" nonce="{}">{}</script>', context["request"].csp_nonce, body)


@register.simple_tag
def words() -> str:
    """Return what scripts say in the page's language, for i18n.js; nothing where that is the source's own."""
    spoken = catalogues.spoken()
    return json_script(spoken, "words") if spoken else ""


@register.simple_tag
def modulepreload(entry: str) -> SafeString:
    """Return a hint for each module that `entry` (a static name) loads, so that they come in one round trip.

    What it imports later comes with the patience of `fetchpriority="low"`: when nothing more urgent is on its way.
    """
    now, later = _preloads(entry)
    hints = format_html_join("\n", '<link rel="modulepreload" href="{}">', ((url,) for url in now))
    patient = format_html_join(
        "\n", '<link rel="modulepreload" fetchpriority="low" href="{}">', ((url,) for url in later)
    )
    return format_html("{}\n{}", hints, patient)


@functools.cache
def _import_map() -> str:
    hashed = getattr(staticfiles_storage, "hashed_files", {})
    names = sorted(name for name in hashed if name.endswith(".js") and name.startswith("js/"))
    return json.dumps(
        {"imports": {f"{settings.STATIC_URL}{name}": staticfiles_storage.url(name) for name in names}},
        separators=(",", ":"),
    )


@functools.cache
def _preloads(entry: str) -> tuple[list[str], list[str]]:
    """Return the addresses of what an entry loads, and of what it loads later."""
    source = finders.find(entry)
    if source is None:
        raise template.TemplateSyntaxError(f"modulepreload: no static file {entry!r}")
    path = Path(source).resolve()
    root = path.parents[len(Path(entry).parts) - 1]
    now = modules.loads(path)
    lazy = [target for module in now for target in modules.lazy_imports(module)]
    later = dict.fromkeys(module for target in lazy for module in modules.loads(target) if module not in now)

    def addresses(files: Iterable[Path]) -> list[str]:
        return [staticfiles_storage.url(file.relative_to(root).as_posix()) for file in files]

    return addresses(now), addresses(later)
