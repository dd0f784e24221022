"""The comparison fires on planted loss, keeps quiet between equals, and says so when it cannot tell."""

import gzip
import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from holdfast.metrics import anchor as comparison
from holdfast.metrics.anchor import (
    CHARACTERS,
    COMBINED,
    DESCRIBED,
    ENCODED,
    FEWEST,
    JUDGED,
    PRIMARY,
    SATURATED,
    TREND_UNIT,
    UNIT,
    WORDS,
    Sample,
    compare,
)
from holdfast.models.encoder import LEXICAL
from holdfast.stats.resample import Interval
from tests.metrics.planted import texts


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
    found = comparison._measurement(seen, 100, None, {"p": 0.001, "p_family": p, "margin": 0.05})
    assert expected == found.detail["verdict"]
    assert (found.detail["need_n"] is None) == (expected != "inconclusive")
    assert [low, value, high] == pytest.approx([found.low, found.value, found.high])


def test_described_metrics_need_no_p() -> None:
    """What is only described has no p; its verdict is what the interval says."""
    seen = Interval(*np.log([0.85, 0.80, 0.90]).tolist())
    detail = {"p": None, "p_family": None, "margin": 0.05}
    assert "worse" == comparison._measurement(seen, 100, None, detail).detail["verdict"]


def test_shape_of_the_answer(anchor: list[str]) -> None:
    """Every metric lies inside its interval and has n, unit, budget, raw values and the encoder where one is used.

    What is judged has a p, what is described has none.
    """
    found = compare(texts(1, 200), anchor, seed=1)
    assert {*JUDGED, *DESCRIBED, COMBINED} == set(found)
    for slug, one in found.items():
        assert one.low <= one.value <= one.high
        assert (200, UNIT) == (one.n, one.unit)
        assert (LEXICAL if slug in (*ENCODED, COMBINED) else None) == one.encoder
        assert 100 * 60 == one.detail["budget_tokens"]
        assert (slug in DESCRIBED) == (one.detail["p"] is None)
        assert {"raw", "null", "raw_unit"} < set(one.detail)
        json.dumps(dict(one.detail))


def test_raw_values_are_those_of_the_definitions(anchor: list[str]) -> None:
    """Ratios are raw over null where higher is more varied, and differences in nats or of scores where it is not."""
    found = compare(texts(1, 200), anchor, seed=1)
    raw = {slug: (one.detail["raw"], one.detail["null"]) for slug, one in found.items()}
    for slug in ("rke", "tail-coverage", "distinct-2", "missing-mass", "chao1", "compression", "prdc-density"):
        assert raw[slug][0] / raw[slug][1] == pytest.approx(found[slug].value)
    assert np.exp(np.subtract(*raw["entropy"])) == pytest.approx(found["entropy"].value)
    for slug in ("reverse-cross-entropy", "self-repetition"):
        assert np.exp(-np.subtract(*raw[slug])) == pytest.approx(found[slug].value)
    own, null = raw["self-bleu"]
    assert (1 - own) / (1 - null) == pytest.approx(found["self-bleu"].value)
    assert 0.5 < found["prdc-coverage"].detail["expected"] == pytest.approx(raw["prdc-coverage"][1], abs=0.05)
    left = found["tail-coverage"].detail["types_left_if_resampled"]
    shares = [left[f"types_left_{generations}"]["value"] for generations in (1, 5, 10)]
    assert 1 > shares[0] > shares[1] > shares[2] > 0
    assert raw["distinct-1"][0] < found["distinct-1"].detail["expectation_adjusted"] < 1


def test_quiet_between_equals(anchor: list[str]) -> None:
    """Fresh documents of the same source are never worse in the primary family, over six draws."""
    for seed in range(6):
        assert verdicts(compare(texts(100 + seed, 200), anchor, seed=seed))[COMBINED] != "worse"


def test_intervals_cover_one_between_equals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check 28 for the whole comparison: between fresh sets of one source 1 lies in at least .90 of intervals, -.03."""
    monkeypatch.setattr(comparison, "PERMUTATIONS", 1)
    found = [compare(texts(1000 + i, 120, length=30), texts(5000 + i, 240, length=30), seed=i) for i in range(30)]
    for slug in (*JUDGED, "distinct-2", "entropy", "self-bleu", "compression"):
        assert np.mean([one[slug].low <= 1 <= one[slug].high for one in found]) >= 0.87, slug


def test_a_thousand_of_many_stand_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of large sets a thousand documents are used; the interval allows for which: other seeds fall into it."""
    monkeypatch.setattr(comparison, "PERMUTATIONS", 1)
    mine, real = texts(1, 4000, length=10), texts(2, 6000, length=10)
    found = [compare(mine, real, seed=seed) for seed in range(6)]
    assert {1000} == {one["rke"].n for one in found}
    assert [4000, 1000] == [found[0]["rke"].detail["candidate"][key] for key in ("documents", "sampled")]
    for slug in (*JUDGED, "distinct-2"):
        middle = np.exp(np.mean([np.log(one[slug].value) for one in found]))
        assert sum(one[slug].low <= middle <= one[slug].high for one in found) >= 5, slug


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


def test_groups_are_the_unit(anchor: list[str]) -> None:
    """Four copies of each text: by group distinct-2 is that of 25 texts in 100 documents; one by one too high."""
    mine = [text for text in texts(20, 60) for _ in range(4)]
    groups = np.repeat(np.arange(60), 4)
    alone, together = compare(mine, anchor, seed=4), compare(Sample(mine, groups), anchor, seed=4)
    assert [200, 200] == alone["distinct-2"].detail["units"]
    assert 50 <= together["distinct-2"].detail["units"][0] <= 60
    pairs = [{pair for text in texts(seed, 25) for pair in pairwise(text.split())} for seed in range(40, 60)]
    expected = np.mean([len(one) for one in pairs]) / (100 * 59)
    assert expected == pytest.approx(together["distinct-2"].detail["raw"], rel=0.05)
    assert alone["distinct-2"].detail["raw"] > 1.3 * expected


