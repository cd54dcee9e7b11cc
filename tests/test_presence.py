"""Presence: who comes is shown at once, who goes after 15 s, whatever process they are in."""

import json
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from classrooms.presence import Change, News, Person, Presence, count_frame, names_frames

ANA = Person("u1", "Ana", "student", "#8b4fbf")
BEN = Person("u2", "Ben", "student", "#c2571a")
CLEO = Person("u3", "Cleo", "instructor", "#2f5fd0")


def roster(people: Iterable[Person]) -> News:
    """What a process tells that tells everything."""
    return News(1, None, list(people), [])


def test_who_comes_is_told_once() -> None:
    presence = Presence()
    assert presence.tick(0.0) is None
    presence.enter(ANA)
    presence.enter(BEN)
    assert presence.tick(1.0) == Change(2, [ANA, BEN], [])
    assert presence.tick(2.0) is None
    assert presence.people == {"u1": ANA, "u2": BEN}


def test_a_reconnect_does_not_flicker() -> None:
    presence = Presence()
    presence.enter(ANA)
    presence.tick(0.0)
    presence.leave("u1", 10.0)
    assert presence.tick(24.9) is None
    presence.enter(ANA)
    assert presence.tick(60.0) is None
    presence.leave("u1", 60.0)
    assert presence.tick(74.9) is None
    assert presence.tick(75.0) == Change(0, [], ["u1"])
    assert presence.roster().here == []


def test_a_second_tab_keeps_somebody_here() -> None:
    presence = Presence()
    presence.enter(ANA)
    presence.enter(ANA)
    presence.tick(0.0)
    presence.leave("u1", 1.0)
    assert presence.tick(100.0) is None
    presence.leave("u1", 100.0)
    assert presence.tick(115.0) == Change(0, [], ["u1"])


def test_leaving_more_often_than_entering_does_no_harm() -> None:
    presence = Presence()
    presence.leave("u1", 0.0)
    assert presence.tick(20.0) is None
    presence.enter(ANA)
    presence.leave("u1", 20.0)
    presence.leave("u1", 30.0)
    assert presence.tick(20.0) == Change(1, [ANA], [])
    assert presence.tick(35.0) == Change(0, [], ["u1"])


def test_people_of_other_processes_are_here_until_nothing_is_heard_for_15_seconds() -> None:
    presence = Presence()
    presence.enter(ANA)
    presence.heard("p1", roster([BEN]), 0.0)
    presence.heard("p2", roster([BEN, CLEO]), 1.0)
    assert presence.tick(1.0) == Change(3, [BEN, CLEO, ANA], [])
    assert presence.roster().here == [ANA], "each process tells its own alone"
    presence.heard("p2", roster([BEN, CLEO]), 6.0)
    assert presence.tick(15.0) is None, "p1 is gone, p2 has Ben too"
    assert presence.tick(20.9) is None
    assert presence.tick(21.0) == Change(1, [], ["u2", "u3"])


def test_moving_to_another_process_does_not_flicker() -> None:
    presence = Presence()
    presence.enter(ANA)
    presence.tick(0.0)
    presence.leave("u1", 1.0)
    presence.heard("p1", roster([ANA]), 5.0)
    assert presence.tick(16.5) is None
    presence.heard("p1", roster([]), 17.0)
    assert presence.tick(17.0) == Change(0, [], ["u1"])


def test_a_dismissed_person_is_gone_at_once_everywhere() -> None:
    presence = Presence()
    presence.enter(ANA)
    presence.heard("p1", roster([ANA, BEN]), 0.0)
    presence.tick(0.0)
    presence.dismiss("u1")
    presence.leave("u1", 0.0)  # the connection goes a moment later
    assert presence.tick(0.0) == Change(1, [], ["u1"])
    assert presence.tick(15.0) == Change(0, [], ["u2"])


def test_a_new_name_or_role_is_told_for_who_is_here() -> None:
    presence = Presence()
    presence.enter(ANA)
    presence.tick(0.0)
    presence.know(ANA)
    presence.know(BEN)
    assert presence.tick(1.0) is None
    assistant = ANA._replace(role="assistant")
    presence.know(assistant)
    assert presence.tick(2.0) == Change(1, [assistant], [])


