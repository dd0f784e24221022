"""generate on the command line: lines for a log, bars on a terminal, previews, and silence where it is asked for."""

import io
import json
import re
from collections import Counter

import pytest
from rich.console import Console

from holdfast.cli import app
from holdfast.cli.generation import _Bars, line, shown
from holdfast.models.line import Tally
from holdfast.workflows.generate import Snapshot
from tests.workflows.asking import echo, settings

LINE = re.compile(
    r" *(\d+) s  ([\d,]+) of 12 accepted, ([\d,]+) made \((\d+)%\), this round ([\d,]+) of 12, "
    r"([\d,]+) answers to ([\d,]+) requests, ([\d,]+) from the ledger, cost (\d+\.\d{4})"
)
PRICE = {"price": {"input": 1000.0, "output": 1000.0}}


@pytest.fixture
def generate(tmp_path, capsys):
    """The verb over twelve documents of which each is asked about once; returns (exit code, stdout, stderr)."""
    with echo(tmp_path) as between:
        settings(tmp_path, between.base_url, count=12, model=PRICE)

        def run(*arguments):
            where = ["-c", str(tmp_path / "holdfast.yaml"), "--out", str(tmp_path / "out")]
            return app.main(["generate", *where, *arguments]), *capsys.readouterr()

        yield run


def test_a_log_says_where_the_run_stands(generate):
    """--log writes lines off a terminal: accepted, made, requests and cost; the last one tells of the whole run."""
    code, out, said = generate("--log")
    found = [LINE.fullmatch(each) for each in said.splitlines()]
    assert (0, True, True) == (code, len(found) >= 1, all(found))
    _, accepted, made, share, ended, answers, requests, reused, cost = found[-1].groups()
    assert ("12", "12", "100", "12", "12", "12", "0") == (accepted, made, share, ended, answers, requests, reused)
    assert float(cost) > 0.1
    assert "12" in out
    # Once more, everything is there already: nothing to ask, and nothing to say.
    assert (0, "") == generate("--log")[::2]


def test_quiet_and_no_terminal_say_nothing(generate):
    """--quiet, as no terminal, writes nothing beside the result; --json makes that the manifest alone."""
    code, out, said = generate("--quiet", "--json")
    assert (0, "") == (code, said)
    assert {"in": 12, "kept": 12, "rejected": 0, "undecided": 0, "failed": 0, "pending": 0} == json.loads(out)["counts"]
    with shown(quiet=True, log=True) as look:
        assert None is look


def test_a_preview_is_one_object_or_a_text(generate, tmp_path):
    """--preview 3 asks for three records and shows them with their fates; only the ledger is left."""
    code, out, said = generate("--preview", "3", "--json")
    records = json.loads(out)["records"]
    assert (0, "", 3) == (code, said, len(records))
    assert [("kept", "")] * 3 == [(each["fate"], each["reason"]) for each in records]
    assert ["Summarise: Document number 0."] == [each["prompt"] for each in records[:1]]
    code, out, _ = generate("--preview", "3")
    assert (0, 3) == (code, out.count("kept\nSummarise: Document number"))
    assert {"ledger.sqlite"} == {path.name.partition("-")[0] for path in (tmp_path / "out").iterdir()}


def snapshot(**tally):
    """Two cells and two generators, halfway."""
    cells = {"tone=plain,topic=a-topic-with-a-long-name": (30, 40), "tone=friendly,topic=b": (10, 40)}
    return Snapshot(cells, {"one": (50, 25, 48), "two": (20, 15, 48)}, Tally(**tally) if tally else None)


def test_a_line_without_models_has_no_requests():
    """Procedural generators ask nobody, and a line says nothing of answers or money."""
    assert "      5 s  40 of 80 accepted, 70 made (57%)" == line(snapshot(), 5.2)


def test_bars_fit_a_small_terminal():
    """At 80 columns: the whole, the emptiest cell first, the round, each generator, models and money."""
    tally = {"jobs": 60, "ended": 45, "sent": Counter(heron=50), "answered": Counter(heron=47), "cost": {"heron": 0.5}}
    screen = Console(width=80, file=io.StringIO(), force_terminal=True, color_system=None)
    bars = _Bars()
    screen.print(bars.drawn(snapshot(**tally)))
    rows = [row.rstrip() for row in screen.file.getvalue().splitlines()]
    assert all(len(row) <= 80 for row in rows)
    wanted = ("accepted .* 40/80", "tone=friendly,topic=b .* 10/40", "tone=plain,topic=a-topic-with-",
              "this round .* 45/60", "generator +made +accepted +share", "one +50 +25 +50%", "two +20 +15 +75%",
              r"model heron: 47 answers, .*/s, cost 0\.5000")  # fmt: skip
    assert [] == [text for text, row in zip(wanted, rows, strict=True) if not re.match(text, row)]
