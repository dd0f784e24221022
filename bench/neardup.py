"""What near-duplicate search finds and misses: planted kinds, human revisions, all pairs, a million records.

    python -m bench.neardup [--records 1000000] [--write]

Prints one table per question; `--write` puts them into docs/dedup.md, between the lines that say "measured", and into
bench/results/neardup.json. The data are ../shared/data/neardup and, for the last table, the corpus of `bench.corpus`.
"""

import argparse
import gzip
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pyarrow as pa

from bench.corpus import write
from bench.measure import measure
from bench.page import filled, markdown
from holdfast.core.scratch import scratch
from holdfast.core.text import KERNELS as TEXT_KERNELS
from holdfast.core.text import words
from holdfast.dedup import join as joining
from holdfast.dedup import near
from holdfast.dedup.clusters import NGRAMS, NearDuplicates, NearSpec

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
WORK = ROOT / ".bench"
CAP = 2 << 30
SHARD = 20_000
SPECS = [
    NearSpec("word3", 0.5),
    NearSpec("word3", 0.7),
    NearSpec("word5", 0.5),
    NearSpec("word5", 0.7),
    NearSpec("char5", 0.5),
    NearSpec("char5", 0.7),
    NearSpec("symbol3", 0.5),
]
# From untouched to unrecognisable, as the data set names them.
KINDS = (
    "exact",
    "case_space",
    "typo1",
    "typo3",
    "boilerplate",
    "truncate80",
    "shuffle_sentences",
    "sub2",
    "sub5",
    "sub10",
    "sub20",
    "sub35",
    "half",
    "sub50",
)

Table = list[list[str]]


