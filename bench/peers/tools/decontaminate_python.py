"""Plain Python: the held-out 13-grams as a set of tuples of words, or one set for each of 13, 10 and 8 words."""

from bench.peers.tools.meter import Meter, arguments, flag, questions, texts, words


def main() -> None:
    """Flag each document that shares a run of words with a question."""
    path, folder, options = arguments()
    documents, held_out = texts(path), questions(path)
    sizes = [int(option) for option in options]
    meter = Meter()
    with meter.running("index"):
        known = {size: {run for text in held_out for run in runs(words(text), size)} for size in sizes}
    with meter.running("scan"):
        flagged = []
        for number, text in enumerate(documents):
            found = words(text)
            # Every size is looked for, as one who wants to know the longest shared run has to.
            hits = [size for size in sizes if not known[size].isdisjoint(runs(found, size))]
            if hits:
                flagged.append(number)
    meter.tell(flagged=flag(flagged, folder), threads=1)


def runs(found: list[str], size: int) -> "zip[tuple[str, ...]]":
    """Return all runs of `size` words."""
    return zip(*(found[start:] for start in range(size)), strict=False)


if __name__ == "__main__":
    main()
