"""What decontamination finds and misses: recall per form of leak, false alarms on clean real text, cost.

    python -m bench.decontamination [--write]
    python -m bench.decontamination --data FILE --eval FILE
    python -m bench.decontamination --items 1000000

The first prints one table per question; `--write` also puts them into docs/decontamination.md, between the lines that
say "measured", and the figures into bench/results/decontamination.json. The second scans a file of one's own and prints
seconds and hits as JSON. The third builds an index of so many items and scans 100,000 records with it.
"""

import argparse
import json
import re
import resource
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic, process_time
from typing import Any

import numpy as np
import pyarrow as pa

from bench.corpus import Walk, real_words
from bench.held_out import CLEAN, RELATED, SETS, Items, clean_text, numbers_as_words, rows_of, with_options
from bench.page import filled, markdown
from holdfast.core.dataset import Dataset
from holdfast.core.reader import read
from holdfast.core.text import words
from holdfast.dedup.decontaminate import scan
from holdfast.dedup.eval_index import EvalIndex
from holdfast.dedup.threads import in_order

ROOT = Path(__file__).resolve().parents[1]
TEXTS = ROOT.parent / "shared" / "data" / "text"
PAGE = ROOT / "docs" / "decontamination.md"
RESULT = ROOT / "bench" / "results" / "decontamination.json"
SEED = 7
# Threads of the scan; the kernels let each other run.
WORKERS = 2
Table = list[list[str]]
Form = Callable[[str], str]


