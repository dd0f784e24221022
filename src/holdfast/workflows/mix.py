"""mix: real and synthetic records under a cap, deterministic, with the held-out set kept out.

The order of the inputs makes no difference: records are drawn and written in an order that depends on the seed and
on their content alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import blake2b
from math import floor
from pathlib import Path
from typing import Literal

from holdfast.core.dataset import Dataset, joined, reordered
from holdfast.core.reader import read
from holdfast.core.record import ORIGINS, Record
from holdfast.core.rundir import Counts, Manifest, begin, only_writer
from holdfast.core.scratch import scratch
from holdfast.core.settings import DEFAULT_CAP
from holdfast.core.shapes import RowShape
from holdfast.core.writer import own_format, set_aside, write_dataset, write_reasons
from holdfast.dedup.decontaminate import scan
from holdfast.dedup.seal import open_held_out
from holdfast.rules.census import COLUMNS, census


@dataclass(frozen=True, slots=True)
class MixOptions:
    """The caps and the unit they are counted in. `per_generator` caps each generator's share of the synthetic part."""

    max_synthetic: float = DEFAULT_CAP
    by: Literal["records", "tokens"] = "records"
    per_generator: float = 1.0
    caps: Mapping[str, float] = field(default_factory=dict)
    size: int | None = None
    held_out: Sequence[str | Path] = ()
    seed: int = 7
    shape: RowShape = "own"
    mapping: Mapping[str, str] = field(default_factory=dict)

    def cap(self, generator: str) -> Fraction:
        """Return the cap of a generator (`generator_of`) as written, exactly."""
        return Fraction(str(self.caps.get(generator, self.per_generator)))


def generator_of(name: str | None) -> str:
    """Return the name under which a generator is capped: two versions (`name@version`) are one generator."""
    return (name or "").partition("@")[0]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One record as the mixture sees it: units that a machine made, units that are real, and who made it."""

    row: int
    made: int
    real: int
    generator: str | None


def mix(
    real: Sequence[str | Path], synthetic: Sequence[str | Path], out: Path, options: MixOptions = MixOptions()
) -> Manifest:
    """Write train.*, rejected.jsonl and manifest.json into `out`; return the manifest."""
    with scratch() as folder, only_writer(out):
        parts = [
            read(real, mapping=options.mapping, spool=folder / "real", origin="real"),
            read(synthetic, mapping=options.mapping, spool=folder / "synthetic", origin="synthetic"),
        ]
        return mixed(joined(parts, folder / "all"), out, options, folder)


def mixed(data: Dataset, out: Path, options: MixOptions, folder: Path) -> Manifest:
    """Mix the records of one data set by their origin; write as `mix` does."""
    begin(out, data.inputs)
    order = {row: place for place, row in enumerate(_order(data, options.seed))}
    real, made, reasons = _parts(data, options, _held_out_rows(data, options, folder))
    real.sort(key=lambda each: order[each.row])
    made.sort(key=lambda each: order[each.row])
    if options.size is not None:
        real, made = _sized(real, made, options)
    chosen = under_caps(made, sum(each.made + each.real for each in real), options)
    kept = {each.row for each in (*real, *chosen)}
    reasons |= {row: "cap" for row in range(data.rows) if row not in kept and row not in reasons}
    return _write(data, sorted(kept, key=order.__getitem__), reasons, out, options, folder)


def _parts(
    data: Dataset, options: MixOptions, held_out: set[int]
) -> tuple[list[Candidate], list[Candidate], dict[int, str]]:
    real: list[Candidate] = []
    made: list[Candidate] = []
    reasons = dict.fromkeys(sorted(held_out), "held-out")
    counts = (census(table) for table in data.tables(COLUMNS))
    origins = (row for table in counts for row in table.select(["origin", "words", "synthetic_words"]).to_pylist())
    for row, (count, generator) in enumerate(zip(origins, data.column("generator").to_pylist(), strict=True)):
        if row in reasons:
            continue
        origin = ORIGINS[count["origin"]]
        words = count["synthetic_words"]
        units = (
            (words, count["words"] - words)
            if options.by == "tokens"
            else (int(origin != "real"), int(origin == "real"))
        )
        if origin == "unknown":
            reasons[row] = "unknown-origin"
        else:
            (real if origin == "real" else made).append(Candidate(row, units[0], units[1], generator))
    return real, made, reasons


def _order(data: Dataset, seed: int) -> list[int]:
    """Return all rows in an order that depends on the seed and on each record's content; the id parts equals."""
    keys: list[tuple[bytes, str]] = []
    for table in data.tables(("id", "prompt", "response")):
        for row in table.to_pylist():
            content = f"{seed}:{Record('', row['prompt'], row['response']).digest}"
            keys.append((blake2b(content.encode(), digest_size=16).digest(), row["id"]))
    return sorted(range(len(keys)), key=keys.__getitem__)


