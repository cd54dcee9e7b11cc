"""`python -m tests.support.fill LESSON BY`: commits many events to a lesson, as any command without a hub does."""

import os
import sys

import django

COUNT = 2000


def edits(by: str) -> list[list[object]]:
    """Return COUNT edits: 1,000 lines are added, and each is moved or taken away."""
    style = {"color": "#2f5fd0", "width": 4}
    made: list[list[object]] = []
    for number in range(COUNT // 2):
        item, x, y = f"{by}.f111ed00.{number + 1}", 40 + number * 7 % 1500, 40 + number * 13 % 800
        made.append(["add", item, "line", {"at": [x, y], "box": [30, 20], "style": style}])
        made.append(["set", item, {"at": [x, y + 9]}] if number % 2 else ["remove", item])
    return made


def fill(lesson: int, by: str) -> None:
    """Commit one event for each edit, on the first page."""
    from classrooms import log, messages

    drafts = [
        messages.draft("board.edited", f"f111ed00:{number}", {"page": "p1", "edits": [edit]})
        for number, edit in enumerate(edits(by), 1)
    ]
    outcomes = log.append(lesson, [log.Entry(draft.kind, by, draft.op, draft.text) for draft in drafts]).result(60)
    assert all(outcome.seq for outcome in outcomes), outcomes


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom_site.settings")
    django.setup()
    fill(int(sys.argv[1]), sys.argv[2])
