"""Near-duplicates with clusters: word 5-grams, Jaccard 0.7; sketches of 128 values in 16 bands of 8 where one is used.

The judge knows the exact Jaccard similarity. Recall: of the planted pairs that truly reach the threshold, the share
that a tool puts into one cluster. Precision: of the documents beyond the first of each cluster, the share that truly
reaches it with another one of the cluster. Inside: of random pairs inside the clusters, the share that reaches it.
Words are runs of letters and digits, for everybody: who cuts words in his own way gets these, joined by blanks.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import parquet

from bench.peers.contest import FOLDER, Contestant, Operation, Series, Target
from bench.peers.corpora import corpus
from bench.peers.tools.meter import shingles

THRESHOLD = 0.7
SAMPLE = 2_000


def contestants(scale: str) -> list[Contestant]:
    """The fast ones on everything, datasketch and text-dedup on a quarter, datatrove on a twentieth."""
    large, middle = ("mix12k", "mix12k") if scale == "small" else ("mix", "mix60k")
    few = 1 if scale == "full" else 3
    return [
        Contestant("ours", "Holdfast, exact join", large, "near"),
        Contestant("ours-minhash", "Holdfast, MinHash 25x5 and comparison", large, "near", options=("minhash",)),
        Contestant(
            "ours-cold", "Holdfast, exact join, start-up and compile included", large, "near", cold=True, runs=1
        ),
        Contestant("rensa", "rensa, fed from Python", large, "near_rensa", "rensa", ("python", "0.7"), runs=few),
        Contestant("rensa-rho", "rensa rho batch (flags only)", large, "near_rensa", "rensa", ("rho", "0.7"), runs=few),
        Contestant(
            "rensa-flat", "rensa, given shingle hashes (flags only)", large, "near_rensa", "rensa", ("flat", "0.7")
        ),
        Contestant("daft", "daft minhash, bands in numpy", large, "near_daft", "daft", runs=few),
        Contestant("datasketch", "datasketch", middle, "near_datasketch", "datasketch", runs=1),
        Contestant("text-dedup", "text-dedup, 2 processes", middle, "near_textdedup", "text-dedup", ("0.7",), runs=1),
        Contestant("datatrove", "datatrove, 2 processes", "mix12k", "near_datatrove", "datatrove", runs=1),
    ]


def prepare(scale: str) -> None:
    """Lay the shingle hashes beside the corpus for the peer that takes a buffer."""
    name = "mix12k" if scale == "small" else "mix"
    if not corpus(name).path.with_suffix(".offsets.npy").exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        Series(Contestant("shingle-buffer", "", name, "shingle-buffer", runs=1)).run(
            Operation("shingle-buffer", "Shingle hashes", contestants)
        )


def judge(contestant: Contestant, folder: Path) -> Mapping[str, Any]:
    """Return recall over the planted pairs and precision of what is removed, each with its n, and what is inside."""
    if not (folder / "labels.bin").exists():
        return {}
    name, labels = contestant.corpus, np.fromfile(folder / "labels.bin", np.int64)
    pairs, similar = planted(name)
    together = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    right = [has_partner(name, labels, document) for document in removed(labels).tolist()]
    judged = {
        "recall": round(float(together[similar].mean()), 4),
        "recall_n": int(similar.sum()),
        "precision": round(float(np.mean(right)), 4),
        "precision_n": len(right),
        "inside": share_similar(name, sampled(labels)),
    }
    if (folder / "pairs.bin").exists():
        reported = np.fromfile(folder / "pairs.bin", np.int64).reshape(-1, 2)
        chosen = np.random.default_rng(1).choice(len(reported), min(SAMPLE, len(reported)), replace=False)
        judged["pair_precision"] = share_similar(name, reported[chosen])
    return judged


def removed(labels: Any) -> Any:
    """Return a sample of the documents beyond the first of each cluster."""
    beyond = np.flatnonzero(labels != np.arange(labels.size))
    return np.random.default_rng(1).choice(beyond, min(SAMPLE, beyond.size), replace=False)


def has_partner(name: str, labels: Any, document: int) -> bool:
    """Return whether a document truly reaches the threshold with any other one of its cluster."""
    others = np.flatnonzero(labels == labels[document]).tolist()
    return any(other != document and jaccard(name, document, other) >= THRESHOLD for other in others)


def share_similar(name: str, pairs: Any) -> float:
    """Return the share of pairs that truly reach the threshold."""
    return round(float(np.mean([jaccard(name, *pair) >= THRESHOLD for pair in pairs.tolist()])), 4)


@cache
def planted(name: str) -> tuple[Any, Any]:
    """Return the planted pairs and which of them reach the threshold."""
    source = parquet.read_table(corpus(name).truth)["source"].to_numpy()
    pairs = np.stack([source, np.arange(source.size)], axis=1)[source >= 0]
    return pairs, np.array([jaccard(name, *pair) >= THRESHOLD for pair in pairs.tolist()])


def sampled(labels: Any) -> Any:
    """Return random pairs of documents of one cluster: a random clustered document and another one beside it."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], labels, "left")
    sizes = np.searchsorted(labels[order], labels, "right") - starts
    random = np.random.default_rng(1)
    clustered = np.flatnonzero(sizes > 1)
    left = random.choice(clustered, SAMPLE)
    # The places of the left ones in their clusters are left out, so that no document meets itself.
    place = np.argsort(order)[left] - starts[left]
    drawn = random.integers(0, sizes[left] - 1)
    return np.stack([left, order[starts[left] + drawn + (drawn >= place)]], axis=1)


@cache
def documents(name: str) -> Any:
    """Return the texts of a corpus."""
    return parquet.read_table(corpus(name).path, columns=["text"])["text"]


def jaccard(name: str, left: int, right: int) -> float:
    """Return the exact Jaccard similarity of two documents."""
    one, other = shingle_set(name, left), shingle_set(name, right)
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


@lru_cache(maxsize=200_000)
def shingle_set(name: str, row: int) -> frozenset[int]:
    """Return the hashes of a document's shingles; 64 bits, so that two different ones do not look equal."""
    return frozenset(map(hash, shingles(documents(name)[row].as_py(), 5)))


OPERATION = Operation(
    "near",
    "Near-duplicates with clusters, word 5-grams, Jaccard 0.7",
    contestants,
    (
        Target("ours-minhash", "rensa", 3.0),
        Target("ours", "rensa", 2.0),
        *(Target(ours, "datasketch", 10.0) for ours in ("ours", "ours-minhash")),
        *(Target(ours, "text-dedup", 30.0) for ours in ("ours", "ours-minhash")),
        *(
            Target(ours, field=field, least=0.99)
            for ours in ("ours", "ours-minhash")
            for field in ("recall", "precision", "pair_precision", "inside")
        ),
    ),
    judge,
    prepare,
)
