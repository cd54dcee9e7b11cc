"""The table of role and capability."""

import pytest

from classrooms.roles import STAFF, TABLE, Capability, Role, may


@pytest.mark.parametrize("capability", Capability)
def test_the_server_and_instructors_may_everything_and_students_nothing_of_it(capability: Capability) -> None:
    assert may(None, capability)
    assert may(Role.INSTRUCTOR, capability)
    assert not may(Role.STUDENT, capability)


def test_assistants_may_all_but_change_roles_and_remove_instructors() -> None:
    assert set(Capability) - TABLE[Role.ASSISTANT] == {Capability.ROLES, Capability.REMOVE_INSTRUCTOR}


def test_every_role_has_its_row() -> None:
    assert set(TABLE) == set(Role)
    assert set(Role) - STAFF == {Role.STUDENT}
