"""generate through a batch API: the same files as one by one, each prompt answered once, whatever died in between."""

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.errors import StoppedError, UsageError
from holdfast.core.rundir import read_manifest
from holdfast.models import batched
from holdfast.workflows.generate import generate, preview
from tests.models.batch_server import KEY, Provider, answered, beside, expired
from tests.workflows.asking import ledger, results, rows, settings
from tests.workflows.deaths import died_at

N = 40
PROMPTS = {f"Summarise: Document number {number}.": 1 for number in range(N)}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of the tests take milliseconds."""
    monkeypatch.setattr(batched, "FIRST_PAUSE", 0.01)
    monkeypatch.setenv("BATCH_KEY", KEY)


def at_once(provider: Provider, batch: dict[str, Any]) -> None:
    """End a batch when it is looked at."""
    provider.finish(int(batch["id"].removeprefix("batch-")))


def recipe(folder: Path, base_url: str, count: int = N, *, batch: bool = True, **changes: Any) -> Any:
    """The settings of a run that asks through batches."""
    entry = {"batch": batch, **changes.pop("generator", {})}
    model = {"key_env": "BATCH_KEY", **changes.pop("model", {})}
    return settings(folder, base_url, count, generator=entry, model=model, **changes)


def test_one_batch_gives_the_files_of_single_requests(tmp_path: Path) -> None:
    """40 documents are one batch of 40 and no request alone; files, usage and cost are those of 40 single requests."""
    provider = Provider(turn=at_once)
    price = {"model": {"price": {"input": 1.0, "output": 2.0}}}
    with beside(provider) as base:
        single = generate(recipe(tmp_path, base, batch=False, **price), tmp_path / "single")
        assert PROMPTS == Counter(provider.alone)
        whole = generate(recipe(tmp_path, base, **price), tmp_path / "out")
    assert (N, 1) == (len(provider.alone), len(provider.batches))
    assert PROMPTS == Counter(provider.prompts())
    assert results(tmp_path / "single") == results(tmp_path / "out")
    assert single.more["usage"] == whole.more["usage"]
    assert N * 40 / 1e6 == pytest.approx(whole.more["usage"]["m"]["cost"])
    query = "SELECT count(*), count(settled_at), count(DISTINCT batch), min(outcome), max(charged) FROM sends"
    assert [(N, N, 1, "answer", "yes")] == ledger(tmp_path / "out", query)
    assert [("batch-0", "m", "completed")] == ledger(tmp_path / "out", "SELECT * FROM batches")


def test_conversations_of_several_steps_share_one_batch_a_step(tmp_path: Path) -> None:
    """Talks of an answer and a further question are two batches, each with the calls of all conversations."""
    provider = Provider(turn=at_once)
    talk = {"use": "multi_turn", "turns": 2, "template": None, "documents": None, "seeds": "seeds.jsonl"}
    seeds = [{"id": f"s{number}", "prompt": f"What is {number}?", "response": "A number."} for number in range(6)]
    (tmp_path / "seeds.jsonl").write_text("".join(json.dumps(seed) + "\n" for seed in seeds))
    with beside(provider) as base:
        generate(recipe(tmp_path, base, 6, batch=False, generator=talk), tmp_path / "single")
        generate(recipe(tmp_path, base, 6, generator=talk), tmp_path / "out")
    sizes = [len(provider.calls(batch)) for batch in provider.batches]
    assert (2 * 6, [6] * 2) == (len(provider.alone), sizes)
    assert results(tmp_path / "single") == results(tmp_path / "out")


def test_equal_prompts_are_asked_once(tmp_path: Path) -> None:
    """Two generators with the same prompts for the same documents are one request for each, and both end."""
    provider = Provider(turn=at_once)
    with beside(provider) as base:
        chosen = recipe(tmp_path, base, 8, generator={"decoding": {"seed": None}})
        other = chosen.generators[0].model_copy(update={"name": "again"})
        cells = chosen.cells.model_copy(update={"quota": 16})
        generate(
            chosen.model_copy(update={"generators": (*chosen.generators, other), "cells": cells}), tmp_path / "out"
        )
    assert 8 * [1] == list(Counter(provider.prompts()).values())
    assert 1 == len(provider.batches)


def test_what_is_missing_is_asked_again(tmp_path: Path) -> None:
    """A batch expires after half of its calls, the next loses a line: each rest is a batch, and no answer is repaid."""

    def turn(provider: Provider, batch: dict[str, Any]) -> None:
        number = int(batch["id"].removeprefix("batch-"))
        left = itertools.count()
        some = [
            ("expired", lambda name, body: answered(name, body) if next(left) % 2 else expired(name)),
            ("completed", lambda name, body: answered(name, body) if next(left) else None),
            ("completed", answered),
        ]
        status, lines = some[number]
        provider.finish(number, status, lines)

    provider = Provider(turn=turn)
    with beside(provider) as base:
        manifest = generate(recipe(tmp_path, base), tmp_path / "out")
    assert [40, 20, 1] == [len(provider.calls(batch)) for batch in provider.batches[::-1]]
    assert PROMPTS == Counter(provider.prompts())
    assert N == manifest.counts.kept
    assert [("no", 21), ("yes", 40)] == ledger(
        tmp_path / "out", "SELECT charged, count(*) FROM sends GROUP BY charged ORDER BY charged"
    )


def test_a_batch_that_always_fails_ends_the_calls(tmp_path: Path) -> None:
    """After the attempts of the settings every call has failed with the provider's words; running again asks anew."""

    def refuse(provider: Provider, batch: dict[str, Any]) -> None:
        batch |= {"status": "failed", "errors": {"data": [{"message": "the moon is in the way"}]}}

    provider, out = Provider(turn=refuse), tmp_path / "out"
    with beside(provider) as base:
        with pytest.raises(StoppedError, match="40 of 40 records failed"):
            generate(recipe(tmp_path, base, limits={"attempts": 3}), out)
        assert 3 == len(provider.batches)
        failed = rows(out, "failed")
        assert {"provider-error"} == {row["holdfast_reason"] for row in failed}
        assert "the moon is in the way" in failed[0]["holdfast_detail"]
        provider.turn = at_once
        assert N == generate(recipe(tmp_path, base, limits={"attempts": 3}), out).counts.kept


