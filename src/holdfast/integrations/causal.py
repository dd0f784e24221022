"""Samples and perplexities of a causal language model in PyTorch, within a time budget and without a trace.

The model is put into evaluation mode, its gradients and the random state of torch are left as they were, and every call
starts from the same seed, so that two checks of an unchanged model see the same samples.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from holdfast.core.errors import MissingExtraError

# Texts at once, tokens read of one text, tokens written per sample.
BATCH = 32
TEXT_TOKENS = 512
SAMPLE_TOKENS = 64
# Documents sampled in all: twelve blocks of 25, four more than the fewest the alarm accepts, for samples get shorter.
SAMPLES = 300


@dataclass(frozen=True, slots=True)
class Decoding:
    """How samples are drawn, the same at every check. `options` are passed to `generate`; `tokens` are new ones."""

    tokens: int = SAMPLE_TOKENS
    samples: int = SAMPLES
    batch: int = BATCH
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=lambda: {"do_sample": True, "temperature": 1.0, "top_k": 0})

    def describe(self) -> dict[str, Any]:
        """Return the settings as plain data: a change of them makes the diversity channel BLIND."""
        return {"tokens": self.tokens, "samples": self.samples, "seed": self.seed, **self.options}


def sample(model: Any, tokenizer: Any, prompts: Sequence[str], decoding: Decoding, seconds: float) -> list[str]:
    """Return continuations of the prompts, taken in turn until there are enough or the time is over.

    An empty prompt list samples from the tokenizer's beginning-of-text token alone. The prompt is not part of a sample.
    """
    torch = _torch()
    until = monotonic() + seconds
    texts: list[str] = []
    wanted = list(prompts) or [tokenizer.bos_token or tokenizer.eos_token]
    with _apart(torch, model, decoding.seed):
        while len(texts) < decoding.samples and (not texts or monotonic() < until):
            count = min(decoding.batch, decoding.samples - len(texts))
            chosen = [wanted[(len(texts) + place) % len(wanted)] for place in range(count)]
            given = _encoded(tokenizer, chosen, model, decoding.tokens)
            written = model.generate(
                **given,
                max_new_tokens=decoding.tokens,
                pad_token_id=_pad(tokenizer),
                **decoding.options,
            )
            new = written[:, given["input_ids"].shape[1] :]
            texts += tokenizer.batch_decode(new, skip_special_tokens=True)
    return texts


def nll(model: Any, tokenizer: Any, texts: Sequence[str], seconds: float, batch: int = BATCH) -> list[float | None]:
    """Return nats per token of each text under the model; None for one of fewer than two tokens or out of time.

    Of a long text the first 512 tokens are read, or as many as the model takes. The first is not predicted.
    """
    torch = _torch()
    until = monotonic() + seconds
    found: list[float | None] = []
    with _apart(torch, model, 0):
        for begin in range(0, len(texts), batch):
            if begin and monotonic() > until:
                break
            given = _encoded(tokenizer, texts[begin : begin + batch], model, 0)
            logits = model(**given).logits[:, :-1].float()
            targets, counted = given["input_ids"][:, 1:], given["attention_mask"][:, 1:].bool()
            each = torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
            tokens = counted.sum(dim=1)
            sums = (each * counted).sum(dim=1) / tokens.clamp(min=1)
            found += [value if count else None for value, count in zip(sums.tolist(), tokens.tolist(), strict=True)]
    return found + [None] * (len(texts) - len(found))


def agreed(*, stop: bool) -> bool:
    """Return what rank 0 says, on every rank; all must ask at the same step. Without other processes, `stop` itself."""
    torch = _torch()
    group = torch.distributed
    if not (group.is_available() and group.is_initialized() and group.get_world_size() > 1):
        return stop
    said = torch.tensor([int(stop)], device="cuda" if group.get_backend() == "nccl" else "cpu")
    group.broadcast(said, src=0)
    return bool(said.item())


@contextmanager
def _apart(torch: Any, model: Any, seed: int) -> Iterator[None]:
    """Evaluation mode, no gradients and a random state of its own; all as before afterwards, whatever happens."""
    training = model.training
    devices = [model.device] if model.device.type == "cuda" else []
    model.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            yield
    finally:
        model.train(training)


def _encoded(tokenizer: Any, texts: Sequence[str], model: Any, room: int) -> Any:
    """Return input ids and attention mask with `room` left for new tokens, padded on the side that this needs."""
    most = min(TEXT_TOKENS, getattr(model.config, "max_position_embeddings", None) or TEXT_TOKENS) - room
    before = tokenizer.padding_side, tokenizer.pad_token
    tokenizer.padding_side = "left" if room else "right"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    try:
        given = tokenizer(list(texts), return_tensors="pt", padding=True, truncation=True, max_length=max(most, 1))
    finally:
        tokenizer.padding_side = before[0]
        if before[1] is None:
            tokenizer.pad_token = None
    return {name: given[name].to(model.device) for name in ("input_ids", "attention_mask")}


def _pad(tokenizer: Any) -> int | None:
    return tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id  # type: ignore[no-any-return]


def _torch() -> Any:
    try:
        import torch  # noqa: PLC0415  # optional extra [lab]
    except ImportError as error:
        raise MissingExtraError("torch", "lab") from error
    return torch
