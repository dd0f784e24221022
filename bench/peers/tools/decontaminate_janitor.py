"""lm-eval's Janitor in its Python form, since the compiled part is not in the wheel.

With its usual shortest slice of 200 characters it gives back nothing of a short clean text either; that is set off.
"""

from lm_eval.decontamination.janitor import Janitor

from bench.peers.tools.meter import Meter, arguments, flag, questions, texts


def main() -> None:
    """Flag each document that it does not give back whole."""
    path, folder, _ = arguments()
    documents, held_out = texts(path), questions(path)
    janitor = Janitor(ngram_n=13, minimum_slice_length=-1)
    meter = Meter()
    with meter.running("index"):
        for question in held_out:
            janitor.register_contaminant_python(question)
    with meter.running("scan"):
        flagged = [number for number, text in enumerate(documents) if janitor.clean_python(text) != [text]]
    meter.tell(flagged=flag(flagged, folder), threads=1)


if __name__ == "__main__":
    main()
