"""A language that only says where words are: every text of ours stands in ⟦⟧. Imported by a server before it serves.

What Django and allauth say themselves stays English: it is translated in their own catalogues (`theirs`).
"""

import gettext
import os
from collections.abc import Iterator
from pathlib import Path

import allauth
import django
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from django.conf import settings
from django.conf.locale import LANG_INFO

from classroom_site.management.commands.words import DOMAINS, read

LANGUAGE = "xx"
PATCH = "tests.support.pseudo"
PLACE = "LECTERN_TEST_WORDS"


def make(folder: Path) -> dict[str, str]:
    """Write the catalogues below `folder`; return the environment of a server that speaks them."""
    target = folder / LANGUAGE / "LC_MESSAGES"
    target.mkdir(parents=True)
    for domain in DOMAINS:
        catalogue = Catalog(locale="en")
        for entry in read(Path(settings.LOCALE_PATHS[0], "de", "LC_MESSAGES", f"{domain}.po")):
            if entry.id:
                ids = entry.id if isinstance(entry.id, tuple) else (entry.id,)
                texts = tuple(f"⟦{text}⟧" for text in ids)
                catalogue.add(entry.id, texts if len(texts) > 1 else texts[0], context=entry.context)
        with (target / f"{domain}.mo").open("wb") as file:
            write_mo(file, catalogue)
    return {PLACE: str(folder)}


def theirs() -> set[str]:
    """Return what Django and allauth have German words for."""
    return set(_theirs())


def _theirs() -> Iterator[str]:
    for package in (django, allauth):
        for path in Path(str(package.__file__)).parent.rglob("de/LC_MESSAGES/*.mo"):
            with path.open("rb") as file:
                for source in gettext.GNUTranslations(file)._catalog:  # type: ignore[attr-defined]  # its only reader
                    yield source[0] if isinstance(source, tuple) else source.rpartition("\x04")[2]


if PLACE in os.environ:
    LANG_INFO[LANGUAGE] = {"bidi": False, "code": LANGUAGE, "name": "Pseudo", "name_local": "Pseudo"}
    settings.LANGUAGES = [("en", "English"), (LANGUAGE, "Pseudo")]
    settings.LOCALE_PATHS = [os.environ[PLACE]]
