"""Reads the mixture that another tool would train on, as it is: each source with as many records as it would give.

Records that the tool repeats are read once, and all sources are drawn down together so that the shares stand: shares,
concentration and families are those of the mixture, while an epoch more does not count as duplicates. Which records are
drawn depends on a seed, in the tool as here; another draw has other records in the same shares.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from holdfast.core.dataset import Dataset, Quarantined, joined, reordered
from holdfast.core.engine import Progress
from holdfast.core.errors import InputError
from holdfast.core.reader import DETECTED, read
from holdfast.core.reading.mixtures import Mixture

NOT_HERE = "data set is not on this machine"
# Draws are of this seed, so that an audit repeats.
SEED = 0


def drawn(mixture: Mixture, spool: Path, progress: Progress | None = None) -> Dataset:
    """Return the records of a mixture; a source that is not here is named in the quarantine.

    Raises `InputError` where none of its sources is here.
    """
    here = [source for source in mixture.sources if source.paths and all(path.exists() for path in source.paths)]
    missing = [source.name for source in mixture.sources if source not in here]
    if not here:
        what = f"None of the data sets of this {mixture.tool} mixture is on this machine: {', '.join(missing)}."
        raise InputError(what, "Fetch them yourself and name the files; Holdfast fetches nothing.")
    parts = [
        read(source.paths, mapping=source.mapping, spool=spool / f"source-{number}", progress=progress)
        for number, source in enumerate(here)
    ]
    have = [part.rows for part in parts]
    sizes = replace(mixture, sources=tuple(here)).sizes(have)
    scale = min([1.0, *(rows / size for rows, size in zip(have, sizes, strict=True) if size > rows)])
    chosen = [
        part if (size := int(wanted * scale + 0.5)) >= part.rows else _some(part, size, spool / f"drawn-{number}")
        for number, (part, wanted) in enumerate(zip(parts, sizes, strict=True))
    ]
    whole = joined(chosen, spool / "mixture")
    _tell(whole, mixture, parts, chosen, sizes)
    bad = tuple(Quarantined(name, 0, 0, NOT_HERE) for name in missing)
    return replace(whole, quarantine=(*whole.quarantine, *bad))


def _some(part: Dataset, size: int, folder: Path) -> Dataset:
    rows = np.random.default_rng(SEED).choice(part.rows, size, replace=False)
    return reordered(part, np.sort(rows), folder)


def _tell(
    whole: Dataset, mixture: Mixture, parts: Sequence[Dataset], chosen: Sequence[Dataset], sizes: Sequence[float]
) -> None:
    """Keep beside the shards what was read of each source, so that `describe` says it."""
    if not whole.shards:
        return
    told = []
    for part, some, size in zip(parts, chosen, sizes, strict=True):
        note = f"{mixture.tool} trains on {size:,.0f} of it, {some.rows:,} were drawn here"
        told += [entry | {"notes": [*entry["notes"], note]} for entry in _detected(part)]
    (whole.shards[0].path.parent / DETECTED).write_bytes(orjson.dumps(told))


def _detected(part: Dataset) -> list[dict[str, Any]]:
    if not part.shards:
        return []
    found: list[dict[str, Any]] = orjson.loads((part.shards[0].path.parent / DETECTED).read_bytes())
    return found
