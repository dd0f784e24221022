"""epochs: real records are repeated as often as was allowed and no more than the cap needs; each repeat is marked."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.settings import Settings
from holdfast.workflows.audit import audit
from holdfast.workflows.epochs import needed, spread, taken
from holdfast.workflows.mix import mix
from holdfast.workflows.mix_options import MixOptions
from holdfast.workflows.mixture import Rules, chosen
from holdfast.workflows.plan import plan
from tests.workflows.test_mix import inputs, strata, train
from tests.workflows.test_mixture import GENERATORS, ONE, SHARES, candidates, share


def mixed(folder, options, **sizes):
    """Mix 10 real and 40 synthetic records, or as many as given; return the manifest and the rows."""
    manifest = mix(*[[path] for path in inputs(folder, **sizes)], folder / "out", options)
    return manifest, train(folder / "out")


@pytest.mark.parametrize(("allowed", "expected"), [(1, (10, 10)), (2, (20, 20)), (4, (40, 40)), (16, (40, 40))])
def test_real_records_are_repeated_as_far_as_the_cap_needs(tmp_path, allowed, expected):
    """10 real records carry 10 synthetic ones for each time they are in the set, and 40 are all there are."""
    manifest, rows = mixed(tmp_path, MixOptions(real_epochs=allowed))
    origins = Counter(row["holdfast"]["origin"] for row in rows)
    assert (expected, expected[0] - 10) == ((origins["real"], origins["synthetic"]), manifest.more["epochs"]["repeats"])
    assert {"records": sum(expected), "synthetic": expected[1]}.items() <= manifest.more["made_of"].items()


def test_every_repeat_is_whole_and_marked(tmp_path):
    """Each real row is there four times, once without a mark and once with each; what is not a check is equal."""
    _, rows = mixed(tmp_path, MixOptions(real_epochs=4))
    real = [row for row in rows if row["holdfast"]["origin"] == "real"]
    marks = Counter((row["text"], *row["holdfast"]["checks"]) for row in real)
    texts = {row["text"] for row in real}
    assert {(text, *mark): 1 for text in texts for mark in ((), ("epoch-2",), ("epoch-3",), ("epoch-4",))} == marks
    plain = {str({**row, "holdfast": {**row["holdfast"], "checks": {}}}) for row in real}
    assert (10, 10) == (len(texts), len(plain))


def test_the_audit_knows_declared_repeats(tmp_path):
    """Thirty repeats of ten records are told as a note and are no duplicates; the ratio is measured on the rows."""
    mixed(tmp_path, MixOptions(real_epochs=4))
    report = audit(tmp_path / "out/train.jsonl")
    told = [finding for finding in report.findings if finding.rule == "exact-duplicates"]
    assert (["note"], 30, 0.5) == (
        [finding.severity for finding in told],
        told[0].evidence_total,
        report["synthetic-ratio"].value,
    )
    assert (0, 0) == (report["exact-duplicates"].value, report["near-duplicates"].value)


def test_a_mark_excuses_no_other_duplicate(tmp_path):
    """A row copied with its mark, one marked without an original, and a synthetic one are duplicates as ever."""
    mixed(tmp_path, MixOptions(real_epochs=2))
    path = tmp_path / "out/train.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    repeat = next(line for line in lines if '"epoch-2"' in line)
    made = next(line for line in lines if '"synthetic"' in line)
    forged = made.replace('"checks":{}', '"checks":{"epoch-2":true}')
    path.write_text("".join([*lines, repeat, forged]))
    report = audit(path)
    found = next(finding for finding in report.findings if finding.rule == "exact-duplicates")
    assert ("warning", 2, 10) == (
        found.severity,
        report["exact-duplicates"].value,
        found.measurement.detail["declared_repeats"],
    )
    path.write_text(repeat * 3)
    assert 2 == audit(path)["exact-duplicates"].value


def test_more_than_four_times_is_a_warning(tmp_path):
    """Eight times is declared, and still told as worth less than new data; plan says so before."""
    mixed(tmp_path, MixOptions(real_epochs=8), real=5)
    found = next(each for each in audit(tmp_path / "out/train.jsonl").findings if each.rule == "exact-duplicates")
    assert ("warning", 8) == (found.severity, found.measurement.detail["epochs"])
    values = {"real": [{"path": str(tmp_path / "real.jsonl")}], "reserve": {"eval": 1}, "mix": {"real_epochs": 8}}
    warned = plan(Settings.model_validate(values)).warnings
    assert ["mix.real_epochs is 8"] == [text[:20] for text in warned if "epochs" in text]


def test_the_order_of_the_inputs_makes_no_difference_to_repeats(tmp_path):
    """Shuffled inputs give the same rows in the same order; the times of one record stand apart."""
    real, synthetic = inputs(tmp_path)
    for name in "ab":
        mix([real], [synthetic], tmp_path / name, MixOptions(real_epochs=4, by="tokens"))
        for path in (real, synthetic):
            path.write_text("".join(path.read_text().splitlines(keepends=True)[::-1]))
    assert train(tmp_path / "a") == train(tmp_path / "b")
    texts = [row["text"] for row in train(tmp_path / "a")]
    assert [] == [first for first, second in pairwise(texts) if first == second]


def test_a_stratum_that_lacks_real_records_is_repeated_first(tmp_path):
    """Under a cap in each stratum the poor topic is repeated, the rich one is not."""
    options = MixOptions(strata=("topic",), per_stratum=0.5, real_epochs=4)
    mix(*strata(tmp_path, {"a": (30, 5), "b": (5, 15)}), tmp_path / "out", options)
    counted = Counter((row["topic"], row["holdfast"]["origin"]) for row in train(tmp_path / "out"))
    assert {("a", "real"): 30, ("a", "synthetic"): 5, ("b", "real"): 15, ("b", "synthetic"): 15} == counted


@given(st.lists(ONE, max_size=40), st.booleans(), st.tuples(SHARES, SHARES, SHARES), st.integers(1, 4), st.booleans())
@settings(max_examples=200)
def test_caps_hold_with_repeats_too(rows, by_records, caps, allowed, weighted):
    """Over random mixtures: no cap exceeded, none more often than allowed, synthetic ones once, and never fewer."""
    given_ = candidates(rows, by_records=by_records)
    rules = Rules(caps[0], [caps[1]] * GENERATORS, caps[2], (1, 2, 0.5) if weighted else (), None, by_records)
    found = taken(given_, rules, allowed)
    made, real = given_.made[found.places], given_.real[found.places]
    assert share(made.sum(), made.sum() + real.sum()) <= share(round(caps[0] * 100), 100)
    for group in range(3):
        inside = given_.stratum[found.places] == group
        assert share(made[inside].sum(), (made + real)[inside].sum()) <= share(round(caps[2] * 100), 100)
    times = np.bincount(found.places, minlength=len(rows))
    assert times[given_.synthetic].max(initial=0) <= 1
    assert times.max(initial=0) <= allowed
    assert times[given_.synthetic].sum() >= np.count_nonzero(chosen(given_, rules) & given_.synthetic)
    assert sorted(found.epochs.tolist()) == sorted(time + 1 for count in times.tolist() for time in range(count))


def test_repeats_are_spread_by_hand():
    """Three records, the first twice: its second time is half a round later."""
    assert [0, 1, 2, 3] == spread(np.asarray([0, 1, 2, 0]), np.asarray([1, 1, 1, 2]), 3)[[0, 1, 3, 2]].tolist()


@pytest.mark.parametrize(
    ("real", "more", "expected"), [(10, 30, 4), (10, 31, 5), (10, 0, 1), (0, 5, None), (9, None, None)]
)
def test_how_often_is_enough(real, more, expected):
    """So many times that what is repeated is worth the records that are missing."""
    assert expected == needed(real, more)
