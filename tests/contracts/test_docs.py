"""The documentation is true: its commands run, its snippets run, its links lead somewhere.

A ```console block is typed as it stands, in a folder that holds `examples/`; `# exit N` after a command is the exit
code it must end with. A ```python block runs in the same folder. ```bash blocks with make or pip are for people.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.source import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# Its snippets are files of their own, run by test_extend.py.
EXTEND = ROOT / "docs" / "extend.md"
BLOCK = re.compile(r"^```(console|bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BY_HAND = ("make", "pip", "python", "git")


def steps(page: Path) -> Iterator[tuple[list[str], int]]:
    """Yield (command, expected exit code) for everything a page shows, in order."""
    for kind, body in BLOCK.findall(page.read_text("utf-8")):
        if kind == "python":
            yield [sys.executable, "-c", body], 0
        for line in body.splitlines() if kind != "python" else ():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            shown = kind == "bash" or line.startswith("$ ")
            if words and shown and words[0] not in BY_HAND:
                code = re.search(r"# exit (\d+)$", line)
                yield words, int(code[1]) if code else 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder with the examples in it, as a reader of the page has it."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if page != EXTEND], ids=lambda page: page.name)
def test_what_a_page_shows_runs(page: Path, folder: Path) -> None:
    """Every command and snippet of a page ends as the page says, one after the other in one folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command, code in steps(page):
        done = subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, check=False)
        assert code == done.returncode, f"{shlex.join(command)}\n{done.stderr.decode()}"


def test_pages_show_something_that_runs() -> None:
    """The search for commands finds them: the README shows an audit that fails, as it says."""
    assert any(command[:2] == ["holdfast", "audit"] and code == 1 for command, code in steps(ROOT / "README.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page points at a file of the repository."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [] == [link for link in links if not (page.parent / link).exists()]
