"""polars: words hashed into one column, runs of 13 by shifted columns, a semi-join with those of the items."""

import polars as pl

from bench.peers.tools.meter import Meter, arguments, flag, questions

SIZE = 13
STEP = 0x9E3779B97F4A7C15
BATCH = 20_000


def main() -> None:
    """Flag each document that shares 13 words in a row with a question."""
    path, folder, _ = arguments()
    frame = pl.read_parquet(path, columns=["text"]).with_row_index("document")
    items = pl.DataFrame({"text": questions(path)}).with_row_index("document")
    meter = Meter()
    flagged: list[int] = []
    with meter.running("index"):
        known = runs(items).select("run").unique()
    with meter.running("scan"):
        for start in range(0, frame.height, BATCH):
            found = runs(frame.slice(start, BATCH)).join(known, on="run", how="semi")
            flagged += found["document"].unique().sort().to_list()
    meter.tell(flagged=flag(flagged, folder), threads=pl.thread_pool_size())


def runs(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a row per run of words: its document and a hash of the run."""
    words = (
        frame.select("document", pl.col("text").str.to_lowercase().str.extract_all(r"[\p{L}\p{N}]+"))
        .explode("text", empty_as_null=False, keep_nulls=False)
        .select("document", pl.col("text").hash().alias("word"))
    )
    run = pl.col("word")
    for place in range(1, SIZE):
        run = run * pl.lit(STEP, pl.UInt64) + pl.col("word").shift(-place)
    inside = pl.col("document") == pl.col("document").shift(1 - SIZE)
    return words.select("document", run.alias("run"), inside.alias("inside")).filter("inside").drop("inside")


if __name__ == "__main__":
    main()
