"""generate with models: every fault of a provider is a recorded fate, and nothing is lost or paid twice.

The faults and the expected figures are those a careful engineer would ask for: 40 prompts, the fault on some of them.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext, suppress
from itertools import count, pairwise
from pathlib import Path

import pytest

from bench.soak import soak
from holdfast.core.errors import StoppedError, UsageError
from holdfast.core.rundir import read_manifest
from holdfast.core.settings import load
from holdfast.workflows.generate import GenerateOptions, generate, preview
from tests.workflows.asking import CHECKED, echo, ledger, results, rows, settings
from tests.workflows.deaths import died_at

N = 40
HOLDFAST = str(Path(sys.executable).parent / "holdfast")


def sums(manifest: dict) -> bool:
    """Whether in = kept + rejected + undecided + failed + pending."""
    counts = dict(manifest["counts"])
    return counts.pop("in") == sum(counts.values())


def test_a_run_asks_each_prompt_once(tmp_path: Path) -> None:
    """40 documents are 40 requests and 40 records, each with the model, the decoding, its parent and its cost."""
    out = tmp_path / "out"
    changes = {"model": {"price": {"input": 1.0, "output": 2.0}}, "generator": {"decoding": {"temperature": [0.5, 1]}}}
    with echo(tmp_path) as between:
        manifest = generate(settings(tmp_path, between.base_url, **changes), out)
    kept = rows(out, "kept")
    assert (N, N) == (len(kept), len(between.log()))
    nested = kept[3]["holdfast"]
    assert ("echo-1", None, ["d3"], 1) == tuple(nested[name] for name in ("generator", "revision", "parents", "depth"))
    assert 0.5 <= nested["decoding"]["temperature"] <= 1
    assert 1 < len({row["holdfast"]["seed"] for row in kept})
    used = manifest.more["usage"]["m"]
    spent = sum(line["input"] + 2 * line["output"] for line in between.log()) / 1e6
    assert (N, 0, pytest.approx(spent)) == (used["requests"], used["unsettled"], used["cost"])
    assert pytest.approx(spent / N) == manifest.more["generators"]["echo-1"]["cost_per_accepted"]


@pytest.mark.parametrize(
    ("fault", "reason", "fate"),
    [
        ("length=0.3:ever", "truncated", "rejected"),
        ("content_filter=0.3:ever", "content-filter", "rejected"),
        ("refusal=0.3:ever", "refusal", "rejected"),
        ("null=0.3:ever", "empty", "rejected"),
        ("empty=0.3:ever", "empty", "rejected"),
        ("no_choices=0.3:ever", "malformed", "failed"),
        ("cut=0.3:ever", "malformed", "failed"),
        ("500=0.3:ever", "provider-error", "failed"),
        ("reset=0.3:ever", "connection", "failed"),
        ("context_length=0.3:ever", "too-long", "failed"),
    ],
)
def test_a_bad_answer_is_a_fate_and_spoils_no_other(tmp_path: Path, fault: str, reason: str, fate: str) -> None:
    """The struck prompts end with their reason, all others are kept, no row is empty, and the end is not silent."""
    out = tmp_path / "out"
    passing = reason in ("provider-error", "connection", "malformed")
    with echo(tmp_path, fault) as between:
        recipe = settings(tmp_path, between.base_url, limits={"attempts": 3})
        with pytest.raises(StoppedError, match="Run the same command again") if passing else nullcontext():
            generate(recipe, out)
    struck = {line["digest"] for line in between.log() if line["fault"]}
    ended = rows(out, fate)
    assert 0 < len(struck) == len(ended)
    assert {reason} == {row["holdfast_reason"] for row in ended}
    assert N - len(struck) == len(rows(out, "kept"))
    assert all(row["response"] for row in rows(out, "kept"))
    manifest = read_manifest(out)
    assert sums(manifest)
    assert not manifest["ok"]


def test_passing_faults_leave_no_trace_in_the_data(tmp_path: Path) -> None:
    """With 500, 429, resets and cut bodies on first attempts the files are those of a run without any."""
    quiet, loud = tmp_path / "quiet", tmp_path / "loud"
    faults = ("500=0.2:first", "429=0.2:first", "reset=0.1:first", "torn=0.1:first", "cut=0.1:first")
    for folder in (quiet, loud):
        folder.mkdir()
        with echo(folder, *(faults if folder == loud else ())) as between:
            generate(settings(folder, between.base_url), folder / "out")
            struck = sum(line["fault"] is not None for line in between.log())
    assert struck > 5
    assert results(quiet / "out") == results(loud / "out")


@pytest.mark.parametrize("kind", ["429_seconds", "429_date"])
def test_retry_after_is_honoured(tmp_path: Path, kind: str) -> None:
    """Once told to wait a second, nobody sends anything within it."""
    with echo(tmp_path, f"{kind}=1:first:10") as between:
        generate(settings(tmp_path, between.base_url, count=14, limits={"concurrency": 1}), tmp_path / "out")
        log = between.log()
    gaps = [after["at"] - line["at"] for line, after in pairwise(log) if line["fault"]]
    assert gaps
    assert min(gaps) >= 0.99


def test_an_absurd_retry_after_is_capped(tmp_path: Path) -> None:
    """Asked to wait for 31 years the run does not: it is stopped by its budget of time, and can be resumed."""
    with echo(tmp_path, "429_absurd=1:first") as between:
        recipe = settings(tmp_path, between.base_url, count=3, budget={"time": "2s"})
        with pytest.raises(StoppedError, match="time of the budget"):
            generate(recipe, tmp_path / "out")
    assert 3 >= len(between.log())


def test_a_slow_loris_ends_at_the_deadline(tmp_path: Path) -> None:
    """A byte a second keeps nobody waiting beyond the deadline of one request."""
    with echo(tmp_path, "slow_loris=1:first") as between:
        recipe = settings(tmp_path, between.base_url, count=4, limits={"timeout": 2})
        assert generate(recipe, tmp_path / "out").ok
    sent = ledger(tmp_path / "out", "SELECT settled_at - sent_at FROM sends WHERE outcome = 'timeout'")
    assert 4 == len(sent)
    assert all(2 <= seconds < 3 for (seconds,) in sent)


@pytest.mark.parametrize(("status", "says"), [("401", "unauthorised"), ("402", "payment"), ("403", "forbidden")])
def test_a_refused_key_or_an_empty_purse_stops_the_run(tmp_path: Path, status: str, says: str) -> None:
    """After 20 answers the account is refused: at most what was in flight goes out, and 20 answers are kept."""
    out = tmp_path / "out"
    with echo(tmp_path, f"{status}=1:each:20") as between:
        with pytest.raises(StoppedError, match=says):
            generate(settings(tmp_path, between.base_url, limits={"concurrency": 3}), out)
        assert len(between.log()) <= 23
    manifest = read_manifest(out)
    assert sums(manifest)
    assert 20 == len(rows(out, "kept"))
    assert N - 20 == manifest["counts"]["pending"]
    with echo(tmp_path / "later") as between:
        again = generate(settings(tmp_path, between.base_url, limits={"concurrency": 3}), out)
    assert N == again.counts.kept
    assert N - 20 == len(between.log())


def test_another_model_is_noticed_from_the_first_row(tmp_path: Path) -> None:
    """When another model answers from request 21 on, each of those rows names it, and the manifest counts both."""
    with echo(tmp_path, "renamed=1:each:20") as between:
        manifest = generate(settings(tmp_path, between.base_url, limits={"concurrency": 1}), tmp_path / "out")
    names = [row["holdfast"]["generator"] for row in rows(tmp_path / "out", "kept")]
    assert ["echo-1"] * 20 + ["another-model"] * 20 == names
    assert {"m: echo-1": 20, "m: another-model": 20} == manifest.more["served"]


def test_what_an_endpoint_ignores_is_counted(tmp_path: Path) -> None:
    """Log-probabilities that never come and tokens that go uncounted stand in the manifest, by model, per answer."""
    out = tmp_path / "out"
    with echo(tmp_path, "no_usage=0.3:ever") as between:
        manifest = generate(settings(tmp_path, between.base_url, generator={"decoding": {"logprobs": True}}), out)
        uncounted = sum(line["fault"] == "no_usage" for line in between.log())
        assert 0 < uncounted < N
        assert {"m": {"logprobs": N, "usage": uncounted}} == manifest.more["ignored"]
        plain = generate(settings(tmp_path, between.base_url, count=3, limits={"concurrency": 1}), tmp_path / "plain")
    assert {"m": {"logprobs": N, "usage": uncounted}} == read_manifest(out)["ignored"]
    assert "logprobs" not in plain.more["ignored"].get("m", {})


def test_the_budget_of_money_is_never_passed(tmp_path: Path) -> None:
    """The run stops before the limit, says so, and goes on to the same bytes when there is more."""
    price = {"model": {"price": {"input": 100.0, "output": 1000.0}}, "generator": {"decoding": {"max_tokens": 64}}}
    out, whole = tmp_path / "out", tmp_path / "whole"
    with echo(tmp_path) as between:
        generate(settings(tmp_path, between.base_url, **price), whole)
        full = sum(line["input"] * 100 + line["output"] * 1000 for line in between.log()) / 1e6
        before = len(between.log())
        with pytest.raises(StoppedError, match="budget of"):
            generate(settings(tmp_path, between.base_url, budget={"cost": full / 2}, **price), out)
        spent = read_manifest(out)["usage"]["m"]["cost"]
        assert full / 4 < spent <= full / 2
        assert 0 < read_manifest(out)["counts"]["kept"] < N
        generate(settings(tmp_path, between.base_url, budget={"cost": 3 * full}, **price), out)
        assert N == len(between.log()) - before
    assert results(whole) == results(out)


def test_a_budget_without_a_price_is_refused(tmp_path: Path) -> None:
    """A limit of money on a model whose price nobody knows would not hold: nothing is sent."""
    recipe = settings(tmp_path, "https://models.example.invalid/v1", budget={"cost": 1.0})
    with pytest.raises(UsageError, match="unknown, which is not zero"):
        generate(recipe, tmp_path / "out")


def test_a_changed_check_repays_nothing_and_a_changed_document_one(tmp_path: Path) -> None:
    """Answers are found by what changes them: not by a check, not by a limit that cut nobody, only by the prompt."""
    out = tmp_path / "out"
    with echo(tmp_path) as between:
        base = between.base_url
        generate(settings(tmp_path, base, generator={"decoding": {"max_tokens": 500}}), out)
        with pytest.raises(UsageError, match="--redo"):
            generate(settings(tmp_path, base, checks=[f"{CHECKED}:strict"]), out)
        redo = GenerateOptions(redo=True)
        generate(settings(tmp_path, base, checks=[f"{CHECKED}:strict"]), out, redo)
        assert N == len(between.log())
        assert 0 < len(rows(out, "kept")) < N
        generate(settings(tmp_path, base, generator={"decoding": {"max_tokens": 600}}), out, redo)
        assert N == len(between.log())
        recipe = settings(tmp_path, base)
        path = tmp_path / "documents.jsonl"
        path.write_text(path.read_text().replace("Document number 7.", "Document number seven."))
        generate(recipe, out, redo)
        assert N + 1 == len(between.log())


def test_a_larger_limit_repays_the_cut_answers_only(tmp_path: Path) -> None:
    """What was cut at 50 tokens is asked again with 100, and nothing else."""
    out = tmp_path / "out"
    with echo(tmp_path, "length=0.3:ever") as between:
        generate(settings(tmp_path, between.base_url, generator={"decoding": {"max_tokens": 100}}), out)
        cut = len(rows(out, "rejected"))
    with echo(tmp_path) as between:
        before = len(between.log())
        recipe = settings(tmp_path, between.base_url, generator={"decoding": {"max_tokens": 200}})
        generate(recipe, out, GenerateOptions(redo=True))
        assert cut == len(between.log()) - before > 0
    assert N == len(rows(out, "kept"))


def test_a_preview_is_paid_once(tmp_path: Path) -> None:
    """What a preview asked is found by the run; it writes nothing but the ledger."""
    out = tmp_path / "out"
    with echo(tmp_path) as between:
        shown = preview(settings(tmp_path, between.base_url), 3, out)
        assert ([("kept", "")] * 3, 3) == ([(fate, why) for _, fate, why in shown], len(between.log()))
        assert {"ledger.sqlite"} == {path.name.partition("-")[0] for path in out.iterdir()}
        generate(settings(tmp_path, between.base_url), out)
        assert N == len(between.log())


def test_no_key_in_anything_that_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A canary key goes over the wire and nowhere else: no file, no message holds it, under faults of every kind."""
    canary = "sk-canary-3f9a1c77"
    monkeypatch.setenv("CANARY_KEY", canary)
    said = []
    faults = ("500=0.1", "reset=0.1", "cut=0.1", "429=0.1", "401=1:each:60")
    with echo(tmp_path, *faults) as between:
        recipe = settings(tmp_path, between.base_url, model={"key_env": "CANARY_KEY"}, limits={"attempts": 9})
        try:
            generate(recipe, tmp_path / "out")
        except StoppedError as error:
            said.append(str(error))
        sent = {line["authorization"] for line in between.log()}
    assert 1 == len(sent - {None})
    found = [path for path in tmp_path.rglob("*") if path.is_file() and canary.encode() in path.read_bytes()]
    assert ([], []) == (found, [text for text in said if canary in text])
    assert canary not in repr(recipe)


