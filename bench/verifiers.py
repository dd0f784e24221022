"""How often each verifier errs, on labelled answers: false accepts, false rejects, undecided, and answers per second.

    python -m bench.verifiers [--checks math,schema] [--write]

`--write` puts the table into docs/verifiers.md, between the lines that say "measured", and every figure with each
disagreement into bench/results/verifiers.json.
"""

import argparse
import json
import resource
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from bench.made_answers import Labelled
from bench.page import filled, markdown
from bench.verifier_sets import SETS, LabelledSet
from holdfast.core.verdict import Verdict
from holdfast.stats.proportion import share
from holdfast.workflows.checking import BUILTIN, NamedCheck, find_checks

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "verifiers.md"
RESULTS = ROOT / "bench" / "results" / "verifiers.json"
BLOCK = 1_000
# Records that warm a verifier up: its workers start and its libraries load before the clock runs.
WARM_UP = 20
MOST_LISTED = 100


def main() -> None:
    """Measure and print; keep where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", default="", help="only these, by name, separated by commas")
    parser.add_argument("--write", action="store_true", help="put the table into docs/ and bench/results/")
    arguments = parser.parse_args()
    only = set(filter(None, arguments.checks.split(",")))
    results = [measured(each) for each in SETS if each.check in BUILTIN and (not only or each.check in only)]
    absent = sorted({each.check for each in SETS} - set(BUILTIN))
    table = markdown(table_of(results))
    print(table + (f"\n\nnot built in: {', '.join(absent)}" if absent else ""))
    if arguments.write:
        keep(results)


def measured(each: LabelledSet) -> dict[str, Any]:
    """Judge a set in blocks; rates with their intervals, time, and the disagreements by id."""
    check = find_checks([each.check])[0]
    rows = list(each.rows())
    check.judge([record for record, _ in rows[:WARM_UP]])
    verdicts, seconds, cpu = timed(check, rows)
    right = [verdict for verdict, (_, label) in zip(verdicts, rows, strict=True) if label]
    wrong = [verdict for verdict, (_, label) in zip(verdicts, rows, strict=True) if not label]
    return {
        "check": each.check,
        "version": check.version,
        "set": each.name,
        "records": len(rows),
        "false_accepts": rate(sum(verdict.ok is True for verdict in wrong), len(wrong)),
        "false_rejects": rate(sum(verdict.ok is False for verdict in right), len(right)),
        "undecided": rate(sum(verdict.ok is None for verdict in verdicts), len(rows)),
        "misses": rate(sum(v.ok is not label for v, (_, label) in zip(verdicts, rows, strict=True)), len(rows)),
        "reasons": dict(Counter(verdict.reason for verdict in verdicts).most_common()),
        "per_second": round(len(rows) / seconds, 1),
        "cpu_ms_each": round(1000 * cpu / len(rows), 3),
        "disagreements": disagreements(rows, verdicts),
    }


def timed(check: NamedCheck, rows: Sequence[Labelled]) -> tuple[list[Verdict], float, float]:
    """Judge all rows; wall seconds, and processor seconds of this process and the workers that ended with it."""
    verdicts: list[Verdict] = []
    start, before = perf_counter(), busy()
    for first in range(0, len(rows), BLOCK):
        verdicts += check.judge([record for record, _ in rows[first : first + BLOCK]])
    return verdicts, perf_counter() - start, busy() - before


def busy() -> float:
    """Processor seconds of this process and of its children that still run, from the kernel's own counters."""
    ticks = 0
    for entry in Path("/proc/self/task").glob("*/children"):
        for child in entry.read_text().split():
            try:
                fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            # Its own time, and that of the children it has waited for: the sandbox forks one per program.
            ticks += sum(int(field) for field in fields[11:15])
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + ended.ru_utime + ended.ru_stime + ticks / 100


def rate(hits: int, n: int) -> dict[str, Any]:
    """A share with its Wilson interval and the counts behind it."""
    found = share(hits, n)
    return {"hits": hits, "n": n, "value": found.value, "low": found.low, "high": found.high}


def disagreements(rows: Sequence[Labelled], verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """The records whose verdict is not their label, the first of each set."""
    return [
        {
            "id": record.id,
            "right": label,
            "ok": verdict.ok,
            "reason": verdict.reason,
            "evidence": dict(verdict.evidence),
        }
        for (record, label), verdict in zip(rows, verdicts, strict=True)
        if verdict.ok is not label
    ][:MOST_LISTED]


def table_of(results: Sequence[dict[str, Any]]) -> list[list[str]]:
    """The published table, one row per set."""
    head = ["check", "answers", "n", "false accept", "false reject", "undecided", "per core-second"]
    body = [
        [
            each["check"],
            each["set"],
            f"{each['records']:,}",
            shown(each["false_accepts"]),
            shown(each["false_rejects"]),
            shown(each["undecided"]),
            f"{1000 / max(each['cpu_ms_each'], 0.001):,.0f}",
        ]
        for each in results
    ]
    return [head, *body]


def shown(found: dict[str, Any]) -> str:
    """A rate as hits of n, in per cent with its interval."""
    if not found["n"]:
        return "-"
    low, high = 100 * found["low"], 100 * found["high"]
    return f"{found['hits']} of {found['n']:,}: {100 * found['value']:.2f} % ({low:.2f}-{high:.2f})"


def keep(results: list[dict[str, Any]]) -> None:
    """Replace the measured rows of the checks that were run, on the page and in the results."""
    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else []
    fresh = {(each["check"], each["set"]) for each in results}
    order = [(each.check, each.name) for each in SETS]
    merged = [each for each in known if (each["check"], each["set"]) not in fresh] + results
    merged = [each for key in order for each in merged if (each["check"], each["set"]) == key]
    RESULTS.write_text(json.dumps(merged, indent=1, ensure_ascii=False) + "\n", "utf-8")
    parts = {"errors": markdown(table_of(merged))}
    PAGE.write_text(filled(PAGE.read_text("utf-8"), parts), "utf-8")


if __name__ == "__main__":
    main()
