"""The audit of 52,000 instruction records with every rule and metric: the whole command, which no peer has."""

from bench.peers.contest import Contestant, Operation, Target


def contestants(_: str) -> list[Contestant]:
    """The command once more with no compiled code kept."""
    return [
        Contestant("ours", "holdfast audit, all rules and metrics", "instruct", "audit"),
        Contestant("ours-cold", "the same, start-up and compile included", "instruct", "audit", cold=True, runs=1),
    ]


OPERATION = Operation(
    "audit",
    "Audit of 52,000 instruction records",
    contestants,
    (Target("ours", field="seconds", most=20.0),),
    notes=("Its anchor is `instruct/oasst_subset`, its held-out set the 1,319 questions of GSM8K.",),
)
