"""The GitHub Action and the pre-commit hook: what they call is what the command line takes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer import Typer
from typer.main import get_command

from holdfast.cli import app, audit
from holdfast.workflows.init import init
from tests.contracts.source import ROOT

ACTION = ROOT / "action.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"


def known() -> set[str]:
    """Every spelling of every option of audit."""
    typed = Typer()
    typed.command()(app.command(audit.Options, audit.run))
    return {name for option in get_command(typed).params for name in option.opts}


def action() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(ACTION.read_text("utf-8"))
    return loaded


def test_both_use_options_that_exist() -> None:
    """No option in the script of the action or in the hook is one that audit does not take."""
    script = action()["runs"]["steps"][1]["run"]
    hook = " ".join(yaml.safe_load(HOOKS.read_text("utf-8"))[0]["args"])
    assert [] == [name for name in re.findall(r"(?<=[\s(])--[a-z][a-z-]*", f"{script} {hook}") if name not in known()]


def test_no_input_is_pasted_into_the_script() -> None:
    """Inputs reach the shell as variables alone, and each is used."""
    step = action()["runs"]["steps"][1]
    assert "${{" not in step["run"]
    assert {f"${{{{ inputs.{name} }}}}" for name in action()["inputs"]} == set(step["env"].values())
    assert [] == [name for name in step["env"] if f"${name}" not in step["run"]]


@pytest.mark.parametrize(("fail_on", "code"), [("error", 1), ("never", 0)])
def test_the_script_of_the_action_audits(tmp_path: Path, fail_on: str, code: int) -> None:
    """Run by bash as GitHub does, the script ends as the audit ends and leaves three files and two outputs."""
    init(tmp_path / "demo")
    shim = tmp_path / "bin" / "holdfast"
    shim.parent.mkdir()
    main = "import sys; from holdfast.cli.app import main; sys.exit(main())"
    shim.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{main}' \"$@\"\n")
    shim.chmod(0o755)
    given = dict.fromkeys(action()["runs"]["steps"][1]["env"], "")
    given |= {"DATA": "demo/poor.jsonl", "REAL": "demo/real.jsonl", "FAIL_ON": fail_on, "OUT": "out"}
    here = {
        **os.environ,
        **given,
        "GITHUB_OUTPUT": str(tmp_path / "said"),
        "PATH": f"{shim.parent}:{os.environ['PATH']}",
    }
    script = action()["runs"]["steps"][1]["run"]
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=here, check=False)
    assert code == done.returncode
    assert ["report.html", "report.json", "report.sarif"] == sorted(path.name for path in (tmp_path / "out").iterdir())
    assert 400 == json.loads((tmp_path / "out" / "report.json").read_text())["counts"]["records"]
    assert "sarif=out/report.sarif\nreport=out/report.html\n" == (tmp_path / "said").read_text()


def test_the_hook_stops_a_poor_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Called as pre-commit calls it, entry then args then files, the hook fails on a poor file."""
    init(tmp_path / "demo")
    monkeypatch.chdir(tmp_path)
    [hook] = yaml.safe_load(HOOKS.read_text("utf-8"))
    command = [*hook["entry"].split()[1:], *hook["args"]]
    assert 1 == app.main([*command, "demo/poor.jsonl"])
    assert ["poor.jsonl"] == [name for name in ("poor.jsonl", "a.py", "real.txt") if re.search(hook["files"], name)]