def main() -> None:
    """Measure and print; keep where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="records to scan")
    parser.add_argument("--eval", type=Path, help="held-out items to look for in them")
    parser.add_argument("--items", type=int, help="measure an index of so many items")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/ and bench/results/")
    arguments = parser.parse_args()
    if arguments.data:
        print(json.dumps(scan_files(arguments.data, arguments.eval)))
    elif arguments.items:
        print(json.dumps(large(arguments.items)))
    else:
        forms, sets = Forms(Random(SEED)), {name: Items.of(name) for name in SETS}
        tables = {
            "recall": recall_table(sets, forms),
            "short": short_table(forms),
            "revisions": revisions_table(),
            "alarms": alarms_table(sets),
        }
        for name, rows in tables.items():
            print(f"\n{name}\n\n{markdown(rows)}")
        if arguments.write:
            keep(tables)


class Forms:
    """The disguises of a leak, drawn by one seeded source. `around` is real prose that leaks are planted in."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.around = [text for text in clean_text("text/gutenberg") if len(text.split()) > 200]
        self.vocabulary = " ".join(self.around[:200]).split()

    def all(self) -> dict[str, Form]:
        """Return the forms by name, in the order of the table."""
        return {
            "verbatim": str,
            "re-wrapped, as a quotation": wrapped,
            "embedded in other text": self.embedded,
            "other case": str.upper,
            "punctuation changed": repunctuated,
            "first half": lambda text: " ".join(text.split()[: (len(text.split()) + 1) // 2]),
            "5 % of words edited": lambda text: self.edited(text, 0.05),
            "10 % of words edited": lambda text: self.edited(text, 0.10),
            "20 % of words edited": lambda text: self.edited(text, 0.20),
            "numbers as words": numbers_as_words,
        }

    def embedded(self, text: str) -> str:
        """The text as a paragraph of its own amid prose."""
        around = self.random.choice(self.around)
        cut = self.random.randrange(len(around))
        return f"{around[:cut]}.\n\n{text}\n\n{around[cut:]}"

    def amid(self, text: str) -> str:
        """The text amid the words of a sentence, nothing but spaces around it."""
        around = self.random.choice(self.around).split()
        cut = self.random.randrange(1, len(around))
        return " ".join([*around[:cut], re.sub(r"[^\w\s]+$", "", text), *around[cut:]])

    def edited(self, text: str, share: float) -> str:
        """Each word is edited with this chance: half replaced, 30 % left out, the rest with a word behind it."""
        out: list[str] = []
        for word in text.split():
            drawn = self.random.random() / share
            out += [] if 0.5 <= drawn < 0.8 else [self.random.choice(self.vocabulary) if drawn < 0.5 else word]
            out += [self.random.choice(self.vocabulary)] if 0.8 <= drawn < 1 else []
        return " ".join(out)


def wrapped(text: str) -> str:
    """Lines of four words, each marked as a quotation."""
    found = text.split()
    return "> " + "\n> ".join(" ".join(found[start : start + 4]) for start in range(0, len(found), 4))


def repunctuated(text: str) -> str:
    """Typographic apostrophes, quotes and dashes, other marks at every end, every fifth word bold."""
    marks: dict[str, str | int | None] = {
        "'": "\u2019",
        '"': "\u201c",
        ".": " !",
        ",": ";",
        "?": "...",
        "-": " \u2013 ",
    }
    plain = text.translate(str.maketrans(marks))
    return " ".join(f"**{word}**" if place % 5 == 2 else word for place, word in enumerate(plain.split()))


def found_items(texts: list[str], index: EvalIndex) -> set[tuple[int, int]]:
    """(record, item) of each hit in plain texts."""
    hits = scan(pa.table({"prompt": [""] * len(texts), "response": pa.array(texts, pa.string())}), index)
    return set(zip(hits["index"].to_pylist(), hits["item"].to_pylist(), strict=True))


def recall(items: Items, planted: dict[int, str]) -> str:
    """The share of the planted items that are found, each in the record that holds it."""
    found = found_items(list(planted.values()), items.index)
    met = sum((record, items.first(item)) in found for record, item in enumerate(planted))
    return f"{met / len(planted):.3f}" if planted else "-"


def recall_table(sets: Mapping[str, Items], forms: Forms) -> Table:
    """Recall per form and eval set, over the questions of 8 words and more; answers of 13 words and more."""
    body = []
    for form, change in forms.all().items():
        found = [recall(items, {k: change(items.questions[k]) for k in items.long}) for items in sets.values()]
        body.append([form, *found])
    alone = [recall(items, {k: items.answers[k] for k in items.answered}) for items in sets.values()]
    return [
        ["form", *sets],
        ["items", *(f"{len(items.long):,}" for items in sets.values())],
        *body,
        ["options in another order", *map(reordered, sets.values())],
        ["answer of 13 words or more alone", *alone],
    ]


def reordered(items: Items) -> str:
    """Recall of the questions with four options each, planted with the options in another order."""
    asked = Items(with_options(items.questions), [])
    turned = with_options(items.questions, 1)
    return recall(asked, {k: turned[k] for k in items.long})


def revisions_table() -> Table:
    """Recall on paragraphs that people rewrote: the old one held out, the new one met, by how alike the two are."""
    pairs = [(row["old"], row["new"], row["jaccard5"]) for row in rows_of("neardup/pydocs_revisions")]
    items = Items([old for old, _, _ in pairs], [])
    body = []
    for low, high in ((0.8, 1.01), (0.6, 0.8), (0.4, 0.6), (0.2, 0.4), (0.0, 0.2)):
        rows = [k for k in items.long if low <= pairs[k][2] < high]
        body.append(
            [f"{low:.1f} to {min(high, 1):.1f}", f"{len(rows):,}", recall(items, {k: pairs[k][1] for k in rows})]
        )
    return [["word 5-gram Jaccard of old and new", "pairs", "recall"], *body]


def short_table(forms: Forms) -> Table:
    """Recall of items of 1 to 12 words (the first words of real questions) by where they stand."""
    questions = Items.of("nq_open").questions
    body = []
    for size in range(1, 13):
        begun = dict.fromkeys(" ".join(text.split()[:size]) for text in questions)
        items = Items([f"{text}?" for text in begun if len(words(text)) == size], [])
        rows = range(len(items.questions))
        ways = (str, str.upper, forms.embedded, forms.amid)
        body.append(
            [str(size), f"{len(rows):,}", *(recall(items, {k: way(items.questions[k]) for k in rows}) for way in ways)]
        )
    return [["words", "items", "whole field", "in capitals", "own paragraph", "amid a sentence"], *body]


def alarms_table(sets: Mapping[str, Items]) -> Table:
    """Records flagged in text that does not come from the eval set: every one is read below the table."""
    body = []
    for name in CLEAN:
        texts = clean_text(name)
        row = [name, f"{len(texts):,}"]
        for eval_set, items in sets.items():
            flagged = {record for record, _ in found_items(texts, items.index)}
            row.append("-" if (eval_set, name) in RELATED else str(len(flagged)))
        body.append(row)
    return [["clean text", "records", *sets], *body]


def scan_files(data: Path, held_out: Path) -> dict[str, Any]:
    """Seconds and hits of a scan of one file for the items of another, after both are read."""
    with TemporaryDirectory() as folder:
        records, items = read([data], spool=Path(folder) / "data"), read([held_out], spool=Path(folder) / "eval")
        began, before = monotonic(), used()
        index = EvalIndex.of(items)
        built, halfway = monotonic(), used()
        found = scanned(records, index)
        ended, after = monotonic(), used()
    return {
        "records": records.rows,
        "items": items.rows,
        "flagged": len(found),
        "index": {"wall_seconds": round(built - began, 3), "cpu_seconds": round(halfway - before, 3)},
        "scan": {"wall_seconds": round(ended - built, 3), "cpu_seconds": round(after - halfway, 3)},
        "threads": WORKERS,
        "peak_mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }


def scanned(data: Dataset, index: EvalIndex) -> set[int]:
    """Global indices of the contaminated records."""
    hits = in_order(
        lambda shard: shard.first + scan(shard.table(("prompt", "response", "extra")), index)["index"].to_numpy(),
        data.shards,
        WORKERS,
    )
    return {record for part in hits for record in part.tolist()}


def used() -> float:
    """CPU seconds of this process and its children so far."""
    return sum(
        resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


def large(count: int) -> dict[str, Any]:
    """Cost of an index of many items (45 words each, walks over real prose) and of a scan with it."""
    walk, random = Walk.over(real_words(TEXTS)), np.random.default_rng(SEED)
    items = [
        " ".join(walk.words[place] for place in row[:45])
        for _ in range(0, count, 50_000)
        for row in walk.texts(min(50_000, count), random).tolist()
    ]
    start = process_time()
    index = EvalIndex.of_texts(items, [""] * count)
    built = process_time() - start
    texts = [
        " ".join(walk.words[place] for place in row) for _ in range(2) for row in walk.texts(50_000, random).tolist()
    ]
    planted = list(range(0, 100_000, 1_000))
    for number in planted:
        texts[number] += f"\n{items[number % count]}"
    start = process_time()
    found = {record for record, _ in found_items(texts, index)}
    return {
        "items": count,
        "build_cpu_seconds": round(built, 1),
        "scan_cpu_seconds": round(process_time() - start, 1),
        "records": len(texts),
        "index_mebibytes": sum(values.nbytes for values in (index.grams.keys, index.grams.values, index.totals)) >> 20,
        "planted_found": f"{len(found & set(planted))} of {len(planted)}",
        "flagged": len(found),
        "peak_mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }


def keep(tables: Mapping[str, Table]) -> None:
    """Put each table between its marks in the page, and all of them into the result."""
    parts = {name: markdown(rows) for name, rows in tables.items()}
    PAGE.write_text(filled(PAGE.read_text("utf-8"), parts), "utf-8")
    RESULT.write_text(json.dumps(tables, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
