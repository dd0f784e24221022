"""The clean set that faults are planted into: real problems, solutions of two generators, an anchor and a held-out set.

All of it is real data of ../shared/data (GSM8K and six systems' solutions of other problems). Nothing is wrong with it
that a rule speaks of: 20 % synthetic, two families, verified, looked at for duplicates, another student.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any

from bench.held_out import rows_of
from holdfast.core.dataset import Dataset, Quarantined, ShardWriter, table_of
from holdfast.core.engine import LocalRunner
from holdfast.core.record import Provenance, Record
from holdfast.core.settings import Settings
from holdfast.dedup.seal import HeldOut, Seal
from holdfast.rules.view import View

REAL, MADE, ANCHOR, HELD_OUT = 480, 120, 1_200, 1_300
STUDENT = {"student": {"name": "delta-3b", "family": "delta"}}
MAKERS = (("heron-7b", "heron"), ("plover-8b", "plover"))
CHECKS = {"near-duplicate": True, "math": True}


@dataclass(frozen=True)
class Base:
    """A set with what it is held against; a plant returns one with a fault in it."""

    records: tuple[Record, ...]
    real: tuple[Record, ...] | None
    held_out: tuple[Record, ...] | None
    settings: dict[str, Any] = field(default_factory=lambda: dict(STUDENT))
    bad: tuple[Quarantined, ...] = ()
    sealed: tuple[Record, ...] | None = None

    def synthetic(self) -> list[int]:
        """Return the places of the synthetic records."""
        return [place for place, record in enumerate(self.records) if record.provenance.is_synthetic]

    def changed(self, places: Sequence[int], change: Any) -> "Base":
        """Return the set with `change(record)` in some places."""
        records = list(self.records)
        for place in places:
            records[place] = change(records[place])
        return replace(self, records=tuple(records))

    def view(self) -> View:
        """Return what a rule sees of it."""
        folder = Path(mkdtemp(prefix="holdfast-planted-"))
        sealed = None
        if self.held_out is not None:
            given = _dataset(self.held_out, folder / "eval")
            seal = Seal.of(_dataset(self.sealed, folder / "seal"), {}) if self.sealed else None
            sealed = HeldOut(given, seal, seal.broken(given) if seal else ())
        (folder / "spool").mkdir()
        return View(
            data=replace(_dataset(self.records, folder / "data"), quarantine=self.bad),
            settings=Settings.model_validate(self.settings),
            runner=LocalRunner(1),
            spool=folder / "spool",
            real=_dataset(self.real, folder / "real") if self.real is not None else None,
            held_out=sealed,
            evidence_limit=0,
        )


def clean(seed: int, scale: float = 1.0) -> Base:
    """Return a clean set drawn by seed."""
    random = Random(seed)
    problems, solved = _problems(), _solved()
    real = random.sample(problems, round((REAL + ANCHOR) * scale) + HELD_OUT)
    made = random.sample(solved, round(MADE * scale))
    cut = round(REAL * scale)
    records = [
        Record(f"r{n}", asked, said, Provenance("real", source="school", depth=0))
        for n, (asked, said) in enumerate(real[:cut])
    ]
    for n, (asked, said) in enumerate(made):
        generator, family = MAKERS[n % 2]
        origin = Provenance("synthetic", source="made", generator=generator, family=family, depth=1)
        records.append(Record(f"s{n}", asked, said, origin, checks=CHECKS))
    random.shuffle(records)
    anchor = tuple(Record(f"a{n}", *pair, Provenance("real")) for n, pair in enumerate(real[cut:-HELD_OUT]))
    held_out = tuple(Record(f"e{n}", *pair, Provenance("real")) for n, pair in enumerate(real[-HELD_OUT:]))
    return Base(tuple(records), anchor, held_out)


def prose(seed: int) -> Base:
    """Return another clean set, plain text: reviews by people and trigrams drawn from a model of such reviews."""
    random = Random(seed)
    rows = [
        row for row in rows_of("collapse/ngram_generations") if row["series"] in ("control0_fresh_real", "replace_p100")
    ]
    real = list(dict.fromkeys(str(row["text"]) for row in rows if row["series"] == "control0_fresh_real"))
    made = [str(row["text"]) for row in rows if row["series"] == "replace_p100" and row["generation"] in (1, "1")]
    real, made = random.sample(real, len(real)), random.sample(made, len(made))
    third = len(real) // 3
    records = [Record(f"r{n}", "", text, Provenance("real")) for n, text in enumerate(real[:third])]
    records += [
        Record(f"s{n}", "", text, Provenance("synthetic", generator="tri")) for n, text in enumerate(made[:120])
    ]
    anchor = tuple(Record(f"a{n}", "", text, Provenance("real")) for n, text in enumerate(real[third : 2 * third]))
    held_out = tuple(Record(f"e{n}", "", text, Provenance("real")) for n, text in enumerate(real[2 * third :]))
    return Base(tuple(records), anchor, held_out)


def spare(seed: int) -> list[str]:
    """Return trigram texts that `prose` does not use."""
    rows = [row for row in rows_of("collapse/ngram_generations") if row["series"] == "replace_p100"]
    made = [str(row["text"]) for row in rows if row["generation"] in (1, "1")]
    return Random(seed).sample(made, len(made))[120:]


@cache
def _problems() -> list[tuple[str, str]]:
    return [(str(row["question"]), str(row["solution"])) for row in rows_of("instruct/gsm8k_train")]


@cache
def _solved() -> list[tuple[str, str]]:
    """One right solution of each problem, of the systems in turn."""
    found: dict[str, list[str]] = {}
    for row in rows_of("verify/gsm8k_solutions_6systems"):
        if str(row["is_correct"]) == "True" and "175b" in str(row["generator"]):
            found.setdefault(str(row["question"]), []).append(str(row["solution"]))
    return [(asked, said[n % len(said)]) for n, (asked, said) in enumerate(found.items())]


def _dataset(records: Sequence[Record] | None, folder: Path) -> Dataset:
    folder.mkdir(parents=True)
    writer = ShardWriter(folder)
    if records:
        writer.write(table_of(list(records)))
    return Dataset(writer.finish())
