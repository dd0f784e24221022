"""Logs as readings: what is measured, what is not, and where a log is wrong."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import pytest

from holdfast.core.errors import InputError, UsageError
from holdfast.metrics.blocks import MOST_DOCUMENTS
from holdfast.workflows.watch_log import (
    Columns,
    chosen,
    followed,
    metric_readings,
    metric_rows,
    reading,
    record_readings,
)


def log(path: Path, *rows: Mapping[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return path


def test_a_line_has_all_that_the_contract_names() -> None:
    """Samples, blocks, perplexities, scores and decoding arrive as they were written."""
    row = {
        "samples": ["a b"], "blocks": {"m": [1, 2]}, "ood_nll": [1.5, None], "id_nll": [2.0],
        "id_metrics": {"exam": {"value": 0.5, "n": 10}}, "decoding": {"t": 1}, "tokens": 99,
    }  # fmt: skip
    given = reading(row, 3)
    assert (["a b"], {"m": [1.0, 2.0]}, [1.5, None], [2.0]) == (
        given.samples, given.blocks, given.ood_nll, given.id_nll,
    )  # fmt: skip
    assert ({"exam": (0.5, 10)}, {"t": 1}) == (given.id_metrics, given.decoding)
    assert {} == given.levels | given.blind | given.reported


@pytest.mark.parametrize("value", [-1, -1.0, float("nan"), float("inf"), 0.0])
def test_a_perplexity_that_was_not_measured_blinds_its_channel(value: float) -> None:
    """-1, NaN, infinity and 0 are no perplexities: the channel is blind, and nothing is compared."""
    given = reading({"perplexity": value, "distinct_2": 0.4}, 0)
    assert ["ood"] == list(given.blind)
    assert "not measured" in given.blind["ood"]
    assert ["distinct_2"] == list(given.levels)


@pytest.mark.parametrize(
    ("name", "channel", "worse"),
    [
        ("perplexity", "ood", "higher"), ("ood_ppl", "ood", "higher"), ("eval_perplexity", "id", "higher"),
        ("train_loss", "id", "higher"), ("loss", "id", "higher"), ("id-nll", "id", "higher"),
        ("distinct_2gram", "diversity", "lower"), ("rare_token_survival", "diversity", "lower"),
        ("vocab_coverage", "diversity", "lower"), ("Entropy", "diversity", "lower"),
    ],
)  # fmt: skip
def test_plain_numbers_are_known_by_name(name: str, channel: str, worse: str) -> None:
    """Each usual name belongs to its channel, with the direction in which it gets worse."""
    level = reading({name: 2.0}, 0).levels[name]
    assert (channel, worse) == (level.channel, level.worse)


def test_other_numbers_are_shown_and_not_judged() -> None:
    """A number with a name nobody knows is reported; what is no number is nothing."""
    given = reading({"mean_length": 188.0, "self_bleu": 0.2, "model": "gpt2", "done": True}, 0)
    assert (["mean_length", "self_bleu"], {}) == (list(given.reported), given.levels)


def test_packed_logs_and_nan_are_read(tmp_path: Path) -> None:
    """Training loops write NaN, and compress their logs."""
    packed = tmp_path / "run.jsonl.gz"
    packed.write_bytes(gzip.compress(b'{"step": 1, "perplexity": NaN}\n\n{"step": 2.0, "perplexity": 9}'))
    steps = list(metric_readings(metric_rows(packed), "step"))
    assert [1, 2] == [one.step for one in steps]
    assert ["ood"] == list(steps[0].blind)


@pytest.mark.parametrize(
    ("line", "said"),
    [("{broken", "run.jsonl:2 is no JSON"), ("[1]", "run.jsonl:2 is list"), ("[" * 100_000, "run.jsonl:2 is no JSON")],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    """File, line and fault are in the message."""
    path = tmp_path / "run.jsonl"
    path.write_text(f'{{"step": 1}}\n{line}\n', "utf-8")
    with pytest.raises(InputError, match=said):
        list(metric_rows(path))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"steps": 1}, "no column 'step'"),
        ({"step": 1, "samples": "text"}, "samples of step 1"),
        ({"step": 1, "samples": [1]}, "samples of step 1 holds 1"),
        ({"step": 1, "ood_nll": ["a"]}, "ood_nll of step 1 holds 'a'"),
        ({"step": 1, "blocks": {"m": "x"}}, "m of step 1 is 'x'"),
        ({"step": 1, "id_metrics": {"exam": {"value": 0.5, "n": "y"}}}, "id_metrics.exam of step 1"),
        ({"step": 1, "blocks": [1]}, "blocks of step 1"),
        ({"step": 1, "id_metrics": {"exam": 0.5}}, "id_metrics.exam of step 1"),
    ],
)
def test_a_wrong_key_is_named(row: dict[str, Any], said: str) -> None:
    """What is of the wrong kind is named with its step and what it was."""
    with pytest.raises(UsageError, match=said):
        list(metric_readings([row], "step"))


def test_two_series_in_one_log_are_refused() -> None:
    """A step that comes again is another series: it must be chosen, which is how it is then read."""
    rows = [{"step": step, "run": run, "x": step} for run in ("a", "b") for step in (1, 2)]
    with pytest.raises(UsageError, match="--where"):
        list(metric_readings(rows, "step"))
    assert [1, 2] == [one.step for one in metric_readings(chosen(rows, {"run": "b"}), "step")]
    assert 2 == len(list(chosen(rows, {"step": "2.0"})))
    with pytest.raises(UsageError, match="Did you mean 'run'"):
        list(chosen(rows, {"runs": "b"}))


def records(*steps: tuple[Any, int]) -> list[dict[str, Any]]:
    return [{"step": step, "text": f"text {step} {number}"} for step, count in steps for number in range(count)]


def test_records_are_grouped_by_step() -> None:
    """Each run of equal steps is one reading, in the order of the file; a step that comes again is an error."""
    found = list(record_readings(records((0, 3), (1, 2)), Columns(text="text"), 0))
    assert [(0, 3), (1, 2)] == [(one.step, len(one.samples or ())) for one in found]
    with pytest.raises(UsageError, match="Step 0 comes again after step 1"):
        list(record_readings(records((0, 3), (1, 2), (0, 1)), Columns(text="text"), 0))


def test_windows_of_a_stream_are_full() -> None:
    """Every N outputs are a step, counted from 1; what fills no window is left out."""
    found = list(record_readings(records((0, 25)), Columns(text="text", window=10), 0))
    assert [1, 2] == [one.step for one in found]


def test_a_long_step_keeps_a_thousand_texts_and_a_sketch_of_all() -> None:
    """Memory is bounded: a thousand texts drawn evenly, and one sketch that has seen everything."""
    given = next(record_readings(records((0, 5 * MOST_DOCUMENTS)), Columns(text="text"), 0))
    assert MOST_DOCUMENTS == len(given.samples or ())
    assert given.seen is not None
    assert 5 * MOST_DOCUMENTS * 3 == given.seen.runs[0]
    late = sum(int(text.split()[2]) >= 2 * MOST_DOCUMENTS for text in given.samples or ())
    assert 500 <= late <= 700


def test_a_growing_log_is_followed(tmp_path: Path) -> None:
    """Lines arrive as they are written, a torn line only when it has ended; the end is a pause that is long enough."""
    path = tmp_path / "run.jsonl"

    def write() -> None:
        for part in ('{"step": 1}\n{"st', 'ep": 2}\n', '{"step": 3}'):
            sleep(0.15)
            with path.open("a", encoding="utf-8") as file:
                file.write(part)

    writer = Thread(target=write)
    writer.start()
    seen = [row["step"] for row in followed(path, idle=1.0)]
    writer.join()
    assert [1, 2] == seen


def test_a_log_that_begins_anew_is_read_from_its_start(tmp_path: Path) -> None:
    """A file that shrinks was written anew."""
    path = log(tmp_path / "run.jsonl", {"step": 1}, {"step": 2})
    rows = followed(path, idle=0.5)
    assert [1, 2] == [next(rows)["step"] for _ in range(2)]
    log(path, {"step": 7})
    assert 7 == next(rows)["step"]


@pytest.mark.parametrize("step", [None, True, [1], {"a": 1}, float("nan"), float("inf"), 2**60])
def test_what_is_no_step_is_named(step: Any) -> None:
    """A step is a number or a text; what is neither is no place in a series."""
    with pytest.raises(UsageError, match="no number and no text"):
        list(metric_readings([{"step": step}], "step"))


def test_steps_that_go_back_are_refused() -> None:
    """The first line is what later ones are held against: it must be the first step, in a metric log and in records."""
    with pytest.raises(UsageError, match="Step 1 comes after step 3"):
        list(metric_readings([{"step": 0}, {"step": 3}, {"step": 1}], "step"))
    with pytest.raises(UsageError, match="Step 1 comes after step 3"):
        list(record_readings(records((0, 2), (3, 2), (1, 2)), Columns(text="text"), 0))
    assert ["b", "a"] == [one.step for one in metric_readings([{"step": "b"}, {"step": "a"}], "step")]


def test_a_number_that_no_float_holds_is_not_measured(tmp_path: Path) -> None:
    """Four hundred digits are infinite, and infinite is not measured."""
    path = tmp_path / "run.jsonl"
    path.write_text(
        f'{{"step": 1, "ood_nll": [1{"0" * 400}], "ppl": 1{"0" * 400}, "distinct_2": 1{"0" * 30}}}', "utf-8"
    )
    given = next(iter(metric_readings(metric_rows(path), "step")))
    assert ([float("inf")], 1e30) == (given.ood_nll, given.levels["distinct_2"].value)
    assert ["ood"] == list(given.blind)


def test_names_that_only_contain_a_measure_are_not_one() -> None:
    """`workers` and `attributes` hold the letters of rke and ttr, and are none of them."""
    given = reading({"workers": 3, "attributes": 2, "rke": 5.0, "text_ttr": 0.5}, 0)
    assert ["rke", "text_ttr"] == list(given.levels)


def test_sampling_settings_are_those_of_all_records_of_a_step() -> None:
    """One setting is itself, several are all of them in any order; a column that is not there is named."""
    settings = (("a", "a"), ("a", "b"), ("b", "a"))
    rows = [{"step": at, "text": "x", "t": one} for at, pair in enumerate(settings) for one in pair]
    found = record_readings(rows, Columns(text="text", decoding="t"), 0)
    assert ["a", ["a", "b"], ["a", "b"]] == [one.decoding for one in found]
    with pytest.raises(UsageError, match="no column 'temp'"):
        list(record_readings(rows, Columns(text="text", decoding="temp"), 0))
