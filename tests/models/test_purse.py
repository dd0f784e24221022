"""The purse: whatever is taken and settled in whatever order, the limit is never passed."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.models.purse import Purse


@given(st.floats(0, 10), st.lists(st.tuples(st.floats(0, 3), st.floats(0, 1), st.booleans()), max_size=40))
def test_the_limit_is_never_passed(limit: float, requests: list[tuple[float, float, bool]]) -> None:
    """At every moment what is spent and what may still come due are within the limit together."""
    purse, due = Purse(limit), []
    for most, part, settles in requests:
        if purse.take(most):
            due.append((most, most * part))
        if settles and due:
            purse.settle(*due.pop(0))
        assert purse.spent + purse.aside <= limit + 1e-9
    for each in due:
        purse.settle(*each)
    assert purse.spent <= limit + 1e-9


def test_without_a_limit_everything_fits() -> None:
    """No limit refuses nothing, and what is spent is known all the same."""
    purse = Purse()
    assert all(purse.take(1e9) for _ in range(3))
    purse.settle(1e9, 2.5)
    assert 2.5 == purse.spent


def test_what_is_given_back_can_be_taken_again() -> None:
    """A request that cost less than it might have leaves room for the next."""
    purse = Purse(1.0)
    assert purse.take(1.0)
    assert not purse.take(0.1)
    purse.settle(1.0, 0.2)
    assert purse.take(0.8)
