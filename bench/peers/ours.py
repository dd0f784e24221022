"""Our side of the comparison: the functions the verbs call, on the files the peers read.

    python -m bench.peers.ours OPERATION INPUT FOLDER [OPTION...]

A process loads only what it measures, so that its start-up and memory are those of the operation. Compiled modules are
imported before the meter runs, as the peers' are; loading the compiled code from its cache is counted, and the rows
"cold" begin with an empty cache.
"""

import json
import os
import subprocess
import sys
from array import array
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from bench.peers.corpora import DATA
from bench.peers.sources import questions as questions_of
from bench.peers.tools.meter import Meter, flag, keep, questions
from holdfast.core.text import KERNELS as TEXT_KERNELS
from holdfast.core.text import Texts, digests, iter_shingles, normalise, word_hashes
from holdfast.dedup.threads import in_order

NGRAM, THRESHOLD = "word5", 0.7
ORDERS = (1, 2, 3, 4)
# Rows of a shard, as the reader cuts them.
SHARD = 20_000
WORKERS = os.cpu_count() or 1


def main() -> None:
    """Run one operation."""
    name, path, folder, *options = sys.argv[1:]
    OPERATIONS[name](Path(path), Path(folder), options)


def exact(path: Path, _: Path, options: list[str]) -> None:
    """Exact duplicates by 128-bit digests of the normalised text; with `reference` by the normalised texts."""
    texts = read(path)["text"]
    if "reference" in options:
        meter = Meter()
        with meter.running():
            beyond = len(texts) - len(set(map(normalise, texts.to_pylist())))
        meter.tell(beyond=beyond, threads=1)
        return
    import_module(TEXT_KERNELS)
    exact_module = import_module("holdfast.dedup.exact")
    meter = Meter()
    with meter.running("digest"):
        keys = digests(texts)
    with meter.running("group"):
        found = exact_module.exact_duplicates(keys)
    meter.tell(beyond=found.beyond, threads=1)


def near(path: Path, folder: Path, options: list[str]) -> None:
    """Near-duplicates with clusters: the exact join, or with `minhash` sketches and full comparison of candidates."""
    table = read(path)
    shards = [as_records(batch) for batch in table.to_batches(SHARD)]
    import_module(TEXT_KERNELS)
    near_module, join_module = import_module("holdfast.dedup.near"), import_module("holdfast.dedup.join")
    import_module(join_module.KERNELS)
    if "minhash" in options:
        vars(join_module)["MOST_EXACT"] = 0
    spec = near_module.NearSpec(NGRAM, THRESHOLD)
    meter = Meter()
    with meter.running("shingle"):
        sketches = [near_module.sketch(shard, spec) for shard in shards]
    with meter.running("join"):
        found = near_module.join(sketches, spec, workers=WORKERS)
    with meter.running("cluster"):
        labels = found.clusters().representative
    beyond = keep(array("q", labels.tolist()), folder)
    np.stack([found.left, found.right], axis=1).tofile(folder / "pairs.bin")
    meter.tell(beyond=beyond, pairs=int(found.left.size), expected_recall=found.recall, threads=WORKERS)


def decontamination(path: Path, folder: Path, _: list[str]) -> None:
    """Contamination by the sealed questions, 13, 10 and 8 words in one pass over shards."""
    held_out = questions(path)
    shards = [as_records(batch) for batch in read(path).to_batches(SHARD)]
    import_module(TEXT_KERNELS)
    import_module("holdfast.dedup.decontaminate_kernels")
    build, search = import_module("holdfast.dedup.eval_index"), import_module("holdfast.dedup.decontaminate")
    meter = Meter()
    with meter.running("index"):
        index = build.EvalIndex.of_texts(held_out, [""] * len(held_out))
    with meter.running("scan"):
        found = list(in_order(lambda shard: search.scan(shard, index), shards, WORKERS))
    flagged = [number * SHARD + row for number, hits in enumerate(found) for row in set(hits["index"].to_pylist())]
    meter.tell(flagged=flag(flagged, folder), threads=WORKERS)


def distinct(path: Path, _: Path, options: list[str]) -> None:
    """Distinct-1 to distinct-4 of all documents, sketched; with `exact` every run counted, as a reference."""
    texts = read(path)["text"]
    import_module(TEXT_KERNELS)
    sketches, runs = import_module("holdfast.metrics.sketch"), import_module("holdfast.metrics.ngram")
    import_module(sketches.KERNELS)
    meter = Meter()
    with meter.running():
        ratios = counted(texts, runs) if "exact" in options else sketched(texts, sketches)
    meter.tell(distinct=ratios, threads=1)


def sketched(texts: Texts, sketches: ModuleType) -> list[float]:
    """Return distinct-1 to distinct-4 in constant memory."""
    seen = sketches.Distinct()
    seen.add_texts(texts)
    return [seen.share(size).value for size in ORDERS]


