"""epochs: the mark of a repeated record stands among its checks and decides nothing."""

import pytest

from holdfast.core.epochs import epoch_of, marked


@pytest.mark.parametrize("checks", [None, '{"math":true}', '{"near-duplicate":null,"code":false}'])
@pytest.mark.parametrize("epoch", [2, 16])
def test_a_mark_is_read_back(checks, epoch):
    """Whatever was checked before, the epoch is read again; without a mark it is the first."""
    assert (1, epoch) == (epoch_of(checks), epoch_of(marked(checks, epoch)))


def test_what_was_checked_stays():
    """The mark is one check more; one without a verdict, as other tools add it to every record, is none."""
    assert '{"math":true,"epoch-3":true}' == marked('{"math":true}', 3)
    assert 1 == epoch_of('{"epoch-3":null}')
