"""reserve: split a real held-out set off before anything is generated, and seal it.

Groups never straddle the split: near-duplicates, exact duplicates, and records with an equal value in one of the
`group_by` columns go to one side together. What the seal holds is hashes only (`dedup.seal`). Beside it a set of
another register, date or source can be sealed for whoever watches the training (`workflows.ood`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.dataset import Dataset, amended, reordered
from holdfast.core.errors import UsageError
from holdfast.core.reader import read
from holdfast.core.reading.inputs import find_inputs
from holdfast.core.rundir import MANIFEST, Counts, Manifest, begin, only_writer, spare
from holdfast.core.scratch import scratch
from holdfast.core.writer import own_format, set_aside, write_dataset, write_reasons
from holdfast.dedup.clusters import connected
from holdfast.dedup.near import find_near
from holdfast.dedup.seal import NAME, Seal
from holdfast.stats.proportion import size_to_notice, smallest_drop
from holdfast.workflows.evidence import Evidence, evidence
from holdfast.workflows.mixture import apportion
from holdfast.workflows.ood import difference, matching, named, rule_of
from holdfast.workflows.strata import NONE, strata, values


@dataclass(frozen=True, slots=True)
class ReserveOptions:
    """`share` below 1 is a share of the records, else a number of them; `detect` sizes the set by power instead.

    `detect` is the smallest drop in accuracy that it is to notice with chance `power`. Each of the `strata` gives its
    share of the set; `group_by` names columns whose equal values stay on one side. `ood` is a file of real records from
    elsewhere, or a rule on a column of the real data (`workflows.ood`): all of these are sealed beside the set.
    """

    share: float = 0.1
    group_by: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    detect: float | None = None
    power: float = 0.8
    seed: int = 7
    mapping: Mapping[str, str] = field(default_factory=dict)
    ood: str | None = None


class _Sides(NamedTuple):
    """Indices of the records by what becomes of them. `near_ood` are of a group with records that are `ood`."""

    chosen: np.ndarray
    train: np.ndarray
    ood: np.ndarray
    not_real: np.ndarray
    near_ood: np.ndarray


def reserve(real: Sequence[str | Path], out: Path, options: ReserveOptions = ReserveOptions()) -> Manifest:
    """Write eval.*, train.*, ood.* where asked, holdfast.seal and manifest.json into `out`; return the manifest.

    Records labelled synthetic or mixed are rejected, not held out: the held-out set is real. Refuses a folder that
    holds a finished seal, because a seal is made once; one that was killed half-way is made again, to the same bytes.
    """
    if (out / NAME).exists() and (out / MANIFEST).exists():
        raise UsageError(f"{out / NAME} is there already: a held-out set is sealed once.", "Choose another --out.")
    paths = [*real, *_ood_file(options.ood)]
    with scratch() as folder, only_writer(out):
        # Read twice, because what whoever reserves them says of silent records is not what the records say.
        silent = read(paths, mapping=options.mapping, spool=folder / "silent")
        data = read(paths, mapping=options.mapping, spool=folder / "real", origin="real")
        spare(out, (one.path for one in data.inputs))
        return _write(data, evidence(silent), out, options, folder)


def _ood_file(ood: str | None) -> list[str]:
    return [ood] if ood is not None and rule_of(ood) is None else []


def _own_inputs(data: Dataset, ood: str | None) -> int:
    """Return how many of the inputs, the first ones, are the real data; the others are the file of `ood`."""
    count = len(data.inputs) - sum(len(find_inputs([path])) for path in _ood_file(ood))
    if {one.digest for one in data.inputs[:count]} & {one.digest for one in data.inputs[count:]}:
        raise UsageError(f"ood: {ood} is among the real data.", "Name a file of its own, or a rule on a column.")
    return count


def _is_ood(data: Dataset, ood: str | None) -> np.ndarray:
    rule = rule_of(ood) if ood is not None else None
    if rule is not None:
        return matching(data, rule)
    return np.asarray(data.column("input").to_numpy() >= _own_inputs(data, ood), np.bool_)


def _sides(data: Dataset, numbers: np.ndarray, options: ReserveOptions) -> tuple[_Sides, int]:
    """Return which record goes where, and how many were asked to be held out."""
    real = np.asarray(data.column("origin").to_pylist(), dtype=object) == "real"
    group, far = groups(data, options.group_by), _is_ood(data, options.ood)
    beside = np.isin(group, group[far]) & ~far
    usable = np.flatnonzero(real & ~far & ~beside)
    size = wanted(asked(options.share, options.detect, options.power), len(usable))
    chosen = _split_by(group, usable, numbers, (size, options.seed))
    if not len(chosen):
        what = f"No group of records fits into a held-out set of {size}: near-duplicates and groups stay together."
        raise UsageError(what, "Choose a larger --eval, group by less, or filter near-duplicates first.")
    if options.ood is not None and not (real & far).any():
        raise UsageError(f"ood: none of the records of {options.ood} is real.", "Name real records.")
    parts = (real & far, ~real, real & beside)
    return _Sides(chosen, np.setdiff1d(usable, chosen), *map(np.flatnonzero, parts)), size


def _write(data: Dataset, told: Evidence, out: Path, options: ReserveOptions, folder: Path) -> Manifest:
    numbers, labels = strata(data, options.strata)
    sides, size = _sides(data, numbers, options)
    begin(out, data.inputs)
    files = _write_sides(data, sides, out, options, folder)
    real, more = told.of(sides.chosen), {}
    if options.ood is not None:
        differs = difference(data, np.sort(np.concatenate([sides.chosen, sides.train])), sides.ood, options.seed)
        more["ood"] = {"of": named(options.ood), "records": len(sides.ood), "proof": told.of(sides.ood), **differs}
    proof = {"inputs": [item.digest for item in data.inputs], "origin": "real", "records": len(sides.chosen), **real}
    held_out = [out / files[side] for side in ("eval", "ood") if side in files]
    sealed = read(held_out, mapping=options.mapping, spool=folder / "eval")
    Seal.of(sealed, proof | more, options.mapping).write(out)
    reasons = {"not-real": len(sides.not_real), "near-ood": len(sides.near_ood)}
    bad, refused = len(data.quarantine), sum(reasons.values())
    manifest = Manifest(
        "reserve",
        Counts(data.rows + bad, data.rows - refused, refused, failed=bad),
        reasons={reason: count for reason, count in reasons.items() if count},
        files=files,
        inputs=data.inputs,
        seeds={"split": options.seed},
        more={
            "eval": len(sides.chosen),
            "asked": size,
            "train": len(sides.train),
            "smallest_drop": smallest_drop(len(sides.chosen), options.power),
            "power": options.power,
            "proof": real,
            **more,
            **_by_stratum(labels, numbers, sides.chosen, sides.train),
        },
    )
    manifest.write(out)
    return manifest


def _write_sides(data: Dataset, sides: _Sides, out: Path, options: ReserveOptions, folder: Path) -> dict[str, str]:
    """Write each side in the format of its own first input; return role and name of all files, the seal's too."""
    own = data if options.ood is None else replace(data, inputs=data.inputs[: _own_inputs(data, options.ood)])
    suffix = own_format(own)
    files = {"eval": f"eval.{suffix}", "train": f"train.{suffix}", "seal": NAME}
    write_dataset(out / files["eval"], own, sides.chosen)
    write_dataset(out / files["train"], own, sides.train)
    if options.ood is not None:
        far = _far(data, sides.ood, options.ood, folder)
        files["ood"] = f"ood.{own_format(far)}"
        write_dataset(out / files["ood"], far)
    refused = {int(row): "not-real" for row in sides.not_real} | {int(row): "near-ood" for row in sides.near_ood}
    files |= set_aside(out, data)
    if refused:
        write_reasons(out / "rejected.jsonl", data, list(refused), list(refused.values()))
        files = {"rejected": "rejected.jsonl", **files}
    return files


