"""Calibration on votes and verdicts of others: who may reject, on which subset, and why not."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.labels import Label
from holdfast.workflows.calibration import Calibration, calibrate, people, raters


def _rows(shared: Path, name: str) -> list[dict[str, Any]]:
    packed = (shared / "multigen" / f"{name}.jsonl.gz").read_bytes()
    return [json.loads(line) for line in gzip.decompress(packed).splitlines()]


def _kappa(pairs: list[tuple[bool, bool]]) -> float:
    """Cohen's kappa written out, without any of the code under test."""
    n = len(pairs)
    same = sum(one == other for one, other in pairs) / n
    yes = [sum(pair[at] for pair in pairs) / n for at in (0, 1)]
    chance = yes[0] * yes[1] + (1 - yes[0]) * (1 - yes[1])
    return (same - chance) / (1 - chance)


@pytest.mark.parametrize(
    ("judge", "trusted"),
    [("judge_gpt35", {"all", "bloom-7b", "llama-7b", "opt-7b"}), ("judge_pandalm7b", {"all"})],
)
def test_power_over_pandalm_by_generator(shared_data: Path, judge: str, trusted: set[str]) -> None:
    """GPT-3.5 may reject but for one generator; PandaLM-7B agrees enough over all, and on no generator alone."""
    pairs = _rows(shared_data, "pandalm_human_pairs")
    human = {row["id"]: row["human_majority"] == 1 for row in pairs}
    said = {row["id"]: row[judge] == "1" for row in pairs}
    makers = {row["id"]: row["generator_1"] for row in pairs}
    found = calibrate(human, said, makers, 0.4)
    assert trusted == {subset for subset, each in found.items() if each.trusted}
    assert {"all", "bloom-7b", "cerebras-gpt-6.7B", "llama-7b", "opt-7b"} == set(found)
    for subset, each in found.items():
        own = [(human[name], said[name]) for name in human if subset in ("all", makers[name])]
        assert pytest.approx(_kappa(own), abs=1e-9) == each.kappa.value
        assert len(own) == each.kappa.n


def test_a_judge_that_looks_at_length_is_refused(shared_data: Path) -> None:
    """On QA-Eval string inclusion agrees with people on each system; a preference for long answers on none."""
    answers = _rows(shared_data, "qa_eval_nq")
    human = {row["id"]: row["human_correct"] for row in answers}
    makers = {row["id"]: row["generator"] for row in answers}
    long = {row["id"]: len(row["answer"]) > 40 for row in answers}
    parts = {row["id"]: [part.strip().lower() for part in row["gold"].split("/")] for row in answers}
    found = {row["id"]: any(part in row["answer"].lower() for part in parts[row["id"]]) for row in answers}
    by_inclusion, by_length = (calibrate(human, said, makers, 0.4) for said in (found, long))
    assert (6, set()) == (
        sum(each.trusted for each in by_inclusion.values()),
        {subset for subset, each in by_length.items() if each.trusted},
    )
    assert "below 0.4" in by_length["all"].why


def _calibrated(pairs: list[tuple[bool, bool | None]]) -> Calibration:
    human = {f"r{n}": pair[0] for n, pair in enumerate(pairs)}
    return calibrate(human, {f"r{n}": pair[1] for n, pair in enumerate(pairs)}, {}, 0.4)["all"]


def test_agreement_without_an_error_is_not_taken_for_certain() -> None:
    """30 labels without one disagreement leave a bootstrap of no width; the lower bound stays below 1."""
    found = _calibrated([(n % 2 == 0, n % 2 == 0) for n in range(30)])
    assert (1.0, 1.0) == (found.kappa.value, found.kappa.low)
    assert 0.7 < found.lower < 0.8
    assert found.trusted


def test_labels_of_one_kind_give_no_power() -> None:
    """Agreement on good records alone says nothing about what is rejected."""
    found = _calibrated([(True, True)] * 96 + [(False, False)] * 4)
    assert not found.trusted
    assert "4 bad" in found.why


def test_undecided_records_are_counted_and_not_compared() -> None:
    """A judge is held against people only where both decided."""
    found = _calibrated([(n % 2 == 0, None if n < 10 else n % 2 == 0) for n in range(50)])
    assert (40, 10) == (found.kappa.n, found.undecided)


def test_people_decide_by_majority_and_by_the_mark() -> None:
    """The last word of a rater counts; numbers pass from the mark on; a tie is nobody's; skips and choices are none.

    Who decides and takes it back has decided nothing.
    """
    said = [
        Label("a", "x", "score", False), Label("a", "x", "score", True), Label("b", "x", "score", 3),
        Label("c", "x", "score", 4), Label("d", "x", "score", True), Label("d", "y", "score", False),
        Label("e", "x", "skip", None), Label("f", "x", "choice", 1, other="a"),
    ]  # fmt: skip
    assert {"a": True, "b": False, "c": True, "d": None} == people(said, 4)
    assert False is people([*said, Label("d", "z", "score", False, version="adjudication")], 4)["d"]
    decided = [
        Label("d", "z", kind, value, version="adjudication") for kind, value in (("score", False), ("skip", None))
    ]
    assert people([*said, *decided], 4)["d"] is None
    chosen = [Label("g", "x", "choice", value, other="g#rejected") for value in (1, 2)]
    assert [{}, {"g": True}, {"g": False}] == [
        people(chosen, 4), people(chosen[:1], 4, pairs=True), people(chosen, 4, pairs=True)
    ]  # fmt: skip
    tie = Label("g", "x", "choice", 0, other="g#rejected")
    assert {} == people([*chosen, tie], 4, pairs=True)
    alpha = raters(said, 4)
    assert alpha is not None
    assert 1 == alpha.n
    assert raters(said[:3], 4) is None
