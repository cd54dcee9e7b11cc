"""The closed list of refusal codes."""

import pytest

from classrooms.refusals import SENTENCES, STATUS, Code, Refused


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_sentence_for_people_and_a_status(code: Code) -> None:
    assert SENTENCES[code].endswith(".")
    assert 400 <= STATUS[code] < 600


def test_a_refusal_carries_its_sentence_unless_it_is_given_another() -> None:
    assert Refused(Code.ENDED).message == SENTENCES[Code.ENDED]
    again = Refused(Code.RATE_LIMITED, retry=True, after=800, message="Slower.")
    assert (again.message, again.retry, again.after) == ("Slower.", True, 800)
