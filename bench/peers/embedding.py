"""Embedding: 400 documents with MiniLM (all-MiniLM-L6-v2, 256 tokens at most), processor only."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers.contest import FOLDER, Contestant, Operation, Target
from bench.peers.environments import OURS

DOCUMENTS = "400"
REFERENCE = FOLDER / "reference.npy"


def contestants(_: str) -> list[Contestant]:
    """The default of sentence-transformers first: its vectors are what the others are held against."""
    peer = "embed_sentence_transformers"
    return [
        Contestant(
            "default", "sentence-transformers, default", "mix12k", peer, "sentence-transformers", (DOCUMENTS,), runs=1
        ),
        Contestant(
            "bf16",
            "sentence-transformers, bf16 weights",
            "mix12k",
            peer,
            "sentence-transformers",
            (DOCUMENTS, "bf16"),
            runs=1,
        ),
        Contestant("ours", "Holdfast, `minilm`", "mix12k", "embedding", OURS, options=(DOCUMENTS,), runs=1),
    ]


def judge(contestant: Contestant, folder: Path) -> Mapping[str, Any]:
    """Return the lowest cosine of any document's vector to that of the default."""
    vectors = np.load(folder / "vectors.npy")
    if contestant.key == "default":
        np.save(REFERENCE, vectors)
    return {"cosine": round(float((vectors * np.load(REFERENCE)).sum(axis=1).min()), 6)}


OPERATION = Operation(
    "embedding",
    "Embedding with MiniLM",
    contestants,
    (
        Target("ours", "default", 3.5),
        Target("ours", "default", 3.5, "wall"),
        Target("ours", "bf16", 1.0),
        Target("ours", field="cosine", least=0.9998),
    ),
    judge,
    notes=("The promise is for a processor with AMX; what this one can do stands at the top of the page.",),
)
