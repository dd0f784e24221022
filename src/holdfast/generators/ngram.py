"""Plain text drawn from a word-bigram model of the seeds: the smallest generator, without a model to call.

It is the lab's: text that has the seeds' words and neighbourhoods and no meaning, for experiments on what training on
generated text does (as in Shumailov et al. 2024, "AI models collapse when trained on recursively generated data").
The model is that of Shannon 1948 with counts as they are: nothing that was never seen follows.
"""

from typing import Literal

from holdfast.core.settings import GeneratorSettings
from holdfast.generators.bigrams import TOKEN, Bigrams, joined
from holdfast.generators.writing import Brief, Draft, Material, Write, need_seeds
from holdfast.models.chat import Conversation, NoRecord

FEWEST_TOKENS = 5
# Where a text that finds no end is cut: about two pages.
MOST_TOKENS = 1_000


def items(entry: GeneratorSettings) -> Literal["seeds", "documents"] | None:  # noqa: ARG001  # one shape for all
    """Return None: the model has read all seeds."""
    return None


def writer(material: Material) -> Write:
    """Return the writer, with the bigram model of all texts of the seeds. Raises `UsageError` without seeds."""
    need_seeds(material)
    bigrams = Bigrams(seed.text for seed in material.seeds)
    known = {tuple(TOKEN.findall(seed.text)) for seed in material.seeds}

    def write(brief: Brief) -> Conversation[Draft]:
        yield from ()  # asks no model
        tokens = bigrams.draw(brief.random, MOST_TOKENS)
        if len(tokens) < FEWEST_TOKENS:
            raise NoRecord("rejected", "too-short", f"{len(tokens)} tokens")
        if tuple(tokens) in known:
            raise NoRecord("rejected", "copies-seed")
        return Draft("", joined(tokens))

    return write
