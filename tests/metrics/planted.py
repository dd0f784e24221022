"""Texts whose variety is known: Zipf words, with topics."""

import numpy as np


def texts(seed: int, documents: int, *, vocabulary: int = 3000, length: int = 60, topics: int = 12) -> list[str]:
    """Return documents of Zipf words; each has a topic that supplies every other word from its own list."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, vocabulary + 1)
    made = []
    for _ in range(documents):
        words = rng.choice(vocabulary, size=length, p=weights / weights.sum())
        topic = rng.integers(topics)
        made.append(" ".join(f"t{topic}x{w % 40}" if i % 2 else f"w{w}" for i, w in enumerate(words)))
    return made
