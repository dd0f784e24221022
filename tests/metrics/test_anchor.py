"""The comparison fires on planted loss, keeps quiet between equals, and says so when it cannot tell."""

import gzip
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from holdfast.metrics import anchor as comparison
from holdfast.metrics.anchor import COMBINED, FEWEST, PRIMARY, SECONDARY, UNIT, WORDS, compare
from holdfast.models.encoder import LEXICAL
from holdfast.stats.resample import Interval


def texts(seed: int, documents: int, *, vocabulary: int = 3000, length: int = 60, topics: int = 12) -> list[str]:
    """Return documents of Zipf words; each has a topic that supplies every other word from its own list."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, vocabulary + 1)
    made = []
    for _ in range(documents):
        words = rng.choice(vocabulary, size=length, p=weights / weights.sum())
        topic = rng.integers(topics)
        made.append(" ".join(f"t{topic}x{w % 40}" if i % 2 else f"w{w}" for i, w in enumerate(words)))
    return made


@pytest.fixture(scope="module")
def anchor() -> list[str]:
    """400 real documents."""
    return texts(0, 400)


def verdicts(found: dict) -> dict[str, str]:
    return {slug: one.detail["verdict"] for slug, one in found.items()}


@pytest.mark.parametrize(
    ("low", "value", "high", "p", "expected"),
    [
        (0.80, 0.85, 0.90, 0.01, "worse"),
        (0.80, 0.85, 0.90, 0.20, "inconclusive"),
        (0.90, 0.94, 0.98, 0.01, "inconclusive"),
        (0.96, 0.97, 0.98, 0.01, "equivalent"),
        (0.98, 1.00, 1.08, 1.00, "inconclusive"),
        (1.06, 1.10, 1.20, 1.00, "better"),
    ],
)
def test_verdict(low: float, value: float, high: float, p: float, expected: str) -> None:
    """Worse needs the whole interval below the margin and a small family p; a loss within the margin is equivalent."""
    seen = Interval(*np.log([value, low, high]).tolist())
    found = comparison._measurement(seen, 100, 0.05, None, {"p": 0.001, "p_family": p})
    assert expected == found.detail["verdict"]
    assert (found.detail["need_n"] is None) == (expected != "inconclusive")
    assert [low, value, high] == pytest.approx([found.low, found.value, found.high])


def test_shape_of_the_answer(anchor: list[str]) -> None:
    """All ten slugs are measured, each inside its interval, with n, unit, budget and the encoder where one is used."""
    found = compare(texts(1, 200), anchor, seed=1)
    assert {*PRIMARY, *SECONDARY, COMBINED} == set(found)
    for slug, one in found.items():
        assert one.low <= one.value <= one.high
        assert (200, UNIT) == (one.n, one.unit)
        assert (LEXICAL if slug in ("rke", "anchor-cluster-coverage", COMBINED) else None) == one.encoder
        assert 100 * 60 == one.detail["budget_tokens"]
        assert 0 < one.detail["p"] <= 1
        json.dumps(dict(one.detail))


def test_quiet_between_equals(anchor: list[str]) -> None:
    """Fresh documents of the same source are never worse in the primary family, over six draws."""
    for seed in range(6):
        assert verdicts(compare(texts(100 + seed, 200), anchor, seed=seed))[COMBINED] != "worse"


def test_narrow_vocabulary_is_worse(anchor: list[str]) -> None:
    """Losing the rare words is found by tail coverage and RKE, and by the family although recall does not see it."""
    found = compare(texts(2, 200, vocabulary=300), anchor, seed=2)
    assert {"worse"} == {found[slug].detail["verdict"] for slug in ("rke", "tail-coverage", "distinct-1", COMBINED)}
    assert found["tail-coverage"].value < 0.5
    assert found["anchor-bigram-recall"].detail["verdict"] == "better"
    assert "most common words" in found["anchor-bigram-recall"].detail["note"]
    weakest = found[COMBINED].detail["weakest"]
    assert found[weakest].value == found[COMBINED].value == min(found[slug].value for slug in PRIMARY)


def test_lost_topics_are_worse(anchor: list[str]) -> None:
    """Writing about 3 of 12 topics lowers RKE and leaves anchor clusters empty."""
    found = compare(texts(3, 200, topics=3), anchor, seed=3)
    assert "worse" == found["rke"].detail["verdict"] == found["anchor-cluster-coverage"].detail["verdict"]
    assert found["anchor-cluster-coverage"].value < 0.6


def test_repeated_documents_are_worse(anchor: list[str]) -> None:
    """Twenty documents written ten times over are far less varied than two hundred."""
    found = compare(texts(4, 20) * 10, anchor, seed=4)
    assert "worse" == found[COMBINED].detail["verdict"]
    assert found["distinct-2"].value < 0.5


def test_length_is_matched(anchor: list[str]) -> None:
    """Documents five times as long from the same source are not worse: windows of equal length are compared."""
    found = compare(texts(5, 200, length=300), anchor, seed=5)
    assert 60 == found["rke"].detail["window"]
    assert 1 == pytest.approx(found["distinct-1"].value, abs=0.06)
    assert "worse" not in verdicts(found).values()


def test_more_variety_is_better() -> None:
    """The roles turned round: a rich candidate against a poor anchor is better, never worse."""
    found = compare(texts(6, 300), texts(7, 400, vocabulary=200, topics=3), seed=6)
    assert "better" == found["rke"].detail["verdict"] == found["distinct-1"].detail["verdict"]


def test_seeded(anchor: list[str]) -> None:
    """Equal seeds give equal numbers from a list and from Arrow; another seed gives other numbers."""
    some = texts(8, 120)
    first = compare(some, anchor, seed=8)
    assert first == compare(pa.array(some), pa.chunked_array([anchor[:150], anchor[150:]]), seed=8)
    assert first != compare(some, anchor, seed=9)


@pytest.mark.parametrize(
    ("candidate", "real"),
    [
        ([], []),
        (["a b c d e f"] * 10, ["a b c d e f"] * 500),
        (["word"] * 500, ["word"] * 500),
        ([""] * 99, ["x"] * 99),
    ],
)
def test_too_little_is_inconclusive(candidate: list[str], real: list[str]) -> None:
    """Too few documents, or only ones shorter than five words, are inconclusive and say what is needed."""
    for one in compare(candidate, real, seed=0).values():
        assert (None, None, None) == (one.value, one.low, one.high)
        assert ("inconclusive", FEWEST) == (one.detail["verdict"], one.detail["need_n"])


def test_degenerate_text_is_judged(anchor: list[str]) -> None:
    """One text for all documents, and a candidate that shares no word with the anchor, are worse and do not crash."""
    assert "worse" == compare(["the same six words every time"] * 90, anchor, seed=1)[COMBINED].detail["verdict"]
    foreign = compare([text.replace("w", "q").replace("t", "z") for text in texts(9, 100)], anchor, seed=1)
    assert "worse" == foreign["anchor-bigram-recall"].detail["verdict"]
    assert foreign["anchor-bigram-recall"].value < 1e-3


def test_small_anchor_leaves_clusters_unjudged() -> None:
    """With 60 anchor documents clusters are not judged and the family is not called equivalent."""
    found = compare(texts(10, 60), texts(11, 60), seed=1)
    assert found["anchor-cluster-coverage"].value is None
    assert found["anchor-cluster-coverage"].detail["need_n"] == 200
    assert "equivalent" != found[COMBINED].detail["verdict"]


def test_need_n_is_enough() -> None:
    """As many documents as an inconclusive answer asked for turn it into an answer."""
    few = compare(texts(12, 120), texts(13, 240), seed=2)["distinct-1"]
    assert few.detail["verdict"] == "inconclusive"
    need = 2 * few.detail["need_n"]
    assert "equivalent" == compare(texts(12, need), texts(13, 2 * need), seed=2)["distinct-1"].detail["verdict"]


def test_work_is_capped() -> None:
    """However large the input, a sample is at most 60 000 words, and the detail tells how many texts were read."""
    found = compare(texts(14, 1500, length=120), texts(15, 2500, length=120), seed=3)["rke"]
    assert found.n * found.detail["window"] <= WORDS
    assert {"documents": 1500, "sampled": 1000, "shorter_than_window": 0} == found.detail["candidate"]
    assert 2000 == found.detail["anchor"]["sampled"]


class Initials:
    """An encoder of a user's own: one direction per topic of the first topical word."""

    name = "initials@1"

    def encode(self, given: pa.Array) -> np.ndarray:
        """Return unit vectors."""
        topics = [int(text.split("x")[0].split("t")[-1]) for text in given.to_pylist()]
        return np.eye(12, dtype=np.float32)[topics]


