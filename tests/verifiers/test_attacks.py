"""Hostile programs in a throw-away cage: none reaches its goal, none is accepted, the verifier stays alive."""

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import SHARED, missing
from tests.contracts.source import ROOT

# One worker runs the cage; its report is kept for the tests that read it.
pytestmark = pytest.mark.xdist_group("attacks")

ATTACKS = SHARED / "attacks"
# A checkout may itself lie below one of the folders that are empty in the cage; elsewhere there is nothing to bind.
EMPTY = ("/tmp/", "/var/tmp/")
BOUND = ("--ro-bind", str(ROOT), str(ROOT), "--ro-bind-try", str(ATTACKS.resolve()), str(ATTACKS))
# The cage: an unprivileged user in namespaces of its own, who may write to memory only.
CAGE = [
    "--unshare-all", "--uid", "1000", "--gid", "1000", "--ro-bind", "/", "/", "--size", "1200000000", "--tmpfs", "/tmp",
    "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/var/tmp", "--die-with-parent", "--new-session", "--clearenv",
    "--setenv", "HOME", "/tmp/home", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "OPENAI_API_KEY", "sk-CANARY",
    "--setenv", "PYTHONDONTWRITEBYTECODE", "1",
    *(BOUND if str(ROOT).startswith(EMPTY) else ()), "--chdir", str(ROOT),
]  # fmt: skip
LIMITS = ["prlimit", "--as=6000000000", "--nproc=4500", "--cpu=300"]
REASONS = {
    "c03_infinite_loop": "timeout", "c05_output_flood": "output-limit", "c18_ignore_sigterm": "timeout",
    "c19_deep_recursion": "crashed", "c20_huge_int": "timeout", "v00_control_correct": "correct",
}  # fmt: skip
WAYS = ["values", "values without namespaces", "judged"]


@cache
def report(way: str) -> dict:
    """What the cage reports of one way to judge."""
    if not ATTACKS.is_dir():
        missing("../shared/attacks")
    bubblewrap = shutil.which("bwrap")
    if bubblewrap is None:
        missing("bubblewrap")
    hidden = ["--ro-bind", "/dev/null", bubblewrap] if "without" in way else []
    inside = [*LIMITS, sys.executable, "-m", "tests.verifiers.caged", str(ATTACKS), way.split(maxsplit=1)[0]]
    done = subprocess.run([bubblewrap, *CAGE, *hidden, *inside], capture_output=True, check=False, timeout=400)
    assert 0 == done.returncode, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.mark.parametrize("way", WAYS)
def test_no_hostile_program_reaches_its_goal(way: str) -> None:
    """No goal reached, no connection heard, no file left, no process alive, every canary as it was."""
    found = report(way)
    for name, seen in found["programs"].items():
        assert (False, [], {}, 0) == (seen["reached"], seen["heard"], seen["files"], seen["survivors"]), name
    assert ("real\n", True, 3) == (found["dataset"], found["kept"], found["listeners"])


@pytest.mark.parametrize("way", WAYS)
def test_no_forged_verdict_is_accepted(way: str) -> None:
    """Of all programs only the correct one passes, as does a good one before and after them."""
    found = report(way)
    accepted = [name for name, seen in found["programs"].items() if seen["ok"] is not False]
    assert ["v00_control_correct"] == accepted
    assert (True, True, 34) == (found["first"], found["last"], len(found["programs"]))


@pytest.mark.parametrize("way", WAYS)
def test_hostile_programs_fail_for_their_own_reason(way: str) -> None:
    """Endless ones as a timeout, the flood as a flood, the stack as a crash; the verifier's memory stays flat."""
    found = report(way)
    assert REASONS == {name: found["programs"][name]["reason"] for name in REASONS}
    assert max(seen["grown_mb"] for seen in found["programs"].values()) < 20


def test_the_layers_are_those_meant() -> None:
    """The cage hides bubblewrap where the test says so, and the floor holds in both."""
    sandboxes = [report(way)["sandbox"].split("+") for way in WAYS]
    assert [True, False, True] == ["namespaces" in layers for layers in sandboxes]
    assert all({"limits", "seccomp"} <= set(layers) for layers in sandboxes)
    assert all(any(layer.startswith("landlock-") for layer in layers) for layers in sandboxes)
    assert [1000] * 3 == [report(way)["uid"] for way in WAYS]


def test_the_cage_is_one(tmp_path: Path) -> None:
    """What is written in the cage is not outside: the test of the tests."""
    if (bubblewrap := shutil.which("bwrap")) is None:
        missing("bubblewrap")
    subprocess.run([bubblewrap, *CAGE, "touch", "/tmp/holdfast-cage"], check=True)
    assert not Path("/tmp/holdfast-cage").exists()