def test_personal_data_does_not_leave_and_is_taken_out(tmp_path: Path) -> None:
    """A seed with an address of e-mail is sent without it; under `reject` it is not sent; the manifest counts both."""
    (tmp_path / "out").mkdir()
    with echo(tmp_path) as between:
        recipe = settings(tmp_path, between.base_url, count=3)
        path = tmp_path / "documents.jsonl"
        path.write_text(path.read_text().replace("Document number 1.", "Write to m.kestrel@acme-corp.de today."))
        manifest = generate(recipe, tmp_path / "out")
        bodies = ledger(tmp_path / "out", "SELECT body FROM calls")
        assert not any(b"kestrel" in body for (body,) in bodies)
        assert 1 == manifest.more["leaks"]["prompt: email"]
        rejected = generate(settings_with(recipe, "reject"), tmp_path / "refused")
        assert 3 + 2 == len(between.log())
    assert {"private-prompt": 1} == dict(rejected.reasons)


def settings_with(recipe: object, policy: str) -> object:
    """The settings with another policy on personal data, from the same file."""
    filters = recipe.filters.model_copy(update={"privacy": policy})
    return load(recipe.path(Path("holdfast.yaml"))).model_copy(update={"filters": filters})


def test_every_step_survives_a_death(tmp_path: Path) -> None:
    """Dead before each durable step of a run that asks, torn files included: same bytes, repaid within bounds."""
    concurrency, prompts = 2, 16
    with echo(tmp_path, "500=0.1", "length=0.1:ever") as between:
        recipe = settings(tmp_path, between.base_url, count=prompts, limits={"concurrency": concurrency})
        _run(recipe, tmp_path / "whole")
        wanted = results(tmp_path / "whole")
        for point in count():
            out, before = tmp_path / f"dead-{point}", len(between.log())
            died = died_at(point, lambda out=out: _run(recipe, out), torn=point % 2 == 1)
            _run(recipe, out)
            assert wanted == results(out), f"died before step {point}"
            answered = [line for line in between.log()[before:] if line["fault"] in (None, "length")]
            assert len(answered) <= prompts + concurrency, f"died before step {point}"
            assert len(between.log()) - before <= ledger(out, "SELECT count(*) FROM sends")[0][0]
            if not died:
                break
    assert point >= 60


