"""Static files under hashed names, once collected; under their own names before (tests, a fresh checkout)."""

import gzip
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage

from classroom_site import lean

_LEAN = {("js", ".js"): lean.script, ("css", ".css"): lean.style}  # by folder and suffix: ours, nobody else's
_ZIPPED = {".css", ".js", ".json", ".svg", ".txt"}
_WORTH_IT = 0.95  # of its size: what hardly shrinks is served as it is


class StaticStorage(ManifestStaticFilesStorage):
    """Hashed names for what `lean` leaves of our scripts and style sheets, each with a gzip copy beside it.

    The file server picks the copy by the browser's Accept-Encoding. A name that the manifest lacks is an error, so a
    misspelt one is found by the first test that collects.
    """

    def stored_name(self, name: str) -> str:
        """Return the hashed name of `name`; ValueError when files were collected and `name` was not among them."""
        return super().stored_name(name) if self.hashed_files else name

    def post_process(
        self, paths: Mapping[str, tuple[Storage, str]], dry_run: bool = False, **options: Any
    ) -> Iterator[Any]:
        """Hash, and compress what was hashed."""
        lean_paths = {name: (_Lean(storage, name), path) for name, (storage, path) in paths.items()}
        for name, hashed, processed in super().post_process(lean_paths, dry_run, **options):
            if isinstance(hashed, str):
                self._zip(hashed)
            yield name, hashed, processed

    def _zip(self, name: str) -> None:
        """Write `name`.gz, the same bytes each time; a hashed name is written once."""
        copy = f"{name}.gz"
        if PurePosixPath(name).suffix not in _ZIPPED or self.exists(copy):
            return
        with self.open(name) as file:
            plain = file.read()
        zipped = gzip.compress(plain, 9, mtime=0)
        if len(zipped) < _WORTH_IT * len(plain):
            self.save(copy, ContentFile(zipped))


class _Lean:
    """A source storage that opens our scripts and style sheets without their comments."""

    def __init__(self, storage: Storage, name: str) -> None:
        self._storage = storage
        path = PurePosixPath(name)
        self._spare = _LEAN.get((path.parts[0], path.suffix))

    def open(self, path: str) -> File[Any]:
        file = self._storage.open(path)
        if self._spare is None:
            return file
        with file:
            return ContentFile(self._spare(file.read().decode("utf-8")).encode())
