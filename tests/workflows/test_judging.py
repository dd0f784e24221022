"""Judges in filter: power only after agreement, people above them, canaries among the records, nothing paid twice."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.chat_proxy import proxy
from holdfast.core.errors import InputError, StoppedError, UsageError
from holdfast.core.record import Record
from holdfast.core.rundir import Manifest
from holdfast.core.settings import Dedup, Filters, Settings, load
from holdfast.models.desk import open_desk
from holdfast.workflows.checking import NamedCheck
from holdfast.workflows.filter import FilterOptions, filter_files
from holdfast.workflows.judging import Panel, as_check
from holdfast.workflows.verify_manifest import verify_manifest
from tests.verifiers.judge_server import JudgeServer, Worth, honest, is_attack, judge_server
from tests.workflows.asking import rows

# Wrong is one in five: so few are rejected that no diversity bill is measured, and each generator has labels enough.
N, LABELLED = 90, 60
WAIVER = [{"rule": "judge-family", "reason": "known", "owner": "tests", "until": "2999-01-01"}]


def records(folder: Path, count: int = N, **more: Any) -> Path:
    """Records of two generators; every fifth is wrong."""
    path = folder / "made.jsonl"
    made = [
        {
            "id": f"r{n}",
            "prompt": f"What is number {n}?",
            "response": f"It is {'wrong' if n % 5 == 0 else 'right'}, number {n}.",
            "generator": f"maker-{n % 2}",
            **more,
        }
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    return path


def labels(folder: Path, wrong: int = 0, count: int = N, raters: tuple[str, ...] = ("ann", "bob")) -> Path:
    """What people said of the records: the truth, but for the first `wrong` ones; `count` records labelled."""
    path = folder / "labels.jsonl"
    said = [
        {"id": f"r{n}", "rater": rater, "kind": "score", "value": (n % 5 != 0) != (n < wrong)}
        for n in range(count)
        for rater in raters
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in said))
    return path


def settings(folder: Path, urls: dict[str, str], **more: Any) -> Settings:
    """Settings with judges at the given addresses; `judge` changes the filter, the rest the whole."""
    (folder / "rubric.md").write_text("Good answers are right.\n\n- Is it polite?\n")
    models = {name: {"base_url": url, "model": name, "limits": {"attempts": 2}} for name, url in urls.items()}
    models |= more.pop("models", {})
    judge = {"model": list(urls), "rubric": "rubric.md", **more.pop("judge", {})}
    values = {"version": 1, "models": models, "filters": {"judge": judge}, **more}
    (folder / "holdfast.yaml").write_text(json.dumps(values))
    return load(folder / "holdfast.yaml")


def filtered(folder: Path, recipe: Settings | None, out: str = "out", **more: Any) -> Manifest:
    """Filter the records by people and judges alone."""
    alone = Filters(dedup=Dedup(exact=False, near=None), privacy="off")
    options = FilterOptions(alone, settings=recipe, **more)
    return filter_files([folder / "made.jsonl"], folder / out, options)


def run(folder: Path, worth: Worth = honest, **more: Any) -> tuple[Manifest, JudgeServer]:
    """Filter with one scripted judge; return the manifest and the server with what it was asked."""
    with judge_server(worth) as server:
        manifest = filtered(folder, settings(folder, {"j": server.url}, **more))
    return manifest, server


def by_id(folder: Path, name: str, out: str = "out") -> dict[str, dict[str, Any]]:
    """The rows of a result file by id."""
    return {row["id"]: row for row in rows(folder / out, name)}


def test_a_judge_that_agrees_rejects_what_is_wrong(tmp_path: Path) -> None:
    """With labels on the first 60 it agrees on, the judge rejects the wrong ones of the rest, and only those."""
    records(tmp_path)
    labels(tmp_path, count=LABELLED)
    manifest, _ = run(tmp_path, judge={"labels": "labels.jsonl"})
    assert {f"r{n}" for n in range(0, N, 5)} == set(by_id(tmp_path, "rejected"))
    why = {name: row["holdfast_reason"] for name, row in by_id(tmp_path, "rejected").items()}
    assert {"human-no": 12, "judge": 6} == manifest.reasons
    assert ("human-no", "judge") == (why["r0"], why["r60"])
    kept = by_id(tmp_path, "kept")
    assert [{"review": True}, {"judge": True}] == [kept[name]["holdfast"]["checks"] for name in ("r1", "r61")]
    told = manifest.more["judging"]
    assert (1.0, LABELLED, True) == tuple(
        told["calibration"]["all"][key] if key == "trusted" else told["calibration"]["all"]["kappa"][key]
        for key in ("value", "n", "trusted")
    )
    assert {"all", "maker-0", "maker-1"} == set(told["calibration"])
    assert 0.0 == told["retained_error"]["value"]
    assert 0.02 < told["retained_error"]["high"] < 0.2
    assert 1.0 == told["people"]["alpha"]["value"]


def test_a_judge_that_agrees_too_little_rejects_nothing(tmp_path: Path) -> None:
    """Held against labels of the opposite opinion, or without labels, its verdicts stand beside and decide nothing."""
    records(tmp_path)
    labels(tmp_path, wrong=40, count=LABELLED)
    manifest, _ = run(tmp_path, judge={"labels": "labels.jsonl"})
    assert "judge" not in manifest.reasons
    assert "below 0.4" in manifest.more["judging"]["calibration"]["all"]["why"]
    assert {"judge-uncalibrated": None} == by_id(tmp_path, "kept")["r60"]["holdfast"]["checks"]
    said = [row for row in rows(tmp_path / "out", "verdicts") if row["id"] == "r60"]
    assert [("judge:j", False, "below-pass-mark"), ("judge", None, "judge-uncalibrated")] == [
        (row["check"], row["ok"], row["reason"]) for row in said
    ]
    assert False is said[1]["evidence"]["said"]
    (tmp_path / "labels.jsonl").unlink()
    manifest, _ = run(tmp_path)
    assert N == manifest.counts.kept


def test_power_is_given_by_subset(tmp_path: Path) -> None:
    """A judge that agrees on one generator and not on the other rejects only the records of the first."""
    records(tmp_path)

    def half(prompt: str, response: str) -> float:
        number = int("".join(filter(str.isdigit, prompt)) or 0)
        return honest(prompt, response) if number % 2 == 0 else 0.0

    labels(tmp_path, count=LABELLED)
    run(tmp_path, half, judge={"labels": "labels.jsonl"})
    gone = {name for name, row in by_id(tmp_path, "rejected").items() if row["holdfast_reason"] == "judge"}
    assert {f"r{n}" for n in range(LABELLED, N, 10)} == gone


def test_few_labels_give_no_power(tmp_path: Path) -> None:
    """Perfect agreement on 12 records is no evidence: 30 are needed, and five of each kind."""
    records(tmp_path)
    labels(tmp_path, count=12)
    manifest, _ = run(tmp_path, judge={"labels": "labels.jsonl"})
    assert "30 are needed" in manifest.more["judging"]["calibration"]["all"]["why"]
    assert {"human-no": 3} == manifest.reasons


def test_labels_about_records_elsewhere_give_power_here(tmp_path: Path) -> None:
    """Labelled records of another file are judged for the calibration, and are no records of this run."""
    records(tmp_path).rename(tmp_path / "labelled.jsonl")
    labels(tmp_path, count=LABELLED)
    rows_here = [
        {"id": f"new{n}", "prompt": f"And {n}?", "response": "right" if n else "wrong", "generator": "maker-0"}
        for n in range(8)
    ]
    (tmp_path / "made.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows_here))
    manifest, server = run(tmp_path, judge={"labels": "labels.jsonl", "records": "labelled.jsonl"})
    assert ({"judge": 1}, 8) == (manifest.reasons, manifest.counts.given)
    assert 8 + LABELLED + 17 == len(server.asked)


def test_people_decide_without_a_judge(tmp_path: Path) -> None:
    """Labels alone: a no rejects, a yes keeps, a split is undecided, a record nobody saw is kept as before."""
    records(tmp_path, 4)
    said = [("r0", "a", False), ("r1", "a", True), ("r2", "a", True), ("r2", "b", False), ("r9", "a", True)]
    lines = [{"id": name, "rater": rater, "kind": "score", "value": value} for name, rater, value in said]
    (tmp_path / "l.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    manifest = filtered(tmp_path, None, labels=[tmp_path / "l.jsonl"])
    assert {"r0": "human-no"} == {n: row["holdfast_reason"] for n, row in by_id(tmp_path, "rejected").items()}
    assert {"r2": "people-split"} == {n: row["holdfast_reason"] for n, row in by_id(tmp_path, "undecided").items()}
    assert {"r1", "r3"} == set(by_id(tmp_path, "kept"))
    assert (5, 3) == (manifest.more["judging"]["people"]["records"] + 1, manifest.more["judging"]["people"]["found"])


def test_a_judge_that_passes_a_canary_is_suspended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that passes everything is asked no more after its batch, its scores are void, all are undecided."""
    monkeypatch.setattr("holdfast.workflows.judging.BATCH", 40)
    records(tmp_path)
    labels(tmp_path, count=LABELLED)
    manifest, server = run(tmp_path, lambda prompt, response: 1.0, judge={"labels": "labels.jsonl"})
    told = manifest.more["judging"]["judges"]["j"]
    assert told["suspended"]
    assert told["canaries"]["passed"] > 0.01 * told["canaries"]["shown"]
    assert {"judge-suspended": N - LABELLED, "human-no": 12} == manifest.reasons
    assert 40 + 10 == len(server.asked)
    assert {"judge-suspended"} == {row["reason"] for row in rows(tmp_path / "out", "verdicts")}


