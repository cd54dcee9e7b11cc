"""What the templates promise to the scripts, the sprite and the Content-Security-Policy."""

import re
from pathlib import Path

import pytest
from django.template.loader import render_to_string

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "templates").glob("*.html"))
ADMINS = {"start.js", "deck.js"}  # goes with the admin's own templates
SCRIPTS = sorted(
    path
    for folder in ("pages", "panels")
    for path in (ROOT / "static" / "js" / folder).glob("*.js")
    if path.name not in ADMINS
)
MARKUP = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
CODE = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
IDS = set(re.findall(r'\bid="([^"{]+)"', MARKUP))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_has_no_inline_style_script_or_handler(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style\b|javascript:", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)


def test_every_element_that_a_script_asks_for_is_in_a_template() -> None:
    asked = set(re.findall(r'(?:byId|getElementById)\("([^"]+)"\)', CODE))
    assert len(asked) > 40
    assert asked - IDS == {"pass"}  # json_script writes it


def test_every_icon_that_is_used_is_in_the_sprite() -> None:
    sprite = {name.removeprefix("i-") for name in IDS if name.startswith("i-")}
    used = set(re.findall(r'href="#i-([a-z]+)"', MARKUP)) | set(re.findall(r'\bicon\("([a-z]+)"', CODE))
    used |= set(re.findall(r'\b(?:icon: |choice\(|swapIcon\([^,]+, )"([a-z]+)"', CODE))
    assert used - sprite == set()


def test_every_button_that_opens_a_dialog_has_one() -> None:
    opened = set(re.findall(r'data-opens="([^"]+)"', MARKUP))
    assert opened
    assert opened <= set(re.findall(r'<dialog[^>]*\bid="([^"]+)"', MARKUP))


def test_every_label_and_description_points_at_something() -> None:
    for attribute in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
        for value in re.findall(rf'\b{attribute}="([^"{{]+)"', MARKUP):
            assert set(value.split()) <= IDS, f"{attribute}={value}"


@pytest.mark.parametrize("name", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"])
def test_an_error_page_needs_no_request_and_names_the_next_step(name: str) -> None:
    text = render_to_string(name)
    assert "<h1>" in text
    assert 'href="/"' in text
