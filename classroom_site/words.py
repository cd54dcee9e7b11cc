"""What scripts say in the language of a request. The source is English; the catalogues are in `locale/`."""

import functools
from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JSONCatalog


def spoken() -> dict[str, Any]:
    """Return the words of the request's language by their English: a text, or plural forms in order.

    Nothing where the language is the source's own.
    """
    language = get_language() or settings.LANGUAGE_CODE
    return {} if language.split("-")[0] == settings.LANGUAGE_CODE else _catalogue(language)


@functools.cache
def _catalogue(language: str) -> dict[str, Any]:
    view = JSONCatalog()
    view.translation = DjangoTranslation(
        language, domain="djangojs", localedirs=[str(path) for path in settings.LOCALE_PATHS]
    )
    words: dict[str, Any] = view.get_catalog()
    return words
