"""Leaks of sealed records by the way they take: which share of them the verb on that way catches.

    python -m bench.held_out_ways [--write]

A sealed set is reserved from problems of the shared data, and each sealed record is then led in by each way, through
the verb that stands there: in what a generator starts from (documents, seeds, examples), in what it writes, edited,
rewritten, in a mixture, and in a file read again under other ids. `--write` puts the table into docs/decontamination.md
and the counts into bench/results/held_out_ways.json.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from bench.held_out import rows_of
from bench.page import filled, markdown
from holdfast.core.record import Provenance, Record
from holdfast.core.settings import Settings
from holdfast.generators.edit import Prior, edit
from holdfast.stats.proportion import share
from holdfast.workflows.audit import AuditOptions, audit
from holdfast.workflows.filter import FilterOptions, filter_files
from holdfast.workflows.generate import generate
from holdfast.workflows.materials import Materials
from holdfast.workflows.mix import mix
from holdfast.workflows.mix_options import MixOptions
from holdfast.workflows.reserve import ReserveOptions, reserve

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "decontamination.md"
RESULT = ROOT / "bench" / "results" / "held_out_ways.json"
SEED, PROBLEMS, HELD_OUT = 7, 1500, 200
# The share of words that generators/edit replaces by default, and paragraphs that people rewrote further than that.
EDITED, REWRITTEN = 0.15, 0.4
RISK = [{"rule": "generator-concentration", "reason": "one is measured", "owner": "bench", "until": "2999-01-01"}]
Row = dict[str, Any]
Caught = tuple[int, int]


class Sealed:
    """A set sealed in `folder`, the records in it, and the number of the next file."""

    def __init__(self, folder: Path, real: Sequence[Row], size: int) -> None:
        self.folder, self.files = folder, 0
        reserve([self.file(real)], folder / "sealed", ReserveOptions(size, seed=SEED))
        self.seal = folder / "sealed"
        self.items = [json.loads(line) for line in (self.seal / "eval.jsonl").read_text("utf-8").splitlines()]
        self.train = [json.loads(line) for line in (self.seal / "train.jsonl").read_text("utf-8").splitlines()]

    def file(self, rows: Sequence[Row]) -> Path:
        """Write rows into a new file."""
        self.files += 1
        path = self.folder / f"rows-{self.files}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return path

    def settings(self, **entry: Any) -> Settings:
        """Settings of one generator whose held-out set this is."""
        values = {"generators": [entry], "reserve": {"out": str(self.seal)}, "accepted_risks": RISK}
        return Settings.model_validate({**values, "cells": {"quota": len(self.items)}})

    def leaks(
        self, change: Callable[[Row], tuple[str, str]] = lambda row: (row["prompt"], row["response"])
    ) -> list[Row]:
        """Every sealed record in a new form and under another id, none of its provenance left."""
        both = map(change, self.items)
        return [{"id": f"new-{n}", "prompt": asked, "response": said} for n, (asked, said) in enumerate(both)]


def of_materials(sealed: Sealed, **entry: Any) -> Caught:
    """Sealed records among what a generator starts from: caught are those that reach no prompt."""
    (name, rows) = next((name, entry.pop(name)) for name in ("seeds", "documents") if name in entry)
    materials = Materials(sealed.settings(use="prompt", **entry, **{name: sealed.file([*sealed.train[:50], *rows])}))
    found = materials.of(materials.settings.generators[0], real_seeds=False)
    passed = {record.id for record in (*found.seeds, *found.documents)} & {row["id"] for row in rows}
    return len(rows) - len(passed), len(rows)


def of_prompts(sealed: Sealed) -> Caught:
    """Each sealed text as a document that a prompt would be made of."""
    return of_materials(sealed, documents=sealed.leaks(lambda row: ("", f"{row['prompt']}\n{row['response']}")))


def of_seeds(sealed: Sealed) -> Caught:
    """Each sealed record as a seed."""
    return of_materials(sealed, seeds=sealed.leaks())


def of_few_shots(sealed: Sealed) -> Caught:
    """Each sealed question, its answer left out, as an example to be shown."""
    return of_materials(sealed, shots=4, seeds=sealed.leaks(lambda row: (row["prompt"], "")))


def of_output(sealed: Sealed) -> Caught:
    """Each sealed record written by a generator: caught are those that `holdfast generate` rejects as held out."""
    # Run as a command, this module is another one than that which the settings name.
    import_module("bench.held_out_ways").LEAKED[:] = sealed.leaks()
    generate(sealed.settings(use="bench.held_out_ways:leaking"), sealed.folder / "generated")
    return rejected(sealed.folder / "generated", "held-out"), len(sealed.items)


LEAKED: list[Row] = []


def leaking(_random: Random, _cell: Any) -> Iterator[Record]:
    """A generator that has learned the sealed set by heart."""
    for row in LEAKED:
        yield Record(row["id"], row["prompt"], row["response"], Provenance("synthetic"))


def of_edits(sealed: Sealed) -> Caught:
    """Each sealed solution by generators/edit, question left out: caught are those that `holdfast filter` rejects."""
    prior, random = Prior(row["response"] for row in sealed.train), Random(SEED)
    edited = sealed.leaks(lambda row: ("", edit(row["response"], prior, EDITED, random)[0]))
    options = FilterOptions(held_out=(sealed.seal,))
    filter_files([sealed.file(edited)], sealed.folder / "filtered", options)
    return rejected(sealed.folder / "filtered", "eval-contamination"), len(edited)


def of_merges(sealed: Sealed) -> Caught:
    """Each sealed record on the synthetic side of `holdfast mix`: caught are those that it leaves out as held out."""
    rows = [sealed.file(rows) for rows in (sealed.train, sealed.leaks())]
    options = MixOptions(max_synthetic=0.9, held_out=(sealed.seal,))
    mix([rows[0]], [rows[1]], sealed.folder / "mixed", options)
    return rejected(sealed.folder / "mixed", "held-out"), len(sealed.items)


def of_imports(sealed: Sealed) -> Caught:
    """Each sealed record in a file read again, under another id: caught are those that `holdfast audit` names."""
    found = flagged(sealed, [*sealed.train, *sealed.leaks()], "lexical", "eval-contamination")
    return len(found & {row["id"] for row in sealed.leaks()}), len(sealed.items)


def of_rewording(sealed: Sealed, new: Sequence[Row], *rules: str) -> Caught:
    """Each sealed paragraph as people rewrote it: caught are those that the audit names by these rules."""
    encoder = "minilm" if "eval-paraphrases" in rules else "lexical"
    return len(flagged(sealed, new, encoder, *rules)), len(new)


def flagged(sealed: Sealed, rows: Sequence[Row], encoder: str, *rules: str) -> set[str]:
    """Return the ids that the audit names by these rules."""
    chosen = Settings.model_validate({"audit": {"select": list(rules), "encoder": encoder}})
    report = audit(sealed.file(rows), eval=sealed.seal, settings=chosen, options=AuditOptions(evidence=0))
    return {each.id for finding in report.findings if finding.rule in rules for each in finding.evidence}


def rejected(folder: Path, reason: str) -> int:
    """Return how many of the leaks a verb rejected for a reason; a real record that shares text is none of them."""
    rows = map(json.loads, (folder / "rejected.jsonl").read_text("utf-8").splitlines())
    return sum(row["holdfast_reason"] == reason and row["id"].startswith("new-") for row in rows)


WAYS: dict[str, Callable[[Sealed], Caught]] = {
    "prompt: a document of a generator": of_prompts,
    "seed": of_seeds,
    "few-shot: the question alone as an example": of_few_shots,
    "output of a generator": of_output,
    f"edit: the answer alone, {EDITED:.0%} of its words drawn anew at most": of_edits,
    "merge: the synthetic side of a mixture": of_merges,
    "re-import under another id": of_imports,
}


def problems(count: int) -> list[Row]:
    """Problems with solutions."""
    rows = [row for row, _ in zip(rows_of("instruct/gsm8k_train"), range(count), strict=False)]
    return [{"id": row["id"], "prompt": row["question"], "response": row["solution"]} for row in rows]


def rewritten() -> tuple[list[Row], list[Row]]:
    """Paragraphs of 20 words and more with little left of the old one in the new one: (old, new)."""
    pairs = [row for row in rows_of("neardup/pydocs_revisions") if row["jaccard5"] < REWRITTEN]
    pairs = [row for row in pairs if len(row["old"].split()) >= 20]
    old = [{"id": f"old-{n}", "prompt": "", "response": row["old"]} for n, row in enumerate(pairs)]
    return old, [{"id": f"new-{n}", "prompt": "", "response": row["new"]} for n, row in enumerate(pairs)]


def table(counts: dict[str, Caught]) -> list[list[str]]:
    """Way, sealed records, caught, and their share with its interval."""
    body = []
    for way, (caught, given) in counts.items():
        found = share(caught, given)
        body.append([way, f"{given}", f"{caught}", f"{found.value:.3f}", f"{found.low:.3f} to {found.high:.3f}"])
    return [["way", "sealed records", "caught", "recall", "95 % interval"], *body]


def measured() -> dict[str, Caught]:
    """Return (caught, given) by way."""
    with TemporaryDirectory() as folder:
        sealed = Sealed(Path(folder), problems(PROBLEMS), HELD_OUT)
        counts = {name: way(sealed) for name, way in WAYS.items()}
    old, new = rewritten()
    with TemporaryDirectory() as folder:
        # The old paragraphs are the held-out file; a second set gives the reserve verb nothing to do here.
        sealed = Sealed(Path(folder), problems(20), 4)
        sealed.seal = sealed.file(old)
        counts["paraphrase: rewritten by people, by words"] = of_rewording(sealed, new, "eval-contamination")
        both = ("eval-contamination", "eval-paraphrases")
        counts["paraphrase: rewritten by people, by words or meaning (minilm)"] = of_rewording(sealed, new, *both)
    return counts


def main() -> None:
    """Measure and print; keep where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into docs/ and bench/results/")
    arguments = parser.parse_args()
    counts = measured()
    rows = markdown(table(counts))
    print(rows)
    if arguments.write:
        PAGE.write_text(filled(PAGE.read_text("utf-8"), {"ways": rows}), "utf-8")
        RESULT.write_text(json.dumps(counts, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
