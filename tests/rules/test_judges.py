"""The rules about judges: each fires on its fault, is silent without it, and counts no judge as a verifier."""

from pathlib import Path
from typing import Any

from holdfast.core.record import Provenance, Record
from holdfast.core.verdict import Finding
from tests.rules.views import outcome, record, records, verdict, view

QWEN = "Qwen/Qwen2.5-7B-Instruct"


def judged(count: int, generator: str = QWEN, **checks: bool | None) -> list[Record]:
    """Synthetic records that carry verdicts."""
    made = [record(n, "synthetic", generator=generator) for n in range(count)]
    return [Record(r.id, r.prompt, r.response, r.provenance, None, {}, checks) for r in made]


def recipe(model: str, **judge: Any) -> dict[str, Any]:
    """Settings with a judge."""
    models = {"j": {"base_url": "http://127.0.0.1:1/v1", "model": model}}
    return {"models": models, "filters": {"judge": {"model": "j", "rubric": "r.md", **judge}}}


def test_a_judge_of_the_family_is_found() -> None:
    """By the settings: qwen judging qwen is an error on each record it judged, gpt judging qwen is none."""
    rows = [*judged(5, judge=True), *records(5, "synthetic", 5, generator=QWEN)]
    found = outcome("judge-family", view(rows, settings=recipe("Qwen3-32B")))
    assert isinstance(found, Finding)
    assert ("error", 5) == (found.severity, found.evidence_total)
    assert "passed" == verdict("judge-family", view(rows, settings=recipe("gpt-4o")))


def test_a_distilled_judge_is_found() -> None:
    """A judge that learned from the generator's family is its kin, and the reverse."""
    rows = judged(3, "deepseek-v3", judge=True)
    assert "error" == verdict("judge-family", view(rows, settings=recipe("DeepSeek-R1-Distill-Llama-8B")))
    rows = judged(3, "DeepSeek-R1-Distill-Llama-8B", judge=True)
    assert "error" == verdict("judge-family", view(rows, settings=recipe("deepseek-v3")))


def test_the_mark_of_a_waiver_is_found_without_settings() -> None:
    """Records judged under an accepted risk say so wherever they go; other judged records cannot be looked at."""
    assert "error" == verdict("judge-family", view(judged(3, **{"judge-family": None})))
    assert "not judged" == verdict("judge-family", view(judged(3, judge=True)))
    assert verdict("judge-family", view(records(3, "synthetic"))) is None


def test_an_uncalibrated_judge_is_found(tmp_path: Path) -> None:
    """The mark of a judge without power is an error; with labels and power it passes; without labels it is one."""
    assert "error" == verdict("judge-uncalibrated", view(judged(3, **{"judge-uncalibrated": None})))
    (tmp_path / "l.jsonl").write_text("")
    labelled = recipe("gpt-4o", labels=str(tmp_path / "l.jsonl"))
    assert "passed" == verdict("judge-uncalibrated", view(judged(3, judge=True), settings=labelled))
    assert "error" == verdict("judge-uncalibrated", view(judged(3, judge=True), settings=recipe("gpt-4o")))
    assert verdict("judge-uncalibrated", view(records(3, "synthetic"), settings=recipe("gpt-4o"))) is None


def test_a_judge_is_no_verifier() -> None:
    """Mathematics that only a judge and the filters looked at counts as unverified; a verifier's verdict does not."""

    def problems(**checks: bool | None) -> list[Record]:
        fields = {"question": "How many?", "answer": "4", "gold": "4"}
        origin = Provenance("synthetic", generator=QWEN)
        return [
            Record(f"m{n}", f"What is {n} + 4?", f"It is {n + 4}.\n#### {n + 4}", origin, None, fields, checks)
            for n in range(4)
        ]

    assert "warning" == verdict("unverified", view(problems(judge=True, **{"eval-contamination": True})))
    assert "passed" == verdict("unverified", view(problems(judge=True, math=True)))
