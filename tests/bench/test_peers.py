"""The comparison with the peers: its arithmetic, its judges and its page; the peers themselves are not run here."""

import re
from array import array
from dataclasses import replace

import numpy as np
import pytest

from bench.peers.contest import Row, Target, verdict
from bench.peers.corpora import LEVELS, variant
from bench.peers.environments import PEERS
from bench.peers.leaks import EDIT_EVERY, FORMS, PLAIN, plant, written
from bench.peers.near import sampled
from bench.peers.page import fill, tables
from bench.peers.sources import functions, pieces
from bench.peers.tools.meter import Meter, components, shingles, words

QUESTION = (
    'Janet\'s ducks lay sixteen eggs per day. She eats three for breakfast-time every "morning" and bakes muffins ' * 2
)
OURS = Row("ours", "ours", "mix", 1_000, 1, "exit 0", 2.0, 1.0, 3.0, 2.0, 100, {}, {"recall": 0.995})
PEER = replace(OURS, key="peer", label="peer", documents=100, cpu_seconds=1.0, whole_cpu_seconds=0.9)


def test_ratios_are_per_document() -> None:
    """A peer that takes 1 s for a tenth of the documents that we do in 2 s is 5 times as slow, 3 with start-up."""
    found = verdict(Target("ours", "peer", 4.0), {"ours": OURS, "peer": PEER})
    assert found is not None
    assert (5.0, 3.0, True) == (found["measured"], found["measured_whole_process"], found["reached"])


def test_a_failed_contestant_keeps_no_promise() -> None:
    """Where the peer or we ended with an error there is no ratio, and the promise is not kept."""
    found = verdict(Target("ours", "peer", 4.0), {"ours": OURS, "peer": replace(PEER, ended="exit 1")})
    assert found is not None
    assert (None, False) == (found["measured"], found["reached"])


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        (Target("ours", field="recall", least=0.99), True),
        (Target("ours", field="recall", least=0.999), False),
        (Target("ours", field="recall", most=0.5), False),
        (Target("ours", field="unknown", least=0.0), False),
    ],
)
def test_bounds_on_answers(target: Target, kept: bool) -> None:
    """A value keeps its bound or does not; a value that was not given does not."""
    found = verdict(target, {"ours": OURS})
    assert found is not None
    assert kept == found["reached"]


def test_the_meter_counts_only_what_runs_inside() -> None:
    """Work outside the measured part costs nothing; steps add up to the whole."""
    meter = Meter()
    sum(range(3_000_000))
    with meter.running("one"):
        sum(range(3_000_000))
    with meter.running("two"):
        sum(range(3_000_000))
    assert pytest.approx(meter.cpu, abs=0.002) == sum(meter.steps.values())
    assert set(meter.steps) == {"one", "two"}


def test_components_join_what_groups_connect() -> None:
    """Two groups that share a document are one cluster, named by its first document."""
    assert array("q", [0, 0, 0, 3, 4, 0]) == components(iter([[1, 5], [5, 2], [2, 0]]), 6)


def test_pairs_are_drawn_from_one_cluster() -> None:
    """Both documents of a drawn pair are of one cluster and never the same one; lone documents are not drawn."""
    labels = np.array([0, 1, 0, 3, 1, 0])
    pairs = sampled(labels)
    assert labels[pairs[:, 0]].tolist() == labels[pairs[:, 1]].tolist()
    assert [] == pairs[pairs[:, 0] == pairs[:, 1]].tolist()
    assert {(0, 2), (2, 0), (0, 5), (5, 0), (2, 5), (5, 2), (1, 4), (4, 1)} == {tuple(pair) for pair in pairs.tolist()}


def test_a_short_text_is_one_shingle() -> None:
    """Five words and more are shingled, fewer are one shingle; underscores part words."""
    assert (["a b", "b c"], ["a"]) == (shingles("A b_C", 2), shingles("a", 5))


@pytest.mark.parametrize("level", LEVELS)
def test_a_variant_is_edited_as_its_level_says(level: float | None) -> None:
    """An exact copy is equal, one of another case folds to equal, an edited one loses at most its share of words."""
    text = " ".join(f"word{number}" for number in range(200))
    made = variant(text, level, np.array(["new"], dtype=object), np.random.default_rng(3))
    lost = set(words(text)) - set(words(made))
    assert (made == text) == (level == 0.0)
    assert round(200 * (level or 0.0)) >= len(lost)
    assert bool(lost) == bool(level)


@pytest.mark.parametrize("form", PLAIN)
def test_plain_forms_change_no_word(form: str) -> None:
    """Every plain form is a run of at least 20 words of the question, as the words are defined for everybody."""
    made = words(written(QUESTION, form, np.random.default_rng(5)))
    assert " ".join(made) in " ".join(words(QUESTION))
    assert len(made) >= 20


def test_the_edited_form_keeps_no_long_run() -> None:
    """No run of ten words of the edited form stands in the question."""
    made = written(QUESTION, "edited", np.random.default_rng(5)).split()
    kept = [" ".join(made[start : start + EDIT_EVERY]) for start in range(len(made) - EDIT_EVERY + 1)]
    assert [] == [run for run in kept if run in QUESTION]


def test_planted_documents_hold_their_question() -> None:
    """One document in 200 or so is changed, its own words stay, and every form occurs."""
    texts = [f"document {number} says nothing" for number in range(4_000)]
    out, forms = plant(texts, [QUESTION])
    changed = [row for row in range(4_000) if out[row] != texts[row]]
    assert changed == np.flatnonzero(forms >= 0).tolist()
    assert set(range(len(FORMS))) == set(forms[changed].tolist())
    assert 10 <= len(changed) <= 40


def test_functions_and_pieces_of_sources() -> None:
    """Methods count, functions inside functions do not; a file that does not parse gives none; pieces end at blanks."""
    source = "def one():\n    def inner(): pass\n\nclass A:\n    def two(self): pass\n"
    assert ["def one():\n    def inner(): pass", "    def two(self): pass"] == list(functions(source))
    assert [] == list(functions("def broken(:"))
    assert ["a" * 700, "b\n\nc"] == list(pieces("a" * 700 + "\n\nb\n\nc"))


def test_peers_are_pinned() -> None:
    """Whatever is installed from PyPI into a peer's environment is named with its version."""
    asked = [package for peer in PEERS.values() for step in peer.steps if "-e" not in step for package in step]
    assert [] == [package for package in asked if not re.search(r"==\d", package)]


def test_the_page_is_filled_between_its_markers() -> None:
    """Old figures go, text outside the markers stays, and filling twice changes nothing more."""
    row = {name: getattr(OURS, name) for name in Row.__slots__}
    operation = {"rows": [row, {**row, "ended": "exit 1"}], "targets": [], "notes": []}
    result = {
        "operations": {"exact": operation},
        "corpora": {"mix": {"digest": "0123"}},
        "machine": {"cores": 2, "processor": "x", "abilities": [], "python": "3"},
        "versions": {},
    }
    page = "above\n<!-- measured: exact -->\nold\n<!-- end -->\nbelow\n"
    filled = fill(page, result)
    assert re.fullmatch(r"above\n<!-- measured: exact -->\n\n.*\n\n<!-- end -->\nbelow\n", filled, re.DOTALL)
    assert tables(operation, result["corpora"]) in filled  # type: ignore[arg-type]
    assert "old" not in filled
    assert "failed: exit 1" in filled
    assert fill(filled, result) == filled
