"""`diversity`: its n-gram diversity score, the sum of distinct-1 to distinct-4 over all texts joined into one."""

from diversity import ngram_diversity_score

from bench.peers.tools.meter import Meter, arguments, texts


def main() -> None:
    """Score the folded words, so that it counts what the others count."""
    path, _, _ = arguments()
    documents = texts(path)
    meter = Meter()
    with meter.running():
        value = ngram_diversity_score([text.lower() for text in documents], 4)
    meter.tell(value=float(value), threads=1)


if __name__ == "__main__":
    main()
