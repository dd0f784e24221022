"""reserve: a sealed real held-out set that no near-duplicate straddles."""

import json
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import UsageError
from holdfast.core.reader import read
from holdfast.core.text import words
from holdfast.dedup.near import find_near
from holdfast.dedup.seal import open_held_out, read_seal
from holdfast.stats.proportion import smallest_drop
from holdfast.workflows.audit import audit
from holdfast.workflows.reserve import ReserveOptions, reserve, split

# The shared sets of real text, and of pairs and instructions that people wrote.
TEXTS = (
    *("text/gutenberg", "text/movie_reviews", "text/state_union", "text/wiki_abstracts", "text/wikitext2_valid"),
    *("instruct/gsm8k_train", "instruct/nq_open_dev", "instruct/oasst_subset", "instruct/seed_tasks"),
    *("parallel/pydocs_en_fr", "neardup/pydocs_revisions", "neardup/controlled", "detect/squad_human_vs_5generators"),
    *("verify/humanevalpack_python", "verify/mbpp_ref_and_mutants", "pii/presidio_generated_large"),
)


def written(path, rows):
    """Write rows as JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def real(folder, count=60):
    """Real questions with answers, in twins that differ in one word of many."""
    rows = []
    for n in range(count // 2):
        words = " ".join(f"w{n}x{place}" for place in range(30))
        rows += [{"question": f"{words} {twin}", "answer": str(n), "author": f"a{n % 7}"} for twin in ("one", "two")]
    return written(folder / "real.jsonl", rows)


def ids(path):
    """The rows of a JSONL file without the holdfast column, as text."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [row["question"] for row in rows]


def shingles(text):
    """The runs of three words of a text; all of it where it has fewer."""
    found = words(text)
    return {tuple(found[at : at + 3]) for at in range(max(1, len(found) - 2))}


