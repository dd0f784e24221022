"""Corrected pass rates cover the truth where the raw judge does not; refused where nothing can be corrected."""

import gzip
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from holdfast.core.errors import UsageError
from holdfast.core.verdict import Measurement
from holdfast.stats.correction import (
    Confusion,
    breakdown,
    expected_breakdown,
    expected_error,
    ppi_mean,
    retained_error,
    rogan_gladen,
)
from holdfast.stats.proportion import share

Bools = npt.NDArray[np.bool_]


def _covers(found: Measurement, truth: float) -> bool:
    return (found.low or 0.0) <= truth <= (1.0 if found.high is None else found.high)


def test_rogan_gladen_covers_where_the_raw_rate_does_not() -> None:
    """Check 24: theta .6, q0 .7, q1 .9, n 1000, m 100+100: coverage .95 +-.01 (raw: under .05), mean .599 +-.005."""
    rng = np.random.default_rng(24)
    covered, raw, values = [], [], []
    for _ in range(4000):
        right, wrong = int(rng.binomial(100, 0.9)), int(rng.binomial(100, 0.7))
        passed = int(rng.binomial(1000, 0.6 * 0.9 + 0.4 * 0.3))
        found = rogan_gladen(passed, 1000, Confusion(right, 100 - right, 100 - wrong, wrong))
        covered.append(_covers(found, 0.6))
        raw.append(_covers(share(passed, 1000), 0.6))
        values.append(found.value or 0.0)
    assert 0.95 == pytest.approx(np.mean(covered), abs=0.01)
    assert np.mean(raw) < 0.05
    assert 0.6 == pytest.approx(np.mean(values), abs=0.005)


def test_ppi_is_narrower_than_the_labels_alone_and_covers() -> None:
    """Check 24: n 100, N 2000, correlation .625: sd .039, labels alone .049, each +-.002; coverage .95 +-.01."""
    rng = np.random.default_rng(7)
    found, alone, covered, effective = [], [], [], []
    for _ in range(4000):
        y = (rng.random(2100) < 0.6).astype(float)
        # Verdicts right in .8075 of the cases are correlated .625 with a truth of rate .6 when errors are balanced.
        j = np.where(rng.random(2100) < np.where(y == 1, 0.85, 0.775), y, 1 - y)
        said = ppi_mean(y[:100], j[:100], j[100:])
        found.append(said.value or 0.0)
        alone.append(y[:100].mean())
        covered.append(_covers(said, 0.6))
        effective.append(said.detail["effective"])
    assert 0.039 == pytest.approx(np.std(found), abs=0.002)
    assert 0.049 == pytest.approx(np.std(alone), abs=0.002)
    assert 0.95 == pytest.approx(np.mean(covered), abs=0.01)
    assert 159 == pytest.approx(np.median(effective), abs=12)


def test_a_judge_that_does_not_tell_good_from_bad_is_refused() -> None:
    """At q0 + q1 = 1 there is nothing to correct by; without bad labels there is none either."""
    with pytest.raises(UsageError, match="does not tell them apart"):
        rogan_gladen(50, 100, Confusion(60, 40, 60, 40))
    with pytest.raises(UsageError, match="0 bad records"):
        rogan_gladen(50, 100, Confusion(60, 40, 0, 0))
    assert expected_error(50, 100, Confusion(60, 40, 60, 40)).value is None


@pytest.mark.parametrize(
    ("given", "error", "retention"),
    [((0.3, 0.9, 0.5), 0.192, 0.78), ((0.5, 0.9, 0.3), 0.25, 0.60), ((0.7, 0.8, 0.5), 0.593, 0.59)],
)
def test_retained_error_of_the_worked_examples(
    given: tuple[float, float, float], error: float, retention: float
) -> None:
    """p, phi, psi of science.md 5.2 give the retention and retained errors stated there; .615 is the break-down."""
    p, phi, psi = given
    assert pytest.approx(error, abs=5e-4) == retained_error(*given)
    assert pytest.approx(retention, abs=5e-3) == (1 - p) * phi + p * psi
    assert 0.615 == pytest.approx(breakdown(0.8, 0.5), abs=5e-4)
    assert pytest.approx(0.5) == retained_error(breakdown(phi, psi), phi, psi)


def test_the_expected_error_covers_what_is_really_kept() -> None:
    """Its interval holds that of the true rates in 92 to 98 % of 1000 samples; so does the break-down point's."""
    rng = np.random.default_rng(3)
    truth, turn = retained_error(0.3, 0.9, 0.4), breakdown(0.9, 0.4)
    hits = np.zeros(2)
    for sample in range(1000):
        good, bad = int(rng.binomial(150, 0.9)), int(rng.binomial(100, 0.4))
        known = Confusion(good, 150 - good, bad, 100 - bad)
        passed = int(rng.binomial(2000, 0.7 * 0.9 + 0.3 * 0.4))
        found = expected_error(passed, 2000, known, seed=sample)
        hits += _covers(found, truth), _covers(expected_breakdown(known, sample), turn)
    assert all(0.92 <= each <= 0.98 for each in hits / 1000)


def test_a_judge_that_passes_nothing_has_no_breakdown() -> None:
    """Where nothing is kept no share of it is bad; the card says not known instead of 0."""
    assert (None, 40) == (
        expected_breakdown(Confusion(0, 20, 0, 20)).value,
        expected_breakdown(Confusion(0, 20, 0, 20)).n,
    )


def _rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def _cases(shared: Path) -> dict[str, tuple[Bools, Bools]]:
    """Return {name: (what people say, what the judge says)}: PandaLM's judges, and string inclusion on QA-Eval."""
    pairs = _rows(shared / "multigen" / "pandalm_human_pairs.jsonl.gz")
    answers = _rows(shared / "multigen" / "qa_eval_nq.jsonl.gz")
    gold = [[part.strip().lower() for part in str(row["gold"]).split("/")] for row in answers]
    said = [any(part in str(row["answer"]).lower() for part in parts) for row, parts in zip(answers, gold, strict=True)]
    cases = {"qa": (np.array([bool(row["human_correct"]) for row in answers]), np.array(said))}
    human = np.array([row["human_majority"] == 1 for row in pairs])
    for name in ("judge_gpt35", "judge_pandalm7b"):
        cases[name] = human, np.array([row[name] == "1" for row in pairs])
    return cases


@pytest.mark.parametrize("case", ["qa", "judge_gpt35", "judge_pandalm7b"])
def test_corrected_rates_cover_the_human_rate_on_real_verdicts(shared_data: Path, case: str) -> None:
    """In 2000 resamples (200 labelled, 2000 judged) both corrections cover in >= 93 %; the raw rate in under 90 %.

    Of 500 resamples one in a hundred runs would fall below 93 % at a true coverage of 95 %.
    """
    human, judge = _cases(shared_data)[case]
    rng, truth = np.random.default_rng(1), float(human.mean())
    hits = np.zeros(3)
    for _ in range(2000):
        labelled, others = rng.integers(0, len(human), 200), rng.integers(0, len(human), 2000)
        known = Confusion.of(human[labelled].tolist(), judge[labelled].tolist())
        passed = int(judge[others].sum())
        hits += (
            _covers(rogan_gladen(passed, 2000, known), truth),
            _covers(ppi_mean(human[labelled], judge[labelled], judge[others]), truth),
            _covers(share(passed, 2000), truth),
        )
    assert min(hits[:2]) / 2000 >= 0.93
    assert hits[2] / 2000 < 0.9
