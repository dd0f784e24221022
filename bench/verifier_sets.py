"""The labelled sets that measure the verifiers: which records, from which columns, and which of them are right.

A verifier joins the table with one function here that yields (record, right), and one line in `SETS`.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from bench import made_answers
from bench.made_answers import MADE, Labelled
from holdfast.core.record import Record

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SEED = 7


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """One labelled set: the check it measures, where its records and labels come from, and how to read it."""

    check: str
    name: str
    rows: Callable[[], Iterator[Labelled]]


def lines(file: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one file of the shared data."""
    with gzip.open(DATA / file, "rt", encoding="utf-8") as rows:
        yield from map(json.loads, rows)


def gsm8k() -> Iterator[Labelled]:
    """Solutions of six systems, with the publishers' label."""
    for row in lines("verify/gsm8k_solutions_6systems.jsonl.gz"):
        yield Record(row["id"], row["question"], row["solution"], fields={"gold": row["gold"]}), row["is_correct"]


def equivalence() -> Iterator[Labelled]:
    """Pairs of math-verify's own tests."""
    for row in lines("verify/math_equivalence_pairs.jsonl.gz"):
        yield Record(row["id"], "", row["pred"], fields={"gold": row["gold"]}), row["equivalent"]


def schema_suite(optional: bool, remote: bool = False) -> Iterator[Labelled]:
    """Cases of the JSON Schema suite; those that need a document from a server of the suite apart."""
    for row in lines("verify/json_schema_cases.jsonl.gz"):
        if row["optional"] == optional and (row["keyword"] == "refRemote") == remote:
            fields = {"schema": row["schema"], "draft": row["draft"]}
            yield Record(row["id"], "", json.dumps(row["data"]), fields=fields), row["valid"]


def humaneval() -> Iterator[Labelled]:
    """One right and one human-made wrong solution of each task, with its tests."""
    for row in lines("verify/humanevalpack_python.jsonl.gz"):
        fields = {"tests": row["test"], "entry_point": row["entry_point"]}
        yield (
            Record(row["id"], row["instruction"], row["prompt"] + row["solution"], fields=fields),
            row["measured_pass"],
        )


def mbpp() -> Iterator[Labelled]:
    """Reference solutions and one-point mutants that fail at least one test, as measured."""
    for row in lines("verify/mbpp_ref_and_mutants.jsonl.gz"):
        fields = {"tests": row["tests"], "setup": row["setup"]}
        yield Record(row["id"], row["text"], row["solution"], fields=fields), row["measured_pass"]


def ifeval() -> Iterator[Labelled]:
    """Responses of 17 models with the strict verdict of the published code over all their instructions."""
    for row in lines("verify/ifeval_en_17models.jsonl.gz"):
        fields = {"instruction_id_list": row["instruction_id_list"], "kwargs": row["kwargs"]}
        yield Record(row["id"], row["prompt"], row["response"], fields=fields), row["strict_all"]


def translations() -> Iterator[Labelled]:
    """Paragraphs of the Python documentation with their own translation, and with that of another paragraph."""
    rows = [row for row in lines("parallel/pydocs_en_fr.jsonl.gz") if not row["outdated"]]
    targets = [row["target"] for row in rows]
    for at, row in enumerate(rows[::4]):
        right = at % 2 == 0
        target = row["target"] if right else targets[(4 * at + len(targets) // 2) % len(targets)]
        fields = {"source": row["source"], "target": target, "lang": row["lang"]}
        yield Record(row["id"], row["source"], target, fields=fields), right


def made(make: Callable[[Random, int], Iterator[Labelled]], n: int) -> Iterator[Labelled]:
    """Answers made here, the same ones in every run."""
    return make(Random(SEED), n)


SETS = (
    LabelledSet("math", "GSM8K, six systems", gsm8k),
    LabelledSet("math", "math-verify's pairs", equivalence),
    LabelledSet("math", "plain numbers, made", partial(made, made_answers.numbers, 10_000)),
    LabelledSet("math", "LaTeX, made", partial(made, made_answers.latex, 2_000)),
    LabelledSet("schema", "suite, required", partial(schema_suite, False)),
    LabelledSet("schema", "one schema, made", partial(made, made_answers.json_answers, 20_000)),
    LabelledSet("schema", "suite, remote references", partial(schema_suite, False, remote=True)),
    LabelledSet("schema-formats", "suite, optional", partial(schema_suite, True)),
    *(LabelledSet(check, "made", partial(made, make, 2_000)) for check, make in MADE.items()),
    LabelledSet("code", "HumanEvalPack", humaneval),
    LabelledSet("code", "MBPP and mutants", mbpp),
    LabelledSet("instructions", "IFEval, 17 models, strict", ifeval),
    LabelledSet("translation", "Python documentation, own and another", translations),
)
