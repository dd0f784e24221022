"""Near-duplicates: the fast joins equal a comparison of all pairs, and planted duplicates are found."""

import sys
from importlib import import_module
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.errors import UsageError
from holdfast.core.text import words
from holdfast.dedup import join as joining
from holdfast.dedup import near
from holdfast.dedup.clusters import NGRAMS, NearDuplicates, NearSpec, connected, independent
from tests.dedup.planted import case, rows, texts_table

KERNELS = ("holdfast.core.kernels", "holdfast.dedup.join_kernels")
FORMS = ["numpy", "compiled"]
LOADED = {name: import_module(name) for name in KERNELS}


def use(form: str, patch: pytest.MonkeyPatch) -> None:
    """Force one of the two forms of sketch and join, whatever the size."""
    for name in KERNELS:
        if form == "numpy":
            patch.delitem(sys.modules, name, raising=False)
        else:
            patch.setitem(sys.modules, name, LOADED[name])


def shingle_set(text: str, n: int) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[i : i + n]) for i in range(max(1, len(found) - n + 1))} if found else set()


def reference_pairs(texts: list[str], spec: NearSpec) -> dict[tuple[int, int], float]:
    """Compare all pairs; records of equal sets take part through the first of them."""
    sets = [shingle_set(text, NGRAMS[spec.ngram][0]) for text in texts]
    first = {number: min(k for k in range(number + 1) if sets[k] == sets[number]) for number in range(len(sets))}
    pairs = {}
    for i, j in combinations(range(len(texts)), 2):
        if not sets[i] or not sets[j]:
            continue
        similarity = len(sets[i] & sets[j]) / len(sets[i] | sets[j])
        if first[j] == i or (first[i] == i and first[j] == j and similarity >= spec.threshold):
            pairs[i, j] = similarity
    return pairs


def found_pairs(found: NearDuplicates) -> dict[tuple[int, int], float]:
    return {
        (i, j): s for i, j, s in zip(found.left.tolist(), found.right.tolist(), found.similarity.tolist(), strict=True)
    }


