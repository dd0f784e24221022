"""Compression: what is left of a sample's bytes after zstd, which finds repeated passages of any length.

Close to 1 for text without repetition, lower the more is repeated (in all samples of one size; it falls with size). It
follows slow measures of n-gram repetition closely (Shaib et al. 2024, arXiv:2403.00553), there with gzip, whose window
of 32 kB does not see a passage that comes back further away; zstd's of 2 MiB holds a whole sample.
"""

from collections.abc import Sequence

import pyarrow as pa

# The library's default level; higher ones are slower and rank sets alike.
LEVEL = 3


def compressed_share(texts: Sequence[bytes]) -> float:
    """Return compressed bytes / bytes of the texts, one per line; 1 for no bytes."""
    data = b"\n".join(texts)
    if not data:
        return 1.0
    return len(pa.Codec("zstd", compression_level=LEVEL).compress(data, asbytes=True)) / len(data)
