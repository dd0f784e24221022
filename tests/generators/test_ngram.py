"""Text from the bigram model: new, plain, repeatable."""

from typing import Any

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.settings import GeneratorSettings
from holdfast.generators import ngram
from holdfast.generators.writing import Draft, Material
from tests.generators.driving import brief, drive, real

SEEDS = [
    real("s1", "", "the old cat sat on the warm roof and slept."),
    real("s2", "Where?", "the young dog ran to the warm house and slept."),
]


def ends(seeds: Any = SEEDS) -> list[Any]:
    write = ngram.writer(Material(GeneratorSettings(use="ngram"), seeds=seeds))
    return [drive(write(brief(seed=seed))) for seed in range(200)]


def test_texts() -> None:
    """Plain text of the seeds' words, many different ones, no seed again, the same for the same randomness."""
    found = ends()
    assert [str(end) for _, end in found] == [str(end) for _, end in ends()]
    drafts = [draft for _, draft in found if isinstance(draft, Draft)]
    assert 100 < len(drafts)
    assert 30 < len({draft.response for draft in drafts})
    assert {("", "synthetic", ())} == {(draft.prompt, draft.origin, draft.parents) for draft in drafts}
    assert not {draft.response for draft in drafts} & {seed.response for seed in SEEDS}
    assert all(not calls for calls, _ in found)


def test_refused() -> None:
    """A seed again and a text of a few words are no records."""
    assert {"copies-seed"} == {end.reason for _, end in ends([real("s", "", "one two three four five.")])}
    assert {"too-short"} == {end.reason for _, end in ends([real("s", "", "so it ends.")])}
    assert {"too-short"} == {end.reason for _, end in ends([real("s", "", "")])}


def test_settings() -> None:
    """Seeds are needed; none is used up."""
    with pytest.raises(UsageError, match="needs 1 seeds"):
        ngram.writer(Material(GeneratorSettings(use="ngram")))
    assert ngram.items(GeneratorSettings(use="ngram")) is None
