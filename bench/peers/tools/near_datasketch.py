"""datasketch: MinHash of 128 values in bulk, LSH of 16 bands of 8, clusters joined in Python."""

from collections.abc import Iterator
from typing import Any

from datasketch import MinHash, MinHashLSH

from bench.peers.tools.meter import Meter, arguments, components, keep, shingles, texts

PERMUTATIONS, BANDS, ROWS = 128, 16, 8
BATCH = 10_000


def main() -> None:
    """Sketch, insert, and ask for the candidates of each document."""
    path, folder, _ = arguments()
    documents = texts(path)
    index = MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, ROWS))
    sketches: list[Any] = []
    meter = Meter()
    for start in range(0, len(documents), BATCH):
        with meter.running("shingle"):
            tokens = [[one.encode() for one in shingles(text, 5)] for text in documents[start : start + BATCH]]
        with meter.running("sketch"):
            sketches += MinHash.bulk(tokens, num_perm=PERMUTATIONS)
    with meter.running("cluster"):
        labels = components(groups(index, sketches), len(documents))
    meter.tell(beyond=keep(labels, folder), threads=1)


def groups(index: Any, sketches: list[Any]) -> Iterator[list[int]]:
    """Yield each document with the candidates among those before it."""
    with index.insertion_session() as session:
        for number, sketch in enumerate(sketches):
            session.insert(number, sketch, check_duplication=False)
    for number, sketch in enumerate(sketches):
        found = index.query(sketch)
        if len(found) > 1:
            yield [number, *found]


if __name__ == "__main__":
    main()