def counted(texts: Texts, ngram: ModuleType) -> list[float]:
    """Return the same from all runs at once."""
    ids, offsets = word_hashes(texts)
    runs = (ngram.grams(ids, offsets, size)[0] for size in ORDERS)
    return [np.unique(one).size / one.size for one in runs]


def bleu(path: Path, _: Path, options: list[str]) -> None:
    """Self-BLEU of the first documents."""
    texts = read(path)["text"].slice(0, int(options[0]))
    import_module(TEXT_KERNELS)
    scores = import_module("holdfast.metrics.bleu")
    meter = Meter()
    with meter.running():
        value = scores.self_bleu(*word_hashes(texts))
    meter.tell(value=value, documents=len(texts), threads=1)


def kernel_score(path: Path, name: str) -> None:
    """The Vendi score or the RKE of vectors."""
    vectors = np.load(path)
    score = getattr(import_module("holdfast.metrics.semantic"), name)
    meter = Meter()
    with meter.running():
        value = score(vectors)
    meter.tell(value=value, threads=1)


def embedding(path: Path, folder: Path, options: list[str]) -> None:
    """Vectors of the first documents by MiniLM, which is opened before the meter runs, as the peer's is."""
    texts = read(path)["text"].slice(0, int(options[0]))
    encoder = import_module("holdfast.models.minilm").open_minilm()
    meter = Meter()
    with meter.running():
        vectors = encoder.encode(texts)
    np.save(folder / "vectors.npy", vectors)
    meter.tell(documents=len(texts), threads=WORKERS)


def pairs(path: Path, _: Path, options: list[str]) -> None:
    """All pairs of vectors at or above a cosine."""
    vectors = np.load(path)
    cosine = import_module("holdfast.dedup.cosine")
    meter = Meter()
    with meter.running():
        found = cosine.similar_pairs(vectors, float(options[0]))
    meter.tell(pairs=int(found.left.size), threads="BLAS, all cores")


def audit(path: Path, folder: Path, _: list[str]) -> None:
    """The whole audit of a file of records, with an anchor and a held-out file; a failed audit is an answer."""
    held_out = folder / "held-out.jsonl"
    held_out.write_text("".join(json.dumps({"prompt": one, "response": ""}) + "\n" for one in questions_of(DATA)))
    program, anchor = Path(sys.executable).with_name("holdfast"), DATA / "instruct" / "oasst_subset.jsonl.gz"
    command: list[object] = [
        program,
        "audit",
        path.with_suffix(".jsonl"),
        "--json",
        "-q",
        "--real",
        anchor,
        "--eval",
        held_out,
    ]
    command += ["--student", "acme-1b"]
    meter = Meter()
    with meter.running():
        done = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, text=True, check=False)
    report = json.loads(done.stdout)
    judged = {"measurements": len(report["measurements"]), "not_judged": len(report["not_judged"])}
    meter.tell(seconds=round(meter.wall, 2), exit=done.returncode, threads=WORKERS, **judged)


def shingle_buffer(path: Path, _: Path, __: list[str]) -> None:
    """Write 64-bit hashes of the word 5-grams beside the corpus, for the peer that takes a buffer."""
    parts = list(iter_shingles(read(path)["text"], 5))
    counts = np.concatenate([np.diff(offsets) for _, offsets in parts])
    np.save(path.with_suffix(".hashes.npy"), np.concatenate([hashes for hashes, _ in parts]))
    np.save(path.with_suffix(".offsets.npy"), np.concatenate([[0], np.cumsum(counts)]).astype(np.uint64))
    Meter().tell()


def read(path: Path) -> pa.Table:
    """Return the corpus as an Arrow table."""
    return parquet.read_table(path, columns=["text"])


def as_records(batch: pa.RecordBatch) -> pa.Table:
    """Return a shard as the reader makes it: a text is a response without a prompt."""
    empty = pa.array([""] * batch.num_rows, pa.large_string())
    return pa.table({"prompt": empty, "response": batch.column("text")})


OPERATIONS: dict[str, Callable[[Path, Path, list[str]], Any]] = {
    "exact": exact,
    "near": near,
    "decontamination": decontamination,
    "distinct": distinct,
    "embedding": embedding,
    "pairs": pairs,
    "audit": audit,
    "self-bleu": bleu,
    "vendi": lambda path, _, __: kernel_score(path, "vendi"),
    "rke": lambda path, _, __: kernel_score(path, "rke"),
    "shingle-buffer": shingle_buffer,
    "generation": lambda *given: import_module("bench.peers.chat_holdfast").verb(*given),
    "generation-dispatcher": lambda *given: import_module("bench.peers.chat_holdfast").dispatcher(*given),
}

if __name__ == "__main__":
    main()
