"""Vendi score and RKE of 200,000 unit vectors of 384 dimensions, both from the small matrix of the dual form."""

from bench.peers.contest import Contestant, Operation, Row, Target

NOTE = """By default `vendi-score` scales vectors to unit length, which these have already; told not to, it makes the
very product that ours makes. It sums in the precision of the vectors (float32), ours in float64: hence the
difference."""


def contestants(scale: str) -> list[Contestant]:
    """Both orders on the same vectors; one thread each, since BLAS threads that wait for each other count as work."""
    corpus = "vectors20k" if scale == "small" else "vectors200k"
    ours = [
        Contestant("ours-vendi", "Holdfast, Vendi", corpus, "vendi", runs=5, threads=1),
        Contestant("ours-rke", "Holdfast, RKE", corpus, "rke", runs=5, threads=1),
    ]
    return ours + [
        Contestant(key, label, corpus, "kernel_vendi", "vendi-score", options, runs=5, threads=1)
        for key, label, options in (
            ("vendi", "vendi-score dual, order 1, as called by default", ("1",)),
            ("rke", "vendi-score dual, order 2, as called by default", ("2",)),
            ("vendi-unit", "vendi-score dual, order 1, told not to scale", ("1", "unit")),
            ("rke-unit", "vendi-score dual, order 2, told not to scale", ("2", "unit")),
        )
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
    (
        Target("ours-vendi", "vendi", 1.7),
        Target("ours-rke", "rke", 2.0),
        Target("ours-vendi", "vendi-unit", 1.7),
        Target("ours-rke", "rke-unit", 2.0),
    ),
    compare=compare,
    notes=(NOTE,),
)
