"""mix: real and synthetic records under caps, deterministic, with the held-out set kept out.

The order of the inputs makes no difference: records are drawn and written in an order that depends on the seed and
on their content alone. Which of them are taken is `workflows.mixture`.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.dataset import Dataset, amended, joined, reordered, text_of
from holdfast.core.engine import Kernel, LocalRunner, Runner, Stage, map_shards, name_of
from holdfast.core.errors import UsageError, nearest
from holdfast.core.hashing import hash64
from holdfast.core.reader import read
from holdfast.core.rundir import Counts, Manifest, begin, only_writer, spare
from holdfast.core.scratch import scratch
from holdfast.core.verdict import Measurement
from holdfast.core.writer import own_format, set_aside, write_dataset, write_reasons
from holdfast.dedup.decontaminate import contaminated
from holdfast.dedup.seal import open_unbroken
from holdfast.metrics import selection
from holdfast.report.facts import Facts
from holdfast.report.numbers import plural
from holdfast.rules.census import COLUMNS, REAL, UNKNOWN, census
from holdfast.stats import calculator
from holdfast.stats.dose import dilution
from holdfast.workflows import epochs
from holdfast.workflows.funnel import bills
from holdfast.workflows.mix_options import MixOptions, command, generator_of
from holdfast.workflows.mixture import Candidates, Rules
from holdfast.workflows.parts import parts_of
from holdfast.workflows.previous import compared
from holdfast.workflows.publish import publish, spare_card
from holdfast.workflows.strata import NONE, strata

Rows = npt.NDArray[np.int64]

TEXT = ("prompt", "response")
# What parts records of equal text, besides the text.
SAID = ("origin", "generator", "seed", "cell", "checks", "fields")
# What is held of every record while ten million are mixed; a record has fewer than 2 ** 31 words.
COUNTED = {"origin": np.int8, "words": np.int32, "synthetic_words": np.int32}
HASHED = {"text": np.uint64, "others": np.uint64}
# Word pairs are held with 8 bytes each, twice.
MOST_WORDS = 100_000_000

# Why a record is not in the mixture; 0 is in it.
REASONS = ("", "held-out", "unknown-origin", "cap", "size")
IN, HELD_OUT, NO_ORIGIN, CAP, SIZE = range(5)
# What a mixture is asked for when nobody says otherwise.
PLAIN = MixOptions()


@dataclass(frozen=True, slots=True)
class _Everything:
    """All records: origin and words of each, the number of its stratum, and the names of the strata."""

    data: Dataset
    counts: Mapping[str, npt.NDArray[np.integer]]
    stratum: npt.NDArray[np.int32]
    strata: list[str]

    def made_of(self, kept: Rows) -> dict[str, Any]:
        """Return records and tokens of what is kept, overall and by stratum, with the synthetic part of each."""
        if self.strata == [NONE]:
            return {"made_of": self._told(kept)}
        own = self.stratum[kept]
        parts = {label: self._told(kept[own == place]) for place, label in enumerate(self.strata)}
        return {"made_of": self._told(kept), "strata": parts}

    def unlicensed(self, kept: Rows) -> int:
        """Return how many of the real records kept state no licence."""
        silent = pc.fill_null(pc.equal(self.data.column("licence"), ""), fill_value=True).to_numpy()
        return int(np.count_nonzero(silent[kept] & (self.counts["origin"][kept] == REAL)))

    def shortfall(self, fate: npt.NDArray[np.int8], options: MixOptions) -> dict[str, Any]:
        """Return how much real data would let every synthetic record in under the overall cap, by stratum too.

        In records or tokens, as the cap counts. A stratum is told what it lacks to bear its own synthetic records.
        """
        usable = np.isin(fate, (IN, CAP, SIZE))
        parts = {label: usable & (self.stratum == place) for place, label in enumerate(self.strata)}
        found = {
            "by": options.by,
            "left_out": int(np.count_nonzero(fate == CAP)),
            "only_the_cap_binds": options.only_the_cap_binds,
            **self._lacking(usable, options),
        }
        if self.strata == [NONE]:
            return found
        return {**found, "strata": {label: self._lacking(rows, options) for label, rows in parts.items()}}

    def dose(self, kept: Rows, by: str) -> dict[str, Any]:
        """Return what the dose laws say of what is kept, in records or tokens as the cap counts."""
        made = self._told(kept)
        counted = ("records", "synthetic") if by == "records" else ("tokens", "synthetic_tokens")
        whole, synthetic = (made[name] for name in counted)
        if not whole:
            return {}
        return calculator.told(calculator.of_share(Measurement.census(synthetic / whole, whole, "share")))

    def bill(self, fate: npt.NDArray[np.int8], seed: int) -> list[dict[str, Any]]:
        """Return the diversity bill of what the caps left out, among what could have been taken."""
        reasons = np.full(len(fate), None, dtype=object)
        reasons[fate == CAP] = REASONS[CAP]
        reasons[np.isin(fate, (HELD_OUT, NO_ORIGIN, SIZE))] = REASONS[HELD_OUT]
        steps = (REASONS[HELD_OUT], REASONS[CAP])
        told = bills(self.data, reasons, steps, seed) if (fate == CAP).any() else []
        return [entry for entry in told if entry["filter"] == REASONS[CAP]]

    def _lacking(self, rows: npt.NDArray[np.bool_], options: MixOptions) -> dict[str, int | None]:
        if options.by == "tokens":
            made, whole = (int(self.counts[name][rows].sum()) for name in ("synthetic_words", "words"))
        else:
            made, whole = int(np.count_nonzero(self.counts["origin"][rows] != REAL)), int(np.count_nonzero(rows))
        plan = dilution(whole - made, made, options.max_synthetic)
        return {
            "add_real": plan.add_real,
            "or_drop_synthetic": plan.drop_synthetic,
            "or_real_epochs": epochs.needed(whole - made, plan.add_real),
        }

    def _told(self, rows: Rows) -> dict[str, int]:
        made = self.counts["origin"][rows] != REAL
        words, synthetic = self.counts["words"][rows], self.counts["synthetic_words"][rows]
        return {
            "records": len(rows),
            "synthetic": int(np.count_nonzero(made)),
            "tokens": int(words.sum()),
            "synthetic_tokens": int(synthetic.sum()),
        }


def mix(
    real: Sequence[str | Path], synthetic: Sequence[str | Path], out: Path, options: MixOptions = PLAIN
) -> Manifest:
    """Write train.*, rejected.jsonl, card, croissant.json and manifest.json into `out`; return the manifest."""
    with scratch() as folder, only_writer(out):
        spare_card(out)
        parts = [
            read(real, mapping=options.mapping, spool=folder / "real", origin="real"),
            read(synthetic, mapping=options.mapping, spool=folder / "synthetic", origin="synthetic"),
        ]
        # Empty files have the same bytes wherever they come from.
        both = set.intersection(*({one.digest for one in part.inputs if one.records} for part in parts))
        if both:
            name = next(one.path for one in parts[0].inputs if one.digest in both)
            raise UsageError(f"{name} is on the real and on the synthetic side.", "A file is one or the other.")
        manifest = _mixed(joined(parts, folder / "all"), out, options, folder)
        shipped = publish(out, _facts(real, synthetic, out, options, manifest), manifest.to_dict())
        manifest = replace(manifest, files={**manifest.files, **shipped})
        manifest.write(out)
        return manifest


def mixed(data: Dataset, out: Path, options: MixOptions, folder: Path) -> Manifest:
    """Mix the records of one data set by their origin; write as `mix` does, but for card and croissant.json."""
    manifest = _mixed(data, out, options, folder)
    manifest.write(out)
    return manifest


def _mixed(data: Dataset, out: Path, options: MixOptions, folder: Path) -> Manifest:
    before = [options.previous] if options.previous else []
    spare(out, [*(one.path for one in data.inputs), *options.held_out, *options.anchor, *before])
    work = _Work(data, folder / "stages", options.runner)
    everything = _Everything(data, work.census(), *strata(data, options.strata))
    fate = np.where(everything.counts["origin"] == UNKNOWN, NO_ORIGIN, IN).astype(np.int8)
    fate[_held_out_rows(data, options, folder)] = HELD_OUT
    order = work.order(options.seed)
    order = order[fate[order] == IN]
    taking = _by_coverage(everything, order, options, folder) if options.choose == "coverage" else order
    taken = epochs.taken(*_question(everything, taking, options), options.real_epochs)
    rows = taking[taken.places]
    inside = np.zeros(data.rows, np.bool_)
    inside[rows] = True
    left = order[~inside[order]]
    # No cap leaves a real record out: that is done by the size asked for, or by the weights of strata.
    fate[left] = np.where(everything.counts["origin"][left] == REAL, SIZE, CAP if options.capped else SIZE)
    ranks = np.empty(data.rows, np.int64)
    ranks[order] = np.arange(len(order))
    written = epochs.spread(ranks[rows], taken.epochs, len(order))
    if options.order == "synthetic-first":
        written = written[np.argsort(everything.counts["origin"][rows[written]] == REAL, kind="stable")]
    return _write(everything, epochs.Taken(rows[written], taken.epochs[written]), fate, out, options)


def _by_coverage(whole: _Everything, order: Rows, options: MixOptions, folder: Path) -> Rows:
    """Return the rows in the order in which to take them: synthetic ones by what they add to the real ones."""
    if whole.counts["words"][order].sum() > MOST_WORDS:
        raise UsageError(
            f"Choosing by coverage holds all words in memory, and there are more than {MOST_WORDS:,}.",
            "Choose at random, or mix in parts.",
        )
    synthetic = whole.counts["origin"][order] != REAL
    real, made = order[~synthetic], order[synthetic]
    wanted = None
    if options.anchor:
        anchor = read(options.anchor, spool=folder / "anchor", origin="real")
        wanted = selection.grams(text_of(anchor.take(range(anchor.rows), TEXT))).hashes
    covered = selection.grams(text_of(whole.data.take(real, TEXT))).hashes
    sizes = whole.counts["words"][made] if options.by == "tokens" else np.ones(len(made), np.int64)
    ranks = selection.by_coverage(selection.grams(text_of(whole.data.take(made, TEXT))), sizes, covered, wanted)
    return np.concatenate([real, made[ranks]])


@dataclass(frozen=True, slots=True)
class _Work:
    """What is worked out of each record by itself: on a cluster by tasks, on one machine in this process."""

    data: Dataset
    folder: Path
    runner: Runner

    def census(self) -> dict[str, npt.NDArray[np.integer]]:
        """Return origin, words and synthetic words per record."""
        return self._columns("counting", counted, COUNTED, COLUMNS)

    def order(self, seed: int) -> Rows:
        """Return all rows in an order that depends on the seed and on each record alone: its text, then all else.

        Its id does not count, which may be its place in a file.
        """
        found = self._columns("ordering", hashed, HASHED, (*TEXT, *SAID), seed=seed)
        return np.lexsort((found["others"], found["text"]))

    def _columns(
        self, key: str, kernel: Kernel, kinds: Mapping[str, Any], columns: Sequence[str], **params: Any
    ) -> dict[str, npt.NDArray[np.integer]]:
        # Here a record costs microseconds: processes of this machine would take longer to start.
        runner = LocalRunner(1) if isinstance(self.runner, LocalRunner) else self.runner
        found: dict[str, Any] = {name: np.zeros(self.data.rows, kind) for name, kind in kinds.items()}
        stage = Stage(key, self.folder, kernel, params, tuple(columns), keeps_rows=True)
        for shard, table in zip(self.data.shards, map_shards(stage, self.data.shards, runner), strict=True):
            for name, column in found.items():
                column[shard.first : shard.first + shard.rows] = table.column(name).to_numpy()
        return found


def counted(table: pa.Table) -> pa.Table:
    """Return origin, words and synthetic words of the records of a shard."""
    return census(table).select(list(COUNTED))


def hashed(table: pa.Table, seed: int) -> pa.Table:
    """Return two hashes of each record of a shard: of the seed and its text, and of all else that it says."""
    prompts, responses, *said = [column.to_pylist() for column in table.columns]
    pairs = zip(prompts, responses, strict=True)
    texts = [hash64(f"{seed}:{len(prompt)}:{prompt}{response}") for prompt, response in pairs]
    others = [hash64("\0".join(map(str, row))) for row in zip(*said, strict=True)]
    return pa.table({"text": pa.array(texts, pa.uint64()), "others": pa.array(others, pa.uint64())})


def _question(whole: _Everything, order: Rows, options: MixOptions) -> tuple[Candidates, Rules]:
    """Return the candidates in taking order, and the rules."""
    names = pc.fill_null(whole.data.column("generator"), "").combine_chunks().dictionary_encode()
    groups = [generator_of(name) for name in names.dictionary.to_pylist()]
    known = sorted(set(groups))
    code = np.asarray([known.index(group) for group in groups] or [0], np.int32)[names.indices.to_numpy()]
    synthetic = whole.counts["origin"][order] != REAL
    made, real = synthetic.astype(np.int64), (~synthetic).astype(np.int64)
    if options.by == "tokens":
        made = whole.counts["synthetic_words"][order].astype(np.int64)
        real = whole.counts["words"][order] - made
    _refuse_caps(whole, options)
    rules = Rules(
        options.max_synthetic,
        [options.cap(group) for group in known],
        options.per_stratum,
        _weights(whole.strata, options),
        options.size,
        options.by == "records",
    )
    return Candidates(made, real, synthetic, code[order], whole.stratum[order]), rules


def _refuse_caps(whole: _Everything, options: MixOptions) -> None:
    """Raise `UsageError` where the generators that are there may not fill the synthetic part together.

    Records that name no generator count as those of one.
    """
    synthetic = pa.array(~np.isin(whole.counts["origin"], (REAL, UNKNOWN)))
    made = {generator_of(name) for name in pc.unique(whole.data.column("generator").filter(synthetic)).to_pylist()}
    reach = sum(options.cap(name) for name in made)
    if not made or options.per_generator >= 1 or options.caps or reach >= 1:
        return
    silent = " Records that name no generator count as one: --map generator=COLUMN names theirs." if "" in made else ""
    there = plural(len(made), "generator")
    raise UsageError(
        f"{there} at {options.per_generator:g} each: that is {reach:.2f} of the synthetic part at most.",
        f"Give --per-generator {1 / len(made) + 0.005:.2f} or more, or add a generator.{silent}",
    )


def _weights(labels: Sequence[str], options: MixOptions) -> list[float]:
    """Return the weight of each stratum: the product of those whose parts it has; none where no weight is given."""
    if not options.weights:
        return []
    if not options.strata:
        column = next(iter(options.weights)).partition("=")[0]
        raise UsageError("Weights are given (mix.weights), and no strata.", f"Name the column: --strata {column}.")
    parts = [_parts(label, options.strata) for label in labels]
    for key, weight in options.weights.items():
        if not any(_parts(key, options.strata) <= own for own in parts):
            raise UsageError(f"mix.weights: there is no stratum {key!r}.", nearest(key, labels))
        if not 0 <= weight < float("inf"):
            raise UsageError(f"mix.weights: {key!r} has the weight {weight}.", "Give 0 or more.")
    weights = [(_parts(key, options.strata), weight) for key, weight in options.weights.items()]
    return [prod(weight for key, weight in weights if key <= own) for own in parts]


def _parts(label: str, columns: Sequence[str]) -> set[str]:
    """Return the parts of a stratum's name, "difficulty=hard,topic=rates"; a value may have commas of its own."""
    names = "|".join(re.escape(name) for name in columns)
    return set(re.split(f",(?=(?:{names})=)", label))


