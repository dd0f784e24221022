"""A language model of 18,000 parameters, made here, and an endless text for it with a common and a rare part."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast, Trainer, TrainingArguments

from holdfast.integrations.causal import Decoding, sample

WORDS = 24
COMMON, RARE = "c", "r"
# One document in eight is of the rare kind.
RARE_SHARE = 0.125
KINDS = {COMMON: 60, RARE: 60}
DECODING = Decoding(
    tokens=WORDS,
    samples=250,
    batch=250,
    options={"do_sample": True, "temperature": 1.0, "top_k": 0, "min_new_tokens": WORDS},
)


def document(random: Random, kind: str) -> str:
    """A chain of words: each is followed by one of six others, the nearer ones more often."""
    place, words = random.randrange(KINDS[kind]), []
    for _ in range(WORDS):
        words.append(f"{kind}{place}")
        place = (7 * place + random.choices(range(6), (6, 5, 4, 3, 2, 1))[0]) % KINDS[kind]
    return " ".join(words)


def documents(random: Random, count: int, kind: str | None = None) -> list[str]:
    """Texts of one kind, or of both as they occur."""
    return [document(random, kind or (RARE if random.random() < RARE_SHARE else COMMON)) for _ in range(count)]


def tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer with a number for every word of the text."""
    names = ["<pad>", "<bos>", "<unk>", *(f"{kind}{place}" for kind, size in KINDS.items() for place in range(size))]
    marks = dict(zip(("pad_token", "bos_token", "unk_token"), names, strict=False))
    made = Tokenizer(models.WordLevel({name: number for number, name in enumerate(names)}, marks["unk_token"]))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=made, **marks)


def model() -> GPT2LMHeadModel:
    """One layer of width 32, from seed 0."""
    torch.manual_seed(0)
    shape = {"n_positions": 32, "n_embd": 32, "n_layer": 1, "n_head": 2}
    quiet = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0)
    numbers = {"bos_token_id": 1, "eos_token_id": 0, "pad_token_id": 0}
    return GPT2LMHeadModel(GPT2Config(vocab_size=3 + sum(KINDS.values()), **shape, **quiet, **numbers))


@dataclass
class Stream(torch.utils.data.IterableDataset):  # type: ignore[misc]  # torch is untyped here
    """An endless stream of encoded documents; `make(count)` is asked for more of them whenever they are used up."""

    words: PreTrainedTokenizerFast
    make: Callable[[int], list[str]]
    count: int = 400
    used: list[int] = field(default_factory=list)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while True:
            self.used.append(self.count)
            given = self.words(self.make(self.count), return_tensors="pt", padding=True)["input_ids"]
            yield from ({"input_ids": row, "labels": row} for row in given)


def own_samples(
    taught: GPT2LMHeadModel, words: PreTrainedTokenizerFast, random: Random, real: float = 0.0
) -> Callable[[int], list[str]]:
    """Return a maker of documents that asks the model itself, sharpened a little as samplers are by default.

    The share `real` of them is real text of the common kind: what a team has plenty of.
    """
    options = {**DECODING.options, "temperature": 0.7}

    def make(count: int) -> list[str]:
        fresh = documents(random, round(real * count), COMMON)
        asked = Decoding(WORDS, count - len(fresh), count, random.randrange(2**31), options)
        texts = [*fresh, *sample(taught, words, [], asked, seconds=600)]
        random.shuffle(texts)
        return texts

    return make


def train(taught: GPT2LMHeadModel, data: Stream, steps: int, folder: Path, callbacks: tuple[Any, ...] = ()) -> Trainer:
    """Train with the Trainer of transformers on one CPU thread."""
    arguments = TrainingArguments(
        str(folder),
        max_steps=steps,
        per_device_train_batch_size=16,
        learning_rate=5e-3,
        lr_scheduler_type="constant",
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    trainer = Trainer(taught, arguments, train_dataset=data, callbacks=list(callbacks), processing_class=data.words)
    trainer.train()
    return trainer