def test_groups_are_drawn_together() -> None:
    """Of many documents whole groups are drawn: a set that says everything five times looks as poor as it is."""
    mine = [text for text in texts(21, 400, length=30) for _ in range(5)]
    real = texts(22, 800, length=30)
    groups = np.repeat(np.arange(400), 5)
    alone = compare(mine, real, seed=1)["distinct-2"]
    together = compare(Sample(mine, groups, documents=9999), real, seed=1)["distinct-2"]
    assert together.value < 0.6 * alone.value
    assert {"documents": 9999, "sampled": 1000, "shorter_than_window": 0} == together.detail["candidate"]


def test_baseline_shows_the_trend(anchor: list[str]) -> None:
    """Against a narrow earlier generation an equally narrow one is not worse, and a narrower one is."""
    narrow, baseline = texts(30, 200, vocabulary=300), texts(31, 200, vocabulary=300)
    assert "worse" == compare(narrow, anchor, seed=1)[COMBINED].detail["verdict"]
    trend = compare(narrow, anchor, seed=1, baseline=baseline)
    assert "worse" not in verdicts(trend).values()
    assert (TREND_UNIT, 200) == (trend["rke"].unit, trend["rke"].detail["baseline"]["sampled"])
    assert (
        "worse" == compare(texts(32, 200, vocabulary=60), anchor, seed=1, baseline=baseline)[COMBINED].detail["verdict"]
    )
    assert None is compare(narrow, anchor, seed=1, baseline=baseline[:9])["rke"].value


def test_clusters_that_tell_nothing_say_so(anchor: list[str]) -> None:
    """Where every sample reaches every cluster, the detail says that the metric cannot tell the sides apart."""
    found = compare(texts(33, 200), texts(34, 400, topics=5), seed=1, encoder=Initials())["anchor-cluster-coverage"]
    assert (1.0, 1.0, 1.0) == (found.low, found.value, found.high)
    assert SATURATED == found.detail["note"]
    assert "note" not in compare(texts(3, 200, topics=3), anchor, seed=3)["anchor-cluster-coverage"].detail


def test_long_documents_are_read_in_part() -> None:
    """Of a text of a megabyte a part is read, from any place of it, and short texts beside it are left as they are."""
    rng = np.random.default_rng(0)
    given = pa.array(["ab " * 350_000, "short one", None])
    cut = [comparison._shortened(given, rng).to_pylist() for _ in range(3)]
    assert [[CHARACTERS, 9]] * 3 == [[len(text) for text in each[:2]] for each in cut]
    assert [None] * 3 == [each[2] for each in cut]
    assert {"a", "b", " "} >= {each[0][0] for each in cut}


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


@pytest.fixture(scope="module")
def generations(shared_data: Path) -> dict[tuple[str, int], list[str]]:
    """The texts of the recursive trigram models by series and generation."""
    found = defaultdict(list)
    with gzip.open(shared_data / "collapse/ngram_generations.jsonl.gz", "rt") as lines:
        for row in map(json.loads, lines):
            found[row["series"], row["generation"]].append(row["text"])
    return found


def family(candidate: list[str], other: list[str]) -> str:
    """The family's verdict; texts that stand on both sides are taken from the anchor (the controls share some)."""
    return str(
        compare(candidate, [text for text in other if text not in candidate], seed=0)[COMBINED].detail["verdict"]
    )


@pytest.mark.parametrize("series", ["replace_p100", "replace_p90"])
def test_collapse_is_seen(generations: dict[tuple[str, int], list[str]], series: str) -> None:
    """Models trained on their own output alone are worse than fresh real text in every generation from 2 on."""
    real = generations["heldout_real", 0] + generations["control0_fresh_real", 0]
    assert ["worse"] * 6 == [family(generations[series, generation], real) for generation in range(2, 8)]


def test_controls_are_quiet(generations: dict[tuple[str, int], list[str]]) -> None:
    """Fresh real text is not worse than other fresh real text, in any generation."""
    first, second = "control0_fresh_real", "control1_fresh_real"
    pairs = [(generations[first, g], generations[second, (g + 3) % 8]) for g in range(8)]
    assert "worse" not in [family(*pair) for pair in pairs]


def test_trend_separates_the_doses(generations: dict[tuple[str, int], list[str]]) -> None:
    """Since generation 2 the purely synthetic series goes on falling; with 70 % fresh real data it does not."""
    real = generations["heldout_real", 0] + generations["control0_fresh_real", 0]
    expected = {"replace_p100": "worse", "mix30_p90": "inconclusive"}
    for series, verdict in expected.items():
        found = compare(generations[series, 6], real, seed=0, baseline=generations[series, 2])
        assert verdict == found[COMBINED].detail["verdict"]


def test_copying_the_anchor_is_named(anchor: list[str]) -> None:
    """A candidate made of the anchor's own documents reads as nearer than real text, and the detail says why."""
    found = compare(anchor[:200], anchor, seed=5)["anchor-bigram-recall"]
    assert "better" == found.detail["verdict"]
    assert "anchor's own texts" in found.detail["note"]
    assert "note" not in compare(texts(1, 200), anchor, seed=5)["anchor-bigram-recall"].detail
