"""A real run of the Trainer of transformers: a healthy one is silent, one fed with its own samples is alarmed."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
import torch

from bench import tiny_lm as tiny
from holdfast.integrations import causal
from holdfast.integrations.loop import LoopOptions
from holdfast.integrations.transformers import watch_callback
from holdfast.workflows.watch import watch
from tests.integrations.test_trackers import scalars

COMMON, RARE = (tiny.documents(Random(seed), 100, kind) for seed, kind in ((2, tiny.COMMON), (3, tiny.RARE)))
WORDS = tiny.tokenizer()

pytestmark = [pytest.mark.xdist_group("torch"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tiny.GPT2LMHeadModel:
    """The tiny model after 200 steps on the endless text."""
    model, random = tiny.model(), Random(1)
    data = tiny.Stream(WORDS, lambda count: tiny.documents(random, count))
    tiny.train(model, data, 200, tmp_path_factory.mktemp("taught"))
    return model


def options(**given: object) -> LoopOptions:
    return LoopOptions(**{"ood": RARE, "id": COMMON, "every": 25, "overhead": 0.0, **given})  # type: ignore[arg-type]


def test_a_healthy_run_is_silent_and_written_down(taught: tiny.GPT2LMHeadModel, tmp_path: Path) -> None:
    """On fresh real text every check is OK; TensorBoard's event file and the own log have all of them."""
    model, random = copy.deepcopy(taught), Random(4)
    given = options(log=tmp_path / "run.jsonl", trackers=(f"tensorboard:{tmp_path / 'events'}",))
    callback = watch_callback(options=given, decoding=tiny.DECODING)
    data = tiny.Stream(WORDS, lambda count: tiny.documents(random, count))
    trainer = tiny.train(model, data, 100, tmp_path, (callback,))
    assert 100 == trainer.state.global_step
    assert ["OK"] * 4 == [check.state for check in callback.watcher.result.checks]
    events = scalars(tmp_path / "events")
    assert [25, 50, 75, 100] == [step for step, _ in events["holdfast/distinct-2"]]
    assert {0.0} == {value for _, value in events["holdfast/alarm"]}
    assert [25, 50, 75, 100] == [
        json.loads(line)["step"] for line in (tmp_path / "run.jsonl").read_text("utf-8").splitlines()
    ]
    assert "OK" == watch(tmp_path / "run.jsonl").state


def test_training_on_its_own_samples_is_alarmed(taught: tiny.GPT2LMHeadModel, tmp_path: Path) -> None:
    """With half its own samples and half common text the rare part goes while the common part holds: COLLAPSE, stop."""
    model = copy.deepcopy(taught)
    callback = watch_callback(options=options(stop_training=True), decoding=tiny.DECODING)
    data = tiny.Stream(WORDS, tiny.own_samples(model, WORDS, Random(4), real=0.5))
    trainer = tiny.train(model, data, 200, tmp_path, (callback,))
    result = callback.watcher.result
    assert "COLLAPSE" == result.state
    assert "ood" in str(result.verdict.channel)
    assert trainer.state.global_step < 200


def test_a_failing_check_does_not_end_the_run(taught: tiny.GPT2LMHeadModel, tmp_path: Path) -> None:
    """Sampling with settings that do not exist fails at every check, and the training reaches its last step."""
    random, bad = Random(4), causal.Decoding(options={"num_beams": -3})
    callback = watch_callback(options=options(every=5), decoding=bad)
    data = tiny.Stream(WORDS, lambda count: tiny.documents(random, count))
    trainer = tiny.train(copy.deepcopy(taught), data, 12, tmp_path, (callback,))
    assert (12, ()) == (trainer.state.global_step, callback.watcher.result.checks)


def test_only_the_main_process_and_no_sharded_model_is_watched() -> None:
    """Elsewhere the callback has no watcher and does nothing at any event."""
    for zero, sharding in ((False, None), (True, "full_shard")):
        callback, args = watch_callback(options=options()), SimpleNamespace(fsdp=sharding, deepspeed=None)
        state = SimpleNamespace(is_world_process_zero=zero, global_step=25)
        for event in (callback.on_train_begin, callback.on_step_end, callback.on_train_end):
            event(args, state, SimpleNamespace(), model=None, processing_class=None)
        assert callback.watcher is None


def test_a_check_leaves_no_trace(taught: tiny.GPT2LMHeadModel) -> None:
    """Mode, random state and padding are as before, and the same model gives the same samples again."""
    taught.train()
    before, side = torch.get_rng_state(), WORDS.padding_side
    first, second = (causal.sample(taught, WORDS, ["c1 c2", "r1"], tiny.DECODING, 60) for _ in range(2))
    assert first == second
    assert taught.training
    assert torch.equal(before, torch.get_rng_state())
    assert side == WORDS.padding_side


def test_perplexities_are_those_of_the_model(taught: tiny.GPT2LMHeadModel) -> None:
    """Nats per token equal the model's own loss on each text alone, whatever it is padded with; one token has none."""
    some = [COMMON[0], " ".join(RARE[0].split()[:7]), "", COMMON[1]]
    found = causal.nll(taught, WORDS, some, 60, batch=3)
    assert found[2] is None
    taught.eval()
    with torch.no_grad():
        for place in (0, 1, 3):
            ids = WORDS(some[place], return_tensors="pt")["input_ids"]
            assert float(taught(input_ids=ids, labels=ids).loss) == pytest.approx(found[place], rel=1e-4)


def test_the_time_budget_holds(taught: tiny.GPT2LMHeadModel) -> None:
    """Without time one batch is read and the rest is not measured; one batch is sampled."""
    assert [None] * 90 == causal.nll(taught, WORDS, COMMON, -1.0, batch=10)[10:]
    assert 7 == len(causal.sample(taught, WORDS, [], causal.Decoding(4, 30, 7), -1.0))


def test_all_processes_stop_at_the_same_step(tmp_path: Path) -> None:
    """Only rank 0 watches; its alarm ends the training of both ranks at one step, so that none waits for the other."""
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(__file__).with_name("ranks.py"))]
    ranks = [
        subprocess.Popen([*command, str(rank), str(tmp_path / "meeting")], env=here, stdout=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    assert ["20", "20"] == [rank.communicate(timeout=120)[0].strip() for rank in ranks]
