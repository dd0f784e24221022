"""Run pictures: what the folder of a build adds to its report: the funnel by generator, checks with reasons, bills.

Read from the manifests and the verdicts of the steps; a step whose files are not there adds nothing.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from holdfast.core.rundir import read_manifest

NOT_MADE = "not generated"
MOST, REASONS = 12, 5


def run_pictures(folder: Path, generators: dict[str, int]) -> dict[str, Any]:
    """Return `funnel`, `checks` and `bills` of a build in `folder`; `generators` counts the finished set's records."""
    parts = {"funnel": funnel(folder, generators), "checks": verdicts(folder), "bills": bills(folder)}
    return {name: part for name, part in parts.items() if part}


def funnel(folder: Path, mixed: dict[str, int]) -> dict[str, Any]:
    """Return per generator how many records were left after each step, from generated to mixed."""
    made = (read_manifest(folder / "generated") or {}).get("generators", {})
    filtered = (read_manifest(folder / "filtered") or {}).get("funnel", {}).get("generator", {})
    if not made:
        return {}
    gone = list(_reasons(filtered))
    rows = {}
    for name, counted in sorted(made.items(), key=lambda entry: -entry[1]["made"]):
        left, after = counted["accepted"], filtered.get(name, {})
        row = [counted["made"], left]
        for reason in gone:
            left -= after.get(reason, 0)
            row.append(left)
        rows[name] = [*row, mixed.get(name, 0)]
    stages = ["generated", "accepted by checks", *(f"after {reason}" for reason in gone), "in the mixture"]
    return {
        "stages": stages,
        "rows": dict(list(rows.items())[:MOST]),
        "left_out": {"generators": max(0, len(rows) - MOST)},
    }


def verdicts(folder: Path) -> dict[str, Any]:
    """Return what each check said while generating: accepted, refused, undecided, and the commonest reasons."""
    path = folder / "generated" / "verdicts.jsonl"
    if not path.is_file():
        return {}
    told: dict[str, Counter[str]] = {}
    why: dict[str, Counter[str]] = {}
    with path.open("rb") as lines:
        for line in lines:
            said = orjson.loads(line)
            word = "undecided" if said["ok"] is None else "accepted" if said["ok"] else "refused"
            told.setdefault(said["check"], Counter())[word] += 1
            if not said["ok"]:
                why.setdefault(said["check"], Counter())[said["reason"]] += 1
    return {
        name: {**counted, "reasons": dict(why.get(name, Counter()).most_common(REASONS))}
        for name, counted in sorted(told.items())
    }


def bills(folder: Path) -> list[dict[str, Any]]:
    """Return the diversity bill of each step that has one: what it removed, and each ratio with its interval."""
    found = []
    for step in ("filtered", "dataset"):
        for entry in (read_manifest(folder / step) or {}).get("bill", []):
            numbers = {
                slug: {key: said[key] for key in ("value", "low", "high", "n")} | {"verdict": said["detail"]["verdict"]}
                for slug, said in entry["measurements"].items()
            }
            name = entry["filter"] if entry["filter"] != "all" else f"all of {step}"
            found.append({"filter": name, "removed": entry["removed"], "records": entry["records"], "numbers": numbers})
    return [entry for entry in found if not _repeats(entry, found)]


def _repeats(entry: dict[str, Any], found: list[dict[str, Any]]) -> bool:
    """The bill of a whole step that had one filter only says again what that filter's own bill says."""
    others = [other for other in found if other is not entry]
    return entry["filter"].startswith("all of ") and any(other["numbers"] == entry["numbers"] for other in others)


def _reasons(filtered: dict[str, dict[str, int]]) -> list[str]:
    found: Counter[str] = Counter()
    for name, counted in filtered.items():
        if name != NOT_MADE:
            found.update({key: amount for key, amount in counted.items() if key not in ("in", "kept")})
    return [name for name, _ in found.most_common()]
