"""The documentation as a site: every page has its place, a built site is checked, and the check finds what is wrong."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from docs.check_site import faults
from docs.site_hooks import on_page_markdown
from tests.conftest import missing
from tests.contracts.source import ROOT


def test_every_page_is_in_the_table_of_contents_once() -> None:
    """The nav of mkdocs.yml names each page of docs/ and nothing that is not there."""
    named = re.findall(r"([\w/-]+\.md)", (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:")[2])
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert sorted(pages) == sorted(named)


def test_the_check_finds_a_dead_link_and_another_host(tmp_path: Path) -> None:
    """A page that is not there, a place that is not in it, and what a browser would load from elsewhere are named."""
    (tmp_path / "a.html").write_text(
        '<h1 id="top">A</h1><a href="b.html">x</a><a href="#gone">x</a><a href="#top">x</a>'
        '<a href="https://example.org">fine</a><script src="https://example.org/x.js"></script>'
    )
    (tmp_path / "s.css").write_text("@import url(https://example.org/font.css)")
    assert [
        "a.html: b.html leads nowhere",
        "a.html: #gone has no such place",
        "a.html: <script> asks https://example.org/x.js",
        "s.css: asks another host",
    ] == faults(tmp_path)


def test_a_link_out_of_docs_becomes_a_name() -> None:
    """On the site a link to a file of the repository is its name; one between pages stays."""

    class Page:
        class file:  # noqa: N801  # as mkdocs has it
            src_uri = "verbs/audit.md"

    written = on_page_markdown("[bench](../../bench/README.md), [rules](../rules.md)", Page)
    assert "bench (`bench/README.md`), [rules](../rules.md)" == written


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """Built strictly, the site has no dead link and asks no other host for anything."""
    mkdocs = shutil.which("mkdocs") or str(ROOT / ".venv-docs" / "bin" / "mkdocs")
    if not Path(mkdocs).exists():
        missing("mkdocs (`make docs` installs it)")
    command = [mkdocs, "build", "--quiet", "--strict", "-d", str(tmp_path / "site")]
    # The theme advertises its successor on stderr unless told, which is no warning about these pages.
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stdout + done.stderr)
    assert [] == faults(tmp_path / "site")
