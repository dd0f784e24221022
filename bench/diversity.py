"""What the diversity metrics see: recursive trigram models at every dose, real controls, and which metric sees most.

    python -m bench.diversity [--write]

Data: ../shared/data/collapse/ngram_generations.jsonl.gz, 240 texts per series and generation. `level` holds a
generation against the file's 1108 real texts, none of which the models' own series hold, `trend` the same with an
earlier generation of its own series as the baseline, `controls` real text against real text; texts that stand on both
sides are taken from the anchor, for the controls share a quarter of theirs. The effect d' is -ln(ratio) in standard
errors (half the interval / 1.96). `--write` puts the tables into docs/metrics.md and every number into
bench/results/diversity.json.
"""

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from pathlib import Path
from statistics import mean
from typing import Any

from bench.page import filled, markdown
from holdfast.core.verdict import Measurement
from holdfast.metrics.anchor import COMBINED, DESCRIBED, JUDGED, PRIMARY, compare

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "collapse" / "ngram_generations.jsonl.gz"
RESULT = ROOT / "bench" / "results" / "diversity.json"
PAGE = ROOT / "docs" / "metrics.md"
COMMAND = "python -m bench.diversity --write"

SERIES = {
    "mix30_p90": "30 %, top-p .9",
    "mix50_p90": "50 %, top-p .9",
    "mix70_p90": "70 %, top-p .9",
    "replace_p90": "100 %, top-p .9",
    "replace_p100": "100 %",
}
CONTROLS = ("control0_fresh_real", "control1_fresh_real")
REAL = (*CONTROLS, "heldout_real")
GENERATIONS = range(1, 8)
SHOWN = (*PRIMARY, "tail-coverage", "distinct-2")
# Columns of the ranking: (table, series, generation), from the strongest loss to none.
RANKED = (
    ("level", "replace_p100", 3),
    ("level", "mix70_p90", 3),
    ("level", "mix50_p90", 3),
    ("level", "mix30_p90", 3),
    ("trend from 1", "replace_p100", 3),
    ("trend from 1", "mix70_p90", 7),
    ("trend from 1", "mix30_p90", 7),
)
SEEDS = range(3)

Texts = dict[tuple[str, int], list[str]]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison: which texts against which."""

    table: str
    series: str
    generation: int
    anchor: tuple[str, int] = ("real", 0)
    baseline: int | None = None


def main() -> None:
    """Measure, print, keep where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/ and bench/results/")
    arguments = parser.parse_args()
    texts = read()
    rows = [row(case, texts) for case in cases()]
    tables = {
        "detection": verdict_table(rows),
        "level": ratio_table(rows, "level"),
        "trend": ratio_table(rows, "trend from 1"),
        "ranking": ranking_table(texts),
    }
    for name, table in tables.items():
        print(f"\n{name}\n\n{table}")
    if arguments.write:
        lines = ",\n".join(json.dumps(each) for each in rows)
        RESULT.write_text(f'{{"command": "{COMMAND}", "rows": [\n{lines}\n]}}\n')
        keep(tables)


def read() -> Texts:
    """Return the texts by series and generation."""
    found: Texts = defaultdict(list)
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        for one in map(json.loads, lines):
            found[one["series"], one["generation"]].append(one["text"])
    real = (text for (series, _), rows in found.items() if series in REAL for text in rows)
    found["real", 0] = list(dict.fromkeys(real))
    return found


def cases() -> Iterator[Case]:
    """Yield every comparison of the tables."""
    for series in SERIES:
        for generation in GENERATIONS:
            yield Case("level", series, generation)
        for first in (1, 2):
            for generation in range(first + 1, 8):
                yield Case(f"trend from {first}", series, generation, baseline=first)
    for generation in range(8):
        yield from (Case("controls", series, generation) for series in CONTROLS)
        yield from (Case("controls", CONTROLS[1], generation, (CONTROLS[0], other)) for other in range(8))


def measured(case: Case, texts: Texts, seed: int = 0) -> dict[str, Measurement]:
    """Compare one case."""
    candidate = texts[case.series, case.generation]
    anchor = [text for text in texts[case.anchor] if text not in candidate]
    baseline = None if case.baseline is None else texts[case.series, case.baseline]
    return compare(candidate, anchor, seed=seed, baseline=baseline)


