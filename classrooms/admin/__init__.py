"""The instructors' admin at /teach/: one module for each thing they own."""

from classrooms.admin import classrooms, decks, lessons
from classrooms.admin.site import OwnedAdmin, teach

__all__ = ["OwnedAdmin", "classrooms", "decks", "lessons", "teach"]
