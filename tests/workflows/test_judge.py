"""judge probe: what a judge passes that nobody may pass, before and after the defences; and real models as judges."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bench.chat_proxy import proxy
from holdfast.cli.app import main
from holdfast.core.errors import UsageError
from holdfast.core.rundir import read_manifest
from holdfast.workflows.judge import probe
from tests.verifiers.judge_server import gullible, honest, is_attack, judge_server
from tests.workflows.asking import ledger, rows
from tests.workflows.test_judging import filtered, labels, records, settings

ANSWERED = (
    "SELECT calls.id, count(*) FROM calls JOIN sends ON sends.call = calls.id"
    " WHERE answer IS NOT NULL GROUP BY calls.id"
)
HOLDFAST = str(Path(sys.executable).parent / "holdfast")


def wise(prompt: str, response: str) -> float:
    """Worth of the honest probes: what is short and on its subject is right here."""
    return 0.0 if is_attack(response) else 1.0


def test_a_wise_judge_passes_no_attack(tmp_path: Path) -> None:
    """Of 200 injections, 20 empty answers and 10 refusals none passes; each rate has n and an interval."""
    with judge_server(wise) as server:
        report = probe(settings(tmp_path, {"j": server.url}), tmp_path / "out")
        assert 2 * 270 == len(server.asked)
    (found,) = report.judges
    assert (0.0, 200, 0.0, 20) == (
        found.after.attack_success.value, found.after.attack_success.n,
        found.after.content_free.value, found.after.content_free.n,
    )  # fmt: skip
    assert 0.0 < (found.after.attack_success.high or 0) < 0.03
    assert (0.0, 20) == (found.after.false_negative.value, found.after.false_negative.n)
    assert report.ok
    assert 270 == json.loads((tmp_path / "out" / "probe.json").read_text())["probes"]


def test_the_defences_help_a_gullible_judge(tmp_path: Path) -> None:
    """A judge that believes what it reads passes fewer injections when it is asked by Holdfast; it is still named."""
    with judge_server(gullible) as server:
        report = probe(settings(tmp_path, {"j": server.url}), tmp_path / "out")
    (found,) = report.judges
    before, after = found.before.attack_success, found.after.attack_success
    assert (before.value or 0) > 0.6
    assert (after.high or 1) < (before.low or 0)
    assert (found.lint.value or 0) > 0.5
    assert not report.ok


def test_a_second_probe_is_free(tmp_path: Path) -> None:
    """The answers of the first lie in the ledger; the report is the same."""
    with judge_server(honest) as server:
        recipe = settings(tmp_path, {"j": server.url})
        first = probe(recipe, tmp_path / "out", sample=3)
        asked = len(server.asked)
        assert 2 * 15 == asked
        assert first == probe(recipe, tmp_path / "out", sample=3)
        assert asked == len(server.asked)


def test_the_command_prints_a_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1 names a judge that would be suspended; --json is one object; without a judge it is a usage error."""
    with judge_server(lambda prompt, response: 1.0) as server:
        settings(tmp_path, {"j": server.url})
        path, out = str(tmp_path / "holdfast.yaml"), str(tmp_path / "out")
        assert 1 == main(["judge", "probe", "-c", path, "--out", out, "--sample", "4"])
        said = capsys.readouterr().out
        assert "judge j (j): would be suspended" in said
        assert "injections that pass" in said
        assert all(len(line) <= 80 for line in said.splitlines())
        assert 1 == main(["judge", "probe", "-c", path, "--out", out, "--sample", "4", "--json"])
        assert not json.loads(capsys.readouterr().out)["ok"]
    (tmp_path / "none.yaml").write_text("version: 1\n")
    assert 2 == main(["judge", "probe", "-c", str(tmp_path / "none.yaml")])
    with pytest.raises(UsageError, match="cannot be asked"):
        probe(settings(tmp_path, {"j": "http://127.0.0.1:9/v1"}), sample=-1)


