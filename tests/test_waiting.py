"""Waiting for a lesson: one query a second for all, at once when it starts, and nothing learnt by guessing."""

import asyncio
from collections.abc import Callable

import pytest

from classrooms.waiting import MAX_CODES, Waiting, live_lessons
from tests.support.cast import CODE
from tests.support.road import append, live_lesson, server_entry
from tests.support.waiting import until_async


class School:
    """What the database would say, and how often it was asked."""

    def __init__(self) -> None:
        self.live: dict[str, int] = {}
        self.asked: list[list[str]] = []
        self.broken = False

    async def read(self, function: Callable[..., object], codes: list[str]) -> dict[str, int]:
        assert function is live_lessons
        self.asked.append(codes)
        await asyncio.sleep(0)
        if self.broken:
            raise OSError("no database")
        return {code: lesson for code, lesson in self.live.items() if code in codes}


@pytest.fixture
def school() -> School:
    return School()


@pytest.fixture
def waiting(school: School) -> Waiting:
    return Waiting(school.read)


async def test_a_lesson_that_is_live_is_told_at_once(school: School, waiting: Waiting) -> None:
    school.live["AAAAAA"] = 7
    assert await asyncio.wait_for(waiting.lesson("AAAAAA", 20), 0.9) == (7, 5)
    waiting.stop()


async def test_a_lesson_that_starts_is_told_to_all_who_wait_at_the_next_look(school: School, waiting: Waiting) -> None:
    crowd = [asyncio.create_task(waiting.lesson("AAAAAA", 20)) for _ in range(300)]
    other = asyncio.create_task(waiting.lesson("BBBBBB", 20))
    await until_async(lambda: school.asked)
    school.live["AAAAAA"] = 7
    waiting.look()
    assert set(await asyncio.wait_for(asyncio.gather(*crowd), 0.9)) == {(7, 1500)}
    assert not other.done()
    other.cancel()
    waiting.stop()


async def test_the_spread_has_an_end(school: School, waiting: Waiting) -> None:
    crowd = [asyncio.create_task(waiting.lesson("AAAAAA", 20)) for _ in range(2500)]
    await until_async(lambda: len(waiting._waiters.get("AAAAAA", ())) == 2500)
    school.live["AAAAAA"] = 7
    waiting.look()
    assert {spread for _, spread in filter(None, await asyncio.gather(*crowd))} == {10_000}
    waiting.stop()


async def test_a_crowd_that_comes_costs_one_query_a_second(school: School, waiting: Waiting) -> None:
    crowd = []
    for n in range(500):
        crowd.append(asyncio.create_task(waiting.lesson(f"CODE{n}", 0.3)))
        await asyncio.sleep(0)
    assert set(await asyncio.gather(*crowd)) == {None}
    assert len(school.asked) == 1
    waiting.stop()


async def test_nobody_who_waits_costs_nothing(school: School, waiting: Waiting) -> None:
    waiting.look()
    assert await waiting.lesson("AAAAAA", 0.01) is None
    assert waiting._waiters == {}
    waiting.look()
    await until_async(lambda: waiting._watch is None)
    asked = len(school.asked)
    assert await waiting.lesson("BBBBBB", 0.01) is None
    await until_async(lambda: len(school.asked) > asked, saying="a new watch begins")
    waiting.stop()


async def test_one_who_gives_up_takes_nobody_with_them(school: School, waiting: Waiting) -> None:
    stays = asyncio.create_task(waiting.lesson("AAAAAA", 20))
    goes = asyncio.create_task(waiting.lesson("AAAAAA", 20))
    await until_async(lambda: school.asked)
    goes.cancel()
    with pytest.raises(asyncio.CancelledError):
        await goes
    school.live["AAAAAA"] = 7
    waiting.look()
    assert await stays == (7, 5)
    waiting.stop()


async def test_a_database_that_fails_is_asked_again(school: School, waiting: Waiting) -> None:
    school.broken = True
    waits = asyncio.create_task(waiting.lesson("AAAAAA", 20))
    await until_async(lambda: school.asked)
    school.broken, school.live["AAAAAA"] = False, 7
    waiting.look()
    assert await asyncio.wait_for(waits, 5) == (7, 5)
    waiting.stop()


async def test_a_guesser_cannot_make_the_query_large(school: School, waiting: Waiting) -> None:
    guesses = [asyncio.create_task(waiting.lesson(f"G{n}", 0.5)) for n in range(MAX_CODES + 500)]
    assert set(await asyncio.gather(*guesses)) == {None}
    assert max(map(len, school.asked)) == MAX_CODES
    waiting.stop()


def test_only_live_lessons_are_found(file_database: None) -> None:
    from classrooms.models import Lesson

    lesson = live_lesson()
    code = Lesson.objects.get(pk=lesson).classroom.code
    assert live_lessons([code, CODE]) == {code: lesson}
    append(lesson, server_entry("lesson.ended", "ended"))
    assert live_lessons([code]) == {}
