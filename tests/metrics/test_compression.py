"""Compression sees repetition near and far, and nothing has nothing to compress."""

import random

from holdfast.metrics.compression import compressed_share


def test_repetition_compresses() -> None:
    """A text written twice costs little more than once, also where the copy comes 300 kB later."""
    rng = random.Random(1)
    texts = [bytes(rng.choices(range(97, 123), k=1000)) for _ in range(300)]
    once = compressed_share(texts)
    assert 0.55 < once < 0.7  # 26 equally likely letters carry 4.7 of 8 bits
    assert compressed_share([*texts, *texts]) < 0.52 * once
    assert 1.0 == compressed_share([]) == compressed_share([b""])
