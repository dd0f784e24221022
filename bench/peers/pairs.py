"""Semantic pairs: all pairs of vectors at or above a cosine of 0.95, from the same 384-dimensional vectors."""

from bench.peers.contest import Contestant, Operation, Row, Target

COSINE = ("0.95",)


def contestants(scale: str) -> list[Contestant]:
    """Run faiss at both sizes, semhash at the smaller: it answers with removed records instead of pairs."""
    large = "vectors20k" if scale == "small" else "vectors50k"
    return [
        Contestant("ours", "Holdfast, exact", large, "pairs", options=COSINE, runs=1),
        Contestant("ours-20k", "Holdfast, exact", "vectors20k", "pairs", options=COSINE),
        Contestant("faiss", "faiss flat", large, "pairs_faiss", "faiss", COSINE, runs=1),
        Contestant("faiss-20k", "faiss flat", "vectors20k", "pairs_faiss", "faiss", COSINE),
        Contestant(
            "semhash-20k", "semhash, given the vectors", "vectors20k", "pairs_semhash", "semhash", COSINE, runs=1
        ),
    ]


def compare(rows: dict[str, Row]) -> None:
    """Note the share of the exact pairs that ours found."""
    for ours, exact in (("ours", "faiss"), ("ours-20k", "faiss-20k")):
        if rows[ours].answer.get("pairs") is not None and rows[exact].answer.get("pairs"):
            rows[ours].answer["recall"] = round(rows[ours].answer["pairs"] / rows[exact].answer["pairs"], 4)


OPERATION = Operation(
    "pairs",
    "Semantic pairs, cosine 0.95",
    contestants,
    (
        Target("ours", "faiss", 1.5),
        Target("ours", "faiss", 1.5, "wall"),
        Target("ours-20k", "faiss-20k", 1.5),
        Target("ours", field="recall", least=0.9999),
    ),
    compare=compare,
    notes=("Exact search is quadratic: figures per document compare only rows of the same size.",),
)
