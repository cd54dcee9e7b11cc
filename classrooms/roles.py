"""Pure: who may do what. One table of role and capability, read by the fold, the verbs and the doors."""

import enum


class Role(enum.StrEnum):
    """What a participant is in a lesson. The owner of a classroom is an instructor."""

    INSTRUCTOR = "instructor"
    ASSISTANT = "assistant"
    STUDENT = "student"


class Capability(enum.StrEnum):
    """Something that not everybody may do. The rest is everybody's: own hand, own name, own posts."""

    END = "end"
    SHOW = "show"
    PAGES = "pages"  # add, rename, move and remove pages
    CLEAR = "clear"
    POLICY = "policy"
    ALLOW = "allow"  # choose who may draw
    DRAW = "draw"  # whatever the policy says
    EDIT = "edit"  # anybody's items, whatever the policy says
    CHAT = "chat"  # whatever the policy says
    POSTS = "posts"  # remove others' posts
    HANDS = "hands"  # lower others' hands, call on them
    NAMES = "names"  # change others' names
    REMOVE = "remove"  # remove and readmit people
    REMOVE_INSTRUCTOR = "remove_instructor"
    ROLES = "roles"


STAFF = frozenset({Role.INSTRUCTOR, Role.ASSISTANT})

TABLE: dict[Role, frozenset[Capability]] = {
    Role.INSTRUCTOR: frozenset(Capability),
    Role.ASSISTANT: frozenset(Capability) - {Capability.REMOVE_INSTRUCTOR, Capability.ROLES},
    Role.STUDENT: frozenset(),
}


def may(role: Role | None, capability: Capability) -> bool:
    """Say whether `role` has `capability`. None is the server, which may everything."""
    return role is None or capability in TABLE[role]
