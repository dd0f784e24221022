"""text-dedup: its MinHash command in this process, all options as it ships them but the faster of its two hashes."""

import os
import sys
from array import array
from pathlib import Path

from text_dedup import minhash

from bench.peers.tools.meter import Meter, arguments, keep

LENGTH = 5


def main() -> None:
    """Run the command, and read its clusters from its own union-find."""
    path, folder, options = arguments()
    command = ["--path", "parquet", "--data_files", str(path), "--split", "train", "--cache_dir", str(folder / "cache")]
    command += ["--output", str(folder / "output"), "--column", "text", "--ngram", str(LENGTH), "--min_length", "1"]
    command += ["--num_perm", "128", "--b", "16", "--r", "8", "--threshold", options[0], "--hash_func", "xxh3"]
    command += ["--hash_bits", "32", "--num_proc", str(os.cpu_count())]
    meter = Meter()
    with meter.running():
        minhash.main(command, standalone_mode=False)
    size = sum(1 for _ in rows(path))
    labels = array("q", (minhash.uf.find(number) for number in range(size)))
    meter.tell(beyond=keep(labels, folder), threads=f"{os.cpu_count()} processes")


def rows(path: Path) -> range:
    """Return one number per document."""
    from pyarrow import parquet  # noqa: PLC0415 - read after the measured run only

    return range(parquet.ParquetFile(path).metadata.num_rows)


if __name__ == "__main__":
    sys.exit(main())
