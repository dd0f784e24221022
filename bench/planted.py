"""Faults of every rule planted into clean real data, at several rates and seeds: what each rule finds, and what not.

    python -m bench.planted [--rules SLUG...] [--seeds 1 2] [--write]

A run plants one fault at one rate and asks that rule alone. It is found when the rule fires; of rules that name
records, recall is the share of planted records among those named, and precision the share of those named that were
planted. The clean sets, one for each seed, are asked with every rule: what fires there is a false alarm. --write keeps
bench/results/planted.json and rewrites the table of docs/planted.md.
"""

import argparse
import json
from pathlib import Path
from random import Random
from shutil import rmtree
from typing import Any

from bench.planted_base import Base, clean
from bench.planted_faults import FAULTS, Fault
from holdfast.core.verdict import Finding, NotJudged, Outcome
from holdfast.rules import catalogue

ROOT = Path(__file__).resolve().parent
RESULT = ROOT / "results" / "planted.json"
PAGE = ROOT.parent / "docs" / "planted.md"
MARKS = ("<!-- planted -->\n", "<!-- end -->")
SEEDS = (1, 2)


def main() -> None:
    """Plant, ask, print and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rules", nargs="*", default=list(catalogue.SLUGS))
    parser.add_argument("--seeds", nargs="*", type=int, default=list(SEEDS))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    found = measured(given.rules, given.seeds)
    print(table(found))
    if given.write:
        RESULT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        PAGE.write_text(page(PAGE.read_text("utf-8"), found), "utf-8")


def measured(rules: list[str], seeds: list[int], scale: float = 1.0) -> dict[str, Any]:
    """Return the figures of each rule, and what fired on the clean sets."""
    alarms = [alarm for seed in seeds for alarm in false_alarms(clean(seed, scale), rules)]
    rows = []
    for slug in rules:
        for fault in FAULTS[slug]:
            runs = [run(slug, fault, rate, seed, scale) for rate in fault.rates for seed in seeds]
            rows.append(summary(slug, fault, runs, alarms))
    return {"seeds": seeds, "scale": scale, "rules": rows, "false_alarms": alarms}


def false_alarms(base: Base, rules: list[str]) -> list[dict[str, str]]:
    """Return what the rules say of a clean set."""
    view = base.view()
    said = [outcome for slug in rules for outcome in catalogue.module(slug).check(view)]
    rmtree(view.spool.parent)
    return [{"rule": each.rule, "severity": each.severity} for each in said if isinstance(each, Finding)]


def run(slug: str, fault: Fault, rate: float, seed: int, scale: float) -> dict[str, Any]:
    """Plant one fault and return what its rule said."""
    random = Random(f"{slug} {rate} {seed}")
    base, planted = fault.plant(fault.base(seed, scale), rate, random)
    view = base.view()
    said = list(catalogue.module(slug).check(view))
    rmtree(view.spool.parent)
    found = [each for each in said if isinstance(each, Finding) and fault.meant(each)]
    row: dict[str, Any] = {"rate": rate, "seed": seed, "found": bool(found), "why": _why(said) if not found else None}
    if planted is not None and found:
        named = {evidence.id for each in found for evidence in each.evidence}
        row |= {"planted": len(planted), "named": len(named), "right": len(named & planted)}
    return row


def summary(slug: str, fault: Fault, runs: list[dict[str, Any]], alarms: list[dict[str, str]]) -> dict[str, Any]:
    """Return recall and precision over the runs of one fault."""
    counted = [row for row in runs if "planted" in row]
    planted, named, right = (sum(row[key] for row in counted) for key in ("planted", "named", "right"))
    found, false = sum(row["found"] for row in runs), sum(alarm["rule"] == slug for alarm in alarms)
    return {
        "rule": slug,
        "fault": fault.name,
        "rates": list(fault.rates),
        "runs": len(runs),
        "recall": found / len(runs),
        "precision": found / (found + false) if found + false else 0.0,
        "recall_records": right / planted if planted else None,
        "precision_records": right / named if named else None,
        "missed": [row for row in runs if not row["found"]],
    }


def table(found: dict[str, Any]) -> str:
    """Return the figures as a table in Markdown."""
    lines = ["| rule | planted | rates | runs | found | precision | records found | of those named right |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for row in found["rules"]:
        rates = ", ".join(f"{rate:g}" for rate in row["rates"])
        shown = [f"{row['recall']:.2f}", f"{row['precision']:.2f}", *map(_number, _of_records(row))]
        lines.append(f"| `{row['rule']}` | {row['fault']} | {rates} | {row['runs']} | {' | '.join(shown)} |")
    errors = sum(alarm["severity"] == "error" for alarm in found["false_alarms"])
    other = len(found["false_alarms"]) - errors
    lines += ["", f"On the {len(found['seeds'])} clean sets {errors} errors and {other} warnings fired."]
    return "\n".join(lines) + "\n"


def page(text: str, found: dict[str, Any]) -> str:
    """Return docs/planted.md with the table of now."""
    before, rest = text.split(MARKS[0])
    return f"{before}{MARKS[0]}\n{table(found)}\n{MARKS[1]}{rest.split(MARKS[1])[1]}"


def _of_records(row: dict[str, Any]) -> tuple[float | None, float | None]:
    return row["recall_records"], row["precision_records"]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _why(said: list[Outcome]) -> str:
    return "; ".join(f"not judged: {each.why}" if isinstance(each, NotJudged) else type(each).__name__ for each in said)


if __name__ == "__main__":
    main()