def test_a_second_judge_goes_on_when_one_is_suspended(tmp_path: Path) -> None:
    """Of a panel only the gullible one falls out; the other decides alone."""
    records(tmp_path)
    labels(tmp_path, count=LABELLED)
    with judge_server() as good, judge_server(lambda prompt, response: 1.0) as bad:
        recipe = settings(tmp_path, {"j": good.url, "k": bad.url}, judge={"labels": "labels.jsonl"})
        manifest = filtered(tmp_path, recipe)
    told = manifest.more["judging"]["judges"]
    assert [False, True] == [told[name]["suspended"] for name in ("j", "k")]
    assert {"human-no": 12, "judge": 6} == manifest.reasons
    assert 1.0 == told["j"]["kappa"]["value"]
    assert told["k"]["kappa"]["value"] == 0.0


def test_a_judge_of_the_makers_kin_is_refused_before_a_call(tmp_path: Path) -> None:
    """The error names both; with a waiver that has not ended it judges, records keep the mark, and the report fires."""
    records(tmp_path, generator="qwen2.5-7b")
    with judge_server() as server:
        models = {"j": {"base_url": server.url, "model": "Qwen/Qwen3-8B"}}
        with pytest.raises(UsageError, match=r"judge j \(Qwen/Qwen3-8B\) is of the same family, qwen: .*qwen2\.5-7b"):
            filtered(tmp_path, settings(tmp_path, {"j": server.url}, models=models))
        assert [] == server.asked
        ended = [{**WAIVER[0], "until": "2020-01-01"}]
        with pytest.raises(UsageError, match="judge its own kin"):
            filtered(tmp_path, settings(tmp_path, {"j": server.url}, models=models, accepted_risks=ended))
        assert [] == server.asked
        recipe = settings(tmp_path, {"j": server.url}, models=models, accepted_risks=WAIVER)
        manifest = filtered(tmp_path, recipe)
    assert "same family, qwen" in manifest.more["judging"]["kin"][0]
    checks = by_id(tmp_path, "kept")["r1"]["holdfast"]["checks"]
    assert {"judge-uncalibrated": None, "judge-family": None} == checks


