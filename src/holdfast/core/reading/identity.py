"""Ids of records: the given one where it is unique among all inputs, else `file:row`.

Keeps 9 bytes a record while reading and rewrites only the shards that hold a doubled id.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from holdfast.core.dataset import Shard
from holdfast.core.engine import commit


@dataclass(slots=True)
class Identities:
    """Hashes of all ids in order, and which of them were given by the rows."""

    hashes: list[np.ndarray] = field(default_factory=list)
    given: list[np.ndarray] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)

    def assign(self, table: pa.Table, name: str) -> pa.Table:
        """Return the table with `name:row` wherever the row gave no id."""
        ids = table.column("id").to_pylist()
        given = np.array([one is not None for one in ids], dtype=bool)
        self.names[table.column("input")[0].as_py()] = name
        if not given.all():
            rows = table.column("row").to_pylist()
            ids = [f"{name}:{row}" if one is None else one for one, row in zip(ids, rows, strict=True)]
            table = table.set_column(0, table.schema.field(0), pa.array(ids, type=pa.string()))
        self.hashes.append(np.fromiter(map(hash, ids), dtype=np.int64, count=len(ids)))
        self.given.append(given)
        return table

    def settle(self, shards: Sequence[Shard]) -> tuple[Shard, ...]:
        """Give `file:row` to all records whose given id another record has too; return the shards."""
        if not self.hashes:
            return tuple(shards)
        hashes, given = np.concatenate(self.hashes), np.concatenate(self.given)
        # A new name may meet a given one, so that this repeats until nothing given is doubled; each round settles some.
        while (doubled := given & _repeated(hashes)).any():
            for shard in shards:
                here = slice(shard.first, shard.first + shard.rows)
                if doubled[here].any():
                    hashes[here] = self._rename(shard, doubled[here])
            given &= ~doubled
        return tuple(shards)

    def _rename(self, shard: Shard, doubled: np.ndarray) -> np.ndarray:
        table = shard.table()
        inputs, rows = table.column("input").to_pylist(), table.column("row").to_pylist()
        ids = table.column("id").to_pylist()
        for at in np.flatnonzero(doubled).tolist():
            ids[at] = f"{self.names[inputs[at]]}:{rows[at]}"
        commit(shard.path, table.set_column(0, table.schema.field(0), pa.array(ids, type=pa.string())))
        return np.fromiter(map(hash, ids), dtype=np.int64, count=len(ids))


def _repeated(hashes: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    repeated: np.ndarray = counts[inverse] > 1
    return repeated
