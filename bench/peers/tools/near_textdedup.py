"""text-dedup: its MinHash command in this process, with the faster of its two hashes, at 32 bits.

It cuts words at every character that is none and counts the empty ones between; so it gets the words that all others
get, joined by blanks, before the meter runs.
"""

import os
from array import array

import pyarrow as pa
from pyarrow import parquet
from text_dedup import minhash

from bench.peers.tools.meter import Meter, arguments, keep, texts, words

LENGTH = 5


def main() -> None:
    """Run the command, and read its clusters from its own union-find."""
    path, folder, options = arguments()
    documents = [" ".join(words(text)) for text in texts(path)]
    source = folder / "input.parquet"
    parquet.write_table(pa.table({"text": documents}), source)
    command = ["--path", "parquet", "--data_files", str(source), "--split", "train"]
    command += ["--cache_dir", str(folder / "cache")]
    command += ["--output", str(folder / "output"), "--column", "text", "--ngram", str(LENGTH), "--min_length", "1"]
    command += ["--num_perm", "128", "--b", "16", "--r", "8", "--threshold", options[0], "--hash_func", "xxh3"]
    command += ["--hash_bits", "32", "--num_proc", str(os.cpu_count())]
    meter = Meter()
    with meter.running():
        minhash.main(command, standalone_mode=False)
    labels = array("q", (minhash.uf.find(number) for number in range(len(documents))))
    meter.tell(beyond=keep(labels, folder), threads=f"{os.cpu_count()} processes")


if __name__ == "__main__":
    main()
