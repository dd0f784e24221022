"""Which metrics see collapse first, under two models: the bigram model and a small transformer.

    python -m bench.metric_ranking [ngram|transformer ...]

Generations are made on the shipped text by the lab's own backends and arms. Metrics are those of an audit
(`metrics.field`), on samples of 200 documents of 50 tokens; d' is the distance of a candidate's mean from the first
generation's, in pooled deviations over 30 draws without replacement from pools of 500. Draws from one pool are not
independent: read the order, not the height. The mild case, 70 % real at generation 3, is the one that ranks. Takes some
three minutes of CPU; results are kept per backend in results/metric_ranking.json.
"""

import json
import sys
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.page import filled, markdown
from holdfast.core.hashing import mix
from holdfast.lab import arms
from holdfast.lab.backend import Backend, find
from holdfast.lab.design import Chain
from holdfast.lab.documents import Documents, Text, shipped
from holdfast.metrics.anchor import PRIMARY
from holdfast.metrics.field import Rows, described, judged, lay_out
from holdfast.models.ngram_sample import Decoding

RESULT = Path(__file__).resolve().parent / "results" / "metric_ranking.json"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"
# Windows of the text: at this size a transformer's five fits take some three minutes of CPU.
WINDOWS = 700
POOL, SAMPLE, DRAWS = 500, 200, 30
# arm, dose, and the generations that are judged; the last is the mild case.
CASES = (("replace", 1.0, (1,)), ("fresh-real", 0.3, (3,)))
MILD = "fresh-real 0.3, generation 3"
SEED = 22


def main() -> None:
    """Measure the backends that are named, print and keep."""
    kept = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {}
    for name in sys.argv[1:] or ["ngram", "transformer"]:
        kept[name] = ranking(name)
        RESULT.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
        for slug, row in kept[name]["metrics"].items():
            print(f"{slug:<26}", *(f"{value:7.1f}" for value in row.values()))
    write_page(kept)


def write_page(kept: dict[str, Any]) -> None:
    """Write the table of docs/metrics.md: d' of each metric under each model, ordered by the first one's mild case."""
    cases = list(next(iter(next(iter(kept.values()))["metrics"].values())))
    head = ["metric", *(f"{name}: {case}" for name in kept for case in cases)]
    slugs = next(iter(kept.values()))["metrics"]
    rows = [[slug, *(f"{one['metrics'][slug][case]:.1f}" for one in kept.values() for case in cases)] for slug in slugs]
    PAGE.write_text(filled(PAGE.read_text("utf-8"), {"two models": markdown([head, *rows])}), "utf-8")


def ranking(name: str) -> dict[str, Any]:
    """Return d' of every metric in every case, ordered by the mild one, and the perplexities that go with it."""
    begin = process_time()
    text = Text(shipped(), most=WINDOWS)
    backend, split = find(name, text), text.split(SEED)
    first = backend.fit([split.train], SEED)
    null, start = first.sample(POOL, Decoding(), SEED + 1), first.sample(len(split.train), Decoding(), SEED)
    pools = {"null": first.sample(POOL, Decoding(), SEED + 2)}
    perplexity = {"generation 0": _perplexity(first, split.held_out)}
    for arm, dose, generations in CASES:
        chain = Chain(arm, dose, SEED)
        for generation, samples, model in _generations(backend, chain, (split.train, start), max(generations)):
            if generation in generations:
                case = f"{arm} {dose:g}, generation {generation}"
                pools[case], perplexity[case] = samples, _perplexity(model, split.held_out)
                print(case, perplexity[case], flush=True)
    columns = {case: distances(text, pool, null, split.train) for case, pool in pools.items()}
    order = sorted(columns["null"], key=lambda slug: -columns[MILD][slug])
    return {
        "cpu_seconds": round(process_time() - begin),
        "perplexity_of_real_text": perplexity,
        "primary": list(PRIMARY),
        "metrics": {slug: {case: round(columns[case][slug], 2) for case in columns} for slug in order},
    }


def _generations(backend: Backend, chain: Chain, text: tuple[Documents, Documents], last: int) -> Any:
    """Yield each generation's number, its pool of samples, and its model."""
    real, made = text
    for generation in range(1, last + 1):
        chance = np.random.default_rng([SEED, generation])
        given = arms.Situation(real, [made], chance, np.random.default_rng([SEED, 0]))
        model = backend.fit(arms.stages(chain, given), SEED + generation)
        made = model.sample(len(real), Decoding(), SEED + 100 * generation)
        yield generation, made[:POOL], model


def _perplexity(model: Any, held_out: Documents) -> float:
    return round(float(np.exp(model.nll(held_out).mean())), 1)


def distances(text: Text, candidate: Documents, null: Documents, real: Documents) -> dict[str, float]:
    """Return d' of each metric: (mean of the null - mean of the candidate) / pooled deviation, on the log scale."""
    rng = np.random.default_rng(SEED)
    field = lay_out((_rows(text, candidate), _rows(text, null), _rows(text, real)), None, rng)
    size = len(candidate)
    mine, other = (offset + np.stack([rng.permutation(size)[:SAMPLE] for _ in range(DRAWS)]) for offset in (0, size))
    seen = [{**judged(field, rows), **described(field, rows)} for rows in (mine, other)]
    # Excerpts for compression count words without marks, of which the documents have unequally many: no equal budget.
    slugs = [slug for slug in seen[0] if slug != "compression"]
    return {slug: _apart(np.log(seen[0][slug]), np.log(seen[1][slug])) for slug in slugs}


def _apart(mine: NDArray[np.float64], null: NDArray[np.float64]) -> float:
    spread = np.sqrt((mine.var(ddof=1) + null.var(ddof=1)) / 2)
    return float((null.mean() - mine.mean()) / spread) if spread > 0 else 0.0


def _rows(text: Text, documents: Documents) -> Rows:
    words = mix(documents.astype(np.uint64))
    return Rows(words, pa.array(text.written(documents), pa.large_string()), np.zeros(len(documents), np.int64))


if __name__ == "__main__":
    main()
