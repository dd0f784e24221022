"""Worker processes: order kept, late and dead workers replaced, faults told, nothing sent that nobody can read."""

from pathlib import Path

import pytest

from holdfast.core.errors import MachineError, MissingExtraError
from holdfast.verifiers.workers import Pool

# A worker that does what its task says; `holdfast` lies on its path as it does for ours.
OBEDIENT = """
import os, sys, time
from holdfast.verifiers.workers import say, serve

def answer(task):
    say({"stage": "working"})
    if task["do"] == "sleep":
        time.sleep(60)
    if task["do"] == "die":
        os._exit(1)
    if task["do"] == "raise":
        raise ValueError("no")
    if task["do"] == "recurse":
        return answer(task)
    if task["do"] == "eat":
        raise MemoryError
    return {"said": task["do"], "pid": os.getpid()}

sys.exit(serve(answer))
"""


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pool:
    """A pool of one obedient worker with a limit of a second."""
    (tmp_path / "obedient.py").write_text(OBEDIENT, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Pool("obedient", limit=2.0, size=1)
    yield made
    made.close()


def test_answers_come_in_the_order_of_the_tasks(pool: Pool) -> None:
    """Many tasks sent ahead, small and large, each get their own answer."""
    pool.size = 2
    words = [f"{n}" * (1 if n % 50 else 40_000) for n in range(300)]
    assert words == [outcome.answer["said"] for outcome in pool.run([{"do": word} for word in words])]


def test_what_a_task_does_to_its_worker_stays_with_it(pool: Pool) -> None:
    """One task sleeps, one kills, some raise; the tasks sent ahead with them are answered, each once."""
    found = pool.run([{"do": word} for word in ("a", "sleep", "b", "die", "raise", "recurse", "eat", "c")])
    assert ["answered", "timeout", "answered", "died", *["answered"] * 4] == [outcome.fate for outcome in found]
    assert ["working"] * 8 == [outcome.stage for outcome in found]
    assert [None, "ValueError: no", "depth", "memory", None] == [
        outcome.answer.get("fault") for outcome in (found[2], *found[4:])
    ]
    assert "c" == found[7].answer["said"]


def test_workers_stay_warm_and_end_when_closed(pool: Pool) -> None:
    """Two runs are answered by one process, which is gone after closing."""
    first, second = (pool.run([{"do": "x"}])[0].answer["pid"] for _ in range(2))
    assert first == second
    pool.close()
    assert not Path(f"/proc/{first}").exists()
    assert first != pool.run([{"do": "x"}])[0].answer["pid"]


def test_text_that_no_pipe_carries_is_replaced(pool: Pool) -> None:
    """Lone surrogates, at any depth, arrive as the replacement character, larger numbers as text."""
    assert "a\ufffd" == pool.run([{"do": "a\ud800"}])[0].answer["said"]
    assert ["\ufffd", str(2**70)] == pool.run([{"do": ["\ud800", 2**70]}])[0].answer["said"]


def test_a_worker_that_cannot_start_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is missing names its extra; anything else is the machine's."""
    (tmp_path / "lacking.py").write_text('print(\'{"missing": "x"}\', flush=True)', "utf-8")
    (tmp_path / "broken.py").write_text("raise SystemExit(1)", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingExtraError, match=r"holdfast\[verify\]"):
        Pool("lacking", extra=("x", "verify")).run([{}])
    with pytest.raises(MachineError, match="broken does not start"):
        Pool("broken").run([{}])
