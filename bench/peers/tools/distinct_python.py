"""Plain Python: sets of tuples of words, the exact distinct-1 to distinct-4."""

from bench.peers.tools.meter import Meter, arguments, texts, words

LONGEST = 4


def main() -> None:
    """Count runs and distinct runs."""
    path, _, _ = arguments()
    documents = texts(path)
    meter = Meter()
    with meter.running():
        found = [words(text) for text in documents]
        ratios = []
        for size in range(1, LONGEST + 1):
            types = {run for one in found for run in zip(*(one[place:] for place in range(size)), strict=False)}
            ratios.append(len(types) / sum(max(0, len(one) - size + 1) for one in found))
    meter.tell(distinct=ratios, threads=1)


if __name__ == "__main__":
    main()