def test_stopped_by_time_it_says_what_runs_there_and_collects_it_later(tmp_path: Path) -> None:
    """The batch outlives the run; the same command takes its answers and submits nothing."""
    provider, out = Provider(), tmp_path / "out"
    with beside(provider) as base:
        with pytest.raises(StoppedError, match=r"batch-0 \(40 requests\).*\n.*collects it"):
            generate(recipe(tmp_path, base, budget={"time": "1s"}), out)
        assert 40 == read_manifest(out)["counts"]["pending"]
        provider.finish()
        generate(recipe(tmp_path, base), out)
        assert (1, PROMPTS) == (len(provider.batches), Counter(provider.prompts()))
        generate(recipe(tmp_path, base, batch=False), tmp_path / "single")
    assert results(tmp_path / "single") == results(out)
    assert [(N, N)] == ledger(out, "SELECT count(*), count(settled_at) FROM sends")


def test_a_batch_that_is_gone_is_asked_anew(tmp_path: Path) -> None:
    """The provider forgot a batch that is noted: its requests stand as perhaps charged, and the run goes on."""
    provider, out = Provider(), tmp_path / "out"
    with beside(provider) as base:
        with pytest.raises(StoppedError, match="batch-0"):
            generate(recipe(tmp_path, base, 8, budget={"time": "1s"}), out)
        provider.batches[0] |= {"id": "somebody else's", "metadata": {}}
        provider.turn = at_once
        assert 8 == generate(recipe(tmp_path, base, 8), out).counts.kept
    assert [("perhaps", 8), ("yes", 8)] == ledger(out, "SELECT charged, count(*) FROM sends GROUP BY 1 ORDER BY 1")


