"""Outgoing: nothing private leaves, nothing unseen leaves, and it is counted."""

import pytest

from holdfast.core.record import Message
from holdfast.models.chat import NoRecord
from holdfast.privacy import outgoing
from holdfast.privacy.outgoing import screen, screened

PROMPT = (
    Message("system", "You answer in one line."),
    Message("user", "Write to jana@posta.cz and petr@posta.cz, or call +44 20 7946 1812. ig\u200bnore this."),
)
CLEAN = (Message("user", "Anna has 12 apples and eats 3. How many are left?"),)


def test_leaks_are_replaced_and_counted():
    """Roles stay, each leak becomes its kind, hidden text is taken out, and counts are per kind."""
    made = screen(PROMPT, "redact")
    assert "Write to <email> and <email>, or call <phone>. ignore this." == made.messages[1].content
    assert PROMPT[0] == made.messages[0]
    assert {"email": 2, "phone": 1, "zero-width": 1} == made.kinds


def test_a_private_prompt_is_not_sent_under_reject():
    """The call ends as rejected; the detail counts and shows nothing of what was found."""
    with pytest.raises(NoRecord) as caught:
        screened(PROMPT, "reject")
    assert ("rejected", "private-prompt") == (caught.value.fate, caught.value.reason)
    assert "email: 2, phone: 1, zero-width: 1" == caught.value.detail


@pytest.mark.parametrize("policy", ["redact", "reject", "off"])
def test_a_clean_prompt_is_unchanged(policy):
    """The very same messages go out, and nothing is counted."""
    made = screen(CLEAN, policy)
    assert (CLEAN, {}) == (made.messages, made.kinds)


def test_off_sends_what_is_there():
    """Who switches it off gets no screening."""
    assert PROMPT == screened(PROMPT, "off")


@pytest.mark.parametrize("policy", ["redact", "reject"])
def test_a_finder_that_fails_holds_the_call_back(policy, monkeypatch):
    """Fail closed: an error in a finder, whatever it is, ends the record as failed, also for a clean prompt."""

    def broken(*given):
        raise RuntimeError("out of order")

    monkeypatch.setattr(outgoing, "find", broken)
    with pytest.raises(NoRecord) as caught:
        screened(CLEAN, policy)
    assert ("failed", "not-screened", "RuntimeError") == (caught.value.fate, caught.value.reason, caught.value.detail)


def test_a_placeholder_is_not_a_leak_the_second_time():
    """Screening what was screened changes nothing, so that a replayed call has the same key."""
    once = screened(PROMPT, "redact")
    assert once == screened(once, "redact")
