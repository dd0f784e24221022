"""A mixture of another tool is audited as it would be trained on."""

import json

import pytest

from holdfast.core.errors import InputError, UsageError
from holdfast.core.reading.mixtures import mixture_of
from holdfast.workflows.audit import AuditOptions, audit
from holdfast.workflows.drawn import drawn
from tests.rules.views import sentence

OUMI = """data:
  train:
    datasets:
      - {dataset_path: real.jsonl, mixture_proportion: 0.2}
      - {dataset_path: made.jsonl, mixture_proportion: 0.8}
"""


def files(folder, real=60, made=40):
    """A real and a synthetic file."""
    rows = [{"text": sentence(n), "origin": "real"} for n in range(real)]
    synthetic = [{"text": sentence(500 + n), "origin": "synthetic", "generator": "g"} for n in range(made)]
    for name, part in (("real", rows), ("made", synthetic)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))


def settings(folder, text):
    """A settings file of another tool."""
    (folder / "train.yaml").write_text(text)
    return folder / "train.yaml"


@pytest.mark.parametrize(
    ("text", "share", "records"),
    [
        ("datasets: [{path: real.jsonl}, {path: made.jsonl, shards: 4}]", 10 / 70, 70),
        ("dataset_mixer_list: [real.jsonl, 0.5, made.jsonl, 30]", 0.5, 60),
        ("dataset_mixer_list: [real.jsonl, 1.0, made.jsonl, 3.0]", 2 / 3, 60),
        (
            OUMI,
            0.8,
            50,
        ),
    ],
)
def test_the_audit_sees_the_shares_of_the_mixture(tmp_path, text, share, records):
    """The synthetic share is that of what is trained on; repeated records are read once, in the same share."""
    files(tmp_path)
    report = audit(settings(tmp_path, text))
    assert (share, records) == (pytest.approx(report["synthetic-ratio"].value), report.counts["records"])
    assert 0 == report["exact-duplicates"].value


def test_a_source_that_is_not_here_is_a_finding(tmp_path):
    """The data set of a hub is named in the evidence of bad-input, and the audit stops; the rest was read."""
    files(tmp_path)
    report = audit(settings(tmp_path, "datasets: [{path: real.jsonl}, {path: org/far}]"))
    (finding,) = [each for each in report.findings if each.rule == "bad-input"]
    assert (1, 60, True) == (report.exit, report.counts["records"], "org/far" in finding.evidence[0].id)
    assert "not on this machine" in finding.message


def test_a_mixture_of_which_nothing_is_here_is_refused(tmp_path):
    """One message that names all of its data sets."""
    with pytest.raises(InputError, match="org/a, org/b"):
        audit(settings(tmp_path, "datasets: [{path: org/a}, {path: org/b}]"))


def test_columns_are_those_of_the_mixture(tmp_path):
    """--map beside a mixture is refused: its own settings say where the columns are."""
    files(tmp_path)
    path = settings(tmp_path, "datasets: [{path: real.jsonl}]")
    with pytest.raises(UsageError, match="mixture"):
        audit(path, options=AuditOptions(mapping={"text": "text"}))


def test_the_report_says_what_was_drawn(tmp_path):
    """Each source is told with what the tool trains on and what was read; the same call draws the same records."""
    files(tmp_path)
    path = settings(tmp_path, "dataset_mixer_list: [real.jsonl, 1.0, made.jsonl, 3.0]")
    told = audit(path).manifest["detected"]
    assert ["trains on 60 of it, 20 were drawn here", "trains on 120 of it, 40 were drawn here"] == [
        line.rpartition("open-instruct ")[2] for line in told
    ]
    both = [drawn(mixture_of(path), tmp_path / name).column("prompt").to_pylist() for name in ("a", "b")]
    assert both[0] == both[1]