def alike(held, others):
    """How many pairs across two lists of sets have a Jaccard similarity of one half or more.

    Such a pair shares half of either set, so that one of the rarer half and one more shingle of each is in the other.
    """
    where = defaultdict(set)
    for number, each in enumerate(held):
        for shingle in each:
            where[shingle].add(number)
    pairs = 0
    for each in others:
        rare = sorted(each, key=lambda shingle: len(where.get(shingle, ())))[: len(each) // 2 + 1]
        near = set().union(*(where.get(shingle, ()) for shingle in rare))
        pairs += sum(2 * len(each & held[number]) >= len(each | held[number]) for number in near)
    return pairs


def test_the_count_of_pairs_across_is_right():
    """Three of five shingles shared are a pair, two of six are none."""
    held = [shingles("a b c d e f"), shingles("a b c d x y")]
    assert (1, 2) == (alike(held, [shingles("a b c d e g")]), alike(held, [shingles("a b c d e f")] * 2))


def test_the_two_sides_are_the_whole(tmp_path):
    """Every real record is on one side and no record is on both."""
    source = real(tmp_path)
    manifest = reserve([source], tmp_path / "out", ReserveOptions(0.2))
    sides = ids(tmp_path / "out/eval.jsonl"), ids(tmp_path / "out/train.jsonl")
    assert (12, sorted(ids(source))) == (manifest.more["eval"], sorted(sides[0] + sides[1]))


def test_no_near_duplicate_straddles_the_seal(tmp_path):
    """Of 30 pairs of twins none is parted."""
    reserve([real(tmp_path)], tmp_path / "out", ReserveOptions(0.3))
    both = read([tmp_path / "out/eval.jsonl", tmp_path / "out/train.jsonl"], spool=tmp_path / "spool")
    side = np.asarray(both.column("input").to_pylist())
    pairs = find_near(both.tables(("prompt", "response")))
    assert (30, 0) == (len(pairs.left), int(np.sum(side[pairs.left] != side[pairs.right])))


@pytest.mark.parametrize("name", TEXTS)
def test_no_near_duplicate_straddles_on_real_text(tmp_path, shared_data, name):
    """On every shared set of real text no pair across the seal has a Jaccard similarity of one half.

    Counted twice: by the search that the split itself went by, and by sets of words in plain Python.
    """
    reserve([shared_data / f"{name}.jsonl.gz"], tmp_path / "out", ReserveOptions(0.1))
    sides = [sorted((tmp_path / "out").glob(f"{side}.*")) for side in ("eval", "train")]
    both = read([*sides[0], *sides[1]], spool=tmp_path / "spool")
    side = np.asarray(both.column("input").to_pylist())
    pairs = find_near(both.tables(("prompt", "response")))
    assert 0 == int(np.sum(side[pairs.left] != side[pairs.right]))
    shingled = [shingles(record.text) for record in both.records()]
    held, others = ([shingled[row] for row in np.flatnonzero(side == at)] for at in (0, 1))
    assert (True, True, 0) == (len(held) > 0, len(others) > len(held), alike(held, others))


def test_groups_stay_together(tmp_path):
    """No author is on both sides."""
    reserve([real(tmp_path)], tmp_path / "out", ReserveOptions(0.4, ("author",)))
    sides = [
        {json.loads(line)["author"] for line in (tmp_path / f"out/{side}.jsonl").read_text().splitlines()}
        for side in ("eval", "train")
    ]
    assert (True, set()) == (bool(sides[0]), sides[0] & sides[1])


def test_editing_one_sealed_row_is_detected(tmp_path):
    """One changed character in one row breaks the seal, and the audit says which record."""
    reserve([real(tmp_path)], tmp_path / "out", ReserveOptions(0.2))
    path = tmp_path / "out/eval.jsonl"
    assert () == open_held_out([tmp_path / "out"], tmp_path / "s1").broken
    path.write_text(path.read_text().replace("one", "onE", 1))
    report = audit(tmp_path / "out/train.jsonl", eval=tmp_path / "out")
    found = next(finding for finding in report.findings if finding.rule == "held-out-tampered")
    assert ("error", 1) == (found.severity, found.evidence_total)


def test_a_removed_row_is_detected(tmp_path):
    """A missing record is named too."""
    reserve([real(tmp_path)], tmp_path / "out", ReserveOptions(0.2))
    path = tmp_path / "out/eval.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    assert "is missing" in open_held_out([tmp_path / "out"], tmp_path / "s").broken[0]


def test_synthetic_records_are_never_held_out(tmp_path):
    """They are rejected with a reason; the held-out set is real."""
    rows = [{"text": f"{n} words of record {n * n}", "origin": "synthetic" if n % 3 else "real"} for n in range(30)]
    manifest = reserve([written(tmp_path / "r.jsonl", rows)], tmp_path / "out", ReserveOptions(4))
    kept = [json.loads(line)["origin"] for line in (tmp_path / "out/eval.jsonl").read_text().splitlines()]
    assert ({"not-real": 20}, {"real"}) == (manifest.reasons, set(kept))


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    """Two runs agree byte for byte; another seed draws another set."""
    source = real(tmp_path)
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        reserve([source], tmp_path / name, ReserveOptions(0.2, seed=seed))
    files = [[(tmp_path / name / file).read_bytes() for file in ("eval.jsonl", "holdfast.seal")] for name in "abc"]
    assert (True, False) == (files[0] == files[1], files[0] == files[2])


def test_a_seal_is_made_once(tmp_path):
    """A folder with a seal is refused."""
    reserve([real(tmp_path)], tmp_path / "out")
    with pytest.raises(UsageError, match="sealed once"):
        reserve([real(tmp_path)], tmp_path / "out")


@pytest.mark.parametrize("share", [60, 0.001, 100])
def test_an_empty_side_is_refused(tmp_path, share):
    """All or nothing is no split."""
    with pytest.raises(UsageError, match="leaves one side empty"):
        reserve([real(tmp_path)], tmp_path / "out", ReserveOptions(share))


def test_an_unknown_group_column_is_refused(tmp_path):
    """The message names the columns that exist, and nothing is sealed."""
    with pytest.raises(UsageError, match=r"(?s)'autor'.*mean 'author'.*question"):
        reserve([real(tmp_path)], tmp_path / "out", ReserveOptions(0.2, ("autor",)))
    assert not (tmp_path / "out/holdfast.seal").exists()


@given(st.lists(st.integers(0, 9), min_size=2, max_size=60), st.integers(1, 40), st.integers(0, 5))
def test_a_split_takes_whole_groups_and_never_too_many(labels, wanted, seed):
    """For any grouping: at most what was wanted, and no group on both sides."""
    first: dict[int, int] = {}
    group = np.asarray([first.setdefault(label, row) for row, label in enumerate(labels)])
    chosen = split(group, np.arange(len(group)), wanted, seed)
    inside, outside = set(group[chosen]), set(np.delete(group, chosen))
    assert (True, set()) == (len(chosen) <= wanted, inside & outside)


@pytest.mark.parametrize("share", [float("nan"), 1.5, -3.0, 0.0, float("inf")])
def test_a_share_that_is_none_is_refused(share, tmp_path):
    """What is neither a share nor a whole number of records never reaches the split."""
    with pytest.raises(UsageError):
        reserve([real(tmp_path)], tmp_path / "out", ReserveOptions(share))


def test_an_empty_seal_is_refused(tmp_path):
    """Where no group fits into the held-out set nothing is sealed: an empty seal would guard nothing."""
    source = written(tmp_path / "real.jsonl", [{"question": "Say hi to me please", "answer": "hi my friend"}] * 50)
    with pytest.raises(UsageError, match="No group of records fits"):
        reserve([source], tmp_path / "out", ReserveOptions(0.1))
    assert not (tmp_path / "out/holdfast.seal").exists()


@pytest.mark.parametrize("seed", range(5))
def test_a_group_with_a_record_that_is_not_real_is_never_held_out(seed):
    """Records 0 and 2 each have a synthetic near-duplicate, 1 and 3: only 4 and 5 can be held out."""
    chosen = split(np.array([0, 0, 2, 2, 4, 5]), np.array([0, 2, 4, 5]), 2, seed)
    assert [4, 5] == chosen.tolist()


def test_the_size_comes_from_the_power_asked_for(tmp_path):
    """To notice a drop of 40 points with 90 % power takes 27 records, and one fewer would not do."""
    manifest = reserve([real(tmp_path, 120)], tmp_path / "out", ReserveOptions(detect=0.4, power=0.9))
    assert (27, 26) == (manifest.more["asked"], manifest.more["eval"])  # twins stay together
    assert (True, False) == (smallest_drop(27, 0.9) <= 0.4, smallest_drop(26, 0.9) <= 0.4)


def test_each_stratum_gives_its_share(tmp_path):
    """Topics of 40 and 20 records give 6 and 3 of 9."""
    rows = [{"question": f"w{n} " * 12, "answer": str(n), "topic": "ab"[n % 3 == 0]} for n in range(60)]
    options = ReserveOptions(9, strata=("topic",))
    manifest = reserve([written(tmp_path / "r.jsonl", rows)], tmp_path / "out", options)
    assert {"topic=a": {"eval": 6, "train": 34}, "topic=b": {"eval": 3, "train": 17}} == manifest.more["strata"]


@pytest.mark.parametrize(
    ("columns", "grade"),
    [
        ({"date": "2019-05-01"}, "dated"),
        ({"year": 2021, "origin": "human"}, "dated"),
        ({"date": "2023-01-01", "origin": "human"}, "labelled"),
        ({"date": "2022-12"}, "declared"),
        ({}, "declared"),
    ],
)
def test_how_sure_one_is_comes_from_the_rows(tmp_path, columns, grade):
    """Dates before public chat models, labels, or only somebody's word: the seal says which."""
    rows = [{"question": f"w{n} " * 12, "answer": str(n), **columns} for n in range(20)]
    manifest = reserve([written(tmp_path / "r.jsonl", rows)], tmp_path / "out", ReserveOptions(4))
    sealed = read_seal(tmp_path / "out/holdfast.seal")
    assert (grade, grade) == (manifest.more["proof"]["grade"], sealed.proof["grade"])


def test_too_few_real_records_are_told_in_a_sentence_that_can_be_followed(tmp_path):
    """With none or one real record no number is proposed that nobody can ask for."""
    for rows in ([], [{"text": "one"}], [{"text": f"row {n}", "origin": "synthetic"} for n in range(9)]):
        path = tmp_path / "few.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        with pytest.raises(UsageError, match=r"(?s)Too few real records.*Give more real data"):
            reserve([path], tmp_path / "sealed")
