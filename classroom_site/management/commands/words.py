"""`manage.py words`: gather what the product says from its source into `locale/`, and compile what is translated.

For developers: it needs Babel. Domains are Django's own: `django` for pages and the server's sentences, `djangojs` for
what scripts say. A refusal's sentence is in both, for pages and scripts tell it.
"""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages import Catalog, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation.template import templatize

from classrooms import closes, refusals

DOMAINS = ("django", "djangojs")
PACKAGES = ("classroom_site", "classrooms", "whiteboard")
PYTHON: dict[str, Any] = {
    "_": None, "N_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None, "pgettext": ((1, "c"), 2),
    "ngettext": (1, 2), "ngettext_lazy": (1, 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip
SCRIPTS: dict[str, Any] = {"t": None, "tn": (2, 3)}
HEADER = "# What Lectern says. `make words` keeps the entries; the source is English."

Found = tuple[str, Any, str | None]  # where it stands; a text or its two forms; its context


class Command(BaseCommand):
    help = "Bring locale/ up to date with the source, and compile it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --check."""
        parser.add_argument("--check", action="store_true", help="change nothing; fail where something would change")

    def handle(self, *args: object, check: bool = False, **options: object) -> None:
        """Update and compile every catalogue, or name those that are not as they should be."""
        stale = [str(path) for path, content in catalogues() if not path.exists() or path.read_bytes() != content]
        if check and stale:
            self.stderr.write(f"Not up to date, run `make words`: {', '.join(stale)}")
            raise SystemExit(1)
        if check:
            return
        for path, content in catalogues():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            if path.suffix == ".po":
                self.stdout.write(f"{path}: {len(untranslated(read(path)))} of {len(read(path))} to be translated")


def catalogues() -> Iterator[tuple[Path, bytes]]:
    """Yield every file of `locale/` as it should be: the entries of the source with the translations that are there."""
    for language, _name in settings.LANGUAGES:
        if language != settings.LANGUAGE_CODE:
            for domain in DOMAINS:
                path = Path(settings.LOCALE_PATHS[0], language, "LC_MESSAGES", f"{domain}.po")
                catalogue = updated(path, language, domain)
                yield path, written(catalogue)
                yield path.with_suffix(".mo"), compiled(catalogue)


def read(path: Path) -> Any:
    """Return the catalogue of a file."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def updated(path: Path, language: str, domain: str) -> Any:
    """Return the catalogue with exactly the entries of the source. A changed entry is a new one: nothing is guessed."""
    known = read(path) if path.exists() else Catalog(locale=language)
    catalogue = Catalog(
        locale=language, header_comment=HEADER, fuzzy=False, project="Lectern", version="1", charset="utf-8"
    )
    for place, text, context in sorted(gathered(domain), key=lambda found: (found[0], str(found[1]))):
        singular = text[0] if isinstance(text, tuple) else text
        old = known.get(singular, context)
        string = old.string if old is not None and isinstance(old.id, tuple) == isinstance(text, tuple) else ""
        flags = ["python-format"] if "%(" in singular else []
        catalogue.add(text, string, locations=[(place, 0)], context=context, flags=flags)
    return catalogue


def written(catalogue: Any) -> bytes:
    """Return a .po file, without what changes at every run."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=0, omit_header=False, include_lineno=False)
    lines = buffer.getvalue().decode().split("\n")
    dull = (
        '"POT-Creation-Date',
        '"PO-Revision-Date',
        '"Last-Translator',
        '"Language-Team',
        '"Report-Msgid',
        '"Generated',
    )
    return "\n".join(line for line in lines if not line.startswith(dull)).encode()


def compiled(catalogue: Any) -> bytes:
    """Return a .mo file, without what changes at every run."""
    source = read_po(io.BytesIO(written(catalogue)), locale=catalogue.locale)
    source.creation_date = source.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    buffer = io.BytesIO()
    write_mo(buffer, source)
    return buffer.getvalue()


def untranslated(catalogue: Any) -> list[Any]:
    """Return the entries that have no translation, or not every form of it."""
    return [entry for entry in catalogue if entry.id and not _whole(entry.string)]


def _whole(string: Any) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


def gathered(domain: str) -> Iterator[Found]:
    """Yield everything that a domain says, with the file that says it."""
    root = settings.BASE_DIR
    for module, sentences in (
        ("classrooms/refusals.py", refusals.SENTENCES),
        ("classrooms/closes.py", closes.SENTENCES),
    ):
        for sentence in sentences.values():
            yield module, sentence, None
    if domain == "djangojs":
        for path in sorted((root / "static" / "js").rglob("*.js")):
            yield from _found(root, path, "javascript", SCRIPTS, path.read_bytes())
    keywords = {"N_": None} if domain == "djangojs" else PYTHON
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            yield from _found(root, path, "python", keywords, path.read_bytes())
    if domain == "djangojs":
        return
    for path in sorted((root / "templates").rglob("*.html")):
        yield from _found(root, path, "python", PYTHON, templatize(path.read_text(encoding="utf-8")).encode())


def _found(root: Path, path: Path, method: str, keywords: dict[str, Any], source: bytes) -> Iterator[Found]:
    name = path.relative_to(root).as_posix()
    for _line, text, _comments, context in extract.extract(
        method, io.BytesIO(source), keywords, options={"parse_template_string": True}
    ):
        yield name, text, context
