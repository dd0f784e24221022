"""Exact duplicates after normalisation: one count over the same texts.

The peers fold case and Unicode white space. Ours also composes to NFC and drops characters nobody sees, so it may find
a few more; its reference does the same in plain Python, text by text, and must give the same count.
"""

from bench.peers.contest import Contestant, Operation, Row, Target


def contestants(scale: str) -> list[Contestant]:
    """Everybody on the same corpus."""
    corpus = "mix12k" if scale == "small" else "mix"
    return [
        Contestant("ours", "Holdfast", corpus, "exact"),
        Contestant("ours-cold", "Holdfast, start-up and compile included", corpus, "exact", cold=True),
        Contestant(
            "reference", "Holdfast's reference in plain Python", corpus, "exact", options=("reference",), runs=1
        ),
        Contestant("polars", "polars: lower, regex, hash", corpus, "exact_polars", "polars"),
        Contestant("polars-raw", "polars: hash, nothing normalised", corpus, "exact_polars", "polars", ("raw",)),
        Contestant("duckdb", "DuckDB: lower, regex, md5", corpus, "exact_duckdb", "duckdb"),
        Contestant("xxh3", "Python: split, join, xxh3", corpus, "exact_python", "xxhash"),
        Contestant("sha256", "Python: split, join, SHA-256", corpus, "exact_python", "xxhash", ("sha256",)),
    ]


def compare(rows: dict[str, Row]) -> None:
    """Note how many documents ours and its reference differ by."""
    if rows["ours"].answer and rows["reference"].answer:
        rows["ours"].answer["differs"] = abs(rows["ours"].answer["beyond"] - rows["reference"].answer["beyond"])


OPERATION = Operation(
    "exact",
    "Exact duplicates, case and white space folded",
    contestants,
    (Target("ours", "polars", 3.0), Target("ours", field="differs", most=0)),
    compare=compare,
)
