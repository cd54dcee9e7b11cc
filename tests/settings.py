"""The product's settings as tests run them: data of their own, nothing taken from the environment."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

for _name in ("ALLOWED_HOSTS", "DATABASE_URL", "DEBUG", "HOST", "HTTPS", "REDIS_URL", "SECRET_KEY", "TRUSTED_ORIGINS"):
    os.environ.pop(_name, None)
_data = Path(tempfile.mkdtemp(prefix="lectern-tests-"))
atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ["DATA_DIR"] = str(_data)
os.environ["SQLITE_SYNCHRONOUS"] = "OFF"  # no test cuts the power

from classroom_site.settings import *  # noqa: E402, F403
from classroom_site.settings import ALLOWED_HOSTS, DATABASES  # noqa: E402

ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]
# A file, never :memory:, because the log's writer has a connection of its own.
DATABASES["default"]["TEST"] = {"NAME": str(_data / "test.sqlite3")}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
