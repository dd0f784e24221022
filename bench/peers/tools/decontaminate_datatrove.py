"""datatrove's NGramsDecontFilter with 13-grams. Its indexer wants another package: the index is put in directly."""

from datatrove.data import Document
from datatrove.pipeline.decont import NGramsDecontFilter
from datatrove.pipeline.decont.n_grams import NGramsDecontConfig
from datatrove.utils.text import ngrams, simplify_text

from bench.peers.tools.meter import Meter, arguments, flag, questions, texts

SIZE = 13


def main() -> None:
    """Flag each document that the filter drops."""
    path, folder, _ = arguments()
    documents, held_out = texts(path), questions(path)
    config = NGramsDecontConfig(n_grams=SIZE)
    one = NGramsDecontFilter(str(folder), config)
    meter = Meter()
    with meter.running("index"):
        known = {}
        for question in held_out:
            tokens = one.tokenizer.word_tokenize(simplify_text(question, config.norm_config))
            known.update({one.hash_func(" ".join(run)): "held-out" for run in ngrams(tokens, SIZE)})
        one._index_hashes = known  # noqa: SLF001 - its own way to set it needs lighteval
    with meter.running("scan"):
        rows = (Document(text=text, id=str(row)) for row, text in enumerate(documents))
        flagged = [int(row.id) for row in rows if one.filter(row) is not True]
    meter.tell(flagged=flag(flagged, folder), threads=1)


if __name__ == "__main__":
    main()
