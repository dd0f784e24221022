"""What the privacy finders find and miss: labelled sentences, planted records, real text, hostile text, speed.

    python -m bench.privacy [--records 1000000] [--write]

Prints one table per question. `--write` also puts them into docs/privacy.md and docs/domains.md, between the lines
that say "measured", and the figures into bench/results/privacy.json.
"""

import argparse
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import phonenumbers
import pyarrow as pa

from bench.page import filled, markdown
from holdfast.core.domain import DOMAINS, domains
from holdfast.core.record import Message
from holdfast.privacy.leaks import Leak
from holdfast.privacy.outgoing import screened
from holdfast.privacy.personal import personal_data
from holdfast.privacy.phones import phone_numbers
from holdfast.privacy.scan import scan

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
LABELLED = "pii/presidio_generated_large.jsonl.gz"
# The label set's names for our kinds; what it labels besides (persons, places, organisations) is not looked for.
KINDS = {
    "EMAIL_ADDRESS": "email",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "us-ssn",
    "IP_ADDRESS": "ip-address",
    "PHONE_NUMBER": "phone",
    "ADDRESS": "street-address",
}
RULES = ("personal-data", "secrets", "hidden-text")
RECORD = 1000
HOSTILE = ("1-1-1-", "a@", "1.", "(1)", "a@a.", "address 1 a ", "GB11 ", "12 a b c d e apt ", "password='", "\u200da")


def main() -> None:
    """Measure and print; keep where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="records of 1 kB for the speed figure")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/ and bench/results/")
    arguments = parser.parse_args()
    tables = {
        "kinds": kinds_table(),
        "phones": phones_table(),
        "prompts": prompts_table(),
        "alarms": alarms_table(),
        "speed": speed_table(arguments.records),
        "domains": domains_table(),
    }
    for name, rows in tables.items():
        print(f"\n{name}\n\n{markdown(rows)}")
    if arguments.write:
        keep(tables)


def rows_of(file: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one file of the shared data."""
    with gzip.open(DATA / file, "rt") as lines:
        yield from map(json.loads, lines)


def kinds_table() -> list[list[str]]:
    """Recall and precision per kind: a leak counts when it overlaps a label of its kind."""
    labelled, met, hits, right = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for row in rows_of(LABELLED):
        truth = [(KINDS[span["type"]], span["start"], span["end"]) for span in row["spans"] if span["type"] in KINDS]
        found = [(leak.kind, leak.start, leak.end) for leak in personal_data(row["text"])]
        labelled.update(kind for kind, _, _ in truth)
        met.update(one[0] for one in truth if any(overlap(one, other) for other in found))
        hits.update(kind for kind, _, _ in found)
        right.update(one[0] for one in found if any(overlap(one, other) for other in truth))
    body = [
        [
            kind,
            str(labelled[kind]),
            f"{met[kind] / labelled[kind]:.3f}",
            str(hits[kind]),
            share(right[kind], hits[kind]),
        ]
        for kind in KINDS.values()
    ]
    return [["kind", "labelled", "recall", "found", "precision"], *body]


def overlap(one: tuple[str, int, int], other: tuple[str, int, int]) -> bool:
    """Same kind, and at least one character in common."""
    return one[0] == other[0] and one[1] < other[2] and other[1] < one[2]


def share(part: int, whole: int) -> str:
    """A ratio to three decimals, or a dash where there is nothing to divide by."""
    return f"{part / whole:.3f}" if whole else "-"


