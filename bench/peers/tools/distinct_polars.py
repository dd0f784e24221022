"""polars: distinct runs of 1 to 4 words over all documents, counted exactly, on hashes of the words."""

import polars as pl

from bench.peers.tools.meter import Meter, arguments

STEP = 0x9E3779B97F4A7C15
LONGEST = 4


def main() -> None:
    """Count runs and distinct runs."""
    path, _, options = arguments()
    frame = pl.read_parquet(path, columns=["text"]).with_row_index("document")
    meter = Meter()
    with meter.running():
        words = frame.select("document", pl.col("text").str.to_lowercase().str.extract_all(r"[\p{L}\p{N}]+"))
        words = words.explode("text", empty_as_null=False, keep_nulls=False)
        words = words.select("document", pl.col("text").hash().alias("word"))
        ratios = [ratio(words, size, "approximate" in options) for size in range(1, LONGEST + 1)]
    meter.tell(distinct=ratios, threads=pl.thread_pool_size())


def ratio(words: pl.DataFrame, size: int, approximate: bool) -> float:
    """Return distinct runs over runs; no run crosses from one document into the next."""
    run = pl.col("word")
    for place in range(1, size):
        run = run * pl.lit(STEP, pl.UInt64) + pl.col("word").shift(-place)
    inside = pl.col("document") == pl.col("document").shift(1 - size)
    runs = words.select(run.filter(inside).alias("run"))
    types = pl.col("run").approx_n_unique() if approximate else pl.col("run").n_unique()
    return float(runs.select(types / pl.len()).item())


if __name__ == "__main__":
    main()