@pytest.mark.parametrize("form", FORMS)
def test_join_equals_the_comparison_of_all_pairs(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pair is missed and none invented, at any threshold, however the records repeat."""
    use(form, monkeypatch)
    text = st.lists(st.sampled_from("abcde"), max_size=12).map(" ".join)

    @settings(max_examples=200, deadline=None)
    @given(
        st.lists(text, max_size=14), st.sampled_from([0.3, 0.5, 2 / 3, 0.8, 1.0]), st.sampled_from(["word3", "word5"])
    )
    def holds(texts: list[str], threshold: float, ngram) -> None:
        spec = NearSpec(ngram, threshold)
        found = found_pairs(near.find_near([texts_table(texts[:5]), texts_table(texts[5:])], spec))
        expected = reference_pairs(texts, spec)
        # Records without words have no shingles; equal ones are duplicates all the same.
        blank = {pair for pair in found if not words(texts[pair[0]])}
        assert {pair: pytest.approx(s) for pair, s in expected.items()} == {
            k: v for k, v in found.items() if k not in blank
        }

    holds()


@pytest.mark.parametrize("form", FORMS)
def test_real_texts_equal_the_comparison_of_all_pairs(
    form: str, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On real prose with planted edits both joins find what comparing all pairs finds."""
    use(form, monkeypatch)
    texts = [row["text"] for row in rows(shared_data, "neardup/controlled")[:400]]
    spec = NearSpec("word5", 0.5)
    found = found_pairs(near.find_near([texts_table(texts)], spec))
    assert reference_pairs(texts, spec) == {pair: pytest.approx(s, abs=1e-5) for pair, s in found.items()}


def test_forms_agree_on_characters_and_long_lists(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Character 5-grams, most of them common, give one answer in both forms and for any number of workers."""
    table = texts_table([row["old"] for row in rows(shared_data, "neardup/pydocs_revisions")[:600]])
    results = []
    for form in FORMS:
        use(form, monkeypatch)
        monkeypatch.setattr(joining, "_CHUNK", 100)
        results.append(found_pairs(near.join([near.sketch(table, NearSpec("char5"))], NearSpec("char5"), workers=3)))
    assert results[0] == results[1]
    assert len(results[0]) > 10


def test_planted_near_duplicates(shared_data: Path) -> None:
    """At least 98 % of the planted near-duplicates are found by the default definition."""
    planted = case(shared_data, "dups_near_8pct")
    found = near.find_near([texts_table([row["text"] for row in planted])])
    paired = set(found.left.tolist()) | set(found.right.tolist())
    marked = [number for number, row in enumerate(planted) if row["planted"] == "near_dup"]
    assert len([number for number in marked if number in paired]) >= 0.98 * len(marked)
    assert 80 <= found.beyond + 1 <= 90


def test_exact_duplicates_are_near_duplicates(shared_data: Path) -> None:
    """Every exact duplicate counts as near too, records without words included."""
    planted = case(shared_data, "dups_exact_6pct")
    assert near.find_near([texts_table([row["text"] for row in planted])]).at(1.0).beyond >= 60
    assert 1 == near.find_near([texts_table(["!!!", "???", "!!!", ""])]).beyond


def test_spilling_changes_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    """With the shingles in a file the result is the same, and the file is gone afterwards."""
    tables = [texts_table(["a b c d", "a b c d e", "x"]), texts_table(["a b c d", "q r s t"])]
    sketches = [near.sketch(table) for table in tables]
    inside, spilled = near.join(sketches), near.join(sketches, folder=tmp_path)
    assert found_pairs(inside) == found_pairs(spilled)
    assert [] == list(tmp_path.iterdir())
    assert 0 == near.join([], folder=tmp_path).beyond


def test_thresholds_are_judged_again_without_comparing() -> None:
    """`at` and `curve` equal a new search at that threshold; a lower one is refused."""
    texts = [" ".join(f"w{i if i >= cut else -i - cut}" for i in range(30)) for cut in (0, 1, 3, 6, 9)]
    loose = near.find_near([texts_table(texts)], NearSpec(threshold=0.5))
    for level, beyond in loose.curve():
        tight = near.find_near([texts_table(texts)], NearSpec(threshold=level))
        assert found_pairs(tight) == found_pairs(loose.at(level))
        assert tight.beyond == beyond == loose.at(level).beyond
    with pytest.raises(UsageError, match="cannot be judged"):
        loose.at(0.4)


def test_clusters_name_keeper_medoid_and_chained_records() -> None:
    """A chain a-b-c is one cluster; c is marked as not similar to the keeper a; the medoid is b."""
    found = NearDuplicates(
        rows=5,
        spec=NearSpec(),
        left=np.array([0, 1]),
        right=np.array([1, 2]),
        similarity=np.array([0.6, 0.7], np.float32),
    )
    clusters = found.clusters()
    assert [0, 0, 0, 3, 4] == clusters.representative.tolist()
    assert [1, 1, 1, 3, 4] == clusters.medoid.tolist()
    assert [False, False, True, False, False] == clusters.chained.tolist()
    assert [1.0, 0.6, 0.7, 1.0, 1.0] == [round(value, 4) for value in clusters.similarity.tolist()]
    assert (1, 3, [0, 1, 2]) == (clusters.count, clusters.largest, clusters.members(2).tolist())


def test_real_records_represent_synthetic_ones() -> None:
    """With priorities the real record is kept although it comes last; copies of it are not chained."""
    texts = ["one two three four five", "one two three four five six", "one two three four five six"]
    clusters = near.find_near([texts_table(texts)], priority=np.array([1, 1, 0])).clusters()
    assert [2, 2, 2] == clusters.representative.tolist()
    assert not clusters.chained.any()


def reference_keepers(texts: list[str], priority: list[int], gone: list[bool], threshold: float) -> set[int]:
    """Who is kept, going through the records one by one: nobody that is similar to somebody kept before."""
    sets = [shingle_set(text, 3) for text in texts]
    kept: list[int] = []
    for i in sorted(range(len(texts)), key=lambda i: (priority[i], i)):
        alike = (len(sets[i] & sets[j]) / max(len(sets[i] | sets[j]), 1) for j in kept if sets[i] != sets[j])
        if not gone[i] and all(sets[i] != sets[j] for j in kept) and all(one < threshold for one in alike):
            kept.append(i)
    return set(kept)


def test_every_rejected_record_is_similar_to_its_keeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kept are those of a plain walk in order of priority; every other record is a pair with the one it names."""
    use("numpy", monkeypatch)
    text = st.lists(st.sampled_from("abcde"), min_size=1, max_size=12).map(" ".join)
    record = st.tuples(text, st.integers(0, 2), st.booleans())

    @settings(max_examples=200, deadline=None)
    @given(st.lists(record, min_size=1, max_size=14), st.sampled_from([0.3, 0.5, 0.8]))
    def holds(records: list[tuple[str, int, bool]], threshold: float) -> None:
        texts, priority, gone = (list(column) for column in zip(*records, strict=True))
        found = near.find_near([texts_table(texts)], NearSpec("word3", threshold), np.array(priority))
        keepers = found.keepers(np.array(gone))
        own = set(np.flatnonzero(keepers.keeper == np.arange(len(texts))).tolist())
        assert own == reference_keepers(texts, priority, gone, threshold) | {i for i, out in enumerate(gone) if out}
        for i in keepers.rejected.tolist():
            mine, theirs = shingle_set(texts[i], 3), shingle_set(texts[keepers.keeper[i]], 3)
            assert pytest.approx(len(mine & theirs) / len(mine | theirs)) == keepers.similarity[i] >= threshold - 1e-6
            assert not gone[keepers.keeper[i]]

    holds()


def test_a_chain_keeps_what_is_not_similar_to_a_keeper() -> None:
    """Of a chain a-b-c-d, each like its neighbours only, a and c are kept: nobody is given up for a stranger."""
    chain = NearDuplicates(
        4, NearSpec(), np.array([0, 1, 2]), np.array([1, 2, 3]), np.array([0.6, 0.7, 0.8], np.float32)
    )
    assert [0, 2, 2, 2] == chain.keepers().keeper.tolist()
    assert [1.0, 0.7, 1.0, 0.8] == [round(one, 4) for one in chain.keepers().similarity.tolist()]
    assert [1, 3] == chain.keepers().rejected.tolist()
    assert [0, 1, 3, 3] == chain.keepers(np.array([True, False, False, False])).keeper.tolist()


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)).filter(lambda e: e[0] != e[1]), max_size=40))
def test_independent_equals_a_walk(edges: list[tuple[int, int]]) -> None:
    """The steps over whole arrays keep whom a walk from the lowest to the highest keeps."""
    kept: list[int] = []
    for i in range(16):
        if not any({i, j} == set(edge) for j in kept for edge in edges):
            kept.append(i)
    ends = np.sort(np.array(edges, np.int64).reshape(-1, 2), axis=1)
    assert kept == np.flatnonzero(independent(16, ends[:, 0], ends[:, 1])).tolist()


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=25))
def test_connected_equals_a_walk(edges: list[tuple[int, int]]) -> None:
    """Each record's component is named by the lowest record that can be walked to."""
    low = list(range(16))
    for _ in range(16):
        for a, b in edges:
            low[a] = low[b] = min(low[a], low[b])
    pairs = np.array(edges, np.int64).reshape(-1, 2)
    assert low == connected(16, pairs[:, 0], pairs[:, 1]).tolist()


