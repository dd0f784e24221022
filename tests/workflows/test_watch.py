"""Watching recorded series: alarms where text collapses, silence where it does not."""

import json
from pathlib import Path
from statistics import mean

import pytest

from holdfast.core.errors import InputError, UsageError
from holdfast.workflows.watch import WatchOptions, watch
from tests.metrics.test_blocks import texts

GENERATIONS = "collapse/ngram_generations.jsonl.gz"
TRACKED = "collapse/tracker_gpt2.jsonl.gz"


def generations(shared_data: Path, series: str, **given: str) -> WatchOptions:
    return WatchOptions("generation", "text", "top_p", first="1", where={"series": series}, **given)


@pytest.mark.parametrize("series", ["replace_p100", "replace_p90"])
def test_pure_replacement_is_alarmed_by_generation_four(shared_data: Path, series: str) -> None:
    """Ratio 1.0, held against generation 1: the alarm comes by generation 4, in the diversity channel."""
    seen = watch(shared_data / GENERATIONS, generations(shared_data, series))
    assert 4 >= min(int(check.step) for check in seen.checks if check.alarms)
    assert ("NARROWING", "diversity", 1) == (seen.state, seen.verdict.channel, seen.exit)


@pytest.mark.parametrize("series", ["control0_fresh_real", "control1_fresh_real", "mix30_p90"])
def test_stable_series_are_not_alarmed(shared_data: Path, series: str) -> None:
    """Fresh real text each generation, and 30 % synthetic: no alarm and no WATCH in six generations."""
    seen = watch(shared_data / GENERATIONS, generations(shared_data, series))
    assert ({"BLIND"}, 0) == ({check.state for check in seen.checks}, seen.exit)
    assert max(check.e["diversity"] for check in seen.checks) < 2


def test_published_logs_have_no_perplexity_and_rank_by_rare_words(shared_data: Path) -> None:
    """perplexity = -1 is blind in every track; what is left of rare-token survival ranks the four synthetic shares."""
    kept: dict[str, list[float]] = {}
    for domain in ("wikipedia", "technical_qa", "creative_fiction"):
        for share in ("25", "50", "75", "100"):
            given = WatchOptions("generation", where={"track": f"{domain}_gpt2_{share}pct"})
            seen = watch(shared_data / TRACKED, given)
            assert all("perplexity = -1" in check.blind["ood"] for check in seen.checks)
            assert seen.exit == 0  # plain numbers never alarm
            first, last = (seen.checks[at].value["rare_token_survival"].value for at in (0, -1))
            kept.setdefault(share, []).append(last / first)
    means = [mean(kept[share]) for share in ("25", "50", "75", "100")]
    assert sorted(means, reverse=True) == means
    assert [0.61, 0.55, 0.47, 0.44] == [round(one, 2) for one in means]


def outputs(path: Path, *vocabularies: int) -> Path:
    """A log of production outputs, 250 for each vocabulary."""
    rows = [text for seed, size in enumerate(vocabularies) for text in texts(250, seed, size)]
    path.write_text("".join(f"{json.dumps({'answer': text})}\n" for text in rows), "utf-8")
    return path


def test_deployed_outputs_are_watched_in_windows(tmp_path: Path) -> None:
    """Outputs of a deployed model in time order: windows are steps, and the window where it narrowed is named."""
    path = outputs(tmp_path / "served.jsonl", 400, 400, 400, 60, 60, 60)
    seen = watch(path, WatchOptions(text="answer", window=250))
    assert ("NARROWING", 4) == (seen.state, seen.verdict.onset)
    assert 0 == watch(outputs(tmp_path / "fine.jsonl", *[400] * 8), WatchOptions(text="answer", window=250)).exit


def test_other_formats_are_read_alike(tmp_path: Path) -> None:
    """Plain text, one output per line, without a name for the text."""
    path = tmp_path / "served.txt"
    path.write_text(
        "\n".join(text for seed, size in enumerate((400, 400, 60, 60, 60)) for text in texts(250, seed, size))
    )
    assert 1 == watch(path, WatchOptions(window=250)).exit


def test_following_ends_at_the_first_alarm(tmp_path: Path) -> None:
    """The checks after the alarm are never made; each check is told as it comes."""
    path, told = tmp_path / "run.jsonl", []
    blocks = [{"m": [value] * 10} for value in (1.0, 1.0, 0.5, 0.5, 0.5, 0.5)]
    path.write_text("".join(f"{json.dumps({'step': step, 'blocks': one})}\n" for step, one in enumerate(blocks)))
    seen = watch(path, WatchOptions(follow=True, idle=0.5, on_check=lambda check: told.append(check.step)))
    assert ([0, 1, 2, 3], 1) == (told, seen.exit)


def test_what_cannot_be_watched_is_named(tmp_path: Path) -> None:
    """A missing file, a log without steps, a start that never comes, a column that is not there."""
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    with pytest.raises(InputError, match="There is no file"):
        watch(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="no step to check"):
        watch(empty)
    one = tmp_path / "one.jsonl"
    one.write_text('{"step": 1}\n')
    with pytest.raises(InputError, match="from step 9 on"):
        watch(one, WatchOptions(first="9"))
    with pytest.raises(UsageError, match="no column 'epoch'"):
        watch(one, WatchOptions("epoch"))
    with pytest.raises(UsageError, match="--text"):
        watch(one, WatchOptions(follow=True, window=5))
