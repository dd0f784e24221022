"""The dose laws agree with simulation of the loops they describe; the cap arithmetic is exact."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import UsageError
from holdfast.stats import dose


def zipf(types: int, exponent: float = 1.0) -> np.ndarray:
    weights = np.arange(1, types + 1) ** -exponent
    return weights / weights.sum()


def simpson(probability: np.ndarray) -> float:
    return float((probability**2).sum())


def loop(start: np.ndarray, n: int, real: float, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Simpson index of each of `steps` generations; n draws from real * truth + (1 - real) * previous."""
    current, seen = start, []
    for _ in range(steps):
        current = rng.multinomial(n, real * start + (1 - real) * current) / n
        seen.append(simpson(current))
    return np.array(seen)


@pytest.mark.parametrize(("real", "fixed_point"), [(0.1, 0.03443), (0.3, 0.03124), (0.5, 0.03063), (0.7, 0.03041)])
def test_simpson_fresh(real: float, fixed_point: float) -> None:
    """Check 7: with a fresh real share the Simpson index settles where the law says, within 2 %.

    Source: Seddik et al. 2024 (arXiv:2404.05090), extended to fresh real data; n = 1000, 1000 types by Zipf's law.
    """
    truth = zipf(1000)
    law = dose.simpson_fresh(simpson(truth), 1000, real)
    assert fixed_point == pytest.approx(law, abs=6e-6)
    seen = loop(truth, 1000, real, 4000, np.random.default_rng(1))[200:]
    assert law == pytest.approx(seen.mean(), rel=0.02)


@pytest.mark.parametrize("real", [0.1, 0.3, 0.5, 0.7, 1.0])
def test_effective_share(real: float) -> None:
    """n_eff is the size of a purely real sample with the excess Simpson index that the mix settles at."""
    n, start = 100_000, simpson(zipf(1000))
    excess = dose.simpson_fresh(start, n, real) - start
    assert dose.effective_share(real) == pytest.approx((1 - start) / excess / n, rel=1e-4)
    assert dose.effective_share(real) == pytest.approx(1 - (1 - real) ** 2)


def test_simpson_fixed() -> None:
    """With the same real documents each time the second law holds within 2 %, and lies below the fresh one's."""
    rng, truth, n, real = np.random.default_rng(2), zipf(1000), 1000, 0.3
    kept = rng.multinomial(300, truth)
    start = simpson(kept / 300)
    current, seen = kept / 300, []
    for _ in range(4000):
        current = (kept + rng.multinomial(700, current)) / n
        seen.append(simpson(current))
    # The law gives the index of the whole set; the drawn part alone is not what it describes.
    assert dose.simpson_fixed(start, n, real) == pytest.approx(np.mean(seen[200:]), rel=0.02)
    assert dose.simpson_fixed(start, n, 1.0) == start


@pytest.mark.parametrize(("generations", "expected"), [(1, 0.03031), (10, 0.03900), (60, 0.08589)])
def test_simpson_replace(generations: int, expected: float) -> None:
    """Check 8: pure resampling follows 1 - (1 - 1/n)^m (1 - S0) within 2.5 %.

    Source: Seddik et al. 2024 (arXiv:2404.05090); the mean of 300 loops.
    """
    rng, truth = np.random.default_rng(3), zipf(1000)
    law = dose.simpson_replace(simpson(truth), 1000, generations)
    assert expected == pytest.approx(law, abs=6e-6)
    seen = [loop(truth, 1000, 0.0, generations, rng)[-1] for _ in range(300)]
    assert law == pytest.approx(np.mean(seen), rel=0.025)


def test_survival() -> None:
    """Check 9: types seen 1, 3 or 10 times survive ten generations as the branching law says, within .02.

    Source: the exact form of the bound in Suresh et al. 2024 (arXiv:2412.17646); 5000 types of each count.
    """
    rng, n, copies = np.random.default_rng(4), 1_000_000, 5000
    for count, expected in ((1, 0.158), (3, 0.404), (10, 0.821)):
        types = np.concatenate([np.full(copies, count), [n - copies * count]])
        for _ in range(10):
            types = rng.multinomial(n, types / n)
        assert expected == pytest.approx(dose.survival(count, 10), abs=0.001)
        assert dose.survival(count, 10) == pytest.approx(np.count_nonzero(types[:copies]) / copies, abs=0.02)


