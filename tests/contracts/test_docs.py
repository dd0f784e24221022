"""The documentation is true: its commands run, its snippets run, its links lead somewhere.

A ```console block is typed as it stands, in a folder that holds `examples/`; `# exit N` after a command is the exit
code it must end with, and the lines below it stand in what it prints, in this order, `...` for what is left out. A
```python block runs in the same folder. ```bash blocks with make or pip are for people.
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

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Its snippets are files of their own, run by test_extend.py.
EXTEND = ROOT / "docs" / "extend.md"
BLOCK = re.compile(r"^```(console|bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BY_HAND = ("make", "pip", "python", "git")


def steps(page: Path) -> Iterator[tuple[list[str], int, list[str]]]:
    """Yield (command, expected exit code, lines it is shown to print) for everything a page shows, in order."""
    for kind, body in BLOCK.findall(page.read_text("utf-8")):
        if kind == "python":
            yield [sys.executable, "-c", body], 0, []
            continue
        parts = re.split(r"^\$ ", body, flags=re.MULTILINE)[1:] if kind == "console" else body.splitlines()
        for line, *shown in (part.splitlines() for part in parts if part.strip()):
            words = shlex.split(line, comments=True)
            if words and words[0] not in BY_HAND:
                code = re.search(r"# exit (\d+)$", line)
                yield words, int(code[1]) if code else 0, [each for each in shown if each.strip() not in ("", "...")]


def not_printed(shown: list[str], printed: str) -> str | None:
    """Return the first shown line that `printed` does not have below the one before it, or None."""
    left = iter(printed.splitlines())
    for line in shown:
        pattern = re.compile(".*".join(map(re.escape, line.split("..."))))
        if not any(pattern.fullmatch(each.rstrip()) for each in left):
            return line
    return None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder with the examples in it, as a reader of the page has it."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if page != EXTEND], ids=lambda page: page.name)
def test_what_a_page_shows_runs(page: Path, folder: Path) -> None:
    """Every command and snippet of a page ends and prints as the page says, one after the other in one folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    here = {**os.environ, "PATH": path, "COLUMNS": "80"}
    for command, code, shown in steps(page):
        done = subprocess.run(command, cwd=folder, env=here, capture_output=True, check=False)
        said = f"{shlex.join(command)}\n{done.stdout.decode()}{done.stderr.decode()}"
        assert code == done.returncode, said
        assert not_printed(shown, said) is None, said


def test_pages_show_something_that_runs() -> None:
    """The search for commands finds them: the README shows an audit that fails, as it says."""
    assert any(command[:2] == ["holdfast", "audit"] and code == 1 for command, code, _ in steps(ROOT / "README.md"))


def test_shown_output_is_compared() -> None:
    """A line that was not printed, or was printed in another order, is named; `...` stands for anything."""
    printed = "one\ntwo  22 records  \nthree"
    assert not_printed(["one", "two  ... records", "three"], printed) is None
    assert not_printed(["two  23 records"], printed) == "two  23 records"
    assert not_printed(["three", "one"], printed) == "one"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page points at a file of the repository."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [] == [link for link in links if not (page.parent / link).exists()]