def _far(data: Dataset, rows: np.ndarray, ood: str, folder: Path) -> Dataset:
    """Return the records of `ood` as a data set whose inputs are only those that they come from."""
    first = 0 if rule_of(ood) else _own_inputs(data, ood)

    def moved(table: pa.Table, _: int) -> pa.Table:
        own = pc.subtract(table.column("input"), pa.scalar(first, pa.int32()))
        return table.set_column(table.schema.get_field_index("input"), "input", own)

    found = amended(reordered(data, rows, folder / "far"), folder / "ood", moved)
    return replace(found, inputs=data.inputs[first:])


def _by_stratum(labels: list[str], numbers: np.ndarray, chosen: np.ndarray, train: np.ndarray) -> dict[str, Any]:
    if labels == [NONE]:
        return {}
    counted = [np.bincount(numbers[rows], minlength=len(labels)).tolist() for rows in (chosen, train)]
    parts = {label: {"eval": counted[0][at], "train": counted[1][at]} for at, label in enumerate(labels)}
    return {"strata": {label: part for label, part in parts.items() if any(part.values())}}


def asked(share: float, detect: float | None, power: float) -> float:
    """Return the share or number of records to hold out: by power where a drop to detect is given."""
    return share if detect is None else size_to_notice(detect, power)


