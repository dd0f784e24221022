"""The comparison with the peers: its arithmetic, its judges and its page; the peers themselves are not run here."""

import asyncio
import json
import re
import time
from array import array
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.peers.contest import Row, Target, summed_up, verdict
from bench.peers.corpora import LEVELS, variant
from bench.peers.environments import PEERS
from bench.peers.generation import SETTINGS, compare, counted
from bench.peers.leaks import EDIT_EVERY, FORMS, PLAIN, plant, written
from bench.peers.near import sampled
from bench.peers.page import fill, tables
from bench.peers.rates import settings
from bench.peers.sources import functions, pieces
from bench.peers.tools.meter import Meter, components, shingles, words
from bench.peers.tools.serve_chat import Endpoint, serve

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


def test_a_lost_row_of_one_run_is_lost() -> None:
    """Of several runs the highest count stands and the median of other numbers; texts are those of the last."""
    runs = [{"lost": 0, "seconds": 1.0, "note": "a"}, {"lost": 2, "seconds": 3.0, "note": "b"}]
    assert {"lost": 2, "seconds": 2.0, "note": "b"} == summed_up(runs)
    assert {} == summed_up([])


def test_rows_are_counted_by_their_prompts() -> None:
    """A prompt without a row, with null, with an empty text or twice under one number is lost; a swapped one mixed."""
    rows = [(0, "Item 0: a"), (1, None), (2, ""), (3, "Item 4: b"), (4, "Item 4: b"), (4, "Item 4: b")]
    assert {"lost": 3, "mixed": 1} == counted([json.dumps({"id": number, "answer": text}) for number, text in rows], 6)


def test_faults_follow_from_body_and_attempt() -> None:
    """Two endpoints give one request the same fate; about one call in ten fails, half of those each way."""
    one, other = Endpoint(0.0, 0.1), Endpoint(0.0, 0.1)
    bodies = [str(number).encode() for number in range(4_000)]
    assert [one.take(body) for body in bodies] == [other.take(body) for body in reversed(bodies)][::-1]
    assert [200, 200] == pytest.approx([one.codes[500], one.codes[429]], abs=60)
    failed = [body for body in bodies if b"HTTP/1.1 200" not in Endpoint(0.0, 0.1).take(body)]
    again = [b"HTTP/1.1 200" in one.take(body) for body in failed]
    assert 0.8 < sum(again) / len(again) < 1.0


def test_the_endpoint_answers_each_request_with_its_item(tmp_path: Path) -> None:
    """Two requests in pieces on one connection come back in order, each about its item, and are counted."""
    head = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 8\r\n\r\n"
    asked = head + b"item 7 ." + head + b"item 8 ."

    async def talk() -> tuple[bytes, bytes]:
        serving = asyncio.ensure_future(serve(Endpoint(0.0, 0.0), tmp_path / "url"))
        port = await asyncio.to_thread(port_told, tmp_path / "url")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in (asked[:20], asked[20:-3], asked[-3:]):
            writer.write(piece)
            await asyncio.sleep(0.01)
        answers = b""
        while answers.count(b"total_tokens") < 2:
            answers += await reader.read(10_000)
        writer.write(b"GET /stats HTTP/1.1\r\n\r\n")
        told = await reader.read(10_000)
        writer.close()
        serving.cancel()
        return answers, told

    answers, told = asyncio.run(talk())
    assert [b"7", b"8"] == re.findall(rb"Item (\d+):", answers)
    assert 2 == json.loads(told.partition(b"\r\n\r\n")[2])["requests"]


def port_told(path: Path) -> int:
    """Return the port that the endpoint writes into its file when it listens."""
    while not path.exists():
        time.sleep(0.01)
    return int(path.read_text("utf-8").rpartition(":")[2].split("/")[0])


def test_rates_stand_in_a_table_for_each_setting() -> None:
    """The share is of what the latency and the faults allow; a client that failed says so."""
    assert [1280, 512, 1152] == pytest.approx([setting.ideal for setting in SETTINGS.values()])
    answer = {"setting": "x", "ideal": 100.0, "lost": 10, "mixed": 1, "calls": 1.1, "most_in_flight": 4}
    row = replace(OURS, key="ours-fast", label="Holdfast, fast", answer={**answer, "flowing_seconds": 11.0})
    failed = replace(OURS, key="peer-fast", label="Peer, fast", ended="exit 1")
    compare({"ours-fast": row, "peer-fast": failed})
    rows = [{name: getattr(each, name) for name in Row.__slots__} for each in (row, failed)]
    table = settings(rows)
    assert "**fast**: x; ideal 100 answers/s" in table
    assert "| Holdfast | 1,000 | 90 | 90.0 % | 495 | 2,000 | 3,000 | 100 | 4 | 1.100 | 11 |" in table
    assert "| Peer | 1,000 | failed: exit 1 |" in table
