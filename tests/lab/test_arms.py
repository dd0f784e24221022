"""What each arm trains a generation on is what its name says."""

import numpy as np
import pytest

from holdfast.core.errors import UsageError
from holdfast.lab.arms import Situation, stages
from holdfast.lab.design import ARMS, Chain, LabOptions, chains

# Real documents are 0 to 99, those of generation 0 are 1000 to 1099, of generation 1 2000 to 2099.
REAL = np.arange(100)[:, None]


def trained(arm: str, dose: float | None, generation: int = 2) -> list[list[int]]:
    """The stages of a generation as lists of documents."""
    made = [1000 * g + REAL for g in range(1, generation + 1)]
    given = Situation(REAL, made, np.random.default_rng([1, generation]), np.random.default_rng([1, 0]))
    return [stage[:, 0].tolist() for stage in stages(Chain(arm, dose, 0), given)]


@pytest.mark.parametrize("arm", ["fresh-real", "fixed-real", "verified"])
def test_a_dose_is_the_synthetic_share(arm: str) -> None:
    """Of 100 documents 30 are the latest generation's and 70 real, none twice."""
    (mixed,) = trained(arm, 0.3)
    assert 30 == sum(document >= 2000 for document in mixed)
    assert 70 == len({document for document in mixed if document < 100})


def test_fixed_is_fixed_and_fresh_is_not() -> None:
    """fixed-real has the same real documents in each generation, fresh-real others."""
    arms = ("fixed-real", "fresh-real")
    real = {arm: [set(trained(arm, 0.5, g)[0]) & set(range(100)) for g in (1, 2)] for arm in arms}
    assert real["fixed-real"][0] == real["fixed-real"][1]
    assert real["fresh-real"][0] != real["fresh-real"][1]


def test_the_control_is_the_real_part_of_the_fixed_mix() -> None:
    """real-only trains on the very real documents that fixed-real keeps, and on nothing else."""
    (control,), (mixed,) = trained("real-only", 0.5), trained("fixed-real", 0.5)
    assert set(control) == set(mixed) & set(range(100))


def test_two_stages_are_synthetic_first() -> None:
    """two-stage trains on the synthetic part, then on the real part."""
    first, last = trained("two-stage", 0.4)
    assert 40 == len(first) == sum(document >= 2000 for document in first)
    assert 60 == len(last) == sum(document < 100 for document in last)


def test_replace_and_accumulate() -> None:
    """replace has only the latest, accumulate everything, accumulate-subsample as much of it as the real text."""
    assert set(range(2000, 2100)) == set(trained("replace", 1.0)[0])
    assert 300 == len(set(trained("accumulate", None)[0]))
    sub = trained("accumulate-subsample", None)[0]
    assert 100 == len(set(sub))
    assert {0, 1, 2} == {document // 1000 for document in sub}


def test_chains_are_the_whole_design() -> None:
    """Every arm has its doses under every seed; names are folders and differ."""
    options = LabOptions(arms=tuple(ARMS), doses=(0.1, 0.5), seeds=2)
    found = list(chains(options))
    assert 2 * (5 * 2 + 3) == len(found) == len({chain.name for chain in found})
    assert [0] * 13 + [1] * 13 == [chain.seed for chain in found]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"arms": ("replaces",)}, "Did you mean 'replace'"),
        ({"doses": (0.5, 1.0)}, "between 0 and 1"),
        ({"doses": ()}, "between 0 and 1"),
        ({"generations": 0}, "0 generations"),
        ({"loss": 0.0}, "a loss of 0"),
        ({"loss": float("inf")}, "a loss of inf"),
        ({"arms": ()}, "Give an arm"),
        ({"doses": (0.12345671, 0.12345672)}, "the same to six digits"),
    ],
)
def test_senseless_designs_are_refused(wrong: dict, named: str) -> None:
    """Unknown arms, doses outside (0, 1), no generation and no loss are named."""
    with pytest.raises(UsageError, match=named):
        LabOptions(**wrong)
