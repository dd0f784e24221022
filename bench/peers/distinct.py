"""Distinct-1 to distinct-4: distinct runs of words over all runs, no run crossing from one document into the next."""

from bench.peers.contest import Contestant, Operation, Row, Target


def contestants(scale: str) -> list[Contestant]:
    """Run polars on everything, plain Python on a quarter, `diversity` on a twentieth."""
    large, middle = ("mix12k", "mix12k") if scale == "small" else ("mix", "mix60k")
    return [
        Contestant("ours", "Holdfast", large, "distinct"),
        Contestant("ours-cold", "Holdfast, start-up and compile included", large, "distinct", cold=True, runs=1),
        Contestant("ours-part", "Holdfast", middle, "distinct", runs=1),
        Contestant(
            "ours-exact", "Holdfast, counted exactly (reference)", middle, "distinct", options=("exact",), runs=1
        ),
        Contestant("polars", "polars, exact", large, "distinct_polars", "polars"),
        Contestant(
            "polars-approximate", "polars, approx_n_unique", large, "distinct_polars", "polars", ("approximate",)
        ),
        Contestant("python", "Python sets of tuples", middle, "distinct_python", "xxhash", runs=1),
        Contestant(
            "diversity", "diversity, ngram_diversity_score", "mix12k", "distinct_diversity", "diversity", runs=1
        ),
    ]


def compare(rows: dict[str, Row]) -> None:
    """Note how far sketched figures are off the exact ones of the same words; ours takes CJK text by character."""
    for key, other in (("ours-part", "ours-exact"), ("polars-approximate", "polars")):
        mine, exact = rows[key].answer.get("distinct"), rows[other].answer.get("distinct")
        if mine and exact:
            off = max(abs(one / other - 1.0) for one, other in zip(mine, exact, strict=True))
            rows[key].answer["off_exact"] = round(off, 6)


OPERATION = Operation(
    "distinct",
    "Distinct-1 to distinct-4",
    contestants,
    (
        Target("ours", "polars", 3.0),
        Target("ours", "diversity", 50.0),
        Target("ours-part", field="off_exact", most=0.005),
    ),
    compare=compare,
)
