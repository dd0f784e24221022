"""Dose calculator: what the laws of `stats.dose` say of one set, each number with its interval and its assumption.

A law is put through at the bounds of what was measured: all of them rise or fall throughout with the share or the ratio
they are given, so that the interval of a number is that of what went in. None is a forecast of a training run.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from holdfast.core.verdict import Measurement
from holdfast.stats import dose
from holdfast.stats.proportion import wilson

# Generations for which the survival of word types is forecast.
AHEAD = (1, 5, 10)

_RESAMPLES = "a generator that repeats what it learned without sharpening it"
FRESH = f"fresh real data of this share in every generation, and {_RESAMPLES}"
FIXED = f"the same real records in every generation, and {_RESAMPLES}"
VERIFIED = (
    f"every verified record is worth a real one, {FRESH}; a verifier that errs or has a taste of its own gives less, "
    "down to n_eff_fresh (Yi et al., arXiv:2510.16657)"
)
WEIGHED = "fresh real data in every generation, a generator without bias, and a mean to be estimated"
NARROWED = (
    "entropy of words as that of a Gaussian: a generator with exp(-d) times the effective word types of the anchor "
    "shrinks the variance by exp(-2d), in every generation alike"
)
SETTLED = f"{NARROWED}; real data of this share in every generation"
LEFT = "each generation has as many words as this set, all drawn from the one before: nothing real is added"


@dataclass(frozen=True, slots=True)
class Assumed:
    """A number that a law gives, its interval, how many records, documents or word types it rests on, and on what."""

    value: float
    low: float
    high: float
    n: int
    assumes: str


def of_share(synthetic: Measurement, verified: float = 0.0) -> dict[str, Assumed]:
    """Return what the laws say of a synthetic share; nothing where the share is not known.

    n_eff_fresh and n_eff_fixed are shares of n: the real sample that the mixture is worth under fresh and under fixed
    real data. real_weight is the weight of the real part that varies least. `verified` is the share of all records
    that are synthetic and passed a verifier; where there are any, n_eff_verified says what they could add at best.
    """
    numbers = {
        "n_eff_fresh": _through(dose.effective_share, synthetic, FRESH),
        "n_eff_fixed": _through(dose.effective_share_fixed, synthetic, FIXED),
        "real_weight": _through(lambda real: dose.real_weight(real, 1.0 - real), synthetic, WEIGHED),
    }
    if verified:
        numbers["n_eff_verified"] = _through(
            lambda real: dose.effective_share(min(1.0, real + verified)), synthetic, VERIFIED
        )
    return {name: number for name, number in numbers.items() if number is not None}


def of_entropy(ratio: Measurement, synthetic: float | None) -> dict[str, Assumed]:
    """Return how the generator sharpens: `shrink` of the variance in a generation, and `variance_kept` in the long run.

    `ratio` is that of effective word types, exp(entropy), of the generated text to the anchor's at equal budget.
    `variance_kept` needs the synthetic share of the mixture. Nothing where the ratio is not known.
    """
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return {}
    value, low, high = (dose.shrink(one) for one in (ratio.value, ratio.low, ratio.high))
    shrink = Assumed(value, low, high, ratio.n, NARROWED)
    if synthetic is None:
        return {"shrink": shrink}
    kept, least, most = (dose.sharpened_variance(1.0 - synthetic, one) for one in (value, low, high))
    return {"shrink": shrink, "variance_kept": Assumed(kept, least, most, ratio.n, SETTLED)}


def of_spectrum(spectrum: Mapping[int, int], ahead: tuple[int, ...] = AHEAD) -> dict[str, Assumed]:
    """Return the share of word types left after 1, 5 and 10 generations, from how many types occur how often.

    The interval is Wilson's for so many types that each survive or not: it holds for a sample of the types too.
    """
    types = sum(spectrum.values())
    left = {m: dose.expected_types(spectrum, m) / types for m in ahead} if types else {}
    return {f"types_left_{m}": Assumed(share, *wilson(share * types, types), types, LEFT) for m, share in left.items()}


def told(numbers: Mapping[str, Assumed]) -> dict[str, dict[str, Any]]:
    """Return the numbers as plain data."""
    return {name: asdict(number) for name, number in numbers.items()}


def _through(law: Callable[[float], float], synthetic: Measurement, assumes: str) -> Assumed | None:
    """Return a law of the real share, with the interval that the synthetic share's gives it."""
    if synthetic.value is None or synthetic.low is None or synthetic.high is None:
        return None
    value, high, low = (law(1.0 - share) for share in (synthetic.value, synthetic.low, synthetic.high))
    # The known share may lie outside the bounds that a sample or unlabelled records leave.
    return replace(Assumed(value, low, high, synthetic.n, assumes), low=min(low, value), high=max(high, value))