def phones_table() -> list[list[str]]:
    """Phone numbers by our patterns, by the numbering plans, and by both: the labelled set, and numbers that exist.

    Most labelled numbers are invented and in no plan. The others are drawn (seed 7), up to four for each region.
    """
    labelled = [
        (row["text"], [(span["start"], span["end"]) for span in row["spans"] if span["type"] == "PHONE_NUMBER"])
        for row in rows_of(LABELLED)
    ]
    finders: dict[str, Callable[[str, str], list[Leak]]] = {
        "our patterns": lambda text, _: [leak for leak in personal_data(text) if leak.kind == "phone"],
        "plans": lambda text, region: phone_numbers(text, [region] if region else []),
    }
    own, plans = finders.values()
    finders["both"] = lambda text, region: [*own(text, region), *plans(text, region)]
    drawn = list(existing_numbers())
    body = []
    for name, find in finders.items():
        met = hits = right = 0
        for text, truth in labelled:
            found = {(leak.start, leak.end) for leak in find(text, "")}
            met += sum(any(touch(one, other) for other in found) for one in truth)
            hits += len(found)
            right += sum(any(touch(one, other) for other in truth) for one in found)
        total = sum(len(truth) for _, truth in labelled)
        shares = [share(sum(bool(find(text[form], region)) for region, text in drawn), len(drawn)) for form in (0, 1)]
        body.append([name, share(met, total), share(right, hits), *shares])
    return [["found by", "labelled: recall", "precision", "existing, with country code", "in national form"], *body]


def existing_numbers() -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield (region, sentences with the number in international and in national form) of numbers that could exist."""
    random, form = Random(7), phonenumbers.PhoneNumberFormat
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        made: set[str] = set()
        if example is None or example.country_code is None:
            continue
        for _ in range(60):
            text = str(example.national_number)
            last = min(6, len(text) - 2)
            number = phonenumbers.PhoneNumber(
                country_code=example.country_code,
                national_number=int(text[:-last] + "".join(random.choice("0123456789") for _ in range(last))),
                italian_leading_zero=example.italian_leading_zero,
            )
            shown = [phonenumbers.format_number(number, each) for each in (form.INTERNATIONAL, form.NATIONAL)]
            if phonenumbers.is_valid_number_for_region(number, region) and len(made) < 4 and shown[0] not in made:
                made.add(shown[0])
                yield region, (f"Please write to {shown[0]} tonight.", f"Please write to {shown[1]} tonight.")


def touch(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """At least one character in common."""
    return one[0] < other[1] and other[0] < one[1]


def prompts_table() -> list[list[str]]:
    """Processor time for one prompt of 1 kB before it is sent."""
    body = []
    for name, file in (
        ("prose", "text/gutenberg.jsonl.gz"),
        ("mathematics", "instruct/gsm8k_train.jsonl.gz"),
        ("code", "verify/humanevalpack_python.jsonl.gz"),
        ("full of personal data", LABELLED),
    ):
        text = " ".join(row.get("text") or row.get("question") or row["solution"] for row in rows_of(file))
        some = [(Message("user", text[at : at + RECORD]),) for at in range(0, min(len(text), 300_000), RECORD)]
        took = min(seconds(lambda prompts: [screened(each, "redact") for each in prompts], some) for _ in range(3))
        body.append([name, f"{took / len(some) * 1e6:.0f}"])
    return [["1 kB of", "microseconds"], *body]


def alarms_table() -> list[list[str]]:
    """Records flagged per rule in every file of the shared data, all strings of a record together."""
    body = []
    for path in sorted(DATA.glob("*/*.jsonl.gz")):
        name = str(path.relative_to(DATA))
        texts = ["\n".join(strings(row)) for row in rows_of(name)]
        flagged = flagged_by_rule(scan(pa.table({"response": pa.array(texts, pa.string())})))
        body.append([name.removesuffix(".jsonl.gz"), str(len(texts)), *(str(flagged[rule]) for rule in RULES)])
    total = [str(sum(int(row[column]) for row in body)) for column in range(1, 5)]
    return [["file", "records", *RULES], *body, ["all", *total], ["planted, of 30", *planted()]]


def flagged_by_rule(leaks: pa.Table) -> Counter[str]:
    """How many records each rule flags."""
    pairs = set(zip(leaks["rule"].to_pylist(), leaks["index"].to_pylist(), strict=True))
    return Counter(rule for rule, _ in pairs)


def planted() -> list[str]:
    """The planted case: records, and how many of the 30 planted ones are flagged."""
    rows = [row for row in rows_of("audit/planted_sets.jsonl.gz") if row["case"] == "pii_3pct"]
    leaks = scan(pa.table({"response": [row["text"] for row in rows]}))
    flagged = set(leaks["index"].to_pylist())
    met = [number for number, row in enumerate(rows) if row["planted"] == "pii" and number in flagged]
    return [str(len(rows)), str(len(met)), "-", "-"]


def strings(value: object) -> Iterator[str]:
    """All strings inside a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


