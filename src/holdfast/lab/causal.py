"""Any causal language model in a local folder, trained on from there each generation ([lab]: torch, transformers).

Nothing is fetched: the folder holds weights, configuration and tokenizer. Its own tokens are its own affair; the lab
counts words, and nats are per word of the lab, so that models with other tokenizers are comparable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.core.errors import InputError, MissingExtraError, UsageError
from holdfast.lab.documents import Documents, Text
from holdfast.models.ngram_sample import Decoding

EPOCHS = 2
BATCH = 16
RATE = 2e-4
# Tokens of the model per word of the lab, at most: what is drawn for one window.
TOKENS_PER_WORD = 2


@dataclass(frozen=True, slots=True)
class Base:
    """The folder of the model each generation starts from."""

    path: str
    device: str

    def load(self) -> tuple[Any, Any, Any]:
        """Return torch, tokenizer and model. Raises MissingExtraError, or InputError for a folder of something else."""
        if not Path(self.path).is_dir():
            raise InputError(f"{self.path} is not a folder.", "Give the folder of a model; nothing is fetched.")
        try:
            import torch  # noqa: PLC0415  # optional extra [lab]
            from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415  # optional extra [lab]
        except ImportError as error:
            raise MissingExtraError("torch or transformers", "lab") from error
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise UsageError("There is no CUDA device here.", "Leave --device out.")
        try:
            tokenizer = AutoTokenizer.from_pretrained(self.path, local_files_only=True)
            model: Any = AutoModelForCausalLM.from_pretrained(self.path, local_files_only=True)
        except (OSError, ValueError) as error:
            raise InputError(f"{self.path} holds no causal language model: {error}", "Give another folder.") from error
        tokenizer.padding_side = "right"
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        return torch, tokenizer, model.to(self.device)


@dataclass(frozen=True, slots=True)
class CausalModel:
    """A model trained on."""

    torch: Any
    tokenizer: Any
    model: Any
    text: Text
    device: str

    def sample(self, count: int, decoding: Decoding, seed: int) -> Documents:
        """Return `count` documents drawn by `seed`: texts from the beginning-of-text token, cut into windows.

        Raises InputError when the model writes so little that no such number comes about.
        """
        self.torch.manual_seed(seed)
        parts: list[Documents] = []
        have = 0
        for _ in range(10):
            if have < count:
                parts.append(self.text.read(self._texts(max(count - have, BATCH), decoding)))
                have += len(parts[-1])
        if have < count:
            raise InputError(
                f"The model wrote {have} of {count} documents of {self.text.length} words.", "Give another."
            )
        return np.concatenate(parts)[:count]

    def _texts(self, count: int, decoding: Decoding) -> list[str]:
        """Draw texts, a batch at a time."""
        start = self.tokenizer.bos_token_id
        start = self.tokenizer.eos_token_id if start is None else start
        length = TOKENS_PER_WORD * self.text.length
        drawn: list[str] = []
        for begin in range(0, count, BATCH):
            rows = self.torch.full((min(BATCH, count - begin), 1), start, device=self.device)
            with self.torch.inference_mode():
                out = self.model.generate(
                    rows, attention_mask=self.torch.ones_like(rows), do_sample=True, max_new_tokens=length, top_k=0,
                    temperature=decoding.temperature, top_p=decoding.top_p, pad_token_id=self.tokenizer.pad_token_id,
                )  # fmt: skip
            drawn += self.tokenizer.batch_decode(out, skip_special_tokens=True)
        return drawn

    def nll(self, documents: Documents) -> NDArray[np.float64]:
        """Return nats per word of the lab for each document."""
        found = []
        for batch in batches(self.text.written(documents)):
            with self.torch.inference_mode():
                found.append(summed(self.torch, self.model, tokens(self.tokenizer, batch, self.device)).cpu().numpy())
        return np.asarray(np.concatenate(found) / documents.shape[1], dtype=np.float64)


def batches(texts: Sequence[str]) -> list[list[str]]:
    """Return texts in batches, in order."""
    return [list(texts[begin : begin + BATCH]) for begin in range(0, len(texts), BATCH)]


def tokens(tokenizer: Any, texts: Sequence[str], device: str) -> Any:
    """Return padded token ids and mask, each text between the model's own beginning and end."""
    start = tokenizer.bos_token or tokenizer.eos_token or ""
    return tokenizer([f"{start}{text}" for text in texts], return_tensors="pt", padding=True).to(device)


def summed(torch: Any, model: Any, given: Any) -> Any:
    """Return the nats of each text, the sum over its tokens after the first."""
    logits = model(**given).logits[:, :-1]
    wanted = given["input_ids"][:, 1:]
    nats = torch.nn.functional.cross_entropy(logits.transpose(1, 2), wanted, reduction="none")
    return (nats * given["attention_mask"][:, 1:]).sum(1)


def fit(base: Base, text: Text, stages: Sequence[Documents], seed: int) -> CausalModel:
    """Train the model of the folder on one stage after the other."""
    torch, tokenizer, model = base.load()
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(model.parameters(), RATE)
    model.train()
    for stage in stages:
        for _ in range(EPOCHS):
            for batch in batches(text.written(stage[rng.permutation(len(stage))])):
                given = tokens(tokenizer, batch, base.device)
                optimiser.zero_grad()
                (summed(torch, model, given).sum() / given["attention_mask"].sum()).backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
    return CausalModel(torch, tokenizer, model.eval(), text, base.device)
