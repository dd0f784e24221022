"""The fuzzer's targets take what is valid and what is not, and a crash would be seen."""

import pytest

from bench.fuzz import AWKWARD, TARGETS, spoiled


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_valid_cut_and_awkward_bytes(name):
    """The valid file, its half, nothing, and the file with each awkward piece in its middle."""
    valid, attempt = TARGETS[name]
    data = valid()
    middle = len(data) // 2
    for each in (data, data[:middle], b"", *(data[:middle] + piece + data[middle:] for piece in AWKWARD)):
        attempt(each)


def test_a_crash_is_seen():
    """What is no answer goes through: the targets swallow nothing else."""
    _, attempt = TARGETS["jsonl"]
    with pytest.raises(TypeError):
        attempt("no bytes")
    assert spoiled(b"x") is not None
