"""NLTK: BLEU-4 of each document against all others, smoothing method 1, the mean; quadratic in the documents."""

from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from bench.peers.tools.meter import Meter, arguments, texts, words


def main() -> None:
    """Score the first documents."""
    path, _, options = arguments()
    found = [words(text) for text in texts(path)[: int(options[0])]]
    smooth = SmoothingFunction().method1
    meter = Meter()
    with meter.running():
        scores = [
            sentence_bleu(found[:number] + found[number + 1 :], one, smoothing_function=smooth)
            for number, one in enumerate(found)
        ]
    meter.tell(value=sum(scores) / len(scores), documents=len(found), threads=1)


if __name__ == "__main__":
    main()
