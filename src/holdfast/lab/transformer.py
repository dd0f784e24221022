"""A small transformer over the words of the text, trained from scratch each generation ([lab]: torch).

Two pre-norm blocks of width 64 with causal attention, tied embeddings, AdamW with a linear fall of the step: small
enough for a CPU, where nearly all the time goes into the logits over a few thousand words. The best epoch on a
held-back twentieth of its own training set is kept, so that what follows is not over-training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.core.errors import MissingExtraError, UsageError
from holdfast.lab.documents import Documents, Text
from holdfast.models.ngram_sample import Decoding

WIDTH, HEADS, BLOCKS = 64, 4, 2
BATCH = 32
EPOCHS = 8
RATE = 3e-3
DROPOUT = 0.1
# Documents drawn or scored at once.
AT_ONCE = 512
# Held back from each training set to choose the epoch.
HELD_BACK = 0.05


@dataclass(frozen=True, slots=True)
class TransformerModel:
    """A fitted transformer; `torch` is the module, so that nothing else imports it."""

    torch: Any
    net: Any
    start: int
    length: int
    device: str

    def sample(self, count: int, decoding: Decoding, seed: int) -> Documents:
        """Return `count` documents drawn by `seed`."""
        torch = self.torch
        generator = torch.Generator(self.device).manual_seed(seed)
        parts = []
        with torch.inference_mode():
            for begin in range(0, count, AT_ONCE):
                rows = torch.full((min(AT_ONCE, count - begin), 1), self.start, device=self.device)
                for _ in range(self.length):
                    logits = self.net.logits(self.net(rows)[:, -1])[:, : self.start] / decoding.temperature
                    chance = nucleus(torch, torch.softmax(logits, -1), decoding.top_p)
                    rows = torch.cat([rows, torch.multinomial(chance, 1, generator=generator)], 1)
                parts.append(rows[:, 1:].cpu().numpy())
        return np.concatenate(parts).astype(np.int64)

    def nll(self, documents: Documents) -> NDArray[np.float64]:
        """Return nats per word for each document."""
        torch = self.torch
        with torch.inference_mode():
            parts = [
                losses(torch, self.net, rows, self.start).mean(1).cpu().numpy()
                for rows in torch.as_tensor(documents, device=self.device).split(AT_ONCE)
            ]
        return np.concatenate(parts).astype(np.float64)


def nucleus(torch: Any, chance: Any, top_p: float) -> Any:
    """Return probabilities with all but the smallest set of mass top_p set to 0."""
    if top_p >= 1.0:
        return chance
    ordered, places = chance.sort(-1, descending=True)
    ordered[(ordered.cumsum(-1) - ordered) >= top_p] = 0.0
    return torch.zeros_like(chance).scatter(-1, places, ordered)


def losses(torch: Any, net: Any, rows: Any, start: int) -> Any:
    """Return nats per word, shape (documents, words)."""
    given = torch.cat([torch.full_like(rows[:, :1], start), rows[:, :-1]], 1)
    logits = net.logits(net(given))
    flat = torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows.flatten(), reduction="none")
    return flat.view(rows.shape)


def fit(text: Text, device: str, stages: Sequence[Documents], seed: int) -> TransformerModel:
    """Train from scratch, on one stage after the other. Raises MissingExtraError without torch."""
    try:
        import torch  # noqa: PLC0415  # optional extra [lab]
    except ImportError as error:
        raise MissingExtraError("torch", "lab") from error
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError("There is no CUDA device here.", "Leave --device out.")
    torch.manual_seed(seed)
    net = network(torch, text.vocabulary + 1, text.length).to(device)
    for stage in stages:
        train(torch, net, torch.as_tensor(stage, device=device), text.vocabulary)
    return TransformerModel(torch, net.eval(), text.vocabulary, text.length, device)


def network(torch: Any, words: int, length: int) -> Any:
    """Return the untrained network: word and place embeddings, blocks, tied output."""
    nn = torch.nn

    class Net(nn.Module):  # type: ignore[misc,name-defined]  # torch is only there as an extra
        def __init__(self) -> None:
            super().__init__()
            self.word, self.place = nn.Embedding(words, WIDTH), nn.Embedding(length, WIDTH)
            block = nn.TransformerEncoderLayer(
                WIDTH, HEADS, 4 * WIDTH, DROPOUT, "gelu", batch_first=True, norm_first=True
            )
            self.blocks = nn.TransformerEncoder(block, BLOCKS, nn.LayerNorm(WIDTH), enable_nested_tensor=False)
            nn.init.normal_(self.word.weight, std=0.02)
            nn.init.normal_(self.place.weight, std=0.02)

        def forward(self, rows: Any) -> Any:
            size = rows.shape[1]
            mask = nn.Transformer.generate_square_subsequent_mask(size, device=rows.device)
            seen = self.word(rows) + self.place.weight[:size]
            return self.blocks(seen, mask=mask, is_causal=True)

        def logits(self, hidden: Any) -> Any:
            return hidden @ self.word.weight.T

    return Net()


def train(torch: Any, net: Any, rows: Any, start: int) -> None:
    """Train on one stage and leave the network at its best epoch."""
    rows = rows[torch.randperm(len(rows)).to(rows.device)]
    held = max(1, round(HELD_BACK * len(rows)))
    kept, check = rows[held:], rows[:held]
    steps = EPOCHS * -(-len(kept) // BATCH)
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1.0 - step / steps)
    best, state = float("inf"), {}
    for _ in range(EPOCHS):
        net.train()
        for batch in kept[torch.randperm(len(kept)).to(rows.device)].split(BATCH):
            optimiser.zero_grad()
            losses(torch, net, batch, start).mean().backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        net.eval()
        with torch.inference_mode():
            now = float(losses(torch, net, check, start).mean())
        if now < best:
            best, state = now, {name: value.detach().clone() for name, value in net.state_dict().items()}
    net.load_state_dict(state)
