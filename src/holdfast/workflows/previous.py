"""What a training set keeps of the one of the round before: whether rounds accumulate, replace, or draw anew.

That switch matters more than the share of synthetic data. Where each round's data replace those before, the error of a
model grows with every round; where they accumulate it stays below pi^2/6 times that of the first (linear regression,
Gerstgrasser et al. 2024, arXiv 2404.01413); a fixed budget drawn from all that accumulated lies between (Kazdan et al.
2024, arXiv 2410.16713). Real records that return are a fixed real part, others a fresh one: the laws of the dose
(docs/dose.md) differ in that.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow.compute as pc

from holdfast.core.dataset import Dataset, text_of
from holdfast.core.errors import InputError, UsageError
from holdfast.core.files import digest_of
from holdfast.core.reader import read
from holdfast.core.rundir import MANIFEST
from holdfast.core.text import digests

# Up to so much may be lost to filters and caps between rounds, or return by chance, without changing what a round does.
SLACK = 0.05
FIRST, ACCUMULATE, REPLACE, SUBSAMPLE = "first", "accumulate", "replace", "accumulate-subsample"
MEANING = {
    FIRST: "the round before held no synthetic record",
    ACCUMULATE: "the data of the round before are all here: the error of a regression stays bounded over rounds",
    REPLACE: "hardly a synthetic record of the round before is here: the error of a regression grows with every round",
    SUBSAMPLE: "part of the round before is here: between accumulating and replacing",
}
TEXT = ("prompt", "response")


def compared(data: Dataset, kept: npt.NDArray[np.int64], previous: Path, folder: Path) -> dict[str, Any]:
    """Return how the records `kept` of `data` stand to the training set of the round before.

    `previous` is the folder of a mixture or a build, or its manifest.json. Records are the same when their texts are,
    as `core.text.digests` says. Raises `InputError` where there is no such set, and `UsageError` where it was changed
    after it was written.
    """
    path, values = _training_set(previous)
    before = read([path], spool=folder / "previous")
    then, now = _digests(before), np.unique(_digests(data)[kept])
    real = pc.equal(before.column("origin"), "real").to_numpy()
    stayed = np.isin(then, now)
    ours = pc.equal(data.column("origin"), "real").to_numpy()[kept]
    known = np.isin(_digests(data)[kept], then)
    shares = _share(stayed, rows=real), _share(stayed, rows=~real)
    return {
        "round": int(values.get("previous", {}).get("round", 1)) + 1,
        "of": str(previous),
        "digest": values["digest"],
        "records": len(then),
        "synthetic": int(np.count_nonzero(~real)),
        "real_kept": shares[0],
        "synthetic_kept": shares[1],
        "real_from_before": _share(known, rows=ours),
        "regime": (regime := _regime(*shares)),
        "meaning": MEANING[regime],
    }


def lines(told: dict[str, Any]) -> Iterator[str]:
    """Yield what a person is told of the round before."""
    shares = ((told[name], what) for name, what in (("real_kept", "real"), ("synthetic_kept", "synthetic")))
    said = " and ".join(f"{share:.0%} of its {what} records" for share, what in shares if share is not None)
    yield f"round {told['round']} keeps {said}: {told['regime']}; {told['meaning']}"


def _regime(real: float | None, synthetic: float | None) -> str:
    if synthetic is None:
        return FIRST
    if min(synthetic, 1.0 if real is None else real) >= 1 - SLACK:
        return ACCUMULATE
    return REPLACE if synthetic <= SLACK else SUBSAMPLE


def _share(member: npt.NDArray[np.bool_], rows: npt.NDArray[np.bool_]) -> float | None:
    """Return the share of some rows that are members, None where there is no row; four digits."""
    return round(float(member[rows].mean()), 4) if rows.any() else None


def _digests(data: Dataset) -> npt.NDArray[np.uint64]:
    """Return 64 bits of the digest of each record's text."""
    parts = [digests(text_of(shard.table(TEXT)))[:, 0] for shard in data.shards]
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


def _training_set(previous: Path) -> tuple[Path, dict[str, Any]]:
    """Return the training file of a finished round and its manifest."""
    path = previous / MANIFEST if previous.is_dir() else previous
    try:
        values = orjson.loads(path.read_bytes())
        name = values["files"]["train"]
        train, digest = path.parent / name, values["digests"][name]
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "Name the folder that `holdfast mix` or `holdfast build` wrote, or its manifest.json."
        raise InputError(
            f"{path} is no manifest of a training set ({type(error).__name__}: {error}).", remedy
        ) from None
    if not train.is_file() or digest_of(train) != digest:
        remedy = "Give the round as it was written, or make it again."
        raise UsageError(f"{train} is not what its manifest says: it was changed or moved away.", remedy)
    return train, values
