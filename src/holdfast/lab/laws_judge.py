"""Laws 5, 6, 24, 25 and 29: looking often, judges that err, and the share of synthetic text."""

from math import log

import numpy as np

from holdfast.core.verdict import Measurement
from holdfast.lab.documents import Documents, Text, shipped
from holdfast.lab.law import Law, Line, at_most, close
from holdfast.lab.ngram import fit
from holdfast.metrics import synthetic_share
from holdfast.models.ngram_sample import Decoding
from holdfast.stats import evalue
from holdfast.stats.agreement import Bootstrap, cohen_kappa
from holdfast.stats.correction import Confusion, ppi_mean, rogan_gladen
from holdfast.stats.preference import leakage_score


def peeking(full: bool) -> list[Line]:  # noqa: ARG001  # nothing to make smaller
    """Law 5."""
    looks = np.random.default_rng(5).random((20_000, 20))
    law = evalue.peeking(0.05, 20)
    return [
        close("false alarms, as printed", 0.6415, law, 5e-5),
        close("false alarms seen", law, float((looks < 0.05).any(axis=1).mean()), 0.01),
    ]


def never(full: bool) -> list[Line]:
    """Law 6."""
    rng, runs = np.random.default_rng(6), 10_000 if full else 4000
    p = rng.random((runs, 20))
    calibrated = np.array([[evalue.log_calibrated(value) for value in row] for row in p.tolist()])
    table = np.array([evalue.log_sign_block(below, 10) for below in range(11)])
    signs = table[rng.binomial(10, 0.5, (runs, 20))]
    rates = [float((np.cumsum(logs, axis=1) >= log(20)).any(axis=1).mean()) for logs in (calibrated, signs)]
    return [at_most("ever at 20, from p-values", 0.05, rates[0]), at_most("ever at 20, from blocks", 0.05, rates[1])]


def _covers(found: Measurement, truth: float) -> bool:
    return found.low is not None and found.high is not None and found.low <= truth <= found.high


def corrected(full: bool) -> list[Line]:
    """Law 24."""
    rng, tries, covered = np.random.default_rng(24), 4000 if full else 2000, []
    for _ in range(tries):
        right, wrong = int(rng.binomial(100, 0.9)), int(rng.binomial(100, 0.7))
        known = Confusion(right, 100 - right, 100 - wrong, wrong)
        covered.append(_covers(rogan_gladen(int(rng.binomial(1000, 0.6 * 0.9 + 0.4 * 0.3)), 1000, known), 0.6))
    found, alone, inside = [], [], []
    for _ in range(tries):
        y = (rng.random(2100) < 0.6).astype(float)
        # Verdicts right in about .81 of the cases are correlated .625 with a truth of rate .6.
        j = np.where(rng.random(2100) < np.where(y == 1, 0.85, 0.775), y, 1 - y)
        said = ppi_mean(y[:100], j[:100], j[100:])
        found.append(said.value or 0.0)
        alone.append(float(y[:100].mean()))
        inside.append(_covers(said, 0.6))
    return [
        close("coverage, Rogan-Gladen", 0.95, float(np.mean(covered)), 0.01),
        close("coverage, PPI++", 0.95, float(np.mean(inside)), 0.01),
        close("deviation, PPI++", 0.039, float(np.std(found)), 0.002),
        close("deviation, labels alone", 0.049, float(np.std(alone)), 0.002),
    ]


def agreement(full: bool) -> list[Line]:  # noqa: ARG001  # nothing to make smaller
    """Law 25."""
    lines = []
    for cells, expected in (((20, 5, 10, 15), 0.4), ((45, 15, 25, 15), 3 / 23)):
        pairs = [
            pair for pair, count in zip(((1, 1), (1, 0), (0, 1), (0, 0)), cells, strict=True) for _ in range(count)
        ]
        first, second = zip(*pairs, strict=True)
        kappa = cohen_kappa(first, second, how=Bootstrap(resamples=10)).value
        lines.append(close(f"kappa of {cells}", expected, kappa if kappa is not None else float("nan"), 1e-9))
    return [*lines, close("leakage of (.6 .4; .6 .4)", 0.2, leakage_score(0.6, 0.4, 0.6, 0.4), 1e-9)]


def share(full: bool) -> list[Line]:
    """Law 29: chunks of the shipped text mixed with a sharpened bigram model's, from none to nine tenths."""
    text = Text(shipped())
    order = np.random.default_rng(29).permutation(len(text.windows))
    rows = text.windows[order]
    generator = fit(text, [rows[:900]], 0)
    made = generator.sample(1200, Decoding(temperature=0.8), 29)
    number = 600
    held = synthetic_share.gauge(_texts(text, rows[900:1500]), _texts(text, made[:number]), number, seed=29)
    real, synthetic = text.written(rows[1500:]), text.written(made[number:])
    n = min(len(real), len(synthetic))
    said = []
    for tenths in range(0, 10, 1 if full else 3):
        count = round(n * tenths / 10)
        chunks = [*real[: n - count], *synthetic[:count]]
        found = held.measure(synthetic_share.Texts(chunks, np.arange(n), np.zeros(n, np.int64)))
        said.append((count / n, float("nan") if found.value is None else found.value))
    return [
        at_most("mean error over the shares", 0.05, float(np.mean([abs(value - true) for true, value in said]))),
        at_most("said of a set without any", 0.05, said[0][1]),
    ]


def _texts(text: Text, rows: Documents) -> synthetic_share.Texts:
    return synthetic_share.Texts(text.written(rows), np.arange(len(rows)), np.zeros(len(rows), np.int64))


LAWS = (
    Law(5, "Looking twenty times at a 5 % test", "closed form 1 - .95^20", peeking),
    Law(
        6,
        "An e-process may be looked at as often as one likes",
        "Ville 1939; Ramdas et al., arXiv:2210.01948",
        never,
        "4000 runs",
    ),
    Law(
        24,
        "Corrected pass rates cover, raw ones do not",
        "Lee et al., arXiv:2511.21140; Angelopoulos et al. 2023",
        corrected,
        "half the tries",
    ),
    Law(
        25,
        "Kappa and preference leakage of small tables",
        "Cohen 1960; Li et al., ICLR 2026, arXiv:2502.01534",
        agreement,
    ),
    Law(
        29,
        "The synthetic share of a mixture is found",
        "Liang et al., ICML 2024, arXiv:2403.07183, calibrated",
        share,
        "4 of 10 shares",
    ),
)
