"""generate: quotas of accepted records, caps, and the same bytes whatever was killed."""

import json
import os
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import StoppedError, UsageError
from holdfast.core.rundir import read_manifest
from holdfast.core.settings import Cells, Settings
from holdfast.workflows.cells import quotas
from holdfast.workflows.generate import GenerateOptions, generate, preview
from holdfast.workflows.recipe import Recipe
from tests.workflows.deaths import died_at

BASE = {
    "generators": [
        {"use": "procedural", "family": "arithmetic", "tasks": ["rates", "sharing"]},
        {"use": "procedural", "family": "arithmetic", "tasks": ["shopping"], "cap": 0.2},
    ],
    "cells": {"quota": 60},
    "checks": ["math"],
}

OWN = """
from holdfast.core.record import Record
from holdfast.core.verdict import Verdict

def few(random, cell):
    for number in range(7):
        yield Record(f"few-{number}", "How many?", f"#### {number}", fields={"gold": str(number)})

def same(random, cell):
    while True:
        yield Record("same", "How many?", "#### 5", fields={"gold": "5"})

def half_wrong(random, cell):
    number = 0
    while True:
        number += 1
        shown = number if random.random() < 0.5 else number + 1
        yield Record(f"half-{number}", f"What follows {number - 1}?", f"#### {shown}", fields={"gold": str(number)})

def short(record):
    return Verdict(len(record.response) < 200, "too-long")

def breaks(record):
    raise RuntimeError("not today")
"""


def settings(**changes: object) -> Settings:
    """The base settings with some of them changed."""
    return Settings.model_validate({**BASE, **changes})


def rows(path: Path) -> list[dict]:
    """All rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by name, the lock apart."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def own_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with generators and checks of a user's own, beside the working folder."""
    name = f"own_parts_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def short(cell: dict) -> tuple[int, int, str]:
    """What a cell wanted, what it got, and why it stopped."""
    return cell["quota"], cell["accepted"], cell["stopped_by"]


def two(*names: str, **more: object) -> list[dict]:
    """Generator settings for own generators."""
    return [{"use": name, **more} for name in names]


def test_quota_caps_and_conservation(tmp_path: Path) -> None:
    """The quota of accepted records is met exactly, no generator exceeds its cap, nothing is lost."""
    manifest = generate(settings(), tmp_path)
    kept = rows(tmp_path / "kept.jsonl")
    makers = [row["holdfast"]["generator"] for row in kept]
    assert 60 == len(kept) == manifest.counts.kept
    assert makers.count("arithmetic/shopping@1") <= 12
    assert 60 == len({row["id"] for row in kept})
    assert (60, 60, "quota") == short(manifest.more["cells"]["all"])
    assert all(row["holdfast"]["checks"] == {"math": True} and row["gold"] for row in kept)
    assert manifest.ok
    assert {"arithmetic"} == {row["holdfast"]["family"] for row in kept}


def test_cells_get_their_own_quota(tmp_path: Path) -> None:
    """Each cell of the grid gets its quota times its weight, from the generators that serve it."""
    cells = {"grid": {"topic": ["rates", "sharing"], "difficulty": ["easy", "hard"]}, "quota": 10,
             "weights": {"difficulty=hard": 2}}  # fmt: skip
    manifest = generate(settings(cells=cells), tmp_path)
    kept = rows(tmp_path / "kept.jsonl")
    counts = {}
    for row in kept:
        counts[tuple(row["holdfast"]["cell"].values())] = counts.get(tuple(row["holdfast"]["cell"].values()), 0) + 1
    assert {("rates", "easy"): 10, ("rates", "hard"): 20, ("sharing", "easy"): 10, ("sharing", "hard"): 20} == counts
    assert {"quota"} == {cell["stopped_by"] for cell in manifest.more["cells"].values()}


def test_short_cells_say_why(tmp_path: Path, own_parts: str) -> None:
    """A cell without a generator, a finite one, one that repeats itself and a binding cap each give their reason."""
    cells = {"grid": {"topic": ["rates", "poetry"]}, "quota": 5}
    poetry = generate(settings(cells=cells), tmp_path / "a").more["cells"]["topic=poetry"]
    assert (5, 0, "no-generator") == short(poetry)
    finite = generate(settings(generators=two(f"{own_parts}:few", f"{own_parts}:same")), tmp_path / "b")
    assert not finite.ok
    assert (60, 7, "saturated") == short(finite.more["cells"]["all"])
    capped = generate(settings(generators=two(f"{own_parts}:half_wrong", f"{own_parts}:few", cap=0.3)), tmp_path / "c")
    assert (60, 25, "cap") == short(capped.more["cells"]["all"])


