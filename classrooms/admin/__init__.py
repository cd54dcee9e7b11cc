"""The instructors' admin at /teach/, one module for each thing they own; and the superusers' at /admin/."""

from classrooms.admin import classrooms, decks, lessons, roster
from classrooms.admin.administration import administration
from classrooms.admin.site import OwnedAdmin, teach

__all__ = ["OwnedAdmin", "administration", "classrooms", "decks", "lessons", "roster", "teach"]
