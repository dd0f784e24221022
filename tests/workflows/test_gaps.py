"""Gaps: exactly the themes that the synthetic part misses are found, and filled from the training side alone."""

import json
from collections import Counter
from random import Random

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.record import Record
from holdfast.workflows.gaps import Gap, find_gaps, gap_quotas, shared_out
from holdfast.workflows.generate import GenerateOptions, generate
from holdfast.workflows.reserve import ReserveOptions, reserve
from tests.workflows.asking import echo, ledger, rows, settings
from tests.workflows.own_writers import THEMES, said

MISSED = ("music", "law")
PER_THEME = 20


def texts(counts, seed):
    """Records about themes, so many each; the theme is in the id."""
    random = Random(seed)
    return [
        Record(f"{theme}-{n}", said(theme, random, 12), said(theme, random, 25))
        for theme, count in counts.items()
        for n in range(count)
    ]


REAL = texts(dict.fromkeys(THEMES, PER_THEME), 1)


def theme(record):
    """The theme of a record."""
    return record.id.partition("-")[0]


@pytest.mark.parametrize("seed", range(6))
def test_planted_gaps_are_found_and_no_others(seed):
    """Of five themes the synthetic part lacks two: these are the gaps, named by their words, seeded by their texts."""
    made = texts({name: 60 for name in THEMES if name not in MISSED}, 2)
    gaps = find_gaps(REAL, made, "lexical", 100 * seed)
    assert 2 == len(gaps)
    for gap in gaps:
        named = next(name for name in MISSED if set(gap.name.split()[1].split("-")) <= set(THEMES[name].split()))
        assert {record.digest for record in REAL if theme(record) == named} == set(gap.seeds)
        assert (0.2, 0.0) == (gap.real, gap.synthetic)
        assert gap.high < 0.1
    assert 2 == len({gap.name for gap in gaps})


def test_a_balanced_part_has_no_gaps():
    """Where every theme has its share, nothing is seen."""
    assert [] == find_gaps(REAL, texts(dict.fromkeys(THEMES, 40), 3), "lexical", 7)


def test_few_records_are_no_evidence():
    """A theme without a record among ten is not called a gap: its share may well be half of the real one."""
    made = texts({name: 4 for name in THEMES if name not in MISSED}, 2)
    assert [] == find_gaps(REAL, made, "lexical", 7)
    with pytest.raises(UsageError, match="39 real and 12 synthetic records are too few"):
        find_gaps(REAL[:39], made, "lexical", 7)


def test_what_is_asked_for_goes_where_most_is_missing():
    """More records are dealt out by the difference of shares, whole, without a remainder."""
    gaps = [Gap("a", 0.3, 0.0, 0.01, ("x",)), Gap("b", 0.2, 0.1, 0.01, ("y",)), Gap("c", 0.1, 0.1, 0.01, ())]
    assert [15, 5, 0] == shared_out(gaps, 20)
    cells = gap_quotas([gap.to_dict(wanted) for gap, wanted in zip(gaps, [15, 5, 0], strict=True)])
    assert [("gap=a", 15), ("gap=b", 5)] == [(cell.name, cell.wanted) for cell in cells]


@pytest.fixture
def project(tmp_path):
    """Real texts of five themes with a fifth of each held out, and what makes settings over a proxy."""
    real = texts(dict.fromkeys(THEMES, PER_THEME * 5 // 4), 4)
    shown = [{"id": each.id, "prompt": each.prompt, "response": each.response, "theme": theme(each)} for each in real]
    (tmp_path / "real.jsonl").write_text("".join(json.dumps(row) + "\n" for row in shown))
    reserve([tmp_path / "real.jsonl"], tmp_path / "sealed", ReserveOptions(0.2, strata=("theme",)))
    writes = {"use": "prompt", "model": "m", "template": "shots.j2", "shots": 3}
    (tmp_path / "shots.j2").write_text(
        "{% for shot in shots %}{{ shot.prompt }}\n---\n{% endfor %}One more, {{ number }}:"
    )
    streams = {"use": "tests.workflows.own_writers:themed", "cap": 0.6}

    def made(base_url, *generators):
        named = {"generators": generators or (writes, streams), "real": [{"path": "real.jsonl"}]}
        return settings(tmp_path, base_url, **named, cells={"quota": 200}, accepted_risks=[])

    return made


def test_gaps_are_filled_from_the_training_side_alone(project, tmp_path):
    """--gaps --more 30 asks with seeds of the two missed themes only; no request ever held a sealed text."""
    out = tmp_path / "out"
    with echo(tmp_path) as between:
        run = project(between.base_url)
        generate(run, out)
        first = len(between.log())
        manifest = generate(run, out, GenerateOptions(more=30, gaps=True))
        bodies = [body.decode() for (body,) in ledger(out, "SELECT body FROM calls ORDER BY id")]
        assert len(bodies) == len(between.log()) == first + 30
    kept = rows(out, "kept")
    aimed = [row for row in kept if "gap" in (row["holdfast"]["cell"] or {})]
    assert (230, 30) == (len(kept), len(aimed))
    assert {15} == set(Counter(row["holdfast"]["cell"]["gap"] for row in aimed).values())
    assert {"quota"} == {cell["stopped_by"] for cell in manifest.more["cells"].values()}
    parents = Counter(parent.partition("-")[0] for row in aimed for parent in row["holdfast"]["parents"])
    assert {"music": 45, "law": 45} == parents
    sealed = rows(tmp_path / "sealed", "eval")
    assert (25, 100) == (len(sealed), len(rows(tmp_path / "sealed", "train")))
    found = [
        row["id"] for row in sealed for part in ("prompt", "response") if any(row[part] in body for body in bodies)
    ]
    assert [] == found
    # And the texts of the training side are there, so that looking for them can find something.
    assert 80 < sum(any(row["prompt"] in body for body in bodies) for row in rows(tmp_path / "sealed", "train"))


def test_a_gap_that_nobody_can_fill_is_told(project, tmp_path):
    """Without a writer that starts from seeds, without --more, or on an unfinished run, --gaps is one clear message."""
    out = tmp_path / "out"
    streams = [{"use": "tests.workflows.own_writers:themed", "name": name} for name in "ab"]
    with echo(tmp_path) as between:
        run = project(between.base_url)
        with pytest.raises(UsageError, match="holds no finished run"):
            generate(run, out, GenerateOptions(more=3, gaps=True))
        generate(run, out)
        with pytest.raises(UsageError, match=r"Gaps are seen \(2\), and no records are asked"):
            generate(run, out, GenerateOptions(gaps=True))
        assert 200 == len(rows(out, "kept"))
        plain = project(between.base_url, *streams)
        generate(plain, tmp_path / "plain")
        with pytest.raises(UsageError, match="No generator of the settings starts from real seeds"):
            generate(plain, tmp_path / "plain", GenerateOptions(more=3, gaps=True))
