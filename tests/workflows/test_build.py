"""build: from settings to a training set, the same bytes whatever was killed on the way."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.core.errors import UsageError
from holdfast.core.reader import read
from holdfast.core.rundir import read_manifest
from holdfast.core.scratch import scratch
from holdfast.core.settings import load
from holdfast.generators.arithmetic import TASKS
from holdfast.workflows.build import build
from holdfast.workflows.mix import mixed
from holdfast.workflows.mix_options import MixOptions, generator_of
from holdfast.workflows.plan import plan
from tests.rules.views import sentence

RECIPE = """
version: 1
name: small
real: [{path: real.jsonl, licence: MIT, map: {prompt: question, response: answer}}]
reserve: {eval: 0.2}
generators:
  - {use: procedural, family: arithmetic, tasks: [TASKS], cap: 0.34}
cells: {grid: {difficulty: [easy, hard]}, quota: 40}
checks: [math]
mix: {max_synthetic: 0.4, by: records}
"""


def project(folder: Path, **changes: str) -> Path:
    """Settings and real data in a folder of their own."""
    folder.mkdir(exist_ok=True)
    rows = [
        {"question": f"How many are {n} and {n}? {sentence(n)}", "answer": f"{2 * n}\n#### {2 * n}"} for n in range(100)
    ]
    (folder / "real.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = RECIPE.replace("TASKS", ", ".join(TASKS[:3]))
    for old, new in changes.items():
        text = text.replace(old, new)
    (folder / "holdfast.yaml").write_text(text)
    return folder / "holdfast.yaml"


def run(folder: Path) -> subprocess.Popen:
    """Start a build as its own process."""
    code = "import sys; from holdfast.cli.app import main; sys.exit(main(['build', '-q']))"
    return subprocess.Popen([sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def everything(folder: Path) -> dict[str, bytes]:
    """All files of a project by relative name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A finished small build."""
    folder = tmp_path_factory.mktemp("build") / "p"
    return build(load(project(folder))), folder


def test_the_caps_hold_in_what_is_written(built):
    """At most 40 % of the training records are synthetic, and none of the three generators made more than 34 %."""
    report = built[0].report
    shares = report["generator-concentration"].detail["shares"]
    assert (True, 3, True) == (report["synthetic-ratio"].value <= 0.4, len(shares), max(shares.values()) <= 0.34)


def test_a_cap_decides_what_is_mixed(built, tmp_path):
    """The mixture keeps the caps of the settings even where the records it is given do not."""
    lines = (built[0].folder / "filtered/kept.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    first = next(row["holdfast"]["generator"] for row in rows if row["holdfast"]["generator"])
    thinned = [row for row in rows if row["holdfast"]["generator"] in (None, first)]
    others = [row for row in rows if row["holdfast"]["generator"] not in (None, first)][:20]
    path = tmp_path / "kept.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (*thinned, *others)))
    with scratch() as room:
        options = MixOptions(max_synthetic=0.9, caps={generator_of(first): 0.34})
        mixed(read([path], spool=room / "all"), tmp_path / "out", options, room)
    makers = [
        json.loads(line)["holdfast"]["generator"] for line in (tmp_path / "out/train.jsonl").read_text().splitlines()
    ]
    made = [maker for maker in makers if maker]
    assert (True, 10) == (len(made) > 20, made.count(first))


def test_every_synthetic_record_is_verified_and_was_compared(built):
    """Each carries a passed math verdict and the verdicts of the duplicate filters."""
    lines = (built[0].folder / "dataset/train.jsonl").read_text().splitlines()
    checks = [json.loads(line)["holdfast"] for line in lines]
    made = [each["checks"] for each in checks if each["origin"] == "synthetic"]
    wanted = {"math": True, "exact-duplicate": True, "near-duplicate": True, "eval-contamination": True}
    assert (True, True) == (len(made) > 20, all(wanted.items() <= each.items() for each in made))


def test_nothing_is_lost_on_the_way(built):
    """Every generated and every real training record is kept or rejected, step by step and as a whole."""
    counts = built[0].manifest["counts"]
    steps = [step["counts"] for step in built[0].manifest["steps"].values()]
    parts = ("kept", "rejected", "undecided", "failed", "pending")
    assert [each["in"] for each in (counts, *steps)] == [sum(each[name] for name in parts) for each in (counts, *steps)]


def test_the_held_out_set_stays_out(built):
    """No sealed question stands in the training set."""
    held_out = (built[1] / "sealed/eval.jsonl").read_text().splitlines()
    train = (built[0].folder / "dataset/train.jsonl").read_text()
    questions = [json.loads(line)["question"] for line in held_out]
    assert (20, []) == (len(questions), [question for question in questions if question in train])


def test_the_card_says_what_a_reader_asks(built):
    """Ratio, generators, checks, held-out set, licence, and how to make it again."""
    card = "\n".join((built[0].folder / "dataset/README.md").read_text().splitlines()[:45])
    wanted = ("license: mit", "arithmetic", "math", "20 real records were sealed", "holdfast build -c holdfast.yaml")
    assert [] == [text for text in wanted if text not in card]


def test_the_manifest_lists_the_parts_and_covers_card_and_croissant(built):
    """Three generators with versions, the check, the library behind it; both files have a digest."""
    parts = {(part["role"], part["name"]) for part in built[0].manifest["parts"]}
    assert {("check", "math"), ("tool", "math-verify")} <= parts
    assert {f"arithmetic/{task}" for task in TASKS[:3]} == {name for role, name in parts if role == "generator"}
    assert {"dataset/README.md", "dataset/croissant.json"} <= set(read_manifest(built[0].folder)["digests"])


def test_a_finished_build_is_not_done_again(built):
    """The second call returns the same report and leaves every file as it is."""
    before = everything(built[1])
    again = build(load(built[1] / "holdfast.yaml"))
    assert (before, built[0].report.to_json()) == (everything(built[1]), again.report.to_json())


def test_other_settings_do_not_overwrite_a_build(built):
    """A changed recipe is refused in the folder of another one."""
    path = built[1] / "other.yaml"
    path.write_text((built[1] / "holdfast.yaml").read_text().replace("max_synthetic: 0.4", "max_synthetic: 0.3"))
    with pytest.raises(UsageError, match="build of other settings"):
        build(load(path))
    path.unlink()


def test_killed_at_any_moment_it_ends_in_the_same_bytes(tmp_path):
    """SIGKILL at random moments, then one run to the end: every file equals that of the run that nobody killed."""
    rng = random.Random(7)
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    project(calm), project(rough)
    run(calm).communicate()
    killed = 0
    for _ in range(12):
        process = run(rough)
        time.sleep(rng.uniform(0.5, 4.0))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.communicate()
    run(rough).communicate()
    expected, mine = everything(calm), everything(rough)
    assert (True, sorted(expected)) == (killed >= 3, sorted(mine))
    assert [] == [name for name in expected if expected[name] != mine[name]]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("checks: [math]", "checks: [maths]", "Did you mean 'math'"),
        ("reserve: {eval: 0.2}", "reserve: {eval: 0.2, ood: x.jsonl}", "x.jsonl"),
        ("name: small", "name: small\nrunner: {ray: auto, token_env: NO_SUCH_TOKEN}", "NO_SUCH_TOKEN is not set"),
        ("path: real.jsonl", "path: gone.jsonl", "gone.jsonl"),
    ],
)
def test_what_cannot_be_built_is_refused_before_anything_is_written(tmp_path, old, new, expected):
    """One message that names the setting; no half-written training set."""
    path = project(tmp_path / "p", **{old: new})
    with pytest.raises(Exception, match=expected):
        build(load(path))
    assert not (tmp_path / "p/.holdfast/small/dataset").exists()


@pytest.mark.parametrize("named", [True, False])
def test_the_columns_of_the_real_data_are_kept_by_every_step(tmp_path, named):
    """Columns that no one could guess, named in the settings, or ordinary ones, not named: prompts reach the audit."""
    path = project(tmp_path / "p", **({} if named else {", map: {prompt: question, response: answer}": ""}))
    if named:
        for file in (tmp_path / "p/real.jsonl", path):
            text = file.read_text().replace('"question"', '"frage"').replace('"answer"', '"antwort"')
            file.write_text(text.replace("prompt: question, response: answer", "prompt: frage, response: antwort"))
    built = build(load(path))
    rows = [json.loads(line) for line in (built.folder / "dataset/train.jsonl").read_text().splitlines()]
    columns = {("frage", "antwort") if named else ("question", "answer")}
    assert columns == {
        tuple(name for name in row if name in ("frage", "antwort", "question", "answer", "prompt")) for row in rows
    }
    assert "prompt = frage" in built.report.manifest["detected"][0] if named else True
    assert 0 == built.report["near-duplicates"].value


def test_a_short_set_ends_with_exit_1(tmp_path):
    """Caps that leave the quota unfilled are told, by plan before and by build after."""
    path = project(tmp_path / "p", **{"cap: 0.34": "cap: 0.2"})
    warned = [text for text in plan(load(path)).warnings if "quota cannot be filled" in text]
    built = build(load(path))
    assert (1, 1, True) == (len(warned), built.exit, bool(built.short))


def test_real_data_in_a_folder_or_by_a_pattern_is_read(tmp_path):
    """What audit can read, build can read, and a second call finds it finished."""
    path = project(tmp_path / "p", **{"path: real.jsonl": 'path: "re*.jsonl"'})
    first, second = build(load(path)), build(load(path))
    assert first.report.to_json() == second.report.to_json()


def test_another_register_is_sealed_and_kept_out(tmp_path):
    """A file named in reserve.ood lies sealed beside the set, is in the card, and a seal of another one is refused."""
    path = project(tmp_path / "p", **{"eval: 0.2": "eval: 0.2, power: 0.9, ood: far.jsonl"})
    rows = [{"question": f"u know {n}? {sentence(500 + n)}", "answer": "nope"} for n in range(12)]
    (tmp_path / "p/far.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    built = build(load(path))
    train = (built.folder / "dataset/train.jsonl").read_text()
    assert (12, []) == (built.manifest["held_out"]["ood"]["records"], [row for row in rows if row["question"] in train])
    said = ("12 records of another register", "points or more with 90% power")
    assert [] == [text for text in said if text not in (built.folder / "dataset/README.md").read_text()]
    path.write_text(path.read_text().replace(", ood: far.jsonl", "").replace("name: small", "name: other"))
    with pytest.raises(UsageError, match="sealed for other real data"):
        build(load(path))
