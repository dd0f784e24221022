"""The figures on docs/performance.md are those that the benchmark wrote, and nothing promised is left out."""

import json
import re

from bench.peers.__main__ import OPERATIONS, PAGE, RESULT
from bench.peers.page import fill


def test_performance_page_is_in_step() -> None:
    """docs/performance.md equals what bench/results/peers.json says; if not, run python -m bench.peers --page."""
    page = PAGE.read_text("utf-8")
    assert fill(page, json.loads(RESULT.read_text("utf-8"))) == page


def test_every_operation_has_its_table() -> None:
    """Each operation of the benchmark has a marked place on the page, and every result a known operation."""
    page = PAGE.read_text("utf-8")
    assert set() == set(json.loads(RESULT.read_text("utf-8"))["operations"]) - set(OPERATIONS)
    assert {*OPERATIONS, "about"} == set(re.findall(r"<!-- measured: ([\w-]+) -->", page))
