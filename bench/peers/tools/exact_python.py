"""Plain Python: lower case, white space folded by split and join, a set of digests (xxh3 of 128 bits, or SHA-256)."""

import hashlib

import xxhash

from bench.peers.tools.meter import Meter, arguments, texts


def main() -> None:
    """Count the documents beyond the first of each group."""
    path, _, options = arguments()
    documents = texts(path)
    meter = Meter()
    with meter.running():
        if "sha256" in options:
            distinct = len({hashlib.sha256(" ".join(text.lower().split()).encode()).digest() for text in documents})
        else:
            distinct = len({xxhash.xxh3_128_digest(" ".join(text.lower().split()).encode()) for text in documents})
    meter.tell(beyond=len(documents) - distinct, threads=1)


if __name__ == "__main__":
    main()
