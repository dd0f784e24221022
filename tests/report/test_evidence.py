"""The picture of the alarm: what it says is what the result says, in 80 columns and on one offline page."""

from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from holdfast.report.evidence import HOLDS, MEANING, lines, page, pictures
from holdfast.stats.alarm import ALARMS
from holdfast.workflows.monitor import Monitor
from tests.metrics.test_blocks import texts


@pytest.fixture(scope="module")
def collapsed() -> dict[str, Any]:
    """A series that collapses at its third step; the last step is blind in one channel."""
    monitor = Monitor(ood=texts(60, 51), id=texts(60, 52, 40))
    for step, vocabulary in enumerate((400, 400, 40, 40, 40)):
        monitor.update(step, texts(250, step, vocabulary))
    monitor.update("<b>last</b>", None, ood_nll=[3.0] * 60)
    return monitor.result.to_dict()


def test_the_terminal_says_what_happened(collapsed: dict[str, Any]) -> None:
    """State, channels, onset, a bar per check with a dot where it was blind; nothing wider than 80 columns."""
    said = list(lines(collapsed))
    assert said[0].startswith("COLLAPSE  ")
    assert "  diversity and ood, since step 2" in said
    bars = next(line for line in said if line.startswith("  diversity  |"))
    assert "██·" == bars.split("|")[1][3:]
    assert "  step 0 -> step 4:" in said
    assert "  in-distribution: holds (its confidence limit lies inside the margin)" in said
    assert 80 >= max(map(len, said[:6]))


def test_the_page_is_offline_and_inert(collapsed: dict[str, Any]) -> None:
    """No script, nothing from elsewhere, and text from data stays text."""
    text = page(collapsed, "<script>x</script>.jsonl")
    assert "<script" not in text
    assert "<b>last" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert "COLLAPSE" in text
    assert "In-distribution: holds" in text


def test_the_pictures_hold_the_numbers(collapsed: dict[str, Any]) -> None:
    """A dot per check that was not blind, and the table beside it has every check."""
    evidence, left = pictures(collapsed)
    assert 11 == len(fromstring(evidence.markup).findall("circle"))
    assert 6 == len(evidence.rows)
    assert {"distinct-2", "missing-mass"} == {row[0] for row in left.rows}


def test_a_single_check_can_be_drawn() -> None:
    """One check, blind in all channels: a line, a page, and no division by nothing."""
    monitor = Monitor()
    monitor.update(0)
    data = monitor.result.to_dict()
    assert "1 check, nothing to compare it with yet: step 0;" in "\n".join(lines(data))
    assert "BLIND" in page(data, "run.jsonl")


def test_every_state_and_every_holding_has_words() -> None:
    """No state is shown without its meaning."""
    assert {*ALARMS, "WATCH", "BLIND", "OK"} == set(MEANING)
    assert {"holds", "worse", "unclear", "unseen"} == set(HOLDS)
