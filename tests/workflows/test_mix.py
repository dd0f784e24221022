"""mix: no cap is exceeded by one unit, whatever comes in, and the order of the inputs makes no difference."""

import json
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.workflows.audit import audit
from holdfast.workflows.mix import Candidate, MixOptions, mix, under_caps
from tests.rules.views import sentence


def written(path, rows):
    """Write rows as JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def inputs(folder, real=10, synthetic=40, generators=4):
    """Real and synthetic records with texts of their own."""
    made = [{"text": sentence(100 + n), "generator": f"g{n % generators}"} for n in range(synthetic)]
    return (
        written(folder / "real.jsonl", [{"text": sentence(n)} for n in range(real)]),
        written(folder / "synthetic.jsonl", made),
    )


def train(folder):
    """The rows of the training set."""
    return [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]


CANDIDATES = st.lists(
    st.tuples(st.integers(1, 30), st.integers(0, 5), st.sampled_from("abcd")).map(lambda t: Candidate(0, *t)),
    max_size=60,
)
SHARES = st.integers(0, 100).map(lambda percent: percent / 100)


@given(CANDIDATES, st.integers(0, 200), SHARES, SHARES)
@settings(max_examples=300)
def test_no_cap_is_exceeded_by_one_unit(made, real, cap, per_generator):
    """Over random mixtures: the synthetic share and every generator's share are at most their caps."""
    chosen = under_caps(made, real, MixOptions(max_synthetic=cap, per_generator=per_generator))
    units = Counter()
    for each in chosen:
        units[each.generator] += each.made
    total = units.total() + real + sum(each.real for each in chosen)
    over = [name for name, count in units.items() if count > Fraction(str(per_generator)) * units.total()]
    assert (True, []) == (units.total() <= Fraction(str(cap)) * total, over)


def test_half_is_half(tmp_path):
    """10 real records carry exactly 10 synthetic ones under a cap of one half."""
    mix(*[[path] for path in inputs(tmp_path)], tmp_path / "out")
    assert Counter(real=10, synthetic=10) == Counter(row["holdfast"]["origin"] for row in train(tmp_path / "out"))


def test_the_audit_agrees(tmp_path):
    """The audit measures on the product what the mixture promised."""
    mix(*[[path] for path in inputs(tmp_path)], tmp_path / "out", MixOptions(max_synthetic=0.4, per_generator=0.5))
    report = audit(tmp_path / "out/train.jsonl")
    assert (True, True) == (report["synthetic-ratio"].value <= 0.4, report["generator-concentration"].value <= 0.5)


def test_the_order_of_the_inputs_makes_no_difference(tmp_path):
    """Shuffled inputs give the same bytes; another seed gives others."""
    real, synthetic = inputs(tmp_path)
    turned = written(tmp_path / "turned.jsonl", [json.loads(line) for line in synthetic.read_text().splitlines()][::-1])
    for name, source, seed in (("a", synthetic, 7), ("b", turned, 7), ("c", synthetic, 8)):
        mix([real], [source], tmp_path / name, MixOptions(seed=seed))
    texts = [[row["text"] for row in train(tmp_path / name)] for name in "abc"]
    assert (True, False) == (texts[0] == texts[1], texts[0] == texts[2])


def test_held_out_records_stay_out(tmp_path):
    """A held-out item among the synthetic records is rejected for it, and it is that record which goes."""
    held = written(tmp_path / "eval.jsonl", [{"text": sentence(100)}])
    options = MixOptions(max_synthetic=1, held_out=(held,))
    manifest = mix(*[[path] for path in inputs(tmp_path)], tmp_path / "out", options)
    assert 1 == manifest.reasons["held-out"]
    assert sentence(100) not in [row["text"] for row in train(tmp_path / "out")]


def test_unknown_origin_is_not_mixed_in(tmp_path):
    """A record that says it does not know is rejected for it, also from the file of real records."""
    real = written(tmp_path / "r.jsonl", [{"text": sentence(1), "origin": "unknown"}, {"text": sentence(2)}])
    _, synthetic = inputs(tmp_path)
    manifest = mix([real], [synthetic], tmp_path / "out")
    assert 1 == manifest.reasons["unknown-origin"]
    assert Counter(real=1, synthetic=1) == Counter(row["holdfast"]["origin"] for row in train(tmp_path / "out"))


def test_a_synthetic_record_among_real_ones_is_synthetic(tmp_path):
    """A record of the real file that says it is synthetic counts as synthetic."""
    real = written(tmp_path / "r.jsonl", [{"text": sentence(1), "origin": "synthetic"}, {"text": sentence(2)}])
    _, synthetic = inputs(tmp_path)
    mix([real], [synthetic], tmp_path / "out")
    assert Counter(real=1, synthetic=1) == Counter(row["holdfast"]["origin"] for row in train(tmp_path / "out"))


def test_a_size_is_filled_under_the_cap(tmp_path):
    """12 records at 25 %: 3 synthetic and 9 real."""
    mix(*[[path] for path in inputs(tmp_path)], tmp_path / "out", MixOptions(max_synthetic=0.25, size=12))
    assert Counter(real=9, synthetic=3) == Counter(row["holdfast"]["origin"] for row in train(tmp_path / "out"))


@pytest.mark.parametrize("by", ["records", "tokens"])
def test_conservation(tmp_path, by):
    """Every record is in the training set or rejected with a reason."""
    manifest = mix(*[[path] for path in inputs(tmp_path)], tmp_path / "out", MixOptions(by=by))
    rejected = (tmp_path / "out/rejected.jsonl").read_text().splitlines()
    assert (50, len(train(tmp_path / "out")), len(rejected)) == (
        manifest.counts.given,
        manifest.counts.kept,
        manifest.counts.rejected,
    )
