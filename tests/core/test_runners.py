"""Runners by name: what is meant is found, and what cannot be meant is refused before any work."""

from pathlib import Path

import pytest

from holdfast.core.engine import TASK_MEMORY, LocalRunner, name_of
from holdfast.core.errors import UsageError
from holdfast.core.runners import chosen, runner_of
from holdfast.core.settings import load
from holdfast.core.where import OnRay, OnThisMachine
from holdfast.integrations.ray import RayRunner


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("local", LocalRunner()),
        ("local,workers=2", LocalRunner(2)),
        ("local,workers=8,memory=2GiB", LocalRunner(2)),
        ("local,workers=1,memory=1TiB", LocalRunner(1)),
        ("ray", RayRunner("auto")),
        ("ray:auto", RayRunner("auto")),
        ("ray:10.0.0.1:6379", RayRunner("10.0.0.1:6379")),
        ("ray://head:10001", RayRunner("ray://head:10001")),
        ("ray:auto,token_env=MINE,without_token=yes", RayRunner("auto", "MINE", without_token=True)),
    ],
)
def test_a_runner_in_one_word(text, expected):
    """The words of the command line say the same as the settings."""
    assert expected == runner_of(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("slurm", "module:function"),
        ("local,wrokers=2", "wrokers"),
        ("local,memory=2 GB", "memory"),
        ("local,memory=1MiB", "one worker needs 768 MiB"),
        ("ray:auto,tokn=x", "token_env, without_token"),
    ],
)
def test_what_cannot_be_meant_is_refused(text, expected):
    """One message that names the value and what there is."""
    with pytest.raises(UsageError, match=expected):
        runner_of(text)


def test_the_command_line_goes_before_the_settings(tmp_path: Path):
    """Without --runner the settings decide; their digest is that of the recipe, wherever it runs."""
    path = tmp_path / "holdfast.yaml"
    path.write_text("runner: {ray: auto, token_env: RAY_TOKEN}\n")
    settings = load(path)
    assert (RayRunner("auto", "RAY_TOKEN"), LocalRunner(2)) == (
        chosen(None, settings.runner), chosen("local,workers=2", settings.runner)
    )  # fmt: skip
    path.write_text("seed: 7\n")
    assert settings.digest == load(path).digest


def test_memory_sets_the_parallelism():
    """As many workers as fit into the memory, and never more than asked for."""
    fit = [runner_of(OnThisMachine(workers=8, memory=f"{count * TASK_MEMORY >> 20}MiB")) for count in (1, 3, 9)]
    assert [LocalRunner(1), LocalRunner(3), LocalRunner(8)] == fit


def test_a_manifest_names_the_runner():
    """'local', 'ray', or the class of one's own."""
    assert ("local", "ray", "dict") == (name_of(LocalRunner()), name_of(runner_of(OnRay(ray="auto"))), name_of({}))
