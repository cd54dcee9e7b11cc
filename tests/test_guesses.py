"""Guesses: failures cost the one who fails, successes nothing, and nobody locks a school out."""

import pytest

from classrooms.guesses import ALL, CODES, EACH, MAX_ADDRESSES, PROVEN, WARY, Curiosity, Guesses, Proven, network

HOME, SCHOOL = "192.0.2.1", "198.51.100.7"


def failed(guesses: Guesses, times: int, address: str = HOME, now: float = 0.0) -> Guesses:
    for _ in range(times):
        guesses.count(address, now)
    return guesses


def test_so_many_wrong_guesses_at_once_are_free() -> None:
    guesses = failed(Guesses(), EACH[1] - 1)
    assert guesses.wait(HOME, 0.0) == 0.0
    assert failed(guesses, 1).wait(HOME, 0.0) > 0.0


def test_who_waits_as_long_as_told_may_guess_once_more() -> None:
    guesses = failed(Guesses(), EACH[1])
    wait = guesses.wait(HOME, 0.0)
    assert wait == pytest.approx(1 / EACH[0])
    assert guesses.wait(HOME, wait - 0.01) > 0.0
    assert guesses.wait(HOME, wait) == 0.0


def test_another_address_pays_nothing() -> None:
    assert failed(Guesses(), 1000).wait(SCHOOL, 0.0) == 0.0


def test_while_all_together_fail_too_often_each_may_fail_less_and_the_innocent_notice_nothing() -> None:
    guesses = Guesses()
    for bot in range(int(ALL[1])):
        failed(guesses, 1, f"203.0.113.{bot % 250}")
    failed(guesses, WARY)
    assert guesses.wait(HOME, 0.0) > 0.0
    assert guesses.wait(SCHOOL, 0.0) == 0.0
    assert guesses.wait(HOME, ALL[1] / ALL[0]) == 0.0


def test_a_household_is_one_address_whatever_it_calls_itself() -> None:
    assert network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff:ffff:ffff:ffff")
    assert network("2001:db8:1:2::1") != network("2001:db8:1:3::1")
    assert network("::ffff:192.0.2.1") == network(HOME) == HOME
    assert network("") == ""


def test_what_is_remembered_is_bounded() -> None:
    guesses, curiosity, proven = Guesses(), Curiosity(), Proven()
    for number in range(MAX_ADDRESSES + 100):
        guesses.count(f"host-{number}", 0.0)
        curiosity.admit(f"host-{number}", "ABCDEF", 0.0)
        proven.add(f"host-{number}", "ABCDEF")
    assert len(guesses._each) == len(curiosity._each) == len(proven._each) == MAX_ADDRESSES


def test_the_latest_codes_that_were_right_are_remembered_where_they_were() -> None:
    proven = Proven()
    proven.add(SCHOOL, "CODE00")
    for number in range(1, PROVEN):
        proven.add(SCHOOL, f"CODE{number:02}")
    proven.add(SCHOOL, "CODE00")
    proven.add(SCHOOL, "GUESS2")
    assert proven.has(SCHOOL, "CODE00")
    assert not proven.has(SCHOOL, "CODE01"), "the one that was not used for longest gives way"
    assert not proven.has(HOME, "CODE00")


def test_a_school_waits_for_all_its_classrooms_and_a_guesser_for_no_more() -> None:
    curiosity = Curiosity()
    codes = [f"CODE{number:02}" for number in range(int(CODES[1]))]
    assert all(curiosity.admit(SCHOOL, code, 0.0) for code in codes)
    assert not curiosity.admit(SCHOOL, "GUESS2", 0.0)
    assert all(curiosity.admit(SCHOOL, code, 0.0) for code in codes), "asked again"
    assert curiosity.admit(HOME, "GUESS2", 0.0)
    assert curiosity.admit(SCHOOL, "GUESS2", 1 / CODES[0])
