"""generate with models where something is not as meant: no hang, no leak, no second payment, no file of before."""

import json
from pathlib import Path

import pytest

from holdfast.core.errors import StoppedError, UsageError
from holdfast.workflows.generate import GenerateOptions, generate, preview
from tests.workflows.asking import CHECKED, echo, rows, settings


def test_two_equal_seeds_are_one_request(tmp_path: Path) -> None:
    """A seed that is there three times is paid for once and kept once; the cell is short for want of other seeds."""
    seeds = [{"text": f"Seed {n // 3}."} for n in range(12)]
    (tmp_path / "seeds.jsonl").write_text("".join(json.dumps(seed) + "\n" for seed in seeds))
    with echo(tmp_path) as between:
        recipe = settings(tmp_path, between.base_url, 12, generator={"documents": "seeds.jsonl"})
        manifest = generate(recipe, tmp_path / "out")
        assert 4 == len(between.log())
    assert 4 == len(rows(tmp_path / "out", "kept"))
    assert "exhausted" == manifest.more["cells"]["all"]["stopped_by"]


@pytest.mark.parametrize(
    ("name", "says"), [("nothing", "not a Draft"), ("number", "not str"), ("half_a_character", "UnicodeEncodeError")]
)
def test_a_writer_that_makes_no_record_is_at_fault(tmp_path: Path, name: str, says: str) -> None:
    """What a function of one's own returns is no record unless it is a draft of texts: the rest goes on."""
    generator = {"use": f"{CHECKED}:{name}", "template": None, "documents": None}
    with echo(tmp_path) as between:
        generate(settings(tmp_path, between.base_url, 3, generator=generator), tmp_path / "out")
    failed = rows(tmp_path / "out", "failed")
    assert failed
    assert all(row["holdfast_reason"] == "fault" and says in row["holdfast_detail"] for row in failed)
    assert not rows(tmp_path / "out", "kept")


@pytest.mark.parametrize("policy", ["reject", "redact"])
@pytest.mark.parametrize("name", ["leaking_column", "leaking_turn"])
def test_no_column_and_no_turn_keeps_personal_data(tmp_path: Path, policy: str, name: str) -> None:
    """An address in another column or an earlier turn than the last is found as one in the response is."""
    generator = {"use": f"{CHECKED}:{name}", "template": None, "documents": None}
    with echo(tmp_path) as between:
        recipe = settings(tmp_path, between.base_url, 3, generator=generator, filters={"privacy": policy})
        manifest = generate(recipe, tmp_path / "out")
    kept = rows(tmp_path / "out", "kept")
    assert (0 if policy == "reject" else 3) == len(kept)
    assert "corp-mail" not in json.dumps(kept)
    assert manifest.more["leaks"]


def test_an_impossible_count_of_tokens_stops_nobody(tmp_path: Path) -> None:
    """A number of tokens that no database takes is none: the run ends, and the record is kept."""
    with echo(tmp_path, "huge_usage=1:ever") as between:
        assert generate(settings(tmp_path, between.base_url, 4, budget={"time": "20s"}), tmp_path / "out").ok


def test_what_failed_and_no_longer_does_is_no_file_of_the_run(tmp_path: Path) -> None:
    """A run whose calls were never answered and which then went on leaves no failed.jsonl of before."""
    with echo(tmp_path, "500=1:ever") as between:
        recipe = settings(tmp_path, between.base_url, 4, limits={"attempts": 1})
        with pytest.raises(StoppedError):
            generate(recipe, tmp_path / "out")
    assert 4 == len(rows(tmp_path / "out", "failed"))
    with echo(tmp_path) as between:
        assert generate(settings(tmp_path, between.base_url, 4), tmp_path / "out").ok
    assert not (tmp_path / "out" / "failed.jsonl").exists()


def test_a_preview_that_is_stopped_says_why(tmp_path: Path) -> None:
    """A key that is refused is no empty preview."""
    with echo(tmp_path, "401=1:ever") as between, pytest.raises(StoppedError, match="unauthorised"):
        preview(settings(tmp_path, between.base_url), 2, tmp_path / "out")


def test_a_search_for_gaps_that_sees_none_leaves_the_run_finished(tmp_path: Path) -> None:
    """Real records that are all alike have no gap: the command says so, and the finished run can be extended still."""
    real = [{"prompt": f"Say {n}.", "response": f"Word number {n}."} for n in range(400)]
    (tmp_path / "real.jsonl").write_text("".join(json.dumps(row) + "\n" for row in real))
    out = tmp_path / "out"
    with echo(tmp_path) as between:
        generators = [{"use": "edit", "seeds": "real.jsonl", "edited": 0.5, "name": "all"}]
        recipe = settings(tmp_path, between.base_url, 4, generators=generators)
        generate(recipe, out)
        before = (out / "manifest.json").read_bytes()
        with pytest.raises(UsageError):
            generate(recipe, out, GenerateOptions(more=4, gaps=True))
    assert before == (out / "manifest.json").read_bytes()
