"""The alarm: named states, silence while nothing changes, and blindness that says why."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from holdfast.stats.alarm import ALARMS, Alarm, AlarmOptions, Check, Level, Score, Seen

RNG = np.random.default_rng
GOOD = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 1.01, 0.99, 1.0, 1.02]
DOCUMENTS = 40


def run(checks: Sequence[Mapping[str, Any]], options: AlarmOptions | None = None) -> list[Check]:
    """Feed checks, each {div, ood, id: factor}; what is left out is not measured."""
    alarm = Alarm(options or AlarmOptions())
    base = RNG(0).normal(3.0, 0.5, DOCUMENTS)
    noise = RNG(1)
    for step, given in enumerate(checks):
        sets = {
            f"{name}_nll": (base + np.log(given[name]) + noise.normal(0, 0.01, DOCUMENTS)).tolist()
            for name in ("ood", "id")
            if name in given
        }
        blocks = {"distinct-2": [given["div"] * value for value in GOOD]} if "div" in given else {}
        alarm.check(Seen(step, blocks, **sets, id_metrics=given.get("scores", {}), decoding=given.get("decoding")))
    return alarm.checks


SAME = {"div": 1.0, "ood": 1.0, "id": 1.0}


@pytest.mark.parametrize(
    ("now", "state", "channel"),
    [
        (SAME, "OK", None),
        ({"div": 0.8, "ood": 1.3, "id": 1.0}, "COLLAPSE", "diversity+ood"),
        ({"div": 0.8, "ood": 1.3, "id": 0.5}, "COLLAPSE", "diversity+ood"),
        ({"div": 0.8, "ood": 1.3, "id": 1.3}, "DEGRADATION", "diversity+ood"),
        ({"div": 0.8, "ood": 1.0, "id": 1.0}, "NARROWING", "diversity"),
        ({"div": 1.0, "ood": 1.3, "id": 1.0}, "DRIFT", "ood"),
        ({"div": 0.96, "ood": 1.04, "id": 1.0}, "OK", None),
        ({"div": 1.3, "ood": 0.7, "id": 0.7}, "OK", None),
    ],
)
def test_states_are_named_after_what_moved(now: dict[str, float], state: str, channel: str | None) -> None:
    """Each combination of what fell, rose and held has its own name; what stays inside the margin has none."""
    last = run([SAME, now, now, now])[-1]
    assert (state, channel) == (last.state, last.channel)
    assert (state in ALARMS) == last.alarms


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({"div": 0.8}, "NARROWING"),
        ({"ood": 1.3}, "DRIFT"),
        ({"div": 0.8, "ood": 1.3}, "NARROWING"),
        ({"div": 0.8, "id": 1.0}, "COLLAPSE"),
        ({"ood": 1.3, "id": 1.0}, "COLLAPSE"),
    ],
)
def test_what_was_not_measured_limits_the_name(given: dict[str, float], state: str) -> None:
    """Without in-distribution text nothing is called collapse; diversity alone reaches NARROWING."""
    start = dict.fromkeys(given, 1.0)
    assert state == run([start, given, given, given])[-1].state


def test_an_alarm_takes_more_than_one_check() -> None:
    """Ten blocks that agree are an e-value of 186: WATCH at once, an alarm at the second check."""
    states = [check.state for check in run([SAME, {**SAME, "div": 0.8}, {**SAME, "div": 0.8}])]
    assert ["OK", "WATCH", "NARROWING"] == states


def test_the_onset_is_named() -> None:
    """After five quiet checks the onset is the first that moved."""
    last = run([SAME] * 6 + [{**SAME, "div": 0.8}] * 3)[-1]
    assert (6, "diversity") == (last.onset, last.channel)


def test_no_null_series_alarms() -> None:
    """Of 60 series of 20 checks in which nothing changes, none alarms in either channel."""
    rng, alarmed = RNG(2), 0
    for _ in range(60):
        alarm = Alarm()
        base = rng.normal(3, 0.5, 200)
        for step in range(20):
            blocks = {name: rng.normal(0.667, 0.034, 10).tolist() for name in ("distinct-2", "missing-mass")}
            alarm.check(Seen(step, blocks, (base + rng.normal(0, 0.1, 200)).tolist()))
        alarmed += any(check.alarms for check in alarm.checks)
    assert 0 == alarmed


def test_the_mean_evidence_of_a_null_check_is_at_most_one() -> None:
    """With the margin at nothing and the bound at the true median, e-values of blocks average to 1 or less."""
    rng = RNG(3)
    options = AlarmOptions(margin_diversity=0.0)
    found = []
    for _ in range(400):
        alarm = Alarm(options)
        alarm.check(Seen(0, {"m": rng.normal(1, 0.05, 40).tolist()}))
        done = alarm.check(Seen(1, {"m": rng.normal(1, 0.05, 10).tolist()}))
        found.append(done.e["diversity"])
    assert 1.0 >= float(np.mean(found))


def test_small_sets_do_not_hold() -> None:
    """Nine documents with much movement are not shown to hold, though nothing is shown to change."""
    rng, alarm = RNG(4), Alarm()
    for step in range(2):
        check = alarm.check(Seen(step, id_nll=rng.normal(3, 1, 9).tolist()))
    assert "unclear" == check.holds


@pytest.mark.parametrize(
    ("score", "holds"),
    [
        (Score(0.80, 4000), "holds"),
        (Score(0.60, 4000), "worse"),
        (Score(0.70, 50), "unclear"),
        (Score(7.0, 50), "unseen"),
    ],
)
def test_benchmark_scores_belong_to_holds(score: Score, holds: str) -> None:
    """A score holds when its limit lies above 95 % of the first one, by its number of items."""
    first = score if holds == "unseen" else Score(0.8, score.n)
    assert holds == run([{"scores": {"exam": first}}, {"scores": {"exam": score}}])[-1].holds


def test_a_fallen_score_makes_a_collapse_a_degradation() -> None:
    """In-distribution perplexity may hold while the benchmark falls: then it is no collapse."""
    first, now = {"scores": {"exam": Score(0.8, 4000)}}, {"scores": {"exam": Score(0.5, 4000)}}
    last = run([{**SAME, **first}, *[{**SAME, "div": 0.7, **now}] * 3])[-1]
    assert "DEGRADATION" == last.state


def blind(**given: Any) -> Mapping[str, str]:
    """What is blind at the second of two checks, the first of which is whole."""
    alarm = Alarm()
    whole = {"blocks": {"m": GOOD}, "ood_nll": [3.0] * 20, "id_nll": [3.0] * 20, "decoding": "t=1"}
    alarm.check(Seen(0, **whole))
    return alarm.check(Seen(1, **{**whole, **given})).blind


def test_blindness_is_per_channel_and_says_why() -> None:
    """Too few blocks, changed decoding, missing text, changed sets, sentinel values: each blinds its channel only."""
    assert {} == blind()
    assert {"diversity": "7 blocks of m, fewer than 8"} == blind(blocks={"m": GOOD[:7]})
    assert {"diversity": "decoding changed from 't=1' to 't=0.7'"} == blind(decoding="t=0.7")
    assert {"ood": "no reserved real text"} == blind(ood_nll=None)
    assert {"id": "the set changed: 20 documents at the start, 19 now"} == blind(id_nll=[3.0] * 19)
    assert {"ood": "not measured: 20 of 20 documents have no number, or a negative one"} == blind(ood_nll=[-1.0] * 20)
    assert ["id"] == list(blind(id_nll=[float("nan")] * 15 + [3.0] * 5))


def test_nothing_blind_is_called_ok() -> None:
    """While a channel is blind there is no OK; and a blind check adds no evidence."""
    checks = run([SAME, {"div": 1.0}, SAME])
    assert ["OK", "BLIND", "OK"] == [check.state for check in checks]
    assert checks[0].e["ood"] == checks[1].e["ood"]


def test_unmeasured_documents_are_left_out_in_pairs() -> None:
    """A document without a number at one check is compared at no other, and the rest still count."""
    alarm = Alarm()
    alarm.check(Seen(0, ood_nll=[3.0] * 19 + [None]))
    check = alarm.check(Seen(1, ood_nll=[None, *[4.0] * 19]))
    assert 18 == check.value["ood-perplexity"].n
    assert np.e == pytest.approx(check.value["ood-perplexity"].value)


def test_plain_numbers_reach_watch_and_no_further() -> None:
    """Numbers without blocks have no error control: however far they fall, there is no alarm."""
    alarm = Alarm()
    for step, value in enumerate((0.6, 0.3, 0.1, 0.01)):
        check = alarm.check(Seen(step, levels={"distinct_2": Level(value, "diversity", "lower")}))
    assert ("WATCH", None) == (check.state, check.channel)
    assert "diversity" not in check.blind


def test_the_worst_alarm_stands_for_the_series() -> None:
    """A collapse that later checks see less clearly stays a collapse."""
    alarm = Alarm()
    checks = run([SAME, *[{"div": 0.8, "ood": 1.3, "id": 1.0}] * 3, *[{"div": 0.8}] * 2])
    alarm.checks.extend(checks)
    assert alarm.verdict is not None
    assert ("NARROWING", "COLLAPSE", 3) == (checks[-1].state, alarm.verdict.state, alarm.verdict.step)


def test_evidence_stays_a_number() -> None:
    """Thousands of documents that agree, check after check, give no infinity."""
    alarm = Alarm()
    for step in range(4):
        check = alarm.check(Seen(step, ood_nll=[3.0 + step] * 3000))
    assert 1e100 < check.e["ood"] < float("inf")


@pytest.mark.parametrize("level", [-5.0, 0.0])
def test_a_measure_that_stays_where_it_is_is_silent_whatever_its_sign(level: float) -> None:
    """A block measure or a plain number below zero, log-likelihoods say, has its margin below the start too."""
    alarm = Alarm()
    for step in range(6):
        alarm.check(Seen(step, {"m": [level] * 10}, levels={"plain": Level(level, "diversity", "lower")}))
    assert {"BLIND"} == {check.state for check in alarm.checks}
    fallen = alarm.check(Seen(6, {"m": [level - 1.0] * 20}))
    assert "NARROWING" == fallen.state


@pytest.mark.parametrize("score", [Score(55.0, 100), Score(-1.0, 100), Score(float("nan"), 100), Score(0.5, 0)])
def test_what_is_no_share_of_items_is_named(score: Score) -> None:
    """A percentage, a sentinel, no items: not compared, and said where nothing else shows what holds."""
    alarm = Alarm()
    check = alarm.check(Seen(0, id_metrics={"exam": score}))
    assert "no share of items" in check.blind["id"]
    assert "unseen" == check.holds


def test_a_perplexity_beyond_numbers_is_only_huge() -> None:
    """Nats of a diverged model overflow nothing: the channel alarms and every value is finite."""
    alarm = Alarm()
    for value in (3.0, 1e308, 1e308):
        check = alarm.check(Seen(value, ood_nll=[value] * 20))
    assert "DRIFT" == check.state
    assert all(np.isfinite(one.value or 0.0) for one in check.value.values())
