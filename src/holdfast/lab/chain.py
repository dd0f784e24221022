"""Runs the chains of an experiment, a cell at a time: train, draw, measure, keep, go on.

A cell is one generation of one arm at one dose under one seed. Each is on disk before the next begins, with what the
next needs, so that a stopped run goes on where it was; the same settings and text are asked for. Every draw has a
seed of its own from (seed, chain, generation): a resumed run has the same numbers as one that was never stopped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import orjson

from holdfast.core.durable import remove
from holdfast.core.errors import UsageError
from holdfast.core.files import whole_file
from holdfast.core.rundir import write_json
from holdfast.lab import arms
from holdfast.lab.backend import Backend, Model, drawn
from holdfast.lab.design import DOSED, Chain, LabOptions, chains, shown
from holdfast.lab.documents import Documents, Text
from holdfast.lab.measures import Measures, Reference, measure

# The first generation is the same for all chains of a seed: trained on all the real text.
START = "start"
Chains = dict[Chain, list[Measures]]


@dataclass(frozen=True, slots=True)
class Bench:
    """What all chains of a seed share: the real text, what is measured against, and the folder of its cells."""

    text: Text
    backend: Backend
    options: LabOptions
    real: Documents
    reference: Reference
    folder: Path
    first: list[Model]

    def origin(self, seed: int) -> Model:
        """Return the model of all the real text, fitted when it is first asked for."""
        if not self.first:
            self.first.append(self.backend.fit([self.real], _seed((seed, START), 0)))
        return self.first[0]


def run(text: Text, backend: Backend, options: LabOptions, folder: Path) -> Chains:
    """Return the measures of all chains, generation 0 first; cells that `folder` has are not run again.

    Raises UsageError where the folder is of another experiment, the backend cannot tell two arms apart, or the text has
    too few documents for a dose.
    """
    if "two-stage" in options.arms and not backend.ordered:
        what = f"The backend {backend.name} only counts: the order of the stages of two-stage is nothing to it."
        raise UsageError(what, "Take --backend transformer, or leave the arm out.")
    _divided(text, options)
    _claim(folder, {"text": text.digest, "backend": backend.name, **options.to_dict()})
    todo = list(chains(options))
    total = options.seeds + sum(chain.length(options.generations) for chain in todo)
    show, done, found = shown(options), 0, {}
    for seed in range(options.seeds):
        split = text.split(seed)
        reference = Reference.of(split.train, split.held_out, text.vocabulary)
        bench = Bench(text, backend, options, split.train, reference, folder / "cells", [])
        first, made = _start(bench, seed)
        done += 1
        for chain in (each for each in todo if each.seed == seed):
            found[chain] = [first]
            for cell in _generations(bench, chain, made):
                found[chain].append(cell)
                done += 1
                show("generations", done, total)
    return found


def _divided(text: Text, options: LabOptions) -> None:
    """Refuse a dose that this text has too few documents for: none synthetic, or none real."""
    size = len(text.split(0).train)
    for dose in options.doses if any(arm in DOSED for arm in options.arms) else ():
        made = arms.synthetic(dose, size)
        if not 0 < made < size:
            what = f"{100 * dose:g}% synthetic of {size} documents are {made} synthetic and {size - made} real ones."
            raise UsageError(what, "Give more text, shorter documents (--length), or another dose.")


def _claim(folder: Path, settings: dict[str, Any]) -> None:
    """Write what the folder is of, or hold it against what it says."""
    path = folder / "design.json"
    wanted = orjson.loads(orjson.dumps(settings))
    if not path.exists():
        write_json(path, wanted)
        return
    old = orjson.loads(path.read_bytes())
    if old != wanted:
        other = sorted(key for key in wanted if old.get(key) != wanted[key])
        raise UsageError(f"{folder} holds another experiment: {', '.join(other)} differ.", "Choose another --out.")


def _start(bench: Bench, seed: int) -> tuple[Measures, Documents]:
    """Return generation 0 of a seed, and its samples."""
    place = bench.folder / f"{START}-{seed}"
    if (kept := _kept(place)) and kept[1]:
        return kept[0][0], kept[1][-1]
    model = bench.origin(seed)
    samples = drawn(model, len(bench.real), bench.options.decoding, _seed((seed, START), 1))
    cell = measure(0, (model, model), samples, bench.reference)
    _keep(place, cell, [samples])
    return cell, samples


def _generations(bench: Bench, chain: Chain, made: Documents) -> Iterator[Measures]:
    """Yield generation 1 and on of a chain, those on disk first."""
    place = bench.folder / chain.name
    cells, pool = _kept(place) or ([], [made])
    yield from cells
    last = chain.length(bench.options.generations)
    for generation in range(len(cells) + 1, last + 1):
        given = arms.Situation(bench.real, pool, _chance(chain, generation), _chance(chain, 0))
        cell, samples = _cell(bench, generation, arms.stages(chain, given), chain)
        pool = [*pool, samples] if arms.accumulates(chain) else [samples]
        _keep(place, cell, pool if generation < last else [])
        yield cell


def _chance(chain: Chain, generation: int) -> np.random.Generator:
    """Return chance of a generation's choice of real documents: the same for every arm at that dose and seed."""
    return np.random.default_rng([chain.seed, 1, generation])


def _seed(key: tuple[int, str], generation: int) -> int:
    """Return the seed of a generation's training and drawing."""
    return int(np.random.default_rng([key[0], crc32(key[1].encode()), generation]).integers(2**31))


def _cell(bench: Bench, generation: int, stages: list[Documents], chain: Chain) -> tuple[Measures, Documents]:
    """Train, draw and measure. The verifier of `verified` is the model of the real text."""
    seed = _seed((chain.seed, chain.name), generation)
    model, first, size = bench.backend.fit(stages, seed), bench.origin(chain.seed), len(bench.real)
    if chain.arm == "verified":
        offered = drawn(model, round(size / bench.options.keep), bench.options.decoding, seed)
        best = np.argsort(first.nll(offered), kind="stable")[:size]
        samples = offered[best[np.random.default_rng(seed).permutation(size)]]
    else:
        samples = drawn(model, size, bench.options.decoding, seed)
    return measure(generation, (model, first), samples, bench.reference), samples


def _keep(place: Path, cell: Measures, pool: list[Documents]) -> None:
    """Write a cell, then what the next one needs; the last one needs nothing."""
    write_json(place / f"{cell.generation}.json", cell.to_dict())
    samples = place / "samples.npz"
    if not pool:
        remove(samples)
        return
    with whole_file(samples) as file:
        arrays: dict[str, Any] = {f"d{place}": part.astype(np.int32) for place, part in enumerate(pool)}
        np.savez(file, generation=cell.generation, **arrays)


def _kept(place: Path) -> tuple[list[Measures], list[Documents]] | None:
    """Return the cells on disk that can be gone on from, and their samples; None where there are none.

    A cell whose samples did not reach the disk any more is run again from those before it.
    """
    cells = [Measures.of(orjson.loads(path.read_bytes())) for path in place.glob("*.json")]
    cells.sort(key=lambda cell: cell.generation)
    if not cells:
        return None
    if not (place / "samples.npz").exists():
        # Samples go when the last cell is there; the first one alone can also have lost them.
        return (cells, []) if len(cells) > 1 else None
    with np.load(place / "samples.npz") as kept:
        there = int(kept["generation"])
        pool = [kept[name].astype(np.int64) for name in sorted(kept.files, key=_number) if name != "generation"]
    return [cell for cell in cells if cell.generation <= there], pool


def _number(name: str) -> int:
    return int(name[1:]) if name[1:].isdigit() else -1
