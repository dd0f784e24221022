"""datatrove: its four MinHash stages with 16 buckets of 8, two workers, its default English word tokeniser.

It gets the words that all others get, joined by blanks, before the meter runs; its tokeniser cuts them again.
"""

import json
import struct
from array import array
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.hashing import HashConfig

from bench.peers.tools.meter import Meter, arguments, keep, texts, words

WORKERS = 2
CONFIG = MinhashConfig(n_grams=5, num_buckets=16, hashes_per_bucket=8, hash_config=HashConfig(precision=64))


def main() -> None:
    """Split the input in two, so that both workers have work, and run the stages one after the other."""
    path, folder, _ = arguments()
    lines = [json.dumps({"text": " ".join(words(text))}) + "\n" for text in texts(path)]
    source = folder / "input"
    source.mkdir(exist_ok=True)
    for worker in range(WORKERS):
        (source / f"{worker}.jsonl").write_text("".join(lines[worker::WORKERS]), "utf-8")
    meter = Meter()
    with meter.running():
        stages(folder, source)
    meter.tell(beyond=keep(clusters(folder / "removed", len(lines)), folder), threads=f"{WORKERS} processes")


def clusters(folder: Path, size: int) -> "array[int]":
    """Read the cluster of each document; document i of a worker is line i of the lines it was given."""
    labels = array("q", range(size))
    first: dict[int, int] = {}
    for worker in range(WORKERS):
        for place, cluster in struct.iter_unpack("<2I", (folder / f"{worker:06d}.clusters").read_bytes()):
            row = worker + WORKERS * place
            labels[row] = first.setdefault(cluster, row)
    return labels


def stages(folder: Path, source: Path) -> None:
    """Signatures, buckets, clusters, filter."""
    base = str(folder)
    reader = JsonlReader(str(source))
    pipelines = [
        ([reader, MinhashDedupSignature(f"{base}/signatures", CONFIG)], WORKERS),
        ([MinhashDedupBuckets(f"{base}/signatures", f"{base}/buckets", config=CONFIG)], CONFIG.num_buckets),
        ([MinhashDedupCluster(f"{base}/buckets", f"{base}/removed", CONFIG, save_cluster_id=True)], 1),
        ([reader, MinhashDedupFilter(f"{base}/removed"), JsonlWriter(f"{base}/kept", compression=None)], WORKERS),
    ]
    for number, (pipeline, tasks) in enumerate(pipelines):
        LocalPipelineExecutor(
            pipeline, tasks=tasks, workers=WORKERS, logging_dir=f"{base}/logs{number}", start_method="fork"
        ).run()


if __name__ == "__main__":
    main()