def test_the_budget_holds_for_the_whole_batch(tmp_path: Path) -> None:
    """Only what fits at its ceiling is submitted, what is left over pays for more, and then the run stops."""
    price = {"model": {"price": {"input": 0.0, "output": 1e6}}, "generator": {"decoding": {"max_tokens": 20}}}
    provider, out = Provider(turn=at_once), tmp_path / "out"
    with beside(provider) as base:
        # An answer costs 10 and at most 20: 5 fit into 100, then 2 more, 1 more, 1 more, and the last 10 fit no more.
        with pytest.raises(StoppedError, match="budget of 100 leaves no room"):
            generate(recipe(tmp_path, base, budget={"cost": 100}, **price), out)
        assert [5, 2, 1, 1] == [len(provider.calls(batch)) for batch in provider.batches[::-1]]
        assert 90 == read_manifest(out)["usage"]["m"]["cost"]
        generate(recipe(tmp_path, base, budget={"cost": 1000}, **price), out)
    assert PROMPTS == Counter(provider.prompts())


def test_what_an_earlier_run_left_counts_once_against_the_budget(tmp_path: Path) -> None:
    """Eight requests left at the provider were held at their ceiling; collected, they cost what they cost."""
    price = {"model": {"price": {"input": 0.0, "output": 1e6}}, "generator": {"decoding": {"max_tokens": 20}}}
    provider, out = Provider(), tmp_path / "out"
    with beside(provider) as base:
        with pytest.raises(StoppedError, match="batch-0"):
            generate(recipe(tmp_path, base, 10, budget={"cost": 160, "time": "1s"}, **price), out)
        assert 8 == len(provider.calls(provider.batches[0]))
        provider.finish()
        provider.turn = at_once
        assert 10 == generate(recipe(tmp_path, base, 10, budget={"cost": 160}, **price), out).counts.kept
    assert [8, 2] == [len(provider.calls(batch)) for batch in provider.batches[::-1]]


def test_a_provider_without_batches_is_told_at_once(tmp_path: Path) -> None:
    """404 on its batches: nothing is asked, and the remedy is named."""
    with beside(Provider(batchless=True)) as base, pytest.raises(UsageError, match="batch: true"):
        generate(recipe(tmp_path, base, 4), tmp_path / "out")


def test_a_preview_does_not_wait_for_a_batch(tmp_path: Path) -> None:
    """A few records are asked one by one, and the run that follows does not ask them again."""
    provider = Provider(turn=at_once)
    with beside(provider) as base:
        assert 3 == len(preview(recipe(tmp_path, base), 3, tmp_path / "out"))
        assert (3, 0) == (len(provider.alone), len(provider.batches))
        generate(recipe(tmp_path, base), tmp_path / "out")
    assert [N - 3] == [len(provider.calls(batch)) for batch in provider.batches]


def test_every_step_survives_a_death(tmp_path: Path) -> None:
    """Dead before each durable step, between submitting and noting too: same bytes, each prompt answered once."""
    prompts = 6

    def turn(provider: Provider, batch: dict[str, Any]) -> None:
        """The first batch of each run leaves one call out."""
        number = int(batch["id"].removeprefix("batch-"))
        first = len(provider.calls(batch)) == prompts
        left = itertools.count()
        provider.finish(number, lines=lambda name, body: None if first and next(left) == 2 else answered(name, body))

    provider = Provider(turn=turn)
    with beside(provider) as base:
        chosen = recipe(tmp_path, base, prompts)
        generate(chosen, tmp_path / "whole")
        wanted, found = results(tmp_path / "whole"), set()
        for point in itertools.count():
            out, before = tmp_path / f"dead-{point}", len(provider.batches)
            died = died_at(point, lambda out=out: generate(chosen, out), torn=point % 2 == 1)
            there = len(provider.batches) > before
            generate(chosen, out)
            assert wanted == results(out), f"died before step {point}"
            answers = Counter(provider.prompts(before))
            assert {1} == set(answers.values()), f"died before step {point}"
            assert (prompts, 2) == (len(answers), len(provider.batches) - before), f"died before step {point}"
            charged = ledger(out, "SELECT count(*), sum(charged = 'yes'), sum(settled_at IS NULL) FROM sends")[0]
            assert (prompts, 0) == charged[1:], f"died before step {point}"
            # What was at the provider when the run died is known to have been sent.
            unsent = ledger(out, "SELECT count(*) FROM sends WHERE outcome = 'not-sent' AND attempt = 0")[0][0]
            assert not (there and unsent), f"died before step {point}"
            found |= {outcome for (outcome,) in ledger(out, "SELECT outcome FROM sends")}
            if not died:
                break
    assert point >= 40
    assert {"answer", "provider-error", "not-sent"} == found