def _held_out_rows(data: Dataset, options: MixOptions, folder: Path) -> Rows:
    if not options.held_out:
        return np.empty(0, np.int64)
    held_out = open_unbroken([Path(path) for path in options.held_out], folder / "eval")
    hits = contaminated(data, held_out.index, options.runner, folder / "stages")
    return np.unique(hits.column("record").to_numpy())


def _write(
    whole: _Everything, taken: epochs.Taken, fate: npt.NDArray[np.int8], out: Path, options: MixOptions
) -> Manifest:
    data, form, kept = whole.data, own_format(whole.data), taken.places
    files = {"train": f"train.{form}", "rejected": "rejected.jsonl"}
    with scratch() as folder:
        before = {"previous": compared(data, kept, options.previous, folder)} if options.previous else {}
        begin(out, data.inputs)
        product = reordered(data, kept, folder)
        if taken.epochs.max(initial=1) > 1:
            product = amended(product, folder / "marked", partial(epochs.mark, times=taken.epochs))
        write_dataset(out / files["train"], product, form=form, shape=options.shape)
    rejected = np.flatnonzero(fate)
    reasons = [REASONS[code] for code in fate[rejected].tolist()]
    write_reasons(out / files["rejected"], data, rejected, reasons)
    files |= set_aside(out, data)
    bad = len(data.quarantine)
    caps = {"max_synthetic": options.max_synthetic, "by": options.by, "per_generator": options.per_generator}
    return Manifest(
        "mix",
        Counts(data.rows + bad, int(np.count_nonzero(taken.epochs == 1)), len(rejected), failed=bad),
        ok=len(kept) > 0,
        reasons=Counter(reasons) + Counter(line.reason for line in data.quarantine),
        files=files,
        inputs=data.inputs,
        seeds={"mix": options.seed},
        runner=name_of(options.runner),
        more={
            "caps": {**caps, "per_stratum": options.per_stratum},
            "choose": options.choose,
            "order": options.order,
            "dose": whole.dose(kept, options.by),
            "epochs": epochs.told(taken.epochs, options.real_epochs),
            **whole.made_of(kept),
            **before,
            "parts": parts_of(data, kept),
            "licences": sorted(name for name in pc.unique(data.column("licence").take(kept)).to_pylist() if name),
            "unlicensed": whole.unlicensed(kept),
            "shortfall": whole.shortfall(fate, options),
            "bill": whole.bill(fate, options.seed),
        },
    )


def _facts(
    real: Sequence[str | Path], synthetic: Sequence[str | Path], out: Path, options: MixOptions, manifest: Manifest
) -> Facts:
    """Return what card and Croissant say of a mixture that was not built."""
    checks = [part for part in manifest.more["parts"] if part["role"] == "check"]
    held_out = ", ".join(str(path) for path in options.held_out)
    return Facts(
        name=out.resolve().name,
        licences=tuple(manifest.more["licences"]),
        unlicensed=manifest.more["unlicensed"],
        files=(out / manifest.files["train"],),
        made_of=manifest.more["made_of"],
        checks={part["name"]: f"{part['records']:,} records passed" for part in checks},
        held_out=held_out and f"{held_out} was kept out: {manifest.reasons['held-out']:,} records matched it.",
        command=command(real, synthetic, out, options),
    )