def test_subjective_work_is_only_ranked(tmp_path: Path) -> None:
    """A trusted judge decides no poem: all are undecided for people, the best-liked first."""
    path = records(tmp_path)
    poems = [
        {"id": f"p{n}", "prompt": f"Write a poem about {n}.", "response": f"{'right' if n % 2 else 'wrong'} {n}",
         "generator": "maker-1"} for n in range(6)
    ]  # fmt: skip
    with path.open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in poems)
    labels(tmp_path, count=LABELLED)
    run(tmp_path, judge={"labels": "labels.jsonl"})
    waiting = rows(tmp_path / "out", "undecided")
    assert ["p1", "p3", "p5", "p0", "p2", "p4"] == [row["id"] for row in waiting]
    assert {"subjective-needs-people"} == {row["holdfast_reason"] for row in waiting}


def test_real_records_are_not_judged(tmp_path: Path) -> None:
    """What is labelled real is kept unasked, whatever the judge would say of it."""
    records(tmp_path, 12, generator=None, origin="real")
    manifest, server = run(tmp_path, lambda prompt, response: 0.0)
    assert (12, []) == (manifest.counts.kept, server.asked)


def test_pairs_are_asked_in_both_orders(tmp_path: Path) -> None:
    """A consistent judge wins or loses pairs; one that always takes the first place decides none, and says so."""
    path = records(tmp_path)
    made = [json.loads(line) for line in path.read_text().splitlines()]
    for row in made:
        row["rejected"] = f"It is {'right' if 'wrong' in row['response'] else 'wrong'}, in other words."
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    labels(tmp_path, count=LABELLED)
    manifest, server = run(tmp_path, judge={"labels": "labels.jsonl", "mode": "pairs"})
    assert {"human-no": 12, "judge": 6} == manifest.reasons
    assert 2 * (N + 22) == len(server.asked)
    assert (1.0, N) == tuple(manifest.more["judging"]["judges"]["j"]["position"][key] for key in ("value", "n"))
    with judge_server(first_wins=True) as server:
        recipe = settings(tmp_path, {"j": server.url}, judge={"labels": "labels.jsonl", "mode": "pairs"})
        manifest = filtered(tmp_path, recipe, "biased")
    told = manifest.more["judging"]["judges"]["j"]["position"]
    assert (0.0, 1.0) == (told["value"], told["detail"]["first_place"])
    assert "judge" not in manifest.reasons


