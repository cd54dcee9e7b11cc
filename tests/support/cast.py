"""The cast of Django tests: a teacher who owns, an assistant, two students, and an outsider who must see nothing."""

from django.contrib.auth.models import Group, User

from classrooms.models import Classroom, Staff

PASSWORD = "chalk and blackboard"
CODE = "TESTED"


def make_user(name: str, *, instructor: bool = True) -> User:
    """Make a user with PASSWORD; instructors are in the group that may open /teach/."""
    user = User.objects.create_user(name, password=PASSWORD, first_name=name.capitalize(), is_staff=instructor)
    if instructor:
        user.groups.add(Group.objects.get_or_create(name="Instructors")[0])
    return user


def make_classroom(owner: User, *, assistant: User | None = None, **fields: object) -> Classroom:
    """Make a classroom with its owner and, if given, an assistant as staff."""
    classroom = Classroom.objects.create(**{"title": "Photosynthesis", "code": CODE, **fields})
    Staff.objects.create(classroom=classroom, user=owner, role=Staff.Role.OWNER)
    if assistant is not None:
        Staff.objects.create(classroom=classroom, user=assistant, role=Staff.Role.ASSISTANT)
    return classroom
