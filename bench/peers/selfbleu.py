"""Self-BLEU-4: each document against all others. NLTK grows with the square of the documents, ours with their words."""

from bench.peers.contest import Contestant, Operation, Row, Target

FEW, MANY = "200", "20000"
# Promised is "20 k documents in seconds", which is taken for fewer than ten.
SECONDS = 10.0


def contestants(_: str) -> list[Contestant]:
    """Both on 200 documents, where NLTK ends in minutes, and ours on 20,000."""
    return [
        Contestant("ours", "Holdfast", "mix60k", "self-bleu", options=(FEW,)),
        Contestant("ours-20k", "Holdfast", "mix60k", "self-bleu", options=(MANY,)),
        Contestant("nltk", "NLTK, smoothing 1", "mix60k", "selfbleu_nltk", "nltk", (FEW,), runs=1),
    ]


def compare(rows: dict[str, Row]) -> None:
    """Note how far the two values are apart, and how long ours takes for many."""
    rows["ours-20k"].answer["seconds"] = rows["ours-20k"].wall_seconds
    if rows["ours"].answer and rows["nltk"].answer:
        rows["ours"].answer["off_peer"] = round(abs(rows["ours"].answer["value"] - rows["nltk"].answer["value"]), 8)


OPERATION = Operation(
    "self-bleu",
    "Self-BLEU-4",
    contestants,
    (Target("ours", field="off_peer", most=1e-4), Target("ours-20k", field="seconds", most=SECONDS)),
    compare=compare,
)