def row(case: Case, texts: Texts) -> Row:
    """Return one comparison as JSON: value, interval, verdict and effect of every metric."""
    found = measured(case, texts)
    return {
        "table": case.table,
        "series": case.series,
        "generation": case.generation,
        "anchor": list(case.anchor),
        "metrics": {slug: entry(one) for slug, one in found.items()},
    }


def entry(one: Measurement) -> Row:
    """Return what is kept of one measurement."""
    numbers = {"value": one.value, "low": one.low, "high": one.high, "effect": effect(one)}
    rounded = {key: None if number is None else round(number, 4) for key, number in numbers.items()}
    return {**rounded, "n": one.n, "verdict": one.detail["verdict"], "p": one.detail["p"]}


def effect(one: Measurement) -> float | None:
    """Return -ln(ratio) in standard errors; None where the metric is unknown or does not vary."""
    if not one.value or not one.low or not one.high or one.low == one.high:
        return None
    return -log(one.value) / ((log(one.high) - log(one.low)) / (2 * 1.96))


def verdict_table(rows: list[Row]) -> str:
    """In which generations the family is worse, per series: against real text, and against an earlier generation."""
    kinds = ("level", "trend from 1", "trend from 2")
    lines = [["series", *(f"{table}: worse in" for table in kinds)]]
    lines += [[name, *(worse(rows, table, series) for table in kinds)] for series, name in SERIES.items()]
    controls = [each for each in rows if each["table"] == "controls"]
    fired = sum(each["metrics"][COMBINED]["verdict"] == "worse" for each in controls)
    lines.append(["fresh real text", f"{fired} of {len(controls)} comparisons", "", ""])
    return markdown(lines)


def worse(rows: list[Row], table: str, series: str) -> str:
    """Return in which generations the family was worse, of how many."""
    mine = [each for each in rows if (each["table"], each["series"]) == (table, series)]
    hits = [str(each["generation"]) for each in mine if each["metrics"][COMBINED]["verdict"] == "worse"]
    return f"{', '.join(hits) or 'none'} of {mine[0]['generation']} to {mine[-1]['generation']}"


def ratio_table(rows: list[Row], table: str) -> str:
    """The ratios at the first and last generation of the table, with the verdict where it is `worse`."""
    lines = [["series", "generation", *SHOWN]]
    for series, name in SERIES.items():
        mine = [each for each in rows if (each["table"], each["series"]) == (table, series)]
        lines += [
            [name, str(each["generation"]), *(cell(each["metrics"][slug]) for slug in SHOWN)]
            for each in (mine[0], mine[2], mine[-1])
        ]
    return markdown(lines)


def cell(one: Row) -> str:
    """A ratio, bold where it is worse."""
    if one["value"] is None:
        return "-"
    return f"**{one['value']:.2f}**" if one["verdict"] == "worse" else f"{one['value']:.2f}"


def ranking_table(texts: Texts) -> str:
    """Every metric's effect in the ranked cases, mean of three seeds, the most sensitive to the mild dose first."""
    effects: dict[str, list[float | None]] = {slug: [] for slug in (*JUDGED, *DESCRIBED)}
    for table, series, generation in RANKED:
        case = Case(table, series, generation, baseline=None if table == "level" else 1)
        found = [measured(case, texts, seed) for seed in SEEDS]
        for slug, seen in effects.items():
            known = [value for value in (effect(each[slug]) for each in found) if value is not None]
            seen.append(mean(known) if known else None)
    ranked = sorted(effects, key=lambda slug: -(effects[slug][3] or 0.0))
    head = ["metric", *(f"{table}: {SERIES[series]}, g{generation}" for table, series, generation in RANKED)]
    body = [[slug, *("-" if value is None else f"{value:.1f}" for value in effects[slug])] for slug in ranked]
    return markdown([head, *body])


def keep(tables: dict[str, str]) -> None:
    """Put each table between its two marks in the page."""
    PAGE.write_text(filled(PAGE.read_text("utf-8"), tables), "utf-8")


if __name__ == "__main__":
    main()
