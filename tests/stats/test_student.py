"""Student's quantiles equal the printed tables; the interval of a mean covers as often as it says."""

import numpy as np
import pytest

from holdfast.core.errors import UsageError
from holdfast.stats.student import mean, quantile


@pytest.mark.parametrize(
    ("probability", "freedom", "printed"),
    [(0.975, 1, 12.7062), (0.975, 2, 4.3027), (0.975, 4, 2.7764), (0.95, 4, 2.1318), (0.975, 30, 2.0423), (0.5, 3, 0)],
)
def test_quantiles_are_those_of_the_tables(probability: float, freedom: int, printed: float) -> None:
    """The values of Student's table, to four decimals."""
    assert printed == pytest.approx(quantile(probability, freedom), abs=5e-5)


def test_intervals_cover() -> None:
    """Of 2000 means of three normal numbers 95 % of the intervals hold the truth, within .015."""
    rng = np.random.default_rng(0)
    found = [mean(row) for row in rng.normal(5, 2, (2000, 3)).tolist()]
    assert 0.95 == pytest.approx(np.mean([one is not None and one.low <= 5 <= one.high for one in found]), abs=0.015)


def test_one_value_has_no_interval() -> None:
    """One repeat says nothing about the spread; nor does a quantile without freedom exist."""
    assert mean([3.0]) is None
    with pytest.raises(UsageError, match="degrees of freedom"):
        quantile(0.975, 0)