def test_between_processes_only_what_changed_is_told() -> None:
    here, there = Presence(), Presence()
    here.enter(ANA)
    here.enter(BEN)
    assert there.heard("p1", here.news(), 0.0)
    assert there.tick(0.0) == Change(2, [ANA, BEN], [])
    assert here.news() == News(1, 1, [], [])
    here.enter(CLEO)
    here.dismiss("u1")
    news = here.news()
    assert news == News(2, 1, news.here, news.left)
    assert (news.here, news.left) == ([CLEO], ["u1"])
    assert there.heard("p1", news, 1.0)
    assert there.tick(1.0) == Change(2, [CLEO], ["u1"])


def test_who_missed_something_says_so_and_keeps_what_it_knew() -> None:
    here, there = Presence(), Presence()
    here.enter(ANA)
    there.heard("p1", here.news(), 0.0)
    there.tick(0.0)
    here.enter(BEN)
    here.news()  # lost
    here.enter(CLEO)
    assert not there.heard("p1", here.news(), 1.0)
    assert there.tick(1.0) is None
    assert there.heard("p1", here.roster(), 1.0)
    assert there.tick(1.0) == Change(3, [BEN, CLEO], [])
    here.leave("u1", 2.0)
    here.tick(17.0)
    assert there.heard("p1", here.news(), 17.0)
    assert there.tick(17.0) == Change(2, [], ["u1"])


TALK = st.lists(
    st.tuples(st.sampled_from(["enter", "leave", "dismiss", "know"]), st.sampled_from([ANA, BEN, CLEO]), st.booleans()),
    max_size=60,
)


@given(TALK)
def test_whatever_is_lost_both_know_the_same_people_in_the_end(talk: list[tuple[str, Person, bool]]) -> None:
    here, there, now = Presence(), Presence(), 0.0
    for step, person, lost in talk:
        now += 4.0
        if step == "leave":
            here.leave(person.id, now)
        elif step == "dismiss":
            here.dismiss(person.id)
        else:
            getattr(here, step)(person._replace(name=f"{step} {now}"))
        here.tick(now)
        news = here.news()
        if not lost and not there.heard("p1", news, now):
            there.heard("p1", here.roster(), now)
        there.tick(now)
    if not there.heard("p1", here.news(), now):
        there.heard("p1", here.roster(), now)
    there.tick(now)
    assert there.people == {person.id: person for person in here.roster().here}


def test_frames_of_a_large_room_are_cut() -> None:
    people = [Person(f"u{n}", f"Somebody {n}", "student", "#8b4fbf") for n in range(1201)]
    frames = [json.loads(frame) for frame in names_frames(Change(1201, people, ["u9999"]))]
    assert [len(frame["here"]) for frame in frames] == [500, 500, 201]
    assert [frame["left"] for frame in frames] == [["u9999"], [], []]
    assert {frame["count"] for frame in frames} == {1201}
    assert [person["id"] for frame in frames for person in frame["here"]] == [person.id for person in people]
    left = {"type": "presence", "count": 1, "here": [], "left": ["u1"]}
    assert [json.loads(frame) for frame in names_frames(Change(1, [], ["u1"]))] == [left]
    assert json.loads(count_frame(7)) == {"type": "presence", "count": 7}


STEPS = st.lists(
    st.tuples(st.sampled_from(["enter", "leave", "dismiss", "heard", "rest"]), st.sampled_from([ANA, BEN, CLEO])),
    max_size=60,
)


@given(STEPS)
def test_whoever_adds_up_what_is_told_knows_who_is_here(steps: list[tuple[str, Person]]) -> None:
    presence, told, now = Presence(), dict[str, Person](), 0.0
    for step, person in steps:
        now += 1.0
        if step == "enter":
            presence.enter(person)
        elif step == "leave":
            presence.leave(person.id, now)
        elif step == "dismiss":
            presence.dismiss(person.id)
        elif step == "heard":
            presence.heard("p1", roster([person]), now)
        else:
            now += 14.0
        change = presence.tick(now)
        if change is not None:
            assert change.here or change.left
            for gone in change.left:
                del told[gone]  # nobody leaves who was not here
            told |= {one.id: one for one in change.here}
            assert change.count == len(told)
        assert told == presence.people
    while presence.tick(now := now + 15.0):
        pass
    assert set(presence.people) == {person.id for person in presence.roster().here}
