"""How well the surface of a pair tells translations from strangers: AUC, weights, false rejects; the way back too.

    python -m bench.translation [--round-trip 600]

The pairs are ../shared/data/parallel (English-French documentation). The weights of `verifiers/translation_surface.py`
come from the first half of the pairs that are not flagged outdated, against the same sources with strangers' targets;
everything printed is measured on the second half, and on the flagged pairs.
"""

import argparse
import gzip
import json
from collections import Counter
from dataclasses import astuple
from pathlib import Path
from random import Random
from time import process_time

import numpy as np

from holdfast.models.apertium import Apertium
from holdfast.verifiers import translation_surface as surface
from holdfast.verifiers.translation import Pair, chrf, on_surface

DATA = Path(__file__).resolve().parents[1].parent / "shared/data/parallel/pydocs_en_fr.jsonl.gz"
SEED = 7
STEPS = 60

Texts = tuple[str, str]


def pairs(path: Path = DATA) -> tuple[list[Texts], list[Texts], list[Texts]]:
    """Return the aligned pairs, the same sources with another pair's target, and the pairs flagged outdated."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    good = [(row["source"], row["target"]) for row in rows if not row["outdated"]]
    order = list(range(len(good)))
    Random(SEED).shuffle(order)
    # Each target moves one place along the shuffled order, so that none stays with its source.
    moved = dict(zip(order, [*order[1:], order[0]], strict=True))
    strangers = [(source, good[moved[number]][1]) for number, (source, _) in enumerate(good)]
    return good, strangers, [(row["source"], row["target"]) for row in rows if row["outdated"]]


def auc(higher: np.ndarray, lower: np.ndarray) -> float:
    """Return the chance that a value of `higher` is above one of `lower`, ties counting half (Mann-Whitney)."""
    values = np.concatenate([higher, lower])
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse][: len(higher)]
    return float((ranks.sum() - len(higher) * (len(higher) + 1) / 2) / (len(higher) * len(lower)))


def fitted(aligned: np.ndarray, strangers: np.ndarray) -> np.ndarray:
    """Return the weights and, last, the bias of a logistic regression (Newton steps, ridge 1)."""
    rows = np.hstack([np.vstack([aligned, strangers]), np.ones((len(aligned) + len(strangers), 1))])
    wanted = np.r_[np.ones(len(aligned)), np.zeros(len(strangers))]
    weights = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-rows @ weights))
        curve = (rows * (chance * (1 - chance) + 1e-9)[:, None]).T @ rows + np.eye(rows.shape[1])
        weights += np.linalg.solve(curve, rows.T @ (wanted - chance) - weights)
    return weights


def _features(texts: list[Texts]) -> np.ndarray:
    return np.array([astuple(surface.agreement(*pair)) for pair in texts])


def _odds(texts: list[Texts]) -> np.ndarray:
    return np.array([surface.log_odds(surface.agreement(*pair)) for pair in texts])


def _round_trip(name: str, texts: list[Texts]) -> np.ndarray:
    back = Apertium()([target for _, target in texts], "fr", "en")
    scores = np.array([chrf(text or "", source) for text, (source, _) in zip(back, texts, strict=True)])
    shown = ", ".join(f"{value:.1f}" for value in np.percentile(scores, (1, 5, 50, 95, 99)))
    print(f"chrF of the way back, {name}: percentiles 1, 5, 50, 95, 99 are {shown}")
    return scores


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--round-trip", type=int, default=0, help="also send this many pairs of each kind back")
    wanted = parser.parse_args()
    good, strangers, outdated = pairs()
    half = len(good) // 2
    weights = fitted(_features(good[:half]), _features(strangers[:half]))
    print("weights:", dict(zip((*surface.Agreement.__slots__, "bias"), weights.round(2).tolist(), strict=True)))
    held_out, other = _odds(good[half:]), _odds(strangers[half:])
    print(f"AUC aligned against strangers, held out: {auc(held_out, other):.4f} (n {len(held_out)} and {len(other)})")
    print(f"AUC aligned against flagged outdated: {auc(_odds(good), _odds(outdated)):.4f} (n {len(outdated)})")
    for name, texts in (("aligned", good[half:]), ("strangers", strangers[half:]), ("outdated", outdated)):
        start = process_time()
        verdicts = [on_surface(Pair(*pair, "en", "fr")) for pair in texts]
        rate = len(texts) / (process_time() - start)
        print(f"{name}: {dict(Counter(verdict.reason for verdict in verdicts).most_common())}, {rate:,.0f} pairs/s")
    if count := wanted.round_trip:
        kinds = {"aligned": good[half:][:count], "strangers": strangers[half:][:count], "outdated": outdated[:count]}
        scores = {name: _round_trip(name, texts) for name, texts in kinds.items()}
        print(f"AUC of the way back, aligned against strangers: {auc(scores['aligned'], scores['strangers']):.4f}")
        print(f"AUC of the way back, aligned against outdated: {auc(scores['aligned'], scores['outdated']):.4f}")


if __name__ == "__main__":
    main()