def test_survival_edges() -> None:
    """Nothing is lost in no generations, an unseen type stays unseen, and q_m tends to 2/m."""
    assert dose.survival(1, 0) == 1.0
    assert dose.survival(0, 5) == 0.0
    assert dose.lineage_survival(1000) == pytest.approx(2 / 1000, rel=0.02)


def test_expected_types() -> None:
    """The spectrum forecast equals the number of types left in a simulated loop within 3 %."""
    rng, n = np.random.default_rng(5), 50_000
    counts = rng.multinomial(n, zipf(20_000))
    spectrum = {c: int(k) for c, k in enumerate(np.bincount(counts)) if c and k}
    left = counts
    for _ in range(5):
        left = rng.multinomial(n, left / n)
    assert dose.expected_types(spectrum, 5) == pytest.approx(np.count_nonzero(left), rel=0.03)


def test_distinct_documents() -> None:
    """Check 10: of 10 000 documents 6321, 2681, 1583, 876 are left after 1, 5, 10, 20 rounds, within 1.5 %.

    Source: the mean-field recursion of stats/dose.py; the mean of 40 loops, since the law is of the expectation.
    """
    rng, seen = np.random.default_rng(6), np.zeros(21)
    for _ in range(40):
        documents = np.arange(10_000)
        for generation in range(1, 21):
            documents = documents[rng.integers(0, 10_000, 10_000)]
            seen[generation] += np.count_nonzero(np.bincount(documents)) / 40
    for generation, expected in ((1, 6321), (5, 2681), (10, 1583), (20, 876)):
        assert expected == pytest.approx(dose.distinct_documents(10_000, generation), abs=0.6)
        assert expected == pytest.approx(seen[generation], rel=0.015)


@pytest.mark.parametrize(("k", "expected"), [(1, 0.6180), (0.5, 0.7321), (4, 0.3904), (9, 0.2824)])
def test_real_weight(k: float, expected: float) -> None:
    """Check 16: the weight is the least of the variance to 1e-6, and the simulated variance equals it within 2.5 %.

    Source: He, Xu and Cheng 2025 (arXiv:2502.18049), general form; at k = 1 the golden ratio less one.
    """
    weight = dose.real_weight(100, int(100 * k))
    assert expected == pytest.approx(weight, abs=5e-5)
    # Where the slope of (w^2 + (1 - w)^2 / k) / (1 - (1 - w)^2) is zero: k w^2 + w - 1 = 0.
    assert max(np.roots([k, 1, -1])) == pytest.approx(weight, abs=1e-6)

    def variance(w: float) -> float:
        return (w * w + (1 - w) ** 2 / k) / (1 - (1 - w) ** 2)

    assert weight == pytest.approx(variance(weight), abs=1e-12)
    assert all(variance(weight) < variance(weight + step) for step in (-0.02, 0.02))
    rng, n, estimate = np.random.default_rng(7), 100, np.zeros(40_000)
    for _ in range(40):
        real = rng.normal(0, 1 / np.sqrt(n), len(estimate))
        synthetic = estimate + rng.normal(0, 1 / np.sqrt(n * k), len(estimate))
        estimate = weight * real + (1 - weight) * synthetic
    assert weight == pytest.approx(n * estimate.var(), rel=0.025)


def test_real_weight_without_synthetic() -> None:
    """Without synthetic data all the weight is real."""
    assert dose.real_weight(10, 0) == 1.0
    assert dose.real_weight(0, 10) == 0.0


@pytest.mark.parametrize(("real", "expected"), [(0.3, 0.682), (0.5, 0.833), (0.7, 0.921)])
def test_sharpened_variance(real: float, expected: float) -> None:
    """Check 17: a Gaussian loop whose sampler shrinks the variance by .8 settles where the law says, within 2 %.

    Source: the fixed point of v = a + (1 - a) s v; the sampling bias of Alemohammad et al. 2023 (arXiv:2307.01850).
    """
    law = dose.sharpened_variance(real, 0.8)
    assert expected == pytest.approx(law, abs=6e-4)
    rng, variance, seen = np.random.default_rng(8), 1.0, []
    size = 20_000
    for generation in range(60):
        fresh = rng.normal(0, 1, int(real * size))
        drawn = rng.normal(0, np.sqrt(0.8 * variance), size - len(fresh))
        variance = float(np.concatenate([fresh, drawn]).var())
        seen.append(variance) if generation > 20 else None
    assert law == pytest.approx(np.mean(seen), rel=0.02)
    assert dose.sharpened_variance(0.0, 0.8) == 0.0
    assert dose.sharpened_variance(0.5, 1.0) == 1.0


