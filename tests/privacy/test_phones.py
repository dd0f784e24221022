"""Phones: numbers of every country's plan are found, and what is in none is not."""

import sys

import pytest

from holdfast.core.errors import MissingExtraError, UsageError
from holdfast.core.record import Record
from holdfast.privacy.phones import check, phone_numbers


@pytest.mark.parametrize(
    ("text", "regions", "found"),
    [
        ("write to +49 30 901820 or +55 11 96123-4587 today", (), ["+49 30 901820", "+55 11 96123-4587"]),
        ("Mobil: 0171 2345679, Büro 030 901820", ("DE",), ["0171 2345679", "030 901820"]),
        ("Mobil: 0171 2345679", (), []),
        ("ring 020 7031 3000, tel. 01 42 68 53 00", ("GB", "fr"), ["020 7031 3000", "01 42 68 53 00"]),
        ("in 1914-1918, for 1,234,567 or 308-63-0237", ("US",), []),
        ("(978) 645-9740 and the fictional (212) 555-0142", ("US",), ["(978) 645-9740"]),
    ],
)
def test_numbers_of_the_plans_are_found(text, regions, found):
    """With a country code everywhere, without one in the regions asked for; years and amounts are none."""
    assert found == [text[leak.start : leak.end] for leak in phone_numbers(text, regions)]


def test_a_number_of_two_plans_is_one_leak():
    """Two regions that both know it do not count it twice."""
    assert 1 == len(phone_numbers("fax 044 668 18 00", ("CH", "LI")))


def test_as_a_check_it_refuses_and_masks():
    """The verdict counts and shows two characters."""
    said = check(Record("r", "who?", "Reach me at +49 30 901820."))
    assert (False, {"phone": 1}, "+4***") == (said.ok, said.evidence["kinds"], said.evidence["leaks"][0]["excerpt"])
    assert check(Record("r", "who?", "Nobody.")).ok


def test_an_unknown_region_is_told():
    """A plan that does not exist is a mistake, with the nearest that does."""
    with pytest.raises(UsageError, match="'XX'"):
        phone_numbers("x", ["XX"])


def test_the_extra_is_asked_for_by_name(monkeypatch):
    """Without the library the message says what to install."""
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    with pytest.raises(MissingExtraError, match=r"holdfast\[privacy\]"):
        phone_numbers("x")
