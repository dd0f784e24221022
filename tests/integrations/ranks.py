"""One rank of two, run by test_transformers.py: prints the step at which the callback ends its training."""

import sys
from types import SimpleNamespace

import torch

from holdfast.integrations.causal import Decoding
from holdfast.integrations.loop import LoopOptions, Watcher
from holdfast.integrations.transformers import TrainerHooks


def main(rank: int, meeting: str) -> None:
    """Train 40 steps that do nothing; on rank 0 perplexity rises at step 20, and a check is due every 5."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    options = LoopOptions(ood=("a",) * 40, every=5, overhead=0.0, stop_training=True, rank=rank)
    hooks = TrainerHooks((), options, Decoding(), None, None)
    state, control = SimpleNamespace(global_step=0), SimpleNamespace(should_training_stop=False)
    if rank == 0:
        hooks.watcher = Watcher(None, lambda texts, s: [3.0 + (state.global_step >= 20)] * len(texts), None, options)
    while state.global_step < 40 and not control.should_training_stop:
        state.global_step += 1
        hooks.end_of_step(state, control)
    sys.stdout.write(f"{state.global_step}\n")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