def speed_table(records: int) -> list[list[str]]:
    """Processor seconds on real prose, on text dense with personal data, and on one hostile record of 1 MB."""
    table, dense = pieces("text/gutenberg.jsonl.gz", records), pieces(LABELLED, records // 100)
    worst = max((seconds(scan, pa.table({"response": [unit * (1_000_000 // len(unit))]})), unit) for unit in HOSTILE)
    return [
        ["what", "processor seconds"],
        [f"scan, {records:,} records of 1 kB", f"{seconds(scan, table):.1f}"],
        [f"scan, {records // 100:,} records of 1 kB that all hold personal data", f"{seconds(scan, dense):.1f}"],
        [f"domains, {records:,} records of 1 kB", f"{seconds(domains, table):.1f}"],
        [f"scan, slowest of {len(HOSTILE)} hostile records of 1 MB ({worst[1]!r} repeated)", f"{worst[0]:.2f}"],
    ]


def pieces(file: str, records: int) -> pa.Table:
    """The texts of a file joined, cut to records of 1 kB, and repeated to the wanted number."""
    text = " ".join(row["text"] for row in rows_of(file))
    cut = [text[start : start + RECORD] for start in range(0, len(text) - RECORD, RECORD)]
    return pa.table({"prompt": [""] * records, "response": [cut[n % len(cut)] for n in range(records)]})


def seconds(kernel: Any, table: pa.Table) -> float:
    """Processor time of one call."""
    start = process_time()
    kernel(table)
    return process_time() - start


def domains_table() -> list[list[str]]:
    """How many records of each file fall into each domain, with the columns a reader would find."""
    body = []
    for name, prompt, response in FILES:
        rows = list(rows_of(f"{name}.jsonl.gz"))
        prompts = ["\n".join(str(row[key]) for key in prompt if row.get(key)) for row in rows]
        responses = [str(row.get(response) or "") for row in rows]
        table = pa.table({"prompt": prompts, "response": responses, "fields": [json.dumps(row) for row in rows]})
        counts = Counter(domains(table).to_pylist())
        body.append([name, str(len(rows)), *(str(counts[each] or "") for each in DOMAINS)])
    return [["file", "records", *DOMAINS], *body]


FILES = (
    ("instruct/gsm8k_train", ("question",), "solution"),
    ("instruct/nq_open_dev", ("question",), ""),
    ("instruct/oasst_subset", ("prompt",), "response"),
    ("instruct/seed_tasks", ("instruction", "input"), "output"),
    ("multigen/pandalm_human_pairs", ("instruction", "input"), "response_1"),
    ("multigen/self_instruct_8systems", ("instruction", "input"), "response"),
    ("parallel/pydocs_en_fr", ("source",), "target"),
    ("text/gutenberg", (), "text"),
    ("text/movie_reviews", (), "text"),
    ("text/wiki_abstracts", (), "text"),
    ("verify/gsm8k_solutions_6systems", ("question",), "solution"),
    ("verify/humanevalpack_python", ("prompt",), "solution"),
    ("verify/ifeval_en_17models", ("prompt",), "response"),
    ("verify/json_schema_cases", (), "data"),
    ("verify/mbpp_ref_and_mutants", ("text",), "solution"),
)


def keep(tables: dict[str, list[list[str]]]) -> None:
    """Replace each measured part of the pages by its table, and write the figures beside the other results."""
    parts = {name: markdown(rows) for name, rows in tables.items()}
    for page in (ROOT / "docs" / "privacy.md", ROOT / "docs" / "domains.md"):
        page.write_text(filled(page.read_text("utf-8"), parts), "utf-8")
    results = ROOT / "bench" / "results"
    results.mkdir(exist_ok=True)
    (results / "privacy.json").write_text(json.dumps(tables, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
