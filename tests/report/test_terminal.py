"""The terminal view: fits 80 columns, and records cannot steer the terminal."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from holdfast.core.verdict import Evidence, Finding, NotJudged
from holdfast.report.report import Report
from holdfast.report.terminal import show
from tests.report.payloads import payloads
from tests.report.samples import bare, full


def _shown(report: Report, width: int = 80, colour: bool = False) -> str:
    out = io.StringIO()
    show(report, Console(file=out, width=width, force_terminal=colour, highlight=False))
    return out.getvalue()


@pytest.mark.parametrize("report", [full(), bare()], ids=["full", "bare"])
def test_it_fits_eighty_columns(report: Report) -> None:
    """No line is wider than 80 columns."""
    assert [] == [line for line in _shown(report).splitlines() if len(line) > 80]


def test_the_verdict_stands_first() -> None:
    """The first line says whether the set passes and how much was found."""
    told = "FAIL 4 errors, 3 warnings, 1 note, 1 accepted risk in 12,480 records, 3 unreadable"
    assert told == " ".join(_shown(full()).split())[: len(told)]
    assert "PASS  no findings in 200 records" == _shown(bare()).splitlines()[0].strip()


def test_an_accepted_risk_is_never_silent() -> None:
    """A risk taken in writing stands in the verdict, and below it with its reason, its owner and its day."""
    text = " ".join(_shown(full()).split())
    said = [str(risk[key]) for risk in full().accepted for key in ("rule", "reason", "owner", "until")]
    assert ([], 4) == ([words for words in said if " ".join(words.split()) not in text], len(said))


def test_findings_say_what_to_do_and_gaps_what_to_supply() -> None:
    """Each finding has its message and advice, each silent rule what to supply."""
    text = " ".join(_shown(full()).split())
    said = [words for finding in full().findings for words in (finding.rule, finding.message, finding.advice)]
    said += [f"-> {gap.supply}" for gap in full().not_judged]
    assert [] == [words for words in said if words not in text]


@pytest.mark.parametrize("payload", payloads())
def test_records_cannot_steer_the_terminal(payload: str) -> None:
    """No control, escape or bidirectional character of a record reaches the terminal, and no markup is obeyed."""
    finding = Finding(payload, "error", payload, payload, evidence=(Evidence(payload, payload, note=payload),))
    text = _shown(replace(full(), findings=(finding,), not_judged=(NotJudged(payload, payload, payload),)))
    assert [] == [char for char in text if char != "\n" and (ord(char) < 32 or 0x7F <= ord(char) <= 0x9F)]
    assert not set("\u202e\u2066\u200b\u2028\ufeff\U000e0041\ud800") & set(text)
    assert ("[bold red]" in payload) == ("[bold red]" in text)


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR set no colour is written; without it the verdict has one."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[1;31mFAIL" in _shown(full(), colour=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "31m" not in _shown(full(), colour=True)
