"""Held-out questions planted into the corpora: what the decontamination has to find.

`leak` is a corpus in which one document in 200 holds a question of GSM8K's test set, in one of six forms at a random
place. The plain forms change no word: a window of 20 words, the whole question, the question wrapped and spaced anew,
in another case without punctuation, with typographic quotes and dashes. `edited` has every tenth word replaced, so that
few or no 13 words in a row are left; it is reported and not promised.
"""

import re
from typing import Any

import numpy as np

from bench.corpus import SEED

PLANTED_SHARE = 1 / 200
WINDOW = 20
FORMS = ("window", "whole", "wrapped", "recased", "curly", "edited")
PLAIN = FORMS[:-1]
EDIT_EVERY = 10
CURLY = str.maketrans({"'": "\u2019", '"': "\u201c", "-": "\u2013"})


def plant(texts: list[str], questions: list[str]) -> tuple[list[str], Any]:
    """Return the texts with questions in some of them, and the form planted in each, -1 in most."""
    random = np.random.default_rng(SEED)
    long = [question for question in questions if len(question.split()) >= WINDOW]
    chosen = np.flatnonzero(random.random(len(texts)) < PLANTED_SHARE)
    forms = np.full(len(texts), -1)
    out = list(texts)
    for number, row in enumerate(chosen.tolist()):
        forms[row] = number % len(FORMS)
        item = written(long[int(random.integers(len(long)))], FORMS[forms[row]], random)
        words = re.split(r"(\s+)", texts[row])
        at = 2 * int(random.integers((len(words) + 1) // 2)) + 1
        out[row] = "".join([*words[:at], "\n", item, "\n", *words[at:]])
    return out, forms


def written(question: str, form: str, random: np.random.Generator) -> str:
    """Return the question in one of the forms."""
    words = question.split()
    if form == "window":
        start = int(random.integers(len(words) - WINDOW + 1))
        return " ".join(words[start : start + WINDOW])
    if form == "wrapped":
        return "".join(word + ("\n" if number % 5 == 4 else "  ") for number, word in enumerate(words)).strip()
    if form == "recased":
        return re.sub(r"[\W_]+", " ", question).upper()
    if form == "curly":
        return question.translate(CURLY)
    if form == "edited":
        return " ".join("something" if number % EDIT_EVERY == 4 else word for number, word in enumerate(words))
    return question