@pytest.mark.parametrize("real", [0.1, 0.3, 0.5, 0.7, 1.0])
def test_effective_share_fixed(real: float) -> None:
    """With fixed real data the set has the excess Simpson index of so many real samples, within 5 %, below `real`."""
    # All types alike: the index of a sample of Zipf's law differs more from draw to draw than it exceeds the truth.
    rng, truth, n, excess = np.random.default_rng(9), np.full(1000, 0.001), 2000, []
    for _ in range(12):
        kept = rng.multinomial(int(real * n), truth)
        current = kept / kept.sum()
        for step in range(250):
            current = (kept + rng.multinomial(n - kept.sum(), current)) / n
            excess += [simpson(current) - simpson(truth)] if step >= 50 else []
    assert dose.effective_share_fixed(real) == pytest.approx((1 - simpson(truth)) / np.mean(excess) / n, rel=0.05)
    assert dose.effective_share_fixed(real) <= real


def test_shrink() -> None:
    """A Gaussian's factor is found from two samples' entropies alone, within 2 %; more entropy is no sharpening."""
    rng = np.random.default_rng(10)

    def types(scale: float) -> float:
        counts = np.unique(np.rint(rng.normal(0, scale, 200_000) * 20), return_counts=True)[1] / 200_000
        return float(np.exp(-(counts * np.log(counts)).sum()))

    assert dose.shrink(types(np.sqrt(0.8)) / types(1.0)) == pytest.approx(0.8, rel=0.02)
    assert dose.shrink(1.3) == 1.0


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, "minimal"), (0.2999, "minimal"), (0.3, "noticeable"), (0.7, "noticeable"), (0.7001, "substantial")],
)
def test_band(share: float, expected: str) -> None:
    """The bands meet at .3 (already noticeable) and .7 (still noticeable)."""
    assert expected == dose.band(share)


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 0.95, 1.0]))
def test_dilution_is_least(real: int, synthetic: int, cap: float) -> None:
    """Both ways reach the cap exactly, and one unit less of either does not."""
    share = Fraction(str(cap))
    plan = dose.dilution(real, synthetic, cap)

    def within(more: int, fewer: int) -> bool:
        return synthetic - fewer <= share * (real + more + synthetic - fewer)

    assert within(0, plan.drop_synthetic)
    assert plan.drop_synthetic == 0 or not within(0, plan.drop_synthetic - 1)
    if plan.add_real is None:
        assert cap == 0.0
        assert synthetic > 0
    else:
        assert within(plan.add_real, 0)
        assert plan.add_real == 0 or not within(plan.add_real - 1, 0)


def test_dilution_reads_the_cap_as_written() -> None:
    """7 of 10 at a cap of .7 is within it, although .7 is no binary fraction."""
    assert dose.Dilution(0, 0) == dose.dilution(3, 7, 0.7)
    assert dose.Dilution(70, 70) == dose.dilution(15, 85, 0.5)


@pytest.mark.parametrize(("real", "synthetic", "cap"), [(-1, 1, 0.5), (1, -1, 0.5), (1, 1, 1.5)])
def test_dilution_refuses(real: int, synthetic: int, cap: float) -> None:
    """Counts below zero and caps outside 0-1 are named and refused."""
    with pytest.raises(UsageError, match="cap"):
        dose.dilution(real, synthetic, cap)


def test_counter_evidence_is_cited() -> None:
    """Every piece of evidence has a reference, and both directions are there."""
    assert {"stricter", "looser", "conditional"} == {item.points for item in dose.COUNTER_EVIDENCE}
    assert all(item.reference and item.says.endswith(".") for item in dose.COUNTER_EVIDENCE)