def wanted(share: float, usable: int) -> int:
    """Return how many of the usable records are held out: a share below 1 of them, else that number."""
    if not (0 < share < 1 or (share >= 1 and float(share).is_integer())):
        raise UsageError(
            f"A held-out set of {share:g} is neither a share nor a number of records.", "For example 0.1, or 200."
        )
    if usable < 2:
        raise UsageError(
            f"Too few real records for a held-out set and a training set: {usable}.",
            "Give more real data. What a label or a generator column calls synthetic is never held out.",
        )
    size = round(share * usable) if share < 1 else int(share)
    if not 0 < size < usable:
        raise UsageError(
            f"A held-out set of {size} from {usable} real records leaves one side empty.",
            f"Ask for 1 to {usable - 1}, or give more real data: {usable // 2} notice a drop of "
            f"{smallest_drop(usable // 2):.3f} with 80 % power.",
        )
    return size


def groups(data: Dataset, group_by: Sequence[str] = ()) -> np.ndarray:
    """Return for each record the lowest index of its group: near-duplicates, and equal values of `group_by`."""
    near = find_near(data.tables(("prompt", "response")))
    left, right = [near.left], [near.right]
    for column in group_by:
        first: dict[str, int] = {}
        for row, value in enumerate(values(data, column)):
            if value is not None:
                left.append(np.asarray([first.setdefault(value, row)]))
                right.append(np.asarray([row]))
    return connected(data.rows, np.concatenate(left), np.concatenate(right))


def _split_by(group: np.ndarray, usable: np.ndarray, stratum: np.ndarray, how: tuple[int, int]) -> np.ndarray:
    """Return the indices held out: `split` in each stratum, by its share; a group is of its first record's stratum."""
    size, seed = how
    own = stratum[group]
    shares = apportion(size, np.bincount(own[usable], minlength=int(stratum.max(initial=0)) + 1).tolist())
    parts = [split(group, usable[own[usable] == at], share, seed) for at, share in enumerate(shares)]
    return np.sort(np.concatenate(parts))


def split(group: np.ndarray, usable: np.ndarray, wanted: int, seed: int) -> np.ndarray:
    """Return the indices held out: whole groups in an order drawn by `seed`, as many as fit into `wanted`.

    A group with a record that is not usable is never held out. The draw depends on the group's first index only.
    """
    sizes = np.bincount(group, minlength=len(group))
    spoiled = set(np.delete(group, usable).tolist())
    heads = sorted(set(group[usable].tolist()) - spoiled, key=lambda head: _draw(seed, head))
    taken: list[int] = []
    left = wanted
    for head in heads:
        if sizes[head] <= left:
            taken.append(head)
            left -= int(sizes[head])
        if left == 0:
            break
    return np.flatnonzero(np.isin(group, taken))


def _draw(seed: int, head: int) -> bytes:
    return blake2b(f"{seed}:{head}".encode(), digest_size=8).digest()
