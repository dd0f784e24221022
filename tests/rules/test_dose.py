"""What the dose laws say of a set stands beside its synthetic ratio and its entropy."""

import pytest

from holdfast.core.record import Provenance, Record
from holdfast.core.verdict import Measurement
from holdfast.rules import anchor_diversity
from holdfast.stats.calculator import of_spectrum
from tests.rules.views import outcome, record, records, view


def checked(count: int, first: int) -> list[Record]:
    """Synthetic records that a check passed."""
    return [
        Record(f"r{n}", "", record(n).response, Provenance("synthetic"), checks={"math": True})
        for n in range(first, first + count)
    ]


def test_the_ratio_comes_with_what_the_laws_say_of_it():
    """Half synthetic, of them 30 verified: n_eff and the words left, each with interval, n and assumption."""
    seen = view([*records(60), *checked(30, 60), *records(30, "synthetic", 90)])
    numbers = outcome("synthetic-ratio", seen).measurement.detail["dose"]
    assert {"value", "low", "high", "n", "assumes"} == set().union(*numbers.values())
    assert (0.75, 0.375) == (numbers["n_eff_fresh"]["value"], numbers["n_eff_fixed"]["value"])
    assert (0.9375, 120) == (numbers["n_eff_verified"]["value"], numbers["n_eff_verified"]["n"])
    # All but a few words of these records occur once or twice.
    assert 0.15 < numbers["types_left_10"]["value"] < numbers["types_left_1"]["value"] < 0.9


def test_a_sample_of_the_types_forecasts_what_all_of_them_do(monkeypatch):
    """Of many words one type in some is counted, in every shard: their share that is left is that of all."""
    rows = [record(n, text=" ".join(f"w{n * place % 4001}" for place in range(60))) for n in range(200)]
    whole = view(rows).spectrum
    monkeypatch.setattr("holdfast.rules.view.ALL_WORDS", 100)
    monkeypatch.setattr("holdfast.rules.view.PART", 4)
    parts = view(rows).spectrum
    types = sum(whole.values())
    assert types == len({word for row in rows for word in row.text.split()})
    assert types / 4 == pytest.approx(sum(parts.values()), rel=0.1)
    left, sampled = (of_spectrum(each)["types_left_5"] for each in (whole, parts))
    assert sampled.low < left.value < sampled.high


def test_the_entropy_says_how_far_the_generator_sharpens():
    """With .9 of the anchor's types .81 of the variance stays in a generation, .36 / (1 - .64 * .81) at last."""
    seen = view([*records(36), *records(64, "synthetic", 36)], real=records(3, first=999))
    whole = Measurement(1.0, 0.9, 1.1, 99, "ratio", detail={"verdict": "equivalent"})
    entropy = Measurement(0.9, 0.8, 1.0, 99, "ratio", detail={"raw": 4.2})
    seen.__dict__["diversity"] = {"anchor-diversity": whole, "tail-coverage": whole, "entropy": entropy}
    detail = next(each for each in anchor_diversity.check(seen) if each.rule == "entropy").measurement.detail
    found = {name: (each["value"], each["low"], each["high"], each["n"]) for name, each in detail["dose"].items()}
    assert 4.2 == detail["raw"]
    assert found["shrink"] == pytest.approx((0.81, 0.64, 1.0, 99))
    assert found["variance_kept"] == pytest.approx((0.36 / (1 - 0.64 * 0.81), 0.36 / (1 - 0.64**2), 1.0, 99))
