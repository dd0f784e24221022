"""The text is asked about origins: a band for unknown ones, an error for a held-out set that models wrote."""

import numpy as np

from holdfast.core.record import Provenance, Record
from holdfast.rules.authorship import Part, responding, texts_of
from tests.rules.authored import prose, written
from tests.rules.views import dataset, outcome, record, records, verdict, view

ANCHOR = written(60, 0, 0, first=500)


def unlabelled(people, models, first=900):
    """Records of unknown origin."""
    return [record(first + n, "unknown", prose(first + n, model=n >= people)) for n in range(people + models)]


def test_unknown_origin_gets_an_estimate_and_a_band():
    """Half of 80 unlabelled records are synthetic: the estimate says so, the ratio's band is inside its bounds."""
    seen = view([*written(60, 0, 60), *unlabelled(40, 40)], real=ANCHOR)
    detail = outcome("unknown-origin", seen).measurement.detail
    told, band = detail["estimate"], detail["ratio_band"]
    assert told["low"] <= 0.5 <= told["high"]
    assert abs(told["value"] - 0.5) < 0.15
    ratio = outcome("synthetic-ratio", seen).measurement
    assert ratio.low <= band["low"] <= band["value"] <= band["high"] <= ratio.high


def test_without_a_reference_it_says_why():
    """No anchor, no synthetic record: no estimate, and the reason."""
    seen = view(unlabelled(10, 10))
    assert {"why": "there is no real reference"} == outcome("unknown-origin", seen).measurement.detail["estimate"]
    seen = view(unlabelled(10, 10), real=ANCHOR)
    assert {"why": "no record is labelled synthetic"} == outcome("unknown-origin", seen).measurement.detail["estimate"]


def test_a_held_out_set_that_models_wrote_is_an_error():
    """Labelled real, yet written as the synthetic records are; one that people wrote passes."""
    data = written(60, 0, 60)
    false, true = written(0, 60, 0, first=700), written(60, 0, 0, first=800)
    assert "error" == verdict("held-out-not-real", view(data, real=ANCHOR, held_out=false))
    assert "passed" == verdict("held-out-not-real", view(data, real=ANCHOR, held_out=true))


def test_labels_that_the_text_contradicts_are_a_finding():
    """Records labelled real that models wrote are a warning, that people wrote are none, without naming a record."""
    said = outcome("doubtful-real", view(written(0, 60, 60), real=ANCHOR))
    assert ("warning", ()) == (said.severity, said.evidence)
    assert said.measurement.low > 0.5
    assert "passed" == verdict("doubtful-real", view(written(60, 0, 60), real=ANCHOR))


def test_units_run_over_all_parts():
    """Copies, answers to one prompt, one opening and children of one parent are a unit, on whichever side they are."""
    opening = " ".join(f"o{n}" for n in range(12))
    left = [
        record(0, text=" ".join(f"x{n}" for n in range(30))),
        Record("q", "Which?", "this one"),
        record(2, text=f"{opening} and so it went"),
        record(3, text="parent of another"),
        record(4, text="alone"),
    ]
    right = [
        record(10, text=" ".join(f"x{n}" for n in range(31))),
        Record("r", "Which?", "that other"),
        record(12, text=f"{opening} but not here"),
        Record("s", "", "child of it", Provenance("synthetic", parents=("r3",))),
    ]
    one, two = texts_of(*(Part(dataset(rows), np.arange(len(rows))) for rows in (left, right)))
    assert one.units[:4].tolist() == two.units.tolist()
    assert 5 == len(set(one.units.tolist()))


def test_a_column_joins_units():
    """Equal values came about together; None says nothing."""
    (texts,) = texts_of(Part(dataset(records(4)), np.arange(4), ["a", "a", None, None]))
    assert 3 == len(set(texts.units.tolist()))


def test_only_records_with_an_answer_are_drawn():
    """An empty answer says nothing of its author; the draw is seeded, in order, and no larger than asked."""
    rows = [record(n, text="" if n % 2 else "text") for n in range(20)]
    chosen = responding(dataset(rows), np.arange(20), 5, 7)
    assert 5 == len(chosen)
    assert [True] * 5 == (chosen % 2 == 0).tolist()
    assert chosen.tolist() == responding(dataset(rows), np.arange(20), 5, 7).tolist()
