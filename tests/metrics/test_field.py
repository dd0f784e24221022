"""Every metric of a sample of rows equals its definition on the texts of those rows."""

import math

import numpy as np
import pyarrow as pa
import pytest

from holdfast.core.text import word_hashes, words
from holdfast.metrics.bleu import self_bleu
from holdfast.metrics.compression import compressed_share
from holdfast.metrics.field import Field, Rows, described, judged, lay_out
from holdfast.metrics.lexical import distinct, entropy, mattr
from holdfast.metrics.neighbours import coverage, density, within
from holdfast.metrics.semantic import rke
from holdfast.metrics.tail import chao1, missing_mass
from holdfast.metrics.windows import cut
from tests.metrics.planted import texts

N, REFERENCE, LENGTH = 60, 240, 60


def rows_of(made: list[str]) -> Rows:
    """Return one window of each text."""
    array = pa.array(made)
    windows = cut(*word_hashes(array), LENGTH, np.random.default_rng(1))
    return Rows.of(windows, array, np.arange(len(windows.documents)))


@pytest.fixture(scope="module")
def field() -> Field:
    """60 candidate and 60 null rows, 240 of reference; the candidate is narrower and repeats itself."""
    mine, null, reference = (
        rows_of(made)
        for made in (
            texts(1, N // 2, vocabulary=600, length=80) * 2,
            texts(2, N, length=80),
            texts(6, REFERENCE, length=80),
        )
    )
    return lay_out((mine, null, reference), None, np.random.default_rng(0))


SAMPLE = np.array([3, 11, 0, 33, 41, 7, 52, 20, 80, 119, 101])


def sampled(field: Field) -> tuple[list[list[str]], np.ndarray, np.ndarray]:
    """Return the sample as words, as word hashes, and the offsets of its documents."""
    chosen = [field.texts[row].decode() for row in SAMPLE]
    return [words(text) for text in chosen], *word_hashes(pa.array(chosen))


def test_counted_metrics(field: Field) -> None:
    """Distinct-k, entropy, missing mass, Chao1 and MATTR of the sample are those of its words."""
    found = {slug: float(value[0]) for slug, value in described(field, SAMPLE[None]).items()}
    documents, ids, offsets = sampled(field)
    for k in (1, 2, 3, 4):
        runs = [tuple(one[i : i + k]) for one in documents for i in range(len(one) - k + 1)]
        assert len(set(runs)) / len(runs) == found[f"distinct-{k}"]
    counts = np.unique(ids, return_counts=True)[1]
    assert distinct(counts) == found["distinct-1"]
    assert math.exp(entropy(counts)) == pytest.approx(found["entropy"])
    assert (missing_mass(counts), chao1(counts)) == (found["missing-mass"], found["chao1"])
    assert mattr(ids, offsets) == pytest.approx(found["mattr"])


def test_compared_metrics(field: Field) -> None:
    """Self-BLEU, self-repetition, compression and neighbours of the sample are those of its texts alone."""
    found = {slug: float(value[0]) for slug, value in described(field, SAMPLE[None]).items()}
    documents, ids, offsets = sampled(field)
    assert 1 - self_bleu(ids, offsets) == pytest.approx(found["self-bleu"])
    sets = [{tuple(one[i : i + 4]) for i in range(len(one) - 3)} for one in documents]
    logs = [math.log1p(sum(sum(run in other for other in sets) - 1 for run in one)) for one in sets]
    assert sum(logs) > 0
    assert np.mean(logs) == pytest.approx(-math.log(found["self-repetition"]))
    assert compressed_share([field.texts[row] for row in SAMPLE]) == found["compression"]
    assert coverage(field.inside[SAMPLE]) == found["prdc-coverage"]
    assert density(field.inside[SAMPLE]) == found["prdc-density"]


def test_neighbours_are_the_references() -> None:
    """The balls are those of the reference rows, which the candidate never changes."""
    mine, null, reference = (rows_of(texts(seed, 60)) for seed in (3, 4, 7))
    field = lay_out((mine, null, reference), Bags(), np.random.default_rng(0))
    assert (within(Bags().encode(mine.texts), Bags().encode(reference.texts)) == field.inside[:60]).all()


class Bags:
    """An encoder of whole texts: how often each of 40 topic words occurs."""

    name = "bags@1"

    def encode(self, given: pa.Array) -> np.ndarray:
        """Return one unit vector per text."""
        counts = np.array([[text.count(f"x{i} ") + 0.1 for i in range(40)] for text in given.to_pylist()])
        return (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)


def test_judged_metrics(field: Field) -> None:
    """Recall and tail coverage are shares of the reference's types, RKE is that of the sample's vectors."""
    found = {slug: float(value[0]) for slug, value in judged(field, SAMPLE[None]).items()}
    once, pairs = field.reference
    kinds = [set(field.kinds[k][SAMPLE].ravel().tolist()) for k in (0, 1)]
    assert np.mean([kind in kinds[1] for kind in np.flatnonzero(pairs)]) == pytest.approx(found["anchor-bigram-recall"])
    rare = np.flatnonzero((once > 0) & (once <= 3))
    assert np.mean([kind in kinds[0] for kind in rare]) == pytest.approx(found["tail-coverage"])
    assert rke(field.vectors[SAMPLE]) == pytest.approx(found["rke"], rel=1e-5)
    reached = len(set(field.labels[SAMPLE].tolist()))
    assert reached / field.clusters == pytest.approx(found["anchor-cluster-coverage"])


def test_excerpts_are_the_windows() -> None:
    """The text of a row is the text of exactly the words it holds."""
    rows = rows_of(texts(5, 20, length=90))
    ids, offsets = word_hashes(pa.array([text.decode() for text in rows.excerpts()]))
    assert rows.words.tolist() == ids.reshape(len(offsets) - 1, -1).tolist()
