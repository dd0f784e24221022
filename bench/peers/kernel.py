"""Vendi score and RKE of 200,000 unit vectors of 384 dimensions, both from the small matrix of the dual form."""

from bench.peers.contest import Contestant, Operation, Row, Target

CLOSE = 1e-6


def contestants(scale: str) -> list[Contestant]:
    """Both orders on the same vectors; one thread each, since BLAS threads that wait for each other count as work."""
    corpus = "vectors20k" if scale == "small" else "vectors200k"
    return [
        Contestant("ours-vendi", "Holdfast, Vendi", corpus, "vendi", runs=7, threads=1),
        Contestant("ours-rke", "Holdfast, RKE", corpus, "rke", runs=7, threads=1),
        Contestant(
            "vendi", "vendi-score dual, order 1", corpus, "kernel_vendi", "vendi-score", ("1",), runs=7, threads=1
        ),
        Contestant(
            "rke", "vendi-score dual, order 2", corpus, "kernel_vendi", "vendi-score", ("2",), runs=7, threads=1
        ),
    ]


def compare(rows: dict[str, Row]) -> None:
    """Note how far each value is from that of the peer."""
    for ours, peer in (("ours-vendi", "vendi"), ("ours-rke", "rke")):
        if rows[ours].answer and rows[peer].answer:
            rows[ours].answer["off_peer"] = abs(rows[ours].answer["value"] / rows[peer].answer["value"] - 1.0)


OPERATION = Operation(
    "kernel",
    "Vendi score and RKE",
    contestants,
    (Target("ours-vendi", "vendi", 1.7), Target("ours-rke", "rke", 2.0)),
    compare=compare,
    notes=("`vendi-score` works in the precision of the vectors (float32), so the two values differ by its rounding.",),
)