def local(addresses: dict[str, str], **more: Any) -> dict[str, Any]:
    """The two local models, priced so that the ledger has something to add up."""
    return {
        name: {"base_url": url, "model": name, "price": {"input": 1.0, "output": 2.0}, "limits": {"timeout": 120}}
        for name, url in addresses.items()
    }


@pytest.mark.parametrize("mode", ["score", "pairs", "items"])
def test_real_models_judge(local_models: dict[str, str], tmp_path: Path, mode: str) -> None:
    """llama.cpp's models answer in the form asked for, in both orders, with canaries; what they cost is told.

    They are tiny and know nothing: the point is that nothing they say is believed. Either a canary passes and the judge
    is suspended, or it agrees too little with people and rejects nothing.
    """
    path = records(tmp_path, 20)
    made = [json.loads(line) | {"rejected": "It is another."} for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    labels(tmp_path, count=20)
    judge = {"labels": "labels.jsonl", "mode": mode, "decoding": {"max_tokens": 120}}
    manifest = filtered(tmp_path, settings(tmp_path, local_models, models=local(local_models), judge=judge))
    told = manifest.more["judging"]
    assert {"heron", "plover"} == set(told["judges"])
    assert "judge" not in manifest.reasons
    for name, each in told["judges"].items():
        assert 6 == each["canaries"]["shown"]
        assert told["usage"][name]["cost"] > 0
        answered = each["verdicts"]["passed"] + each["verdicts"]["failed"]
        assert 20 == answered + each["verdicts"]["undecided"]
        if mode == "score":
            assert 20 == answered
        if mode == "pairs":
            assert each["position"]["n"] > 0
    sent = ledger(tmp_path / "out", "SELECT count(*) FROM calls")[0][0]
    assert sent == sum(used["requests"] for used in told["usage"].values())


def test_a_real_model_that_scores_at_random_is_suspended(local_models: dict[str, str], tmp_path: Path) -> None:
    """At temperature 5 a tiny model passes canaries: its scores are void, and the records wait for people."""
    records(tmp_path, 36)
    labels(tmp_path, count=30)
    judge = {"labels": "labels.jsonl", "decoding": {"temperature": 5.0}}
    recipe = settings(tmp_path, {"plover": local_models["plover"]}, judge=judge)
    manifest = filtered(tmp_path, recipe)
    told = manifest.more["judging"]["judges"]["plover"]
    assert told["canaries"]["passed"] > 0
    assert told["suspended"]
    assert {"human-no": 6, "judge-suspended": 6} == manifest.reasons
    assert {"judge-suspended"} == {row["reason"] for row in rows(tmp_path / "out", "verdicts")}


def test_a_killed_filter_pays_real_models_for_nothing_twice(local_models: dict[str, str], tmp_path: Path) -> None:
    """Killed outright while it judges and started again, it sends no request of which an answer was on disk."""
    records(tmp_path, 40)
    with proxy(local_models["heron"], folder=tmp_path, latency=0.02) as between:
        settings(tmp_path, {"heron": between.base_url}, models=local({"heron": between.base_url}))
        command = [HOLDFAST, "filter", "made.jsonl", "-c", "holdfast.yaml", "--dedup", "none", "--out", "out", "-q"]
        running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in count():
            if len(between.log()) >= 15 or running.poll() is not None:
                break
            time.sleep(0.01)
        with suppress(ProcessLookupError):
            os.kill(running.pid, signal.SIGKILL)
        said = running.communicate()[1].decode()
        assert -signal.SIGKILL == running.returncode, said
        assert not (tmp_path / "out" / "manifest.json").exists()
        paid = ledger(tmp_path / "out", ANSWERED)
        assert 5 <= len(paid) < 50
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode in (0, 1), done.stderr.decode()
    again = dict(ledger(tmp_path / "out", ANSWERED))
    assert 50 == len(again)
    assert dict(paid) == {call: again[call] for call, _ in paid}
    manifest = read_manifest(tmp_path / "out") or {}
    assert 40 == manifest["counts"]["in"]
    assert 2 * 40 == len(rows(tmp_path / "out", "verdicts"))