def test_explain_says_what_two_texts_share() -> None:
    """The explanation counts the shared shingles and quotes the longest common run."""
    shared = near.explain("It was the best of times, truly.", "Was it? It was THE best of all times.")
    assert (3, 9, "it was the best of") == (shared.shared, shared.total, shared.excerpt)
    assert pytest.approx(3 / 9) == shared.similarity
    assert "" == near.explain("a b c", "x y z").excerpt


def test_limits_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """When a limit leaves comparisons out, the result says how many, and the cluster still holds together."""
    use("compiled", monkeypatch)
    monkeypatch.setattr(joining, "MOST_PARTNERS", 2)
    stock = " ".join(f"w{i}" for i in range(30))
    found = near.find_near([texts_table([f"{stock} x{i} y{i}" for i in range(20)])])
    assert found.skipped > 0
    assert 19 == found.beyond


@pytest.mark.parametrize(("ngram", "threshold"), [("word4", 0.5), ("word3", 0.0), ("word3", 1.5)])
def test_a_definition_that_cannot_be_meant_is_refused(ngram, threshold: float) -> None:
    """An unknown n-gram or threshold is a usage error, not an empty result."""
    with pytest.raises(UsageError):
        NearSpec(ngram, threshold)


def test_the_longest_run_of_long_texts() -> None:
    """Of two texts of 60,000 words that differ in one word the longer part is found; of equal runs the first."""
    left = [f"w{n % 5_000}x{n // 7}" for n in range(60_000)]
    right = [*left[:20_000], "other", *left[20_001:]]
    assert left[20_001:] == near.longest_run(left, right)
    assert ["a", "b"] == near.longest_run(["a", "b", "c", "a", "b"], ["z", "a", "b"])
    assert [] == near.longest_run(["a"], ["b"])