def test_demands_are_listed_and_then_answered(tmp_path: Path) -> None:
    """In the mode items a first call sees the prompt alone, a second answers its questions and those of the rubric."""
    records(tmp_path, 12)
    _, server = run(tmp_path, judge={"mode": "items"})
    first = next(body for body in server.asked if "items" in json.dumps(body["response_format"]))
    assert {"prompt"} == set(server.data(first))
    said = next(row for row in rows(tmp_path / "out", "verdicts") if row["id"] == "r0")
    questions = ["Is it polite?", "Does it answer the prompt?", "Is it right?"]
    assert questions == [item["question"] for item in said["evidence"]["items"]]
    assert (0.0, "demand-unmet") == (said["score"], said["reason"])


def test_a_killed_run_pays_for_nothing_twice(tmp_path: Path) -> None:
    """Stopped by its budget half-way and then given more, it asks only for what is missing and ends in equal bytes."""
    records(tmp_path)
    labels(tmp_path, count=LABELLED)
    with judge_server() as server, proxy(server.url, folder=tmp_path) as between:
        priced = {"price": {"input": 1000, "output": 0}, "limits": {"concurrency": 4}}
        more = {"models": {"j": {"base_url": between.base_url, "model": "j", **priced}}}
        more["judge"] = {"labels": "labels.jsonl"}
        # A request costs 0.1, and may cost some 2.5 before it is answered; four are under way at once.
        tight = settings(tmp_path, {"j": between.base_url}, budget={"cost": 15.0}, **more)
        with pytest.raises(StoppedError):
            filtered(tmp_path, tight)
        before = len(between.log())
        assert 0 < before < N + 22
        assert not (tmp_path / "out" / "manifest.json").exists()
        manifest = filtered(tmp_path, settings(tmp_path, {"j": between.base_url}, budget={"cost": 500.0}, **more))
        assert N + 22 == len(between.log())
        again = filtered(tmp_path, settings(tmp_path, {"j": between.base_url}, **more), "fresh")
    assert 112 == manifest.more["judging"]["usage"]["j"]["requests"]
    assert pytest.approx(112 * 100 * 1000 / 1e6) == manifest.more["judging"]["usage"]["j"]["cost"]
    for name in ("kept.jsonl", "rejected.jsonl", "verdicts.jsonl"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes()
    assert again.reasons == manifest.reasons
    assert verify_manifest(tmp_path / "out").ok


def test_what_was_spent_before_counts(tmp_path: Path) -> None:
    """A budget that generation used up leaves nothing to judge with: no request goes out."""
    records(tmp_path, 12)
    with judge_server() as server:
        price = {"j": {"base_url": server.url, "model": "j", "price": {"input": 1000, "output": 0}}}
        recipe = settings(tmp_path, {"j": server.url}, models=price, budget={"cost": 60.0})
        with pytest.raises(StoppedError):
            filtered(tmp_path, recipe, spent=59.99)
    assert [] == server.asked


def test_a_judge_that_is_not_answered_stops_the_run_and_can_be_resumed(tmp_path: Path) -> None:
    """Provider faults are no verdicts: the run ends resumable, and the next one asks for the rest."""
    records(tmp_path, 40)
    with (
        judge_server() as server,
        proxy(server.url, "500=0.3:ever", folder=tmp_path) as between,
        pytest.raises(StoppedError, match="were not answered"),
    ):
        filtered(tmp_path, settings(tmp_path, {"j": between.base_url}))
    with judge_server() as server:
        manifest = filtered(tmp_path, settings(tmp_path, {"j": server.url}))
        missing = len(server.asked)
    assert 0 < missing < 50
    assert 40 == manifest.counts.kept


def test_two_judges_and_two_makers_tell_their_leakage(tmp_path: Path) -> None:
    """A judge that favours one maker against another judge is seen without any label."""
    records(tmp_path)

    def partial_to(number: int) -> Worth:
        def worth(prompt: str, response: str) -> float:
            favoured = int("".join(filter(str.isdigit, prompt)) or 0) % 2 == number
            return float(favoured and not is_attack(response))

        return worth

    with judge_server(partial_to(0)) as one, judge_server(partial_to(1)) as other:
        manifest = filtered(tmp_path, settings(tmp_path, {"j": one.url, "k": other.url}))
    (found,) = manifest.more["judging"]["leakage"]
    assert {"j": "maker-0", "k": "maker-1"} == found["pairs"]
    assert pytest.approx(1.0) == found["score"]["value"]


def test_personal_data_does_not_reach_a_judge(tmp_path: Path) -> None:
    """Under the default policy what goes out to a judge is redacted."""
    path = records(tmp_path, 1)
    path.write_text(path.read_text().replace("number 0.", "write to john.smith@corp-mail.com."))
    _, server = run(tmp_path)
    assert server.asked
    assert "john.smith" not in json.dumps(server.asked)


def test_verified_records_can_be_left_to_their_verifier(tmp_path: Path) -> None:
    """With verified: false the judge is asked about nothing that a check passed, and about everything else."""
    passed = {"origin": "synthetic", "generator": "maker-0", "checks": {"math": True}}
    records(tmp_path, 12, holdfast=passed)
    _, server = run(tmp_path, judge={"verified": False})
    assert [] == server.asked
    _, server = run(tmp_path)
    assert 12 + 6 == len(server.asked)


def test_a_judge_is_a_check(tmp_path: Path) -> None:
    """A record gives a verdict, many give one each, through the same ledger; the version follows the rubric."""
    made = [Record(f"r{n}", "What is it?", "right" if n else "wrong") for n in range(3)]
    with judge_server() as server:
        recipe = settings(tmp_path, {"j": server.url})
        judge = Panel.of(recipe).judges[0]
        with open_desk(recipe, tmp_path, ["j"]) as desk:
            named = NamedCheck("judge", judge.version, as_check(recipe, desk, judge))
            assert [False, True, True] == [verdict.ok for verdict in named.judge(made)]
            assert named.call(made[1]).ok
        assert 2 == len(server.asked)
    assert judge.version != replace(judge, rubric="Another.").version
    assert judge.version == replace(judge, model="k").version


def test_settings_that_cannot_work_are_told_before_a_call(tmp_path: Path) -> None:
    """A rubric that is missing or empty, a subset that no record has, a mark above the scale, no such judge."""
    records(tmp_path, 3)
    with judge_server() as server:
        (tmp_path / "empty.md").write_text(" \n")
        for name, said in (("none.md", "rubric cannot be read"), ("empty.md", "rubric is empty")):
            with pytest.raises(InputError, match=said):
                filtered(tmp_path, settings(tmp_path, {"j": server.url}, judge={"rubric": name}))
        with pytest.raises(UsageError, match="'generatr', and no record has a column"):
            filtered(tmp_path, settings(tmp_path, {"j": server.url}, judge={"subset": "generatr"}))
        wrong = [({"pass_at": 7}, "scale"), ({"weights": [1, 2]}, "weights"), ({"model": "nobody"}, "nobody")]
        for change, said in wrong:
            with pytest.raises(UsageError, match=said):
                settings(tmp_path, {"j": server.url}, judge=change)
        assert [] == server.asked
