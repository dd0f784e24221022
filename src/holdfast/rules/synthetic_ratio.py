"""Synthetic ratio: the share of records that a machine made.

**What it is.** Synthetic and mixed records over all records of known origin. Records of unknown origin are in
neither count; they widen the interval to what it would be if all of them were real, or all synthetic.

**Why it matters.** Training on model output again and again loses the tail of the distribution first. With a real
share *a* in every round, the effective sample size that resists this loss is n_eff/n = 1 - (1 - a)^2: 0.91 at 30 %
synthetic, 0.51 at 70 %, 0.19 at 90 %. The bands are a default to be measured on your own data, not a guarantee;
the published evidence against them is printed with the number. `dose` in the detail holds what the laws give for this
set, each with its interval and its assumption: n_eff with fresh, with fixed and with verified data, the weight of the
real part, and the share of its word types that would be left after 1, 5 and 10 generations of nothing but resampling.

**When it fires.** Warning from 30 % (noticeable but recoverable), error above 70 % (substantial risk over several
generations). A share above 70 % needs an accepted risk.

**What to do.** Add real records or leave out synthetic ones: the finding says how many. Verified synthetic data
carries less risk than unverified.
"""

from collections.abc import Iterator
from dataclasses import replace

from holdfast.core.verdict import Finding, Measurement, NotJudged, Outcome, Passed, Severity
from holdfast.rules.view import View
from holdfast.stats import calculator, dose
from holdfast.stats.proportion import wilson

SLUG = "synthetic-ratio"
SEVERITY = "warning from 30 %, error above 70 %"
SOURCE = "n_eff: Seddik et al. 2024 (arXiv 2404.05090) with a real share in every round; bands: docs/dose.md"


def check(view: View) -> Iterator[Outcome]:
    """Judge the share of synthetic records."""
    counts = view.origins
    made, real, unknown = counts["synthetic"] + counts["mixed"], counts["real"], counts["unknown"]
    measured = ratio(view, made, real, unknown, view.n)
    if measured.value is not None:
        laws = calculator.of_share(measured, len(view.verified) / (made + real))
        numbers = calculator.told({**laws, **calculator.of_spectrum(view.spectrum)})
        measured = replace(measured, detail={**measured.detail, "dose": numbers})
    yield judge(SLUG, measured, view.settings.mix.max_synthetic)
    if made + real == 0:
        yield NotJudged(SLUG, "no record says whether it is real or synthetic", "an origin or generator column (--map)")


def ratio(view: View, made: int, real: int, unknown: int, weight: float, unit: str = "records") -> Measurement:
    """Return the share of `made` with the bounds that `unknown` leaves, and the dose laws in its detail.

    When only a sample was read, the bounds are those of 95 % Wilson intervals with `weight` as effective sample size.
    """
    known, everything = made + real, made + real + unknown
    low, high = (made / everything, (made + unknown) / everything) if everything else (0.0, 1.0)
    value = made / known if known else None
    if view.sampled:
        low, high = wilson(low * weight, weight)[0], wilson(high * weight, weight)[1]
    cap = view.settings.mix.max_synthetic
    detail = {"counts": dict(view.origins), "bounds": [low, high], "cap": cap, "by": unit}
    if value is not None:
        detail |= {"band": dose.band(value), "n_eff": dose.effective_share(1 - value)}
        detail["counter_evidence"] = [f"{entry.says} [{entry.reference}]" for entry in dose.COUNTER_EVIDENCE]
        if value > cap:
            plan = dose.dilution(real, made, cap)
            detail["dilution"] = {"add_real": plan.add_real, "leave_out_synthetic": plan.drop_synthetic, "unit": unit}
    return Measurement(value, low, high, known, "share", detail=detail)


def judge(slug: str, measured: Measurement, cap: float) -> Outcome:
    """Return the finding that the band of a measured share calls for."""
    value = measured.value
    if value is None or value < dose.NOTICEABLE_FROM:
        return Passed(slug, measured)
    severity: Severity = "error" if value > dose.SUBSTANTIAL_ABOVE else "warning"
    unit = measured.detail["by"]
    message = f"{value:.1%} of the {unit} of known origin are synthetic: {measured.detail['band']} risk band, "
    message += f"effective sample share {measured.detail['n_eff']:.2f}."
    return Finding(slug, severity, message, _advice(measured, cap), measured, evidence_total=0, source=SOURCE)


def _advice(measured: Measurement, cap: float) -> str:
    plan = measured.detail.get("dilution")
    if plan is None:
        return f"Within the cap of {cap:.0%}. Keep adding real data rather than replacing it, and watch the tail."
    if measured.value == 1:
        return f"To reach the cap of {cap:.0%}: add {plan['add_real']:,} real {plan['unit']}; there are none."
    return (
        f"To reach the cap of {cap:.0%}: add {plan['add_real']:,} real {plan['unit']}, "
        f"or leave out {plan['leave_out_synthetic']:,} synthetic ones."
    )
