"""The watcher as an object."""

import json

import pytest

from holdfast.workflows.monitor import Monitor, Reading
from tests.metrics.test_blocks import texts


def test_samples_alone_reach_narrowing() -> None:
    """Without real text the diversity channel works and the others say what they lack."""
    monitor = Monitor()
    for step, vocabulary in enumerate((400, 400, 60, 60, 60)):
        check = monitor.update(step, texts(250, step, vocabulary))
    assert ("NARROWING", "diversity", 2) == (check.state, check.channel, check.onset)
    assert {"ood": "no reserved real text", "id": "no reserved real text"} == check.blind


def test_real_text_is_scored_by_a_model_of_the_samples() -> None:
    """With files of real text and no perplexities the stand-in is used, and the values say whose they are."""
    monitor = Monitor(anchor=texts(100, 50), ood=texts(60, 51), id=texts(60, 52, 40))
    for step, vocabulary in enumerate((400, 400, 40, 40)):
        check = monitor.update(step, texts(250, step, vocabulary))
    assert "COLLAPSE" == check.state
    assert "a word-bigram model fitted to the samples" == check.value["ood-perplexity"].detail["scored_by"]
    assert {"anchor-bigram-recall", "tail-coverage", "anchor-cluster-coverage"} <= set(check.value)


def test_perplexities_of_the_model_come_first() -> None:
    """Where the model's own perplexities are given, nothing stands in for them."""
    monitor = Monitor(ood=texts(60, 51), id=texts(60, 52))
    for step in range(2):
        check = monitor.update(step, texts(250, step), ood_nll=[3.0] * 30, id_nll=[3.0] * 30)
    assert "the model itself" == check.value["ood-perplexity"].detail["scored_by"]
    assert (30, "OK") == (check.value["ood-perplexity"].n, check.state)


def test_fewer_words_than_at_the_start_are_blind() -> None:
    """A step with a tenth of the samples is compared with nothing, in either channel that rests on samples."""
    monitor = Monitor(ood=texts(60, 51))
    monitor.update(0, texts(250, 0))
    check = monitor.update(1, texts(25, 1))
    assert {"diversity", "ood", "id"} == set(check.blind)
    assert "take more or longer samples" in check.blind["diversity"]


def test_three_perplexities_are_kept_apart() -> None:
    """The perplexity of the samples, own or another model's, is reported and moves no channel."""
    monitor = Monitor()
    for step, nats in enumerate((3.0, 1.0, 0.2)):
        given = Reading(step, ood_nll=[3.0] * 20, id_nll=[2.0] * 20, own_nll=[nats] * 20, reference_nll=[5.0] * 20)
        check = monitor.observe(given)
    assert pytest.approx([0.2, 5.0, 1.0, 1.0]) == [
        check.value[name].value
        for name in ("sample-perplexity", "reference-perplexity", "ood-perplexity", "id-perplexity")
    ]
    assert not check.alarms


def test_the_result_is_the_contract() -> None:
    """version, state, channel, onset, checks with step, state, e and value, and the budget; plain JSON."""
    monitor = Monitor()
    for step, vocabulary in enumerate((400, 60, 60, 60)):
        monitor.update(step, texts(250, step, vocabulary), id_metrics={"exam": (0.8, 100)})
    told = json.loads(monitor.result.to_json())
    assert {"version", "state", "channel", "onset", "checks", "budget"} == set(told)
    assert {"step", "state", "e", "value"} <= set(told["checks"][-1])
    assert {"diversity", "ood", "id"} == set(told["checks"][-1]["e"])
    assert (200.0, 400.0, 4) == tuple(
        told["budget"][key] for key in ("checks_between_false_alarms", "threshold", "checks")
    )
    assert 1 == monitor.result.exit


def test_nothing_checked_is_blind() -> None:
    """Before the first step there is no OK."""
    assert ("BLIND", 0) == (Monitor().result.state, Monitor().result.exit)


@pytest.mark.parametrize("samples", [[], ["", " "], ["one"], ["\ud800 a"] * 30])
def test_odd_samples_are_blind_and_break_nothing(samples: list[str]) -> None:
    """No samples, empty samples, a single word: blind at the start and later."""
    monitor = Monitor(anchor=texts(30, 1), ood=texts(20, 2))
    assert "diversity" in monitor.update(0, samples).blind
    last = monitor.update(1, samples)
    assert "diversity" in last.blind
    assert all(one.n for one in last.value.values() if one.value is not None)
