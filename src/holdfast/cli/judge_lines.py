"""What a filter says of its judge on the screen: power, agreement, the error it leaves, and where it breaks down."""

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.report.shown import one_line

# Letters of a subset or a generator: names come from the data, and may be anything.
LONGEST = 40


def judge_lines(told: Mapping[str, Any]) -> list[str]:
    """Return the lines about people and judges of a manifest's `judging`; none where nobody judged."""
    return [*_people(told.get("people")), *(_judges(told) if "judges" in told else ())]


def _people(told: Mapping[str, Any] | None) -> Iterator[str]:
    if told:
        yield f"people labelled {told['records']:,} records, {told['found']:,} of them here"
        yield f"  {_alpha(told['alpha'])}"


def _alpha(alpha: Mapping[str, Any] | None) -> str:
    return f"among themselves alpha {number(alpha)}" if alpha else "nobody labelled what another did"


def _judges(told: Mapping[str, Any]) -> Iterator[str]:
    for name, judge in told["judges"].items():
        shown, passed = judge["canaries"]["shown"], judge["canaries"]["passed"]
        state = "SUSPENDED, its scores are void" if judge["suspended"] else "not suspended"
        yield f"judge {name} ({judge['model']}): {passed} of {shown} canaries passed, {state}"
        if judge["family"] is None:
            yield f"  its family is not known: declare it (models.{name}.family), or its kin goes unseen"
        if len(told["judges"]) > 1:
            yield f"  alone                kappa {number(judge['kappa'])}"
        if "position" in judge:
            yield f"  same in both orders  {number(judge['position'])}"
            yield f"  wins at equal length {number(judge['length_controlled'])}"
        elif told["mode"] == "pairs":
            yield "  fewer than 3 records have a second answer (rejected) to compare: nothing is told of the rest"
    for kin in told["kin"]:
        yield f"  accepted risk: {kin}"
    for subset, found in told["calibration"].items():
        power = "may reject" if found["trusted"] else "may not reject"
        yield f"  {one_line(subset, LONGEST) or 'the rest':<20} kappa {number(found['kappa'])}: {power}"
        if found["why"]:
            yield f"    {found['why']}"
    yield f"  pass rate            {number(told['pass_rate'])}"
    yield f"  corrected for errors {number(told['corrected'])}"
    for leak in told["leakage"]:
        whose = ", ".join(f"{judge} {one_line(maker, LONGEST)}" for judge, maker in leak["pairs"].items())
        yield f"  leakage              {number(leak['score'])} (favour: {whose})"
    whole = told["calibration"]["all"]
    yield f"  retained error       {number(told['retained_error'])} (bad among what it keeps)"
    yield f"  break-down point     {number(whole['breakdown'])} (with more bad ones, useless)"


def number(found: Mapping[str, Any] | None) -> str:
    """Return a measurement as value, interval and n; 'not known' where it has no value."""
    if found is None or found["value"] is None:
        return "not known" if found is None else f"not known, n {found['n']:,}"
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f}), n {found['n']:,}"