def main() -> None:
    """Measure and print; keep where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000, help="size of the corpus of the last table")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/dedup.md and bench/results/")
    parser.add_argument("--join", type=Path, help="join one corpus, print what it cost (used by this script itself)")
    arguments = parser.parse_args()
    if arguments.join:
        print(json.dumps(join_file(arguments.join)))
        return
    tables = {
        "kinds": kinds_table(),
        "revisions": revisions_table(),
        "signs": signs_table(),
        "all pairs": pairs_table(),
        "scale": scale_table(arguments.records),
    }
    for name, rows in tables.items():
        print(f"\n{name}\n\n{markdown(rows)}")
    if arguments.write:
        keep(tables)


def rows_of(file: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one file of the shared data."""
    with gzip.open(DATA / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def table_of(texts: list[str]) -> pa.Table:
    """Return texts as the two columns that the search reads."""
    return pa.table({"prompt": pa.array([""] * len(texts)), "response": pa.array(texts, pa.string())})


def named(spec: NearSpec) -> str:
    """Return a definition as a heading."""
    return f"{spec.ngram} {spec.threshold}"


def linked(found: NearDuplicates) -> Any:
    """Return the cluster of every record."""
    return found.clusters().representative


def kinds_table() -> Table:
    """Recall per kind of edit: the share of variants in one cluster with their original. Last: precision of pairs."""
    rows = list(rows_of("neardup/controlled"))
    original = {row["cluster"]: number for number, row in enumerate(rows) if row["kind"] == "original"}
    of_kind = {kind: [number for number, row in enumerate(rows) if row["kind"] == kind] for kind in KINDS}
    found = [near.find_near([table_of([row["text"] for row in rows])], spec) for spec in SPECS]
    labels = [linked(one) for one in found]
    body = []
    for kind, numbers in of_kind.items():
        hits = [sum(int(group[n] == group[original[rows[n]["cluster"]]]) for n in numbers) for group in labels]
        body.append([kind, str(len(numbers)), *(share(hit, len(numbers)) for hit in hits)])
    right = [
        sum(rows[i]["cluster"] == rows[j]["cluster"] for i, j in zip(one.left, one.right, strict=True)) for one in found
    ]
    precision = [share(hit, one.left.size) for hit, one in zip(right, found, strict=True)]
    return [["kind of edit", "n", *map(named, SPECS)], *body, ["precision of pairs", "", *precision]]


def revisions_table() -> Table:
    """Recall on paragraphs before and after revision by people, by the share of words that stayed."""
    rows = list(rows_of("neardup/pydocs_revisions"))
    texts = [row[side] for row in rows for side in ("old", "new")]
    labels = [linked(near.find_near([table_of(texts)], spec)) for spec in SPECS]
    body = []
    for low in (0.9, 0.8, 0.7, 0.6, 0.5, 0.0):
        high = 1.01 if low == 0.9 else 0.5 if low == 0 else low + 0.1
        chosen = [n for n, row in enumerate(rows) if low <= row["word_ratio"] < high]
        if chosen:
            hits = [sum(int(group[2 * n] == group[2 * n + 1]) for n in chosen) for group in labels]
            label = f"{low:.1f} and more" if low else "below 0.5"
            body.append([label, str(len(chosen)), *(share(hit, len(chosen)) for hit in hits)])
    return [["words that stayed", "n", *map(named, SPECS)], *body]


def signs_table() -> Table:
    """Pairs of records whose answers differ, and how many of them have equal sets of n-grams."""
    programs = list(rows_of("verify/mbpp_ref_and_mutants"))
    sums = [f"What is {a} {sign} {b}?" for a in range(10, 40) for b in range(2, 12, 3) for sign in "+-*/"]
    cases: dict[str, tuple[list[str], Callable[[int, int], bool]]] = {
        "right and wrong programs (MBPP)": (
            [f"{row['text']}\n{row['solution']}" for row in programs],
            lambda i, j: programs[i]["expected_pass"] != programs[j]["expected_pass"],
        ),
        "sums with another sign": (sums, lambda i, j: sums[i] != sums[j]),
    }
    body = []
    for name, (texts, differ) in cases.items():
        for spec in (NearSpec("word3", 0.5), NearSpec("symbol3", 0.5), NearSpec("symbol3", 0.9)):
            found = near.find_near([table_of(texts)], spec)
            wrong = [k for k, pair in enumerate(zip(found.left, found.right, strict=True)) if differ(*map(int, pair))]
            equal = int(np.count_nonzero(found.similarity[wrong] == 1.0))
            body.append([name, str(len(texts)), named(spec), str(len(wrong)), str(equal)])
    return [["records", "n", "definition", "pairs that differ in meaning", "of these equal"], *body]


def pairs_table() -> Table:
    """Recall and precision of both joins over all pairs, against a comparison of sets in plain Python."""
    texts = [row["text"] for row in rows_of("neardup/controlled")]
    for kernels in (TEXT_KERNELS, joining.KERNELS):
        import_module(kernels)  # once loaded they are used for inputs of any size
    body = []
    for ngram in ("word3", "word5"):
        truth = reference(texts, NGRAMS[ngram][0])
        for threshold in (0.5, 0.7, 0.9):
            expected = {pair for pair, similarity in truth.items() if similarity >= threshold}
            for method, most in (("exact join", joining.MOST_EXACT), ("MinHash", 0)):
                got = compiled_pairs(texts, NearSpec(ngram, threshold), most)
                both = len(expected & got)
                body.append(
                    [
                        f"{ngram} {threshold}",
                        method,
                        str(len(expected)),
                        share(both, len(expected)),
                        share(both, len(got)),
                    ]
                )
    return [["definition", "method", "pairs", "recall", "precision"], *body]


def reference(texts: list[str], n: int) -> dict[tuple[int, int], float]:
    """Return the Jaccard similarity of all pairs that share an n-gram; of equal sets the first stands for all."""
    sets: dict[frozenset[tuple[str, ...]], int] = {}
    for number, text in enumerate(texts):
        found = words(text)
        sets.setdefault(frozenset(zip(*(found[k:] for k in range(n)), strict=False)), number)
    holders = defaultdict(list)
    for one, number in sets.items():
        for gram in one:
            holders[gram].append(number)
    shared = Counter((i, j) for held in holders.values() for k, i in enumerate(held) for j in held[k + 1 :])
    sizes = {number: len(one) for one, number in sets.items()}
    return {(i, j): count / (sizes[i] + sizes[j] - count) for (i, j), count in shared.items()}


def compiled_pairs(texts: list[str], spec: NearSpec, most_exact: int) -> set[tuple[int, int]]:
    """Return the pairs that the form for large inputs finds between records of different sets."""
    joining.MOST_EXACT, before = most_exact, joining.MOST_EXACT
    try:
        found = near.find_near([table_of(texts)], spec)
    finally:
        joining.MOST_EXACT = before
    equal = {int(j) for j, s in zip(found.right, found.similarity, strict=True) if s == 1.0}
    pairs = zip(found.left.tolist(), found.right.tolist(), strict=True)
    return {pair for pair in pairs if not equal & set(pair)}


def scale_table(records: int) -> Table:
    """Join a corpus under a cap of memory; count the pairs against the exact join without one."""
    path = WORK / f"corpus-{records}.jsonl"
    write(path, records, DATA / "text")
    cost = measure([sys.executable, "-m", "bench.neardup", "--join", str(path)], CAP, WORK)
    if cost.ended != "exit 0":
        return [["ended"], [f"{cost.ended}: {cost.messages[-200:]}"]]
    told = json.loads(cost.output)
    got = {tuple(pair) for pair in np.load(path.with_suffix(".pairs.npy")).tolist()}
    joining.MOST_EXACT = joining.MOST_MEETINGS = 1 << 40
    exact = joined(path)
    expected = set(zip(exact.left.tolist(), exact.right.tolist(), strict=True))
    both = len(expected & got)
    head = ["records", "pairs", "recall", "precision", "CPU s", "of these reading", "wall s", "peak MiB"]
    figures = [told["cpu"], told["reading"], cost.wall_seconds, cost.peak_bytes >> 20]
    row = [f"{records:,}", f"{len(expected):,}", share(both, len(expected)), share(both, len(got)), *map(str, figures)]
    return [head, row]


def join_file(path: Path) -> dict[str, float]:
    """Join a corpus, keep its pairs beside it and return CPU seconds: of all, and of reading the file."""
    start = process_time()
    for _ in shards(path):
        pass
    reading = process_time() - start
    found = joined(path)
    np.save(path.with_suffix(".pairs.npy"), np.stack([found.left, found.right], axis=1))
    return {"cpu": round(process_time() - start - reading, 1), "reading": round(reading, 1)}


def joined(path: Path) -> NearDuplicates:
    """Return the near-duplicates of a corpus by the default definition, with its shingles in a file."""
    spec = NearSpec()
    with scratch() as folder:
        return near.join((near.sketch(table, spec) for table in shards(path)), spec, folder, workers=2)


def shards(path: Path) -> Iterator[pa.Table]:
    """Yield the texts of a corpus, some at a time."""
    texts: list[str] = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            texts.append(json.loads(line)["text"])
            if len(texts) == SHARD:
                yield table_of(texts)
                texts = []
    if texts:
        yield table_of(texts)


def share(part: int, whole: int) -> str:
    """A ratio to three decimals, or a dash where there is nothing to divide by."""
    return f"{part / whole:.3f}" if whole else "-"


def keep(tables: dict[str, Table]) -> None:
    """Replace each measured part of the page by its table, and write the figures beside the other results."""
    page = ROOT / "docs" / "dedup.md"
    parts = {name: markdown(rows) for name, rows in tables.items()}
    page.write_text(filled(page.read_text("utf-8"), parts), "utf-8")
    results = ROOT / "bench" / "results"
    results.mkdir(exist_ok=True)
    (results / "neardup.json").write_text(json.dumps(tables, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
