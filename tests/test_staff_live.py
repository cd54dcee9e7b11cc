"""What the classroom's page changes among the staff, the lesson that is live does at once: by a real socket."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cast import CODE, PASSWORD
from tests.support.client import Client
from tests.support.server import Server
from tests.support.visitor import Visitor
from tests.support.waiting import until_async

ROOM = "/teach/classrooms/classroom/1/"


@pytest.fixture(scope="module")
def staffed() -> Iterator[Server]:
    """A server whose staff the tests change."""
    with Server() as server:
        yield server


class Page:
    """The classroom's page, as the teacher uses it."""

    def __init__(self, server: Server) -> None:
        self.visitor = Visitor(server)
        self.visitor.post("/teach/login/?next=/teach/", login="teacher", password=PASSWORD)
        assert CODE in self.visitor.get(f"{ROOM}change/")

    async def save(self, **staff: str) -> None:
        """Save the form; `staff` are the fields of the first colleague's row, and those of a new one (`new_…`)."""
        await asyncio.to_thread(self._save, staff)

    async def counts_two(self) -> bool:
        """Whether the page says that two people are in the lesson."""
        return "<b>2</b> people are in it" in await asyncio.to_thread(self.visitor.get, f"{ROOM}change/")

    def _save(self, staff: dict[str, str]) -> None:
        text = self.visitor.get(f"{ROOM}change/")
        fields = {"title": "Photosynthesis", "draw": "everyone", "edit": "own", "door": "open", "_continue": "1"}
        row = re.search(r'name="staff-0-id" value="(\d+)"', text)
        count = 1 if row else 0
        total = count + ("new_username" in staff)
        fields |= {"staff-TOTAL_FORMS": str(total), "staff-INITIAL_FORMS": str(count)}
        if row:
            fields |= {"staff-0-id": row[1], "staff-0-classroom": "1", "staff-0-role": "assistant"}
        for name, value in staff.items():
            new = name.startswith("new_")
            fields[f"staff-{count if new else 0}-{name.removeprefix('new_')}"] = value
        self.visitor.post(f"{ROOM}change/", **fields)


async def appoints(client: Client, whom: str) -> bool:
    """Whether the client may say what others are, which is an instructor's."""
    answer: Any = await client.propose("person.change", {"participant": whom, "role": "student"})
    return bool(answer["type"] != "refused") if "type" in answer else True


def role_of(client: Client, who: str) -> str:
    """The role of somebody as the client's fold has it."""
    return str(client.state.people[who].role)


async def test_roles_change_in_the_live_lesson_at_once(staffed: Server) -> None:
    lesson = await asyncio.to_thread(staffed.start_lesson)
    page = await asyncio.to_thread(Page, staffed)
    async with (
        await Client.staff(staffed, lesson, as_="assistant") as assistant,
        await Client.guest(staffed, "Ana") as ana,
    ):
        who = assistant.id
        assert not await appoints(assistant, ana.id)
        await until_async(page.counts_two, saying="the page counts who is here")
        await page.save(role="instructor")
        await until_async(lambda: role_of(ana, who) == "instructor", saying="Ana sees an instructor")
        assert await appoints(assistant, ana.id)
        await page.save(role="assistant")
        await until_async(lambda: role_of(assistant, who) == "assistant", saying="the assistant is one again")
        assert not await appoints(assistant, ana.id)
        await page.save(DELETE="on")
        await until_async(lambda: assistant.close_code is not None, saying="who is off the staff is seen off")
        await until_async(lambda: ana.state.people[who].removed, saying="Ana sees that they are gone")
        await sees_them_back(staffed, page, lesson, ana, who)
    await asyncio.to_thread(staffed.end_lessons)


async def sees_them_back(staffed: Server, page: Page, lesson: int, ana: Client, who: str) -> None:
    """Who was taken off comes in again once they are on the staff again, as the same person."""
    status, refusal = await asyncio.to_thread(
        staffed.request, "POST", f"/api/lessons/{lesson}/join/", {}, as_="assistant"
    )
    assert status in (403, 404), refusal

    await page.save(new_username="assistant", new_role="instructor")
    async with await Client.staff(staffed, lesson, as_="assistant") as back:
        assert back.id == who
        assert await appoints(back, ana.id)
        await page.save(role="assistant")
        await until_async(lambda: role_of(back, who) == "assistant", saying="and an assistant once more")


async def test_a_new_colleague_comes_in_and_who_leaves_goes(staffed: Server) -> None:
    lesson = await asyncio.to_thread(staffed.start_lesson)
    page = await asyncio.to_thread(Page, staffed)
    ask: tuple[str, str, Any] = ("POST", f"/api/lessons/{lesson}/join/", {})
    assert (await asyncio.to_thread(staffed.request, *ask, as_="outsider"))[0] in (403, 404)
    await page.save(new_username="outsider", new_role="instructor")
    async with await Client.staff(staffed, lesson, as_="outsider") as outsider:
        assert role_of(outsider, outsider.id) == "instructor"
        theirs = Visitor(staffed)
        await asyncio.to_thread(theirs.post, "/teach/login/?next=/teach/", login="outsider", password=PASSWORD)
        await asyncio.to_thread(theirs.post, f"{ROOM}leave/")
        await until_async(lambda: outsider.close_code is not None, saying="who left the staff is seen off")
    await asyncio.to_thread(staffed.end_lessons)