def _held_out_rows(data: Dataset, options: MixOptions, folder: Path) -> set[int]:
    if not options.held_out:
        return set()
    held_out = open_held_out([Path(path) for path in options.held_out], folder / "eval")
    rows: set[int] = set()
    for shard in data.shards:
        hits = scan(shard.table(("prompt", "response", "extra")), held_out.index)
        rows.update(shard.first + row for row in hits.column("index").to_pylist())
    return rows


def _sized(
    real: list[Candidate], made: list[Candidate], options: MixOptions
) -> tuple[list[Candidate], list[Candidate]]:
    """Cut both sides so that they fill `size` records, as many of them synthetic as the cap allows."""
    size = options.size or 0
    most = min(len(made), floor(Fraction(str(options.max_synthetic)) * size))
    kept = min(len(real), size - most)
    return real[:kept], made[: min(len(made), size - kept)]


def under_caps(made: list[Candidate], real: int, options: MixOptions) -> list[Candidate]:
    """Return the synthetic candidates, first come first taken, that keep every cap; `real` counts real units.

    No cap is exceeded by a single unit: all comparisons are made in whole numbers.
    """
    chosen = made
    while True:
        shared = _under_share(_under_generators(chosen, options), real, Fraction(str(options.max_synthetic)))
        if len(shared) == len(chosen):
            return shared
        chosen = shared


def _under_share(made: list[Candidate], real: int, cap: Fraction) -> list[Candidate]:
    taken: list[Candidate] = []
    synthetic = 0
    for each in made:
        # What a mixed record adds on the real side counts for the share, so both sides grow.
        if cap.denominator * (synthetic + each.made) <= cap.numerator * (synthetic + each.made + real + each.real):
            taken.append(each)
            synthetic += each.made
            real += each.real
    return taken


def _under_generators(made: list[Candidate], options: MixOptions) -> list[Candidate]:
    """Return the candidates under the caps per generator, which are shares of the synthetic units that remain."""
    while True:
        total = _reachable(made, options)
        taken: list[Candidate] = []
        used: Counter[str] = Counter()
        for each in made:
            group = generator_of(each.generator)
            if used[group] + each.made <= floor(options.cap(group) * total):
                used[group] += each.made
                taken.append(each)
        if len(taken) == len(made):
            return taken
        made = taken


def _reachable(made: list[Candidate], options: MixOptions) -> int:
    """Return the largest total at which every group can fill its share of it: a fixed point from above."""
    units: Counter[str] = Counter()
    for each in made:
        units[generator_of(each.generator)] += each.made
    total = units.total()
    while True:
        reached = sum(min(count, floor(options.cap(group) * total)) for group, count in units.items())
        if reached == total:
            return total
        total = reached


def _write(
    data: Dataset, kept: list[int], reasons: dict[int, str], out: Path, options: MixOptions, folder: Path
) -> Manifest:
    form = own_format(data)
    files = {"train": f"train.{form}", "rejected": "rejected.jsonl"}
    write_dataset(out / files["train"], reordered(data, kept, folder / "order"), form=form, shape=options.shape)
    rejected = sorted(reasons)
    write_reasons(out / files["rejected"], data, rejected, [reasons[row] for row in rejected])
    files |= set_aside(out, data)
    bad = len(data.quarantine)
    manifest = Manifest(
        "mix",
        Counts(data.rows + bad, len(kept), len(rejected), failed=bad),
        ok=bool(kept),
        reasons=Counter(reasons.values()) + Counter(line.reason for line in data.quarantine),
        files=files,
        inputs=data.inputs,
        seeds={"mix": options.seed},
        more={
            "caps": {"max_synthetic": options.max_synthetic, "by": options.by, "per_generator": options.per_generator}
        },
    )
    manifest.write(out)
    return manifest
