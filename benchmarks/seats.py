"""Fills a migrated database with lessons and people for the load: `python -m benchmarks.seats ROOMS EACH STAFF`.

Runs with the environment of the server that will serve them. The first STAFF of each lesson's EACH people are
assistants, the others students. It prints one JSON object a lesson: its id, epoch and head, and each seat's participant
and ticket. The classrooms belong to the teacher of the tests' cast and have the codes BNCHAA, BNCHAB
and so on; a lesson has two blank pages.
"""

import json
import sys

import django

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ"
NAMES = "Student {}"


def code_of(number: int) -> str:
    """Return the join code of the lesson with this number, from 0."""
    high, low = divmod(number, len(ALPHABET))
    return f"BNCH{ALPHABET[high]}{ALPHABET[low]}"


def main() -> None:
    """Do what the command line says."""
    django.setup()
    from django.contrib.auth.models import User

    from classrooms import access, actions, log, messages
    from classrooms.log import Entry
    from classrooms.models import Classroom, Lesson, Participant, Staff
    from classrooms.roles import Role

    teacher = User.objects.get(username="teacher")
    rooms, each, staff = map(int, sys.argv[1:4])
    for number in range(rooms):
        classroom = Classroom.objects.create(title=f"Room {number + 1}", code=code_of(number))
        Staff.objects.create(classroom=classroom, user=teacher, role=Staff.Role.OWNER)
        lesson = actions.start(classroom, title="Photosynthesis", decks=[], by=None, blank=2)
        people = [
            Participant(
                lesson=lesson, number=one, name=NAMES.format(one), color=access.COLORS[one % len(access.COLORS)],
                role=Role.ASSISTANT if one <= staff else Role.STUDENT,
            )
            for one in range(1, each + 1)
        ]  # fmt: skip
        Participant.objects.bulk_create(people, batch_size=500)
        Lesson.objects.filter(pk=lesson.pk).update(seats=each)
        entries = []
        for person in people[:staff]:
            told = {"participant": person.key, "name": person.name, "role": person.role, "color": person.color}
            draft = messages.draft("person.joined", f"joined:{person.key}", told)
            entries.append(Entry(draft.kind, None, draft.op, draft.text))
        if entries:
            log.append(lesson.pk, entries).result()
        lesson.refresh_from_db()
        tickets = [
            access.ticket(access.Seat(lesson.pk, one.key, one.name, one.color, Role(one.role))) for one in people
        ]
        told_all = {
            "lesson": lesson.pk, "epoch": lesson.epoch, "head": lesson.head,
            "seats": [(one.key, ticket) for one, ticket in zip(people, tickets, strict=True)],
        }  # fmt: skip
        sys.stdout.write(json.dumps(told_all) + "\n")
    log.stop()


if __name__ == "__main__":
    main()
