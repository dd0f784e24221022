"""Encoding, pair search and the meaning of thresholds, measured; results in results/semantic.json.

    python -m bench.semantic embed TEXTS.jsonl       our encoder on a file of JSON strings, one a line; prints JSON
    python -m bench.semantic pairs VECTORS.npy       our pair search on unit vectors; prints JSON
    python -m bench.semantic thresholds              what pairs of known meaning reach which cosine
    python -m bench.semantic all [--peers PYTHON]    all of it, on inputs made here from ../shared/data; writes results

PYTHON is the interpreter of an environment with sentence-transformers and faiss-cpu; it runs bench/semantic_peers.py
on the same inputs. CPU seconds are those of the step itself, model loading and imports excluded, on both sides. Where
OPENBLAS_NUM_THREADS and OMP_NUM_THREADS are 1, waiting for other programs on the machine does not count as work.
"""

import argparse
import gzip
import json
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.dedup import cosine, partition
from holdfast.dedup.semantic import THRESHOLD, paraphrases
from holdfast.models.encoders import open_encoder
from holdfast.models.minilm import open_minilm

Vectors = npt.NDArray[np.float32]
Table = dict[str, Any]

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
WORK = Path(".bench")
RESULT = Path(__file__).parent / "results" / "semantic.json"
LEVELS = (0.7, 0.75, 0.8, 0.85, 0.9, 0.92, 0.95, 0.97)
# Texts for the speed of encoding: prose, questions with solutions, paragraphs of documentation.
MIXTURE = {"text/gutenberg": 100, "instruct/gsm8k_train": 400, "neardup/pydocs_revisions": 300}
SIZES = (20_000, 60_000, 300_000)


def rows(name: str, most: int | None = None) -> list[Any]:
    """Return the first records of a shared file."""
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for _, line in zip(range(most or 10**9), file, strict=False)]


def measured(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return (result, CPU seconds, wall seconds) of a step of this process."""
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    result = work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return result, round(cpu, 2), round(time.monotonic() - start, 2)


def embed(path: Path) -> Table:
    """Encode the texts of a file in the processor's best precision, and say how near that is to float32."""
    texts = pa.array([json.loads(line) for line in path.read_text("utf-8").splitlines()])
    encoder, exact = open_minilm(), open_minilm("f32")
    encoder.encode(texts[:8])
    vectors, cpu, wall = measured(lambda: encoder.encode(texts))
    reference, slow, _ = measured(lambda: exact.encode(texts))
    np.save(path.with_suffix(".npy"), reference)
    least = float((vectors * reference).sum(axis=1).min())
    return {
        "encoder": encoder.name,
        "texts": len(texts),
        "cpu_seconds": cpu,
        "wall_seconds": wall,
        "float32_cpu_seconds": slow,
        "minimum_cosine_to_float32": round(least, 6),
        "has_amx": "amx_bf16" in Path("/proc/cpuinfo").read_text("utf-8"),
    }


def pairs(path: Path, threshold: float) -> Table:
    """Find the pairs of a file of vectors: all up to 250 k; beyond, by partition, with its measured recall."""
    vectors = np.load(path)
    search = cosine.similar_pairs if len(vectors) <= cosine.MOST_EXACT else partition.partitioned_pairs
    found, cpu, wall = measured(lambda: search(vectors, threshold))
    kept = {
        "threshold": threshold,
        "pairs": len(found.left),
        "skipped": found.skipped,
        "recall": round(found.recall, 4),
    }
    return {"vectors": len(vectors), "cpu_seconds": cpu, "wall_seconds": wall, **kept}


def thresholds() -> Table:
    """Return how many pairs of known meaning reach each cosine, and how far up paraphrases are found."""
    told = {name: {"pairs": len(scores), **_reached(scores)} for name, scores in _labelled()}
    right, wrong = told["answers to one question, both right"], told["answers to one question, one of them wrong"]
    hits = {level: (right[level] * right["pairs"], wrong[level] * wrong["pairs"]) for level in map(str, LEVELS)}
    precision = {level: round(good / max(good + bad, 1e-9), 3) for level, (good, bad) in hits.items()}
    return {"share of pairs at or above": told, "precision on answers": precision, "planted paraphrases": planted()}


def _reached(scores: npt.NDArray[Any]) -> dict[str, Any]:
    return {str(level): round(float((scores >= level).mean()), 4) for level in LEVELS}


def _labelled() -> Iterator[tuple[str, npt.NDArray[Any]]]:
    encoder = open_encoder("minilm")

    def encode(texts: list[str]) -> Vectors:
        return encoder.encode(pa.array(texts))

    revised = rows("neardup/pydocs_revisions", 1500)
    old, new = encode([row["old"] for row in revised]), encode([row["new"] for row in revised])
    jaccard, alike = np.array([row["jaccard5"] for row in revised]), (old * new).sum(axis=1)
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.01)):
        yield (
            f"revised paragraphs, 5-gram Jaccard {low:.1f} to {min(high, 1.0):.1f}",
            alike[(jaccard >= low) & (jaccard < high)],
        )
    yield "different paragraphs of one documentation", _different(old)
    answers = rows("multigen/qa_eval_nq", 4000)
    yield from _answers(answers, encode([row["answer"] for row in answers]))
    yield "different questions (NQ)", _different(encode(sorted({row["question"] for row in answers})))
    yield (
        "different problems (GSM8K)",
        _different(encode([row["question"] for row in rows("instruct/gsm8k_train", 2000)])),
    )


