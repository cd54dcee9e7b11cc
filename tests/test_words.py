"""All that is said can be said in another language, and German says all of it."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import translation

from classroom_site import words
from classroom_site.management.commands.words import DOMAINS, read, untranslated

ROOT = Path(settings.BASE_DIR)
LANGUAGES = [language for language, _ in settings.LANGUAGES if language != "en"]
PLACES = re.compile(r"%\(\w+\)[sd0-9]*|\{\w+\}|%[sd]")
SAID = ("alt", "title", "aria-label", "placeholder")
QUOTED = ("script", "style", "code", "kbd")
NAMES = {"Lectern", "QR", "PDF", "CSV", "Ctrl", "Shift", "Z", "MB", "KB"}  # said so in every language
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.html"))


def entries(language: str, domain: str) -> list[Any]:
    path = Path(settings.LOCALE_PATHS[0], language, "LC_MESSAGES", f"{domain}.po")
    return [entry for entry in read(path) if entry.id]


# --- the catalogues ----------------------------------------------------------------------------------------------


def test_the_catalogues_are_those_of_the_source() -> None:
    call_command("words", "--check")


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_is_translated_and_keeps_its_places(language: str, domain: str) -> None:
    found = entries(language, domain)
    assert len(found) > 100
    assert [entry.id for entry in untranslated(found)] == []
    for entry in found:
        sources = entry.id if isinstance(entry.id, tuple) else (entry.id,)
        texts = entry.string if isinstance(entry.id, tuple) else (entry.string,)
        for text in texts:
            assert set(PLACES.findall(text)) <= set(PLACES.findall(" ".join(sources))), entry.id
        assert set(PLACES.findall(texts[-1])) == set(PLACES.findall(sources[-1])), entry.id


# --- the source --------------------------------------------------------------------------------------------------


class Bare(HTMLParser):
    """Finds words that a template says by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._skip = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._skip += tag in QUOTED
        self.found += [value for name, value in attrs if name in SAID and value and tag != "option"]

    def handle_endtag(self, tag: str) -> None:
        self._skip -= tag in QUOTED

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self.found.append(data)


def bare(source: str) -> Iterator[str]:
    """Yield what a template says in no language's catalogue."""
    source = re.sub(r"\{% comment.*?endcomment %\}|\{#.*?#\}", "", source, flags=re.DOTALL)
    source = re.sub(r"\{% blocktranslate.*?endblocktranslate %\}", "", source, flags=re.DOTALL)
    source = re.sub(r"\{% block body_attributes %\}.*", "", source)  # they stand in a tag of another file
    source = re.sub(r"\{% block (bodyclass|coltype) %\}[^{]*", "", source)
    parser = Bare()
    parser.feed(re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", source, flags=re.DOTALL))
    for text in parser.found:
        for word in re.findall(r"[^\W\d_]{2,}", text):
            if word not in NAMES:
                yield word


def test_bare_words_are_found() -> None:
    assert list(bare('<p title="Good {{ day }}">{% translate "Hello" %} you</p>{# not this #}')) == ["Good", "you"]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_template_says_nothing_by_itself(path: Path) -> None:
    assert list(bare(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", sorted((ROOT / "static" / "js").rglob("*.js")), ids=lambda path: path.name)
def test_a_script_translates_texts_alone(path: Path) -> None:
    """`t(name)` says what no catalogue is known to hold: the source text stands in the call, or `told` says it."""
    calls = r"(?<![\w.$])(?:t\(|tn\((?:[^\",()]|\([^()]*\))*,)(?!\s*\")[^)]*"
    if path.name != "i18n.js":
        assert re.findall(calls, path.read_text(encoding="utf-8")) == []


# --- what is served ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_page_speaks_the_language_that_its_reader_asks_for() -> None:
    with translation.override("en"):  # a request leaves its language to its thread, which here is the tests'
        answers = [Client(headers={"Accept-Language": one}).get("/") for one in ("en", "de-AT,de")]
    english, german = (answer.content.decode() for answer in answers)
    assert '<html lang="en">' in english
    assert 'id="words"' not in english
    assert '<html lang="de">' in german
    assert 'id="words"' in german


def test_scripts_are_given_plural_forms() -> None:
    with translation.override("de"):
        spoken = words.spoken()
    assert {type(text) for text in spoken.values()} == {str, list}