def test_own_encoder(anchor: list[str]) -> None:
    """Numbers that rest on vectors are computed with the encoder given and carry its name."""
    found = compare(texts(16, 200, topics=3), anchor, seed=4, encoder=Initials())
    assert "initials@1" == found["rke"].encoder == found["anchor-cluster-coverage"].encoder
    assert 3 == pytest.approx(found["rke"].detail["raw"], abs=0.1)
    assert found["distinct-1"].encoder is None


def generations(shared_data: Path) -> dict[tuple[str, int], list[str]]:
    """Return the texts of the recursive trigram models by series and generation."""
    found = defaultdict(list)
    with gzip.open(shared_data / "collapse/ngram_generations.jsonl.gz", "rt") as lines:
        for row in map(json.loads, lines):
            found[row["series"], row["generation"]].append(row["text"])
    return found


def test_collapse_is_seen_and_controls_are_not(shared_data: Path) -> None:
    """Training on one's own output alone is worse from generation 2 on; fresh real text never is."""
    found = generations(shared_data)
    real = found["heldout_real", 0]

    def family(series: str, generation: int) -> str:
        return str(compare(found[series, generation], real, seed=0)[COMBINED].detail["verdict"])

    for series in ("replace_p100", "replace_p90"):
        assert ["worse"] * 6 == [family(series, generation) for generation in range(2, 8)]
    for series in ("control0_fresh_real", "control1_fresh_real"):
        assert "worse" not in [family(series, generation) for generation in (0, 3, 7)]


def test_controls_against_each_other(shared_data: Path) -> None:
    """Of four pairs of fresh real text none is worse than the other."""
    found = generations(shared_data)
    for generation in (1, 3, 5, 7):
        first, second = found["control0_fresh_real", generation], found["control1_fresh_real", generation]
        assert "worse" != compare(first, second, seed=generation)[COMBINED].detail["verdict"]


def test_copying_the_anchor_is_named(anchor: list[str]) -> None:
    """A candidate made of the anchor's own documents reads as nearer than real text, and the detail says why."""
    found = compare(anchor[:200], anchor, seed=5)["anchor-bigram-recall"]
    assert "better" == found.detail["verdict"]
    assert "anchor's own texts" in found.detail["note"]
    assert "note" not in compare(texts(1, 200), anchor, seed=5)["anchor-bigram-recall"].detail