def test_rejected_records_are_written_with_their_reason(tmp_path: Path, own_parts: str) -> None:
    """Wrong records and repeated ones are kept aside with reasons; accepted ones fill the quota all the same."""
    manifest = generate(settings(generators=two(f"{own_parts}:half_wrong", f"{own_parts}:same")), tmp_path)
    rejected = rows(tmp_path / "rejected.jsonl")
    assert 60 == manifest.counts.kept
    assert {"math: wrong-answer", "exact-duplicate"} == {row["holdfast_reason"] for row in rejected}
    assert manifest.counts.given == 60 + len(rejected)
    assert manifest.counts.given == len(rows(tmp_path / "verdicts.jsonl"))


def test_a_check_that_breaks_leaves_records_undecided(tmp_path: Path, own_parts: str) -> None:
    """A fault in a user's check never fails a record: all stay undecided, and the run ends."""
    manifest = generate(settings(checks=[f"{own_parts}:breaks"], cells={"quota": 3}), tmp_path)
    assert 0 == manifest.counts.kept
    assert manifest.counts.given == manifest.counts.undecided > 0
    assert "not today" in rows(tmp_path / "verdicts.jsonl")[0]["evidence"]["error"]


@pytest.mark.parametrize("torn", [False, True])
def test_every_step_survives_a_death(tmp_path: Path, own_parts: str, torn: bool) -> None:
    """Dead before each durable step of a run, its last file torn or not, and begun again: equal byte for byte."""
    recipe = settings(
        generators=[*two(f"{own_parts}:half_wrong"), *BASE["generators"]],
        cells={"quota": 40, "grid": {"topic": ["rates", "shopping", "any"]}},
    )
    generate(recipe, tmp_path / "whole")
    for point in count():
        out = tmp_path / f"dead-{point}"
        died = died_at(point, lambda out=out: generate(recipe, out), torn=torn)
        generate(recipe, out)
        assert contents(tmp_path / "whole") == contents(out), f"died before step {point}"
        if not died:
            break
    assert point >= 20


