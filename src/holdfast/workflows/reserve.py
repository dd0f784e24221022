"""reserve: split a real held-out set off before anything is generated, and seal it.

Groups never straddle the split: near-duplicates, exact duplicates, and records with an equal value in one of the
`group_by` columns go to one side together. What the seal holds is hashes only (`dedup.seal`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.core.dataset import Dataset
from holdfast.core.errors import UsageError
from holdfast.core.reader import read
from holdfast.core.rundir import MANIFEST, Counts, Manifest, begin, only_writer
from holdfast.core.scratch import scratch
from holdfast.core.writer import own_format, set_aside, write_dataset, write_reasons
from holdfast.dedup.clusters import connected
from holdfast.dedup.near import find_near
from holdfast.dedup.seal import NAME, Seal
from holdfast.stats.proportion import size_to_notice, smallest_drop
from holdfast.workflows.evidence import Evidence, evidence
from holdfast.workflows.mixture import apportion
from holdfast.workflows.strata import NONE, strata, values


@dataclass(frozen=True, slots=True)
class ReserveOptions:
    """`share` below 1 is a share of the records, else a number of them; `detect` sizes the set by power instead.

    `detect` is the smallest drop in accuracy that it is to notice with chance `power`. Each of the `strata` gives its
    share of the set; `group_by` names columns whose equal values stay on one side.
    """

    share: float = 0.1
    group_by: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    detect: float | None = None
    power: float = 0.8
    seed: int = 7
    mapping: Mapping[str, str] = field(default_factory=dict)


def reserve(real: Sequence[str | Path], out: Path, options: ReserveOptions = ReserveOptions()) -> Manifest:
    """Write eval.*, train.*, holdfast.seal and manifest.json into `out`; return the manifest.

    Records labelled synthetic or mixed are rejected, not held out: the held-out set is real. Refuses a folder that
    holds a finished seal, because a seal is made once; one that was killed half-way is made again, to the same bytes.
    """
    if (out / NAME).exists() and (out / MANIFEST).exists():
        raise UsageError(f"{out / NAME} is there already: a held-out set is sealed once.", "Choose another --out.")
    with scratch() as folder, only_writer(out):
        # Read twice, because what whoever reserves them says of silent records is not what the records say.
        silent = read(real, mapping=options.mapping, spool=folder / "silent")
        data = read(real, mapping=options.mapping, spool=folder / "real", origin="real")
        begin(out, data.inputs)
        return _write(data, evidence(silent), out, options, folder)


def _write(data: Dataset, told: Evidence, out: Path, options: ReserveOptions, folder: Path) -> Manifest:
    origin = np.asarray(data.column("origin").to_pylist(), dtype=object)
    usable = np.flatnonzero(origin == "real")
    size = wanted(asked(options.share, options.detect, options.power), len(usable))
    numbers, labels = strata(data, options.strata)
    chosen = _split_by(groups(data, options.group_by), usable, numbers, (size, options.seed))
    if not len(chosen):
        what = f"No group of records fits into a held-out set of {size}: near-duplicates and groups stay together."
        raise UsageError(what, "Choose a larger --eval, or filter near-duplicates first.")
    train = np.setdiff1d(usable, chosen)
    refused = np.setdiff1d(np.arange(data.rows), usable)
    suffix = own_format(data)
    files = {"eval": f"eval.{suffix}", "train": f"train.{suffix}", "seal": NAME}
    write_dataset(out / files["eval"], data, chosen)
    write_dataset(out / files["train"], data, train)
    files |= _refused(out, data, refused)
    real = told.of(chosen)
    proof = {"inputs": [item.digest for item in data.inputs], "origin": "real", "records": len(chosen), **real}
    sealed = read([out / files["eval"]], mapping=options.mapping, spool=folder / "eval")
    Seal.of(sealed, proof, options.mapping).write(out)
    manifest = Manifest(
        "reserve",
        Counts(data.rows + len(data.quarantine), len(usable), len(refused), failed=len(data.quarantine)),
        reasons={"not-real": len(refused)} if len(refused) else {},
        files=files,
        inputs=data.inputs,
        seeds={"split": options.seed},
        more={
            "eval": len(chosen),
            "asked": size,
            "train": len(train),
            "smallest_drop": smallest_drop(len(chosen), options.power),
            "power": options.power,
            "proof": real,
            **_by_stratum(labels, numbers, chosen, train),
        },
    )
    manifest.write(out)
    return manifest


def _by_stratum(labels: list[str], numbers: np.ndarray, chosen: np.ndarray, train: np.ndarray) -> dict[str, Any]:
    if labels == [NONE]:
        return {}
    counted = [np.bincount(numbers[rows], minlength=len(labels)).tolist() for rows in (chosen, train)]
    return {"strata": {label: {"eval": counted[0][at], "train": counted[1][at]} for at, label in enumerate(labels)}}


def asked(share: float, detect: float | None, power: float) -> float:
    """Return the share or number of records to hold out: by power where a drop to detect is given."""
    return share if detect is None else size_to_notice(detect, power)


def wanted(share: float, usable: int) -> int:
    """Return how many of the usable records are held out: a share below 1 of them, else that number."""
    if not (0 < share < 1 or (share >= 1 and float(share).is_integer())):
        raise UsageError(
            f"A held-out set of {share:g} is neither a share nor a number of records.", "For example 0.1, or 200."
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


def _refused(out: Path, data: Dataset, refused: np.ndarray) -> dict[str, str]:
    files = set_aside(out, data)
    if len(refused):
        write_reasons(out / "rejected.jsonl", data, refused, ["not-real"] * len(refused))
        files = {"rejected": "rejected.jsonl", **files}
    return files
