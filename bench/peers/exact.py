"""Exact duplicates after normalisation: one count over the same texts.

The peers fold case and Unicode white space. Ours also composes to NFC and drops characters nobody sees, so it may find
a few more; the plain-Python reference that it must equal is in the tests of `core.text`.
"""

from bench.peers.contest import Contestant, Operation, Target


def contestants(scale: str) -> list[Contestant]:
    """Everybody on the same corpus."""
    corpus = "mix12k" if scale == "small" else "mix"
    return [
        Contestant("ours", "Holdfast", corpus, "exact", runs=5),
        Contestant("ours-cold", "Holdfast, start-up and compile included", corpus, "exact", cold=True),
        Contestant("polars", "polars: lower, regex, hash", corpus, "exact_polars", "polars", runs=5),
        Contestant("polars-raw", "polars: hash, nothing normalised", corpus, "exact_polars", "polars", ("raw",)),
        Contestant("duckdb", "DuckDB: lower, regex, md5", corpus, "exact_duckdb", "duckdb"),
        Contestant("xxh3", "Python: split, join, xxh3", corpus, "exact_python", "xxhash"),
        Contestant("sha256", "Python: split, join, SHA-256", corpus, "exact_python", "xxhash", ("sha256",)),
    ]


OPERATION = Operation(
    "exact",
    "Exact duplicates, case and white space folded",
    contestants,
    (Target("ours", "polars", 3.0),),
)
