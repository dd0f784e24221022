"""A build with a judge, end to end: uncalibrated it rejects nothing and says so; labelled it does; the card tells."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.settings import Settings, load
from holdfast.workflows.build import Built, build
from tests.verifiers.judge_server import JudgeServer, is_attack, judge_server
from tests.workflows.asking import rows
from tests.workflows.test_build import project

JUDGE = """
models: {j: {base_url: URL, model: claude-3-5-haiku, price: {input: 1, output: 5}}}
filters: {judge: {model: j, rubric: rubric.md, labels: labels.jsonl, subset: family}}
"""


def taste(prompt: str, response: str) -> float:
    """What the judge and the people of these tests like: prompts of an even length."""
    return float(len(prompt) % 2 == 0 and not is_attack(response))


@pytest.fixture(scope="module")
def judge() -> Iterator[JudgeServer]:
    """One scripted judge for all tests of this file."""
    with judge_server(taste) as server:
        yield server


def recipe(folder: Path, url: str, **changes: str) -> Settings:
    """The small build of the other tests with a judge behind it."""
    path = project(folder, **changes)
    path.write_text(path.read_text() + JUDGE.replace("URL", url))
    (folder / "rubric.md").write_text("Prompts of an even length are good.")
    return load(path)


@pytest.fixture(scope="module")
def both(judge: JudgeServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Built, Built, Path, list[int]]:
    """A build before anybody labelled, and the same folder built again after people did."""
    folder = tmp_path_factory.mktemp("judged") / "p"
    settings = recipe(folder, judge.url)
    first, calls = build(settings), [len(judge.asked)]
    made = [row for row in rows(first.folder / "filtered", "kept") if row["holdfast"]["origin"] == "synthetic"]
    said = [
        {"id": row["id"], "rater": "ann", "kind": "score", "value": taste(row["question"], row["answer"]) == 1.0}
        for row in made[:60]
    ]
    (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    second = build(settings)
    calls.append(len(judge.asked))
    return first, second, folder, calls


def test_without_labels_nothing_is_rejected_and_the_audit_says_so(both: tuple[Built, Built, Path, list[int]]) -> None:
    """Every generated record is kept by the judge, each judged one is evidence of judge-uncalibrated: an error."""
    first = both[0]
    assert "judge" not in first.manifest["reasons"]
    found = {each.rule: each.severity for each in first.report.findings}
    assert "error" == found["judge-uncalibrated"]
    assert 1 == first.exit


def test_with_labels_it_rejects_and_nothing_is_asked_again(both: tuple[Built, Built, Path, list[int]]) -> None:
    """The second build pays for no call, rejects what people would, and has no finding about its judge."""
    _, second, folder, calls = both
    assert calls[0] == calls[1]
    assert second.manifest["reasons"]["judge"] > 0
    assert second.manifest["reasons"]["human-no"] > 0
    assert not {"judge-uncalibrated", "judge-family"} & {each.rule for each in second.report.findings}
    train = [json.loads(line) for line in (folder / ".holdfast/small/dataset/train.jsonl").read_text().splitlines()]
    made = [row for row in train if row["holdfast"]["origin"] == "synthetic"]
    assert {1.0} == {taste(row["question"], row["answer"]) for row in made}


def test_the_law_of_conservation_holds(both: tuple[Built, Built, Path, list[int]]) -> None:
    """Everything that came in is kept, rejected, undecided, failed or pending, step by step and as a whole."""
    for built in both[:2]:
        steps = [built.manifest["counts"], *(step["counts"] for step in built.manifest["steps"].values())]
        assert [each["in"] for each in steps] == [sum(each.values()) - each["in"] for each in steps]


def test_the_card_states_judge_agreement_and_labels(both: tuple[Built, Built, Path, list[int]]) -> None:
    """Who judged, how it agreed with how many labels, what error it leaves, and what it cost."""
    card = (both[2] / ".holdfast/small/dataset/README.md").read_text()
    assert "| judged by | j |" in card
    for text in ("Judges and people", "kappa", "60 records", "Expected retained error", "break-down point", "canaries"):
        assert text in card, text
    usage = both[1].manifest["models"]["usage"]["j"]
    assert usage["cost"] == pytest.approx(usage["input_tokens"] / 1e6 + 5 * usage["output_tokens"] / 1e6)


def test_a_finished_build_is_not_done_again(both: tuple[Built, Built, Path, list[int]], judge: JudgeServer) -> None:
    """The same settings and labels give the manifest that is there."""
    _, second, folder, _ = both
    asked = len(judge.asked)
    again = build(load(folder / "holdfast.yaml")).manifest
    assert dict(second.manifest) == {name: again[name] for name in second.manifest}
    assert asked == len(judge.asked)


def test_kin_is_refused_before_anything_is_made(tmp_path: Path, judge: JudgeServer) -> None:
    """A judge of a generator's family ends the build at once: no seal, no folder, no call."""
    settings = recipe(tmp_path / "p", judge.url)
    models: dict[str, Any] = settings.model_dump(mode="json", exclude_defaults=True)
    models["models"]["g"] = {"base_url": judge.url, "model": "claude-3-opus"}
    models["generators"].append({"use": "self_instruct", "model": "g", "cap": 0.3})
    (tmp_path / "p" / "holdfast.yaml").write_text(json.dumps(models))
    asked = len(judge.asked)
    with pytest.raises(UsageError, match="same family, claude"):
        build(load(tmp_path / "p" / "holdfast.yaml"))
    assert asked == len(judge.asked)
    assert not (tmp_path / "p" / ".holdfast").exists()
    assert not (tmp_path / "p" / "sealed").exists()
