"""Judging in words: what the card says of judges and people, from the manifest's `judging`."""

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.report import numbers
from holdfast.report.shown import one_line


def judging_words(told: Mapping[str, Any]) -> str:
    """Return who judged, who labelled, how far they agree, and what error is left; nothing where nobody did."""
    return "\n".join(f"- {line}" for line in [*_people(told.get("people")), *_judges(told)])


def _people(people: Mapping[str, Any] | None) -> Iterator[str]:
    if not people:
        return
    among = f", Krippendorff's alpha among them {_number(people['alpha'])}" if people["alpha"] else ""
    yield f"People labelled {numbers.plural(people['records'], 'record')}{among}. Their word goes before any judge's."


def _judges(told: Mapping[str, Any]) -> Iterator[str]:
    for name, judge in told.get("judges", {}).items():
        canaries = judge["canaries"]
        state = "suspended, its scores are void" if judge["suspended"] else "not suspended"
        yield (
            f"Judge {_plain(name)} ({_plain(judge['model'])}): {canaries['passed']} of {canaries['shown']} canaries"
            f" passed, {state}."
        )
    for kin in told.get("kin", ()):
        yield f"Accepted risk: {_plain(kin)}."
    for subset, found in told.get("calibration", {}).items():
        power = "it may reject" if found["trusted"] else f"it may not reject ({found['why']})"
        yield f"Agreement with people on {_plain(subset) or 'the rest'}: kappa {_number(found['kappa'])}; {power}."
    if "judges" in told:
        yield f"Pass rate {_number(told['pass_rate'])}, corrected for the judge's errors {_number(told['corrected'])}."
        turn = _number(told["calibration"]["all"]["breakdown"])
        yield f"Expected retained error {_number(told['retained_error'])}; break-down point {turn}."


def _number(found: Mapping[str, Any] | None) -> str:
    if found is None or found["value"] is None:
        return "not known"
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f}, n {found['n']:,})"


def _plain(text: str) -> str:
    """Return a name on one line, as code, so that nothing in it is markup."""
    kept = one_line(text, 120).replace("`", "'")
    return f"`{kept}`" if kept else ""
