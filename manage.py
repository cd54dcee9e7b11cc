#!/usr/bin/env python
"""Lectern's command line."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run a command; what the environment got wrong is one sentence, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom_site.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Lectern cannot start: {error}")


if __name__ == "__main__":
    main()
