"""Diversity against the anchor: is the set as varied as real data of the same size?

**What it is.** The records not labelled real are compared with the given real data at equal length and equal number
of tokens. Each number is a ratio to what two disjoint halves of the real data give against each other, so that 1
means "as varied as real". The primary family is anchor bigram recall, reverse cross-entropy, RKE and anchor-cluster
coverage; the others describe. At most a thousand records are compared, near-duplicates drawn together; `detail` says
how many. Distinct-1 to distinct-4 also stand there for the whole set, unjudged: that share falls with size.

**Why it matters.** Narrowing shows here before any benchmark moves. A fitted generator always differs a little from
real text, so the level is a signature; the trend over rounds is what collapses.

**When it fires.** Warning when a number of the primary family is worse than the margin of 5 % after Holm's
correction; error when tail coverage is worse as well.

**What to do.** Raise the temperature, add generators of other families, aim at the thin cells, or add real data. If
the verdict is inconclusive, the finding says how many documents would decide it.
"""

from collections.abc import Iterator
from dataclasses import replace

import pyarrow.compute as pc

from holdfast.core.verdict import Finding, Measurement, NotJudged, Outcome, Passed, Severity
from holdfast.metrics.anchor import FEWEST
from holdfast.rules.view import View
from holdfast.stats.calculator import of_entropy, told

SLUG = "anchor-diversity"
SEVERITY = "warning when worse, error when tail coverage is worse too"
SOURCE = "metrics/anchor.py: equal-budget comparison with an anchor-versus-anchor null; RKE: Jalali et al. 2023"
ADVICE = "Raise the temperature, add generators of other families, aim at what is missing, or add real data."


def check(view: View) -> Iterator[Outcome]:
    """Report every diversity number and judge the primary family."""
    if view.real is None or not pc.any(pc.equal(view.real.column("origin"), "real")).as_py():
        yield NotJudged(SLUG, "there is no real anchor to compare with", "--real FILE with real records")
        return
    measured = dict(view.diversity)
    if measured[SLUG].value is None:
        why = f"fewer than {FEWEST} documents a side are long enough to compare"
        yield NotJudged(SLUG, why, "more records, and more real ones with --real FILE")
        return
    tail = measured["tail-coverage"]
    measured["entropy"] = _with_sharpening(view, measured["entropy"])
    overall = measured.pop(SLUG)
    for slug, measurement in measured.items():
        yield Passed(slug, measurement)
    if overall.detail["verdict"] != "worse":
        yield Passed(SLUG, overall)
        return
    severity: Severity = "error" if tail.detail["verdict"] == "worse" else "warning"
    worse = [slug for slug, verdict in overall.detail["primary"].items() if verdict == "worse"]
    message = f"Less varied than the real anchor by {', '.join(worse)}: {overall.value:.2f} of real at the worst"
    message += ", and the tail is thinner." if severity == "error" else "."
    yield Finding(SLUG, severity, message, ADVICE, overall, source=SOURCE)


def _with_sharpening(view: View, entropy: Measurement) -> Measurement:
    """Put beside the entropy how far the generator sharpens, and what variance the mixture settles at."""
    made, real = view.origins["synthetic"] + view.origins["mixed"], view.origins["real"]
    numbers = of_entropy(entropy, made / (made + real) if made + real else None)
    return replace(entropy, detail={**entropy.detail, "dose": told(numbers)})
