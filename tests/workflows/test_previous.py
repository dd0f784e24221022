"""Rounds: what a set keeps of the one before is counted, and the regime named."""

import json
from pathlib import Path

import pytest

from holdfast.core.errors import HoldfastError
from holdfast.workflows.mix import mix
from holdfast.workflows.mix_options import MixOptions
from holdfast.workflows.previous import ACCUMULATE, FIRST, REPLACE, SUBSAMPLE
from tests.workflows.test_mix import written


def rows(kind: str, first: int, count: int) -> list[dict]:
    """Records of one kind, numbered."""
    return [{"text": f"{kind} text number {n} and some more"} for n in range(first, first + count)]


def rounded(folder: Path, name: str, real: list[dict], made: list[dict], previous: Path | None = None) -> dict:
    """The manifest of a mixture of all of these."""
    files = written(folder / f"{name}-real.jsonl", real), written(folder / f"{name}-made.jsonl", made)
    options = MixOptions(max_synthetic=1.0, previous=previous)
    return mix([files[0]], [files[1]], folder / name, options).to_dict()


@pytest.fixture
def first(tmp_path) -> Path:
    """A first round of 100 real and 100 synthetic records."""
    rounded(tmp_path, "one", rows("real", 0, 100), rows("made", 0, 100))
    return tmp_path / "one"


@pytest.mark.parametrize(
    ("real", "made", "regime", "shares"),
    [
        ((0, 200), (0, 200), ACCUMULATE, (1.0, 1.0, 0.5)),
        ((0, 100), (100, 100), REPLACE, (1.0, 0.0, 1.0)),
        ((100, 100), (100, 100), REPLACE, (0.0, 0.0, 0.0)),
        ((0, 100), (50, 100), SUBSAMPLE, (1.0, 0.5, 1.0)),
        ((50, 100), (0, 100), SUBSAMPLE, (0.5, 1.0, 0.5)),
        ((3, 100), (3, 100), ACCUMULATE, (0.97, 0.97, 0.97)),
    ],
)
def test_the_regime_is_what_stayed(tmp_path, first, real, made, regime, shares):
    """All of it: accumulate; no synthetic record: replace; part: between. Shares of real and synthetic are counted."""
    found = rounded(tmp_path, "two", rows("real", *real), rows("made", *made), first)["previous"]
    assert (2, 200, 100, regime) == (found["round"], found["records"], found["synthetic"], found["regime"])
    assert shares == (found["real_kept"], found["synthetic_kept"], found["real_from_before"])


def test_rounds_are_counted_through_their_manifests(tmp_path, first):
    """A third round that names the second's manifest is round 3."""
    rounded(tmp_path, "two", rows("real", 0, 100), rows("made", 0, 200), first)
    third = rounded(tmp_path, "three", rows("real", 0, 100), rows("made", 0, 300), tmp_path / "two/manifest.json")
    assert (3, ACCUMULATE) == (third["previous"]["round"], third["previous"]["regime"])


def test_a_round_of_real_data_alone_is_the_first(tmp_path):
    """Where the round before held nothing synthetic there is nothing to accumulate or replace yet."""
    files = [written(tmp_path / kind, rows(kind, 0, 50)) for kind in ("real", "made")]
    mix(files[:1], files[1:], tmp_path / "one", MixOptions(max_synthetic=0.0))
    found = rounded(tmp_path, "two", rows("real", 0, 50), rows("made", 0, 50), tmp_path / "one")["previous"]
    assert (FIRST, None) == (found["regime"], found["synthetic_kept"])


def test_a_changed_round_is_refused(tmp_path, first):
    """A training file that is not what its manifest says cannot vouch for a round."""
    with (first / "train.jsonl").open("a") as file:
        file.write(json.dumps({"text": "one more"}) + "\n")
    with pytest.raises(HoldfastError, match="not what its manifest says"):
        rounded(tmp_path, "two", rows("real", 0, 9), rows("made", 0, 9), first)


def test_what_is_no_round_is_refused(tmp_path):
    """A folder without a manifest, or with one of another verb, is named."""
    (tmp_path / "manifest.json").write_text('{"verb": "verify", "files": {}}')
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(HoldfastError, match="no manifest of a training set"):
            rounded(tmp_path, "two", rows("real", 0, 9), rows("made", 0, 9), path)


def test_the_card_names_it(tmp_path, first):
    """Who reads the card learns how the set stands to the round before."""
    rounded(tmp_path, "two", rows("real", 0, 100), rows("made", 100, 100), first)
    assert "| after | round 1: replace, hardly a synthetic record" in (tmp_path / "two/README.md").read_text()