def _run(recipe: object, out: Path) -> None:
    """Generate; a set that is short because a prompt was struck is an end, too."""
    with suppress(StoppedError):
        generate(recipe, out)


def test_kills_against_the_real_servers(tmp_path: Path, local_models: dict[str, str]) -> None:
    """Killed ten times over real local models with one fault in ten: nothing lost, doubled or changed (bench.soak)."""
    came = soak(tmp_path, local_models, kills=10, quota=60)
    assert came.kills >= 5
    assert (0, 0, 0, 0, True) == (came.lost, came.doubled, came.unlisted, came.acknowledged_lost, came.identical)
    assert came.repaid <= came.bound


def test_ctrl_c_brings_home_what_is_in_flight(tmp_path: Path) -> None:
    """Interrupted, the command ends with 130, has every answer that was in flight, and goes on to the same bytes."""
    with echo(tmp_path, latency=100) as between:
        recipe = settings(tmp_path, between.base_url, limits={"concurrency": 4})
        generate(recipe, tmp_path / "whole")
        before = len(between.log())
        out = tmp_path / "out"
        command = [HOLDFAST, "generate", "-c", str(tmp_path / "holdfast.yaml"), "--out", out]
        with subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, start_new_session=True) as process:
            while len(between.log()) < before + 6:
                time.sleep(0.02)
            os.kill(process.pid, signal.SIGINT)
            said = process.stderr.read().decode()
        assert 130 == process.returncode
        assert "run the same command again" in said
        sent, answered = ledger(out, "SELECT count(*), count(settled_at) FROM sends")[0]
        assert sent == answered == len(between.log()) - before < N
        assert sums(read_manifest(out))
        generate(recipe, out)
        assert N == len(between.log()) - before
    assert results(tmp_path / "whole") == results(out)


def test_two_runs_in_one_folder(tmp_path: Path) -> None:
    """While one run writes, a second on its folder is refused and sends nothing."""
    with echo(tmp_path, latency=200) as between:
        recipe = settings(tmp_path, between.base_url, count=20, limits={"concurrency": 2})
        command = [HOLDFAST, "generate", "-c", str(tmp_path / "holdfast.yaml")]
        command += ["--out", str(tmp_path / "out")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
            while len(between.log()) < 3:
                time.sleep(0.02)
            with pytest.raises(UsageError, match="being written by another run"):
                generate(recipe, tmp_path / "out")
            first.communicate()
        assert 20 == len(between.log())
    assert json.loads((tmp_path / "out" / "manifest.json").read_bytes())["ok"]
