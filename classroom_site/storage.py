"""Static files under hashed names, once collected; under their own names before (tests, a fresh checkout)."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class StaticStorage(ManifestStaticFilesStorage):
    """A name that the manifest lacks is an error, so a misspelt one is found by the first test that collects."""

    def stored_name(self, name: str) -> str:
        """Return the hashed name of `name`; ValueError when files were collected and `name` was not among them."""
        return super().stored_name(name) if self.hashed_files else name
