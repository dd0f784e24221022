"""ROUGE-L on words: the bit-parallel subsequence and the index agree with the plain definitions."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.generators.likeness import Known, common

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=12)


def plain(one: list[str], other: list[str]) -> int:
    """The longest common subsequence by its recurrence."""
    row = [0] * (len(other) + 1)
    for word in one:
        before = row
        row = [0]
        for place, seen in enumerate(other):
            row.append(before[place] + 1 if word == seen else max(row[-1], before[place + 1]))
    return row[-1]


@given(TEXTS, TEXTS)
def test_common_is_the_longest_common_subsequence(one: list[str], other: list[str]) -> None:
    """Bits and recurrence agree."""
    assert plain(one, other) == common(one, other)


@given(st.lists(TEXTS, min_size=1, max_size=6), TEXTS, st.sampled_from([0.0, 0.5, 0.7]))
def test_the_index_misses_nothing(known: list[list[str]], text: list[str], more_than: float) -> None:
    """The place found is the first whose likeness by definition is above the threshold."""
    scores = [2 * plain(text, each) / max(len(text) + len(each), 1) for each in known]
    expected = next((place for place, score in enumerate(scores) if score > more_than), None)
    assert expected == Known(" ".join(each) for each in known).like(" ".join(text), more_than)