def _different(vectors: Vectors) -> npt.NDArray[Any]:
    scores: npt.NDArray[Any] = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return scores


def _answers(answers: list[Any], vectors: Vectors) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    groups = defaultdict(list)
    for place, row in enumerate(answers):
        groups[row["prompt_id"]].append(place)
    scores: dict[int, list[float]] = {1: [], 2: []}
    for members in groups.values():
        for one, other in combinations(members, 2):
            right = answers[one]["human_correct"] + answers[other]["human_correct"]
            if right:
                scores[right].append(float(vectors[one] @ vectors[other]))
    yield "answers to one question, both right", np.array(scores[2])
    yield "answers to one question, one of them wrong", np.array(scores[1])


def planted() -> Table:
    """Hide revisions of held-out paragraphs that share few words with them among 4,000 other texts; find them."""
    low = [row for row in rows("neardup/pydocs_revisions") if row["jaccard5"] < 0.5][:200]
    others = [row["question"] for row in rows("instruct/gsm8k_train", 2000)]
    others += [row["answer"] for row in rows("multigen/qa_eval_nq", 2000)]
    records, items = pa.array([row["new"] for row in low] + others), pa.array([row["old"] for row in low])
    encoder = open_encoder("minilm")
    table: Table = {"items": len(low), "other records": len(others)}
    for level in LEVELS:
        found = paraphrases(records, items, encoder, level)
        own = len(np.unique(found.record[found.record == found.item]))
        table[str(level)] = {
            "recall": round(own / len(low), 3),
            "false records": len(np.unique(found.record[found.record >= len(low)])),
        }
    return table


def texts_file(folder: Path) -> Path:
    """Write the texts that encoding is timed on."""
    folder.mkdir(exist_ok=True)
    path = folder / "texts.jsonl"
    texts = [
        row.get("text") or row.get("old") or f"{row['question']} {row['solution']}"
        for name, most in MIXTURE.items()
        for row in rows(name, most)
    ]
    path.write_text("".join(json.dumps(text) + "\n" for text in texts), "utf-8")
    return path


def vectors_file(folder: Path, base: Vectors, count: int) -> Path:
    """Write mixtures of real vectors, one in twenty a copy of another with noise (cosine about .85 to .99); seeded."""
    rng = np.random.default_rng(count)
    made = np.empty((count, base.shape[1]), np.float32)
    for first in range(0, count, 20_000):
        part = made[first : first + 20_000]
        weights = rng.dirichlet(np.full(4, 0.7), len(part)).astype(np.float32)
        part[:] = np.einsum("nk,nkd->nd", weights, base[rng.integers(len(base), size=(len(part), 4))])
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    source, target = rng.integers(count, size=(2, count // 20))
    noise = rng.normal(size=(len(source), base.shape[1])).astype(np.float32)
    noise *= rng.uniform(0.1, 0.6, (len(source), 1)).astype(np.float32) / np.linalg.norm(noise, axis=1, keepdims=True)
    made[target] = made[source] + noise
    made[target] /= np.linalg.norm(made[target], axis=1, keepdims=True)
    path = folder / f"vectors-{count}.npy"
    np.save(path, made)
    return path


def peer(python: str | None, *arguments: str) -> Table | None:
    """Run the peers on the same input in their own environment."""
    if python is None:
        return None
    script = str(Path(__file__).with_name("semantic_peers.py"))
    done = subprocess.run([python, script, *arguments], stdout=subprocess.PIPE, check=True)
    told: Table = json.loads(done.stdout)
    return told


def everything(python: str | None) -> Table:
    """Measure all, ours and theirs one after the other on each input."""
    encoder = open_encoder("minilm")
    texts = texts_file(WORK)
    result: Table = {"embedding": {"holdfast": embed(texts), "peers": peer(python, "embed", str(texts))}}
    result["thresholds"] = thresholds()
    real = [row["answer"] for row in rows("multigen/qa_eval_nq", 4000)] + [
        row["question"] for row in rows("instruct/gsm8k_train", 2000)
    ]
    base = encoder.encode(pa.array([text for text in real if text.strip()]))
    base = base[np.linalg.norm(base, axis=1) > 0]
    result["pairs"] = []
    for count in SIZES:
        path = vectors_file(WORK, base, count)
        exact = count <= cosine.MOST_EXACT
        theirs = peer(python, "pairs", str(path), str(THRESHOLD)) if exact else None
        result["pairs"].append({"holdfast": pairs(path, THRESHOLD), "peers": theirs})
    return result


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["embed", "pairs", "thresholds", "all"])
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    parser.add_argument("--peers", metavar="PYTHON")
    given = parser.parse_args()
    if given.what in ("embed", "pairs") and given.file is None:
        sys.exit(f"bench.semantic {given.what} needs a file.")
    work: dict[str, Callable[[], Table]] = {
        "embed": lambda: embed(given.file),
        "pairs": lambda: pairs(given.file, given.threshold),
        "thresholds": thresholds,
        "all": lambda: everything(given.peers),
    }
    result = work[given.what]()
    if given.what == "all":
        RESULT.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
