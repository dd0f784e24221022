"""The soak's accounting: every planted fault is counted, each under its own name, and a sound run has none."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import asdict

import pytest

from bench.chat_proxy import proxy
from bench.soak import CHAT, Lives, held_against, write_settings
from holdfast.core.settings import load
from holdfast.models.ledger import FILE as LEDGER
from holdfast.workflows.generate import generate

SOUND = {"repaid": 0, "lost": 0, "doubled": 0, "identical": True, "unlisted": 0, "unsettled": 0}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder with two equal runs over two models, and what the proxies received for the first."""
    folder = tmp_path_factory.mktemp("soak")
    for name in "ab":
        (folder / name).mkdir()
    with proxy(None, folder=folder / "a") as first, proxy(None, folder=folder / "b") as second:
        settings = load(write_settings(folder, {"a": first.base_url, "b": second.base_url}, 4))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.syspath_prepend(folder)
            generate(settings, folder / "killed")
            logs = {"a": first.log(), "b": second.log()}
            generate(settings, folder / "whole")
    return folder, logs


@pytest.fixture
def doctored(run, tmp_path):
    """A copy of the runs and of the logs, to plant faults in."""
    folder = tmp_path / "soak"
    shutil.copytree(run[0], folder)
    return folder, json.loads(json.dumps(run[1]))


def told(doctored, lives=None):
    """What the accounting says, without the plain sizes."""
    found = asdict(held_against(*doctored[:1], lives or Lives(), doctored[1]))
    return {name: found[name] for name in SOUND}


def change(path, edit):
    """Write the lines of a file anew."""
    path.write_bytes(b"".join(edit(path.read_bytes().splitlines(keepends=True))))


def test_a_sound_run_has_no_fault(doctored):
    """Two equal runs whose requests are all in the ledger: nothing lost, doubled, changed, repaid or unlisted."""
    assert SOUND == told(doctored)
    lives = Lives()
    lives.kills, lives.acknowledged_lost = 3, 2
    found = held_against(doctored[0], lives, doctored[1])
    assert (12, 12, 12, 3 * 2 * 4, 2) == (
        found.records, found.requests, found.unique, found.bound, found.acknowledged_lost,
    )  # fmt: skip
    assert all(line["path"] == CHAT for log in doctored[1].values() for line in log)


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda lines: lines[1:], {"lost": 1}),
        (lambda lines: [*lines, lines[0]], {"doubled": 1}),
        (lambda lines: [lines[0].replace(b"response", b"responsf", 1), *lines[1:]], {}),
        (lambda lines: lines[::-1], {}),
    ],
)
def test_a_row_lost_doubled_changed_or_moved_is_noticed(doctored, edit, fault):
    """One row less, one id twice, a changed byte or order: the bytes differ, and each is counted as what it is."""
    change(doctored[0] / "killed" / "kept.jsonl", edit)
    assert SOUND | {"identical": False} | fault == told(doctored)


def test_a_changed_verdict_is_noticed(doctored):
    """Verdicts are held against each other, too."""
    change(doctored[0] / "killed" / "verdicts.jsonl", lambda lines: lines[:-1])
    assert SOUND | {"identical": False} == told(doctored)


def query(doctored, sql):
    """Change the ledger of the killed run."""
    with closing(sqlite3.connect(doctored[0] / "killed" / LEDGER)) as base, base:
        base.execute(sql)


def test_a_request_that_the_ledger_does_not_know_is_noticed(doctored):
    """A request received and never written down is unlisted, though another was written down and never sent."""
    query(doctored, "DELETE FROM sends WHERE id = 1")
    assert SOUND | {"unlisted": 1} == told(doctored)
    query(doctored, "INSERT INTO sends (call, attempt, sent_at) SELECT call, 1, 0 FROM sends WHERE id = 2")
    assert SOUND | {"unlisted": 1, "unsettled": 1} == told(doctored)


def test_an_answer_given_twice_is_repaid(doctored):
    """The same request answered again counts as paid twice; one that was refused the first time does not."""
    log = doctored[1]["a"]
    query(
        doctored,
        "INSERT INTO sends (call, attempt, sent_at, settled_at, charged) SELECT call, 1, 0, 1, 'yes' FROM sends",
    )
    log.append(log[0])
    assert SOUND | {"repaid": 1} == told(doctored)
    log[0] = log[0] | {"status": 500, "fault": "500"}
    assert SOUND == told(doctored)