def test_sigkill_and_again(tmp_path: Path) -> None:
    """Killed for good at several moments of a real process, and started again, the files are equal byte for byte."""
    recipe = {**BASE, "cells": {"quota": 3000}}
    generate(Settings.model_validate(recipe), tmp_path / "whole")
    code = (
        "import json,sys;from pathlib import Path;from holdfast.core.settings import Settings;"
        "from holdfast.workflows.generate import generate;print('go',flush=True);"
        "generate(Settings.model_validate(json.loads(sys.argv[1])),Path(sys.argv[2]))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    out = tmp_path / "killed"
    kills = 0
    for wait in (0.05, 0.2, 0.35, 0.5, 0.8):
        command = [sys.executable, "-c", code, json.dumps(recipe), str(out)]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(wait)
            kills += process.poll() is None
            process.send_signal(signal.SIGKILL)
    generate(Settings.model_validate(recipe), out)
    assert kills >= 2
    made = {name: data for name, data in contents(out).items() if not Path(name).name.startswith(".")}
    assert contents(tmp_path / "whole") == made


def test_more_extends_a_finished_run(tmp_path: Path) -> None:
    """--more adds that many accepted records, keeps the first ones, and needs a finished run."""
    with pytest.raises(UsageError, match="no finished run"):
        generate(settings(), tmp_path, GenerateOptions(more=5))
    generate(settings(), tmp_path)
    before = rows(tmp_path / "kept.jsonl")
    assert 65 == generate(settings(), tmp_path, GenerateOptions(more=5)).counts.kept
    after = rows(tmp_path / "kept.jsonl")
    assert before == after[:60]
    assert 65 == len({row["holdfast"]["digest"] for row in after})
    assert 65 == generate(settings(), tmp_path).counts.kept


def test_time_budget_stops_in_good_order_and_resumes(tmp_path: Path) -> None:
    """With no time left the run stops as resumable; with time it goes on in the same folder to the same bytes."""
    with pytest.raises(StoppedError, match="time of the budget"):
        generate(settings(budget={"time": "0s"}), tmp_path)
    assert "time of the budget" in read_manifest(tmp_path)["stopped"]
    assert 60 == generate(settings(), tmp_path).counts.kept
    with pytest.raises(UsageError, match=r"budget\.time is 'soon'"):
        generate(settings(budget={"time": "soon"}), tmp_path / "other")


def test_another_run_s_folder_is_refused(tmp_path: Path) -> None:
    """A folder with rounds of other settings is not mixed with these."""
    generate(settings(), tmp_path)
    with pytest.raises(UsageError, match="run of other generators, cells, checks or seed"):
        generate(settings(seed=8), tmp_path)


def test_one_generator_needs_an_accepted_risk(tmp_path: Path) -> None:
    """A single generator is refused unless somebody answers for it in writing."""
    one = [{"use": "procedural", "family": "arithmetic", "tasks": ["rates"]}]
    with pytest.raises(UsageError, match="One generator"):
        generate(settings(generators=one), tmp_path)
    risk = [{"rule": "generator-concentration", "reason": "test", "owner": "me", "until": "2999-01-01"}]
    assert 60 == generate(settings(generators=one, accepted_risks=risk), tmp_path).counts.kept


@pytest.mark.parametrize(
    ("generators", "says"),
    [
        ([], "name no generators"),
        ([{"use": "procedural", "family": "arithmetics", "tasks": ["rates"]}], "Did you mean 'arithmetic'"),
        ([{"use": "procedural", "family": "arithmetic", "tasks": ["rate"]}], "Did you mean 'rates'"),
        ([{"use": "procedural", "family": "arithmetic"}], "names no tasks"),
        ([{"use": "procedural", "family": "arithmetic", "tasks": ["rates", "rates"]}], "named twice"),
        ([{"use": "no_such_module:make"}], "cannot be loaded"),
        ([{"use": "prompts"}], "There is no generator 'prompts'"),
    ],
)
def test_mistakes_in_settings_write_nothing(tmp_path: Path, generators: list[dict], says: str) -> None:
    """A generator that does not exist is one clear message before any record is made."""
    with pytest.raises(UsageError, match=says):
        generate(settings(generators=generators), tmp_path)
    assert {} == contents(tmp_path)


def test_rows_use_the_columns_of_the_real_data(tmp_path: Path) -> None:
    """With a column map of the real data, synthetic rows have the same columns."""
    real = [{"path": "real.jsonl", "map": {"prompt": "question", "response": "answer"}}]
    generate(settings(real=real), tmp_path)
    assert ["id", "question", "answer", "gold", "holdfast"] == list(rows(tmp_path / "kept.jsonl")[0])


def test_preview_writes_nothing_and_shows_every_generator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview gives records with their fates, one generator after the other, and leaves no file."""
    monkeypatch.chdir(tmp_path)
    shown = preview(settings(), 3, tmp_path / "out")
    assert ["rates", "sharing", "shopping"] == [record.id.partition("-")[0] for record, _, _ in shown]
    assert [("kept", "")] * 3 == [(fate, reason) for _, fate, reason in shown]
    assert [] == list(tmp_path.iterdir())


@given(
    st.dictionaries(st.sampled_from("abc"), st.lists(st.sampled_from("xyz"), min_size=1, unique=True), max_size=3),
    st.integers(1, 50),
    st.integers(0, 40),
)
def test_quotas_add_up(grid: dict, quota: int, more: int) -> None:
    """Without weights the quotas are equal up to one, and `more` is dealt out without a remainder."""
    found = quotas(Cells(grid={name: tuple(values) for name, values in grid.items()}, quota=quota), more)
    wanted = [each.wanted for each in found]
    assert quota * len(found) + more == sum(wanted)
    assert max(wanted) - min(wanted) <= 1
    assert len({each.name for each in found}) == len(found)


def test_a_cap_is_meant_as_it_is_written() -> None:
    """29 % of 100 are 29: no unit is lost to a binary fraction."""
    entry = {"use": "procedural", "family": "arithmetic", "tasks": ["rates", "sharing"], "cap": 0.29}
    recipe = Recipe.of(Settings.model_validate({"generators": [entry], "cells": {"quota": 100}}))
    assert 29 == recipe.limit(0)
