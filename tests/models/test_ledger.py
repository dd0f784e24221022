"""The ledger: nothing acknowledged is lost, nothing sent is forgotten, one writer at a time, any client reads it."""

import multiprocessing
import sqlite3
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import MachineError, StoppedError, UsageError
from holdfast.core.rundir import only_writer
from holdfast.models.ledger import FILE, Asked, Ledger, Settled
from tests.workflows.deaths import died_at


def key(number: int) -> bytes:
    """A key of 16 bytes."""
    return number.to_bytes(16, "big")


def asked_and_answered(ledger: Ledger, number: int) -> None:
    """One call, sent once and answered, each step committed as a run does it."""
    call = ledger.ask(key(number), "a", f"all/{number}/0", b"{}", 100)
    send = ledger.intend(call, 0)
    ledger.commit()
    answer = f"answer {number}".encode()
    ledger.settle(Settled(send, call, 200, "answer", "yes", "a-1", (10, 5, 0), 0.5, answer, 100))
    ledger.commit()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger of a run lies."""
    return tmp_path / FILE


def test_an_answer_is_found_again(path: Path) -> None:
    """A call is found with its answer by the next one who opens the file, and an unknown one is not there."""
    ledger = Ledger(path)
    asked_and_answered(ledger, 1)
    ledger.close()
    again = Ledger(path)
    assert Asked(1, 100, 200, b"answer 1") == again.find(key(1))
    assert again.find(key(2)) is None
    again.close()


def test_a_call_is_known_before_its_commit(path: Path) -> None:
    """What the next commit holds is found too, so that one prompt asked twice is one request."""
    ledger = Ledger(path)
    row = ledger.ask(key(7), "a", "all/7/0", b"{}", None)
    assert Asked(row) == ledger.find(key(7))
    send = ledger.intend(row, 0)
    ledger.commit()
    ledger.settle(Settled(send, row, 200, "answer", "yes", answer=b"so it is", most=9))
    assert Asked(row, 9, 200, b"so it is") == ledger.find(key(7))
    ledger.close()


@pytest.mark.parametrize("durability", ["process", "power"])
def test_every_step_survives_a_death(tmp_path: Path, durability: str) -> None:
    """Dead before any step, the ledger holds whole commits: its answers are right, its sends without one are listed."""

    def run(path: Path) -> None:
        ledger = Ledger(path, durability)
        for number in range(8):
            asked_and_answered(ledger, number)
        ledger.close()

    for point in count():
        path = tmp_path / f"{point}.sqlite"
        died = died_at(point, lambda path=path: run(path))
        ledger = Ledger(path)
        found = [ledger.find(key(number)) for number in range(8)]
        answers = [each.answer for each in found if each is not None and each.answer is not None]
        assert [f"answer {number}".encode() for number in range(len(answers))] == answers
        asked = sum(each is not None for each in found)
        assert asked - len(answers) == len(ledger.unsettled()) <= 1
        ledger.close()
        if not died:
            break
    assert 8 == len(answers)
    assert point >= 48


def test_a_torn_tail_is_dropped_whole(path: Path) -> None:
    """Half of the last commit gone from the log, as after a power cut: what was committed before is all there."""
    ledger = Ledger(path)
    for number in range(5):
        asked_and_answered(ledger, number)
    log = path.with_name(path.name + "-wal")
    whole = log.stat().st_size
    asked_and_answered(ledger, 5)
    copy = path.with_name("copy.sqlite")
    copy.write_bytes(path.read_bytes())
    torn = log.read_bytes()[: whole + (log.stat().st_size - whole) // 2]
    copy.with_name("copy.sqlite-wal").write_bytes(torn)
    ledger.close()
    found = Ledger(copy)
    assert [200] * 5 == [found.find(key(number)).status for number in range(5)]
    assert found.find(key(5)) is None or found.find(key(5)).answer is None
    found.close()


def test_a_foreign_file_is_refused_and_left_alone(path: Path) -> None:
    """What is no ledger is named, not overwritten."""
    path.write_bytes(b"not a database, and much longer than one page would need to be to look like one" * 50)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="is not a ledger"):
        Ledger(path)
    assert before == path.read_bytes()


def test_a_full_disk_stops_in_good_order(path: Path) -> None:
    """When the disk takes no more, the run stops as resumable and what was committed is there."""
    ledger = Ledger(path)
    for number in range(3):
        asked_and_answered(ledger, number)
    ledger._base.execute("PRAGMA max_page_count = 12")
    for number in range(3, 200):
        ledger.ask(key(number), "a", "x", bytes(4000), None)
    with pytest.raises(StoppedError, match="Free space"):
        ledger.commit()
    ledger.close()
    again = Ledger(path)
    assert [200] * 3 == [again.find(key(number)).status for number in range(3)]
    assert "ok" == sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()[0]
    again.close()


def test_usage_is_of_the_whole_life(path: Path) -> None:
    """Requests, tokens and cost add up over every opening; what is unsettled or perhaps charged is shown apart."""
    ledger = Ledger(path)
    asked_and_answered(ledger, 1)
    ledger.close()
    ledger = Ledger(path)
    call = ledger.ask(key(2), "a", "all/2/0", b"{}", 50)
    failed, lost = ledger.intend(call, 0), ledger.intend(call, 1)
    ledger.settle(Settled(failed, call, 0, "timeout", "perhaps"))
    ledger.close()
    ledger = Ledger(path)
    told = {"requests": 3, "input_tokens": 10, "output_tokens": 5, "cost": 0.5, "unsettled": 1, "perhaps": 1}
    assert {"a": told} == ledger.usage()
    assert [(lost, "a", 1)] == [(row["id"], row["model"], row["attempt"]) for row in ledger.unsettled()]
    assert [("a", 2, 50)] * 2 == ledger.perhaps()
    ledger.close()


def test_any_client_reads_it(path: Path) -> None:
    """A second connection reads tables and views while the run writes; nothing about the format is ours alone."""
    ledger = Ledger(path)
    asked_and_answered(ledger, 1)
    other = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    assert [("a", 1, 10, 5, 0.5, 0, 0)] == other.execute("SELECT * FROM usage").fetchall()
    assert [(b"answer 1",)] == other.execute("SELECT answer FROM calls").fetchall()
    assert ("1",) == other.execute("SELECT value FROM about WHERE name = 'format'").fetchone()
    other.close()
    ledger.close()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A path that cannot hold a file is an error with a remedy, not a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises((MachineError, OSError)):
        Ledger(tmp_path / "file" / FILE)
    folder = tmp_path / FILE
    folder.mkdir()
    with pytest.raises(MachineError, match="cannot be used"):
        Ledger(folder)


@given(st.lists(st.sampled_from(["ask", "send", "settle", "commit", "close"]), max_size=40))
def test_sends_are_never_fewer_than_answers(tmp_path_factory: pytest.TempPathFactory, steps: list[str]) -> None:
    """Whatever the order of steps, each answer has a send before it, and no number is given twice."""
    path = tmp_path_factory.mktemp("ledger") / FILE
    ledger, calls, open_sends, sends = Ledger(path), 0, [], 0
    for step in steps:
        if step == "ask":
            calls = ledger.ask(key(calls + 1), "a", str(calls), b"{}", None)
        elif step == "send" and calls:
            sends += 1
            assert sends == ledger.intend(calls, 0)
            open_sends.append((sends, calls))
        elif step == "settle" and open_sends:
            send, call = open_sends.pop()
            ledger.settle(Settled(send, call, 200, "answer", "yes", answer=b"x"))
        elif step == "commit":
            ledger.commit()
        elif step == "close":
            ledger.close()
            ledger = Ledger(path)
    ledger.commit()
    assert len(open_sends) == len(ledger.unsettled())
    assert sends == sum(entry["requests"] for entry in ledger.usage().values())
    ledger.close()


def test_a_hundred_pairs_of_writers(tmp_path: Path) -> None:
    """Two who open one ledger's run at the same moment: the lock of the folder lets exactly one through, 100 times."""
    context = multiprocessing.get_context("fork")
    wins = []
    for trial in range(100):
        folder = tmp_path / str(trial)
        folder.mkdir()
        results = context.Queue()
        gate, done = context.Barrier(2), context.Barrier(2)

        def contend(folder: Path = folder, gate: object = gate, done: object = done, results: object = results) -> None:
            gate.wait()
            try:
                with only_writer(folder):
                    results.put(1)
                    done.wait()
            except UsageError:
                results.put(0)
                done.wait()

        pair = [context.Process(target=contend) for _ in range(2)]
        for each in pair:
            each.start()
        wins.append(results.get() + results.get())
        for each in pair:
            each.join()
    assert [1] * 100 == wins


def test_an_answer_is_known_before_its_commit(path: Path) -> None:
    """An answer that is not on disk yet is found, so that the same prompt a moment later is not paid for again."""
    ledger = Ledger(path)
    call = ledger.ask(key(3), "a", "all/3/0", b"{}", 100)
    send = ledger.intend(call, 0)
    ledger.commit()
    ledger.settle(Settled(send, call, 200, "answer", "yes", answer=b"three", most=100))
    assert Asked(call, 100, 200, b"three") == ledger.find(key(3))
    ledger.close()


def test_a_commit_that_fails_leaves_the_next_one_whole(path: Path) -> None:
    """A row that SQLite does not take is told at once, and does not keep later ones from the disk."""
    ledger = Ledger(path)
    ledger.ask(key(1), "a", "all/1/0", b"{}", 2**63)
    with pytest.raises(OverflowError):
        ledger.commit()
    asked_and_answered(ledger, 2)
    ledger.close()
    again = Ledger(path)
    assert again.find(key(2)) is not None
    again.close()
