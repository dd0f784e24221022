"""daft: its `normalize` and `minhash` expressions; bands compared in numpy, since it has no step for that."""

from collections.abc import Iterator

import daft
import numpy as np
from daft.functions import minhash, regexp_replace

from bench.peers.tools.meter import Meter, arguments, components, keep

BANDS, ROWS = 16, 8


def main() -> None:
    """Sketch by expression, then cluster equal bands."""
    path, folder, _ = arguments()
    frame = daft.read_parquet(str(path)).select("text").collect()
    meter = Meter()
    with meter.running("sketch"):
        text = regexp_replace(daft.col("text").lower(), r"[^\p{L}\p{N}]+", " ")
        sketches = frame.select(minhash(text, num_hashes=BANDS * ROWS, ngram_size=5, hash_function="xxhash"))
        column = sketches.to_arrow()["text"].combine_chunks()
        matrix = column.values.to_numpy().reshape(-1, BANDS, ROWS)
    with meter.running("cluster"):
        labels = components(groups(matrix), len(matrix))
    meter.tell(beyond=keep(labels, folder), threads="all cores")


def groups(matrix: "np.ndarray[tuple[int, ...], np.dtype[np.uint32]]") -> Iterator[list[int]]:
    """Yield the documents that agree in a whole band."""
    for band in range(BANDS):
        keys = np.ascontiguousarray(matrix[:, band, :]).view(f"V{4 * ROWS}").ravel()
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.concatenate([[True], keys[order][1:] != keys[order][:-1]]))
        for start, stop in zip(starts, np.append(starts[1:], len(order)), strict=True):
            if stop - start > 1:
                yield order[start:stop].tolist()


if __name__ == "__main__":
    main()
