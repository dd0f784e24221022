"""polars: lower case, white space folded by a regular expression, hashed, counted."""

import polars as pl

from bench.peers.tools.meter import Meter, arguments


def main() -> None:
    """Count the documents beyond the first of each group."""
    path, _, options = arguments()
    frame = pl.read_parquet(path, columns=["text"])
    meter = Meter()
    text = pl.col("text")
    if "raw" not in options:
        text = text.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    with meter.running():
        distinct = frame.select(text.hash().n_unique()).item()
    meter.tell(beyond=frame.height - distinct, threads=pl.thread_pool_size())


if __name__ == "__main__":
    main()
