"""What a text shows of its author: which frequent words and pairs occur in it, and how it is written.

Two scorers learn from references and say how synthetic a document looks: the occurrence likelihood of Liang et al.
2024 (arXiv 2403.07183) on a restricted vocabulary, and a linear classifier. Neither is a probability and neither says
who wrote one document; `stats.quantify` makes shares of them. Layout is not looked at: line breaks and the length of
a file say how a text was stored, not who wrote it.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holdfast.core.hashing import Hashes, Offsets, mix, windows
from holdfast.core.text import iter_items

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

# The beginning of a text says who wrote it as well as its end does; what comes after costs time and lets long
# documents be told from short ones.
MOST_WORDS = 300
MOST_CHARACTERS = 8 * MOST_WORDS
# Columns of the hashed words and pairs of words: enough that two frequent ones seldom meet.
COLUMNS = 1 << 18
# A word of the restricted vocabulary stands in so many reference documents, on both sides together: `science` of this
# project measured a quarter of the error of all words (161 words seen 30 times against 792 seen 5 times).
LEAST_SEEN = 30
# How much the ways of writing weigh beside the words, whose vector has length 1, and the penalty of the classifier.
# Chosen on the development half of bench/share.py.
STYLE_WEIGHT, PENALTY = 0.1, 0.5
# Words of a block within which repetition is counted, and the letters from which on a word is long.
BLOCK, LONG = 50, 8
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?\u3002]+")
_MARKS = (",", ".", "(", '"\u201c\u201d', "'\u2019", ";:", "-\u2013\u2014", "?!", "*#`|")


class Shown(NamedTuple):
    """Features of some documents: presence of hashed words and pairs in coordinates, and the ways of writing."""

    documents: Rows
    columns: Rows
    values: Floats
    style: Floats

    @property
    def n(self) -> int:
        """How many documents."""
        return len(self.style)

    def take(self, rows: Rows) -> "Shown":
        """Return the features of some documents, in the order given."""
        counts = np.bincount(self.documents, minlength=self.n)
        starts = np.cumsum(counts) - counts
        chosen = counts[rows]
        places = np.repeat(starts[rows] - (np.cumsum(chosen) - chosen), chosen) + np.arange(int(chosen.sum()))
        documents = np.repeat(np.arange(len(rows)), chosen)
        return Shown(documents, self.columns[places], self.values[places], self.style[rows])

    def dot(self, weights: Floats) -> Floats:
        """Return the product of every document with a vector over `COLUMNS`."""
        return np.asarray(np.bincount(self.documents, self.values * weights[self.columns], self.n), np.float64)


def shown(texts: Sequence[str]) -> Shown:
    """Return the features of texts, of each its first `MOST_WORDS` words or so."""
    cut = [text[:MOST_CHARACTERS] for text in texts]
    documents, columns, first = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for block in iter_items(pa.array(cut, pa.string()), "symbol"):
        single = _limited(*block)
        for order, (hashes, ends) in enumerate([single, windows(*single, 2)]):
            at = np.repeat(np.arange(len(ends) - 1), np.diff(ends)) + first
            column = (mix(hashes + np.uint64(order)) % np.uint64(COLUMNS)).astype(np.int64)
            cell = np.unique(at * COLUMNS + column)
            documents.append(cell // COLUMNS)
            columns.append(cell % COLUMNS)
        first += len(single[1]) - 1
    cells = np.unique(np.concatenate(documents) * COLUMNS + np.concatenate(columns))
    document = cells // COLUMNS
    counts = np.bincount(document, minlength=len(texts))
    style = np.asarray([_style(text) for text in cut], np.float64).reshape(len(texts), -1)
    return Shown(document, cells % COLUMNS, 1.0 / np.sqrt(counts[document]), style)


@dataclass(frozen=True, slots=True)
class Scorer:
    """What references taught: the log ratios of words (`occurrence`) and a linear classifier."""

    occurrence: tuple[Floats, float]
    words: Floats
    style: Floats
    offset: float
    centre: Floats
    scale: Floats

    def __call__(self, judge: Shown) -> Floats:
        """Return two scores per document: its log occurrence ratio, and about -1 for real and 1 for synthetic text."""
        ratio = np.bincount(judge.documents, self.occurrence[0][judge.columns], judge.n) + self.occurrence[1]
        linear = judge.dot(self.words) + (judge.style - self.centre) / self.scale @ self.style + self.offset
        return np.stack([ratio, linear], axis=1)


def scorer(learn: Shown, synthetic: NDArray[np.bool_]) -> Scorer:
    """Learn both scores from references."""
    return Scorer(_log_ratios(learn, synthetic), *_classifier(learn, synthetic))


def _log_ratios(learn: Shown, synthetic: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Return what each word of a document adds to its log ratio, and where a document without words begins.

    P(x) = product over words in x of p(word) times product over absent words of (1 - p(word)), with p the share of
    reference documents that hold the word, each count plus one half (Liang et al. 2024, section 3).
    """
    seen = np.bincount(learn.columns, minlength=COLUMNS)
    column = np.flatnonzero((seen >= LEAST_SEEN) & (seen < learn.n))
    rates = []
    for side in (synthetic, ~synthetic):
        counts = np.bincount(learn.columns[side[learn.documents]], minlength=COLUMNS)[column]
        rates.append((counts + 0.5) / (int(side.sum()) + 1.0))
    absent = np.log1p(-rates[0]) - np.log1p(-rates[1])
    weights = np.zeros(COLUMNS)
    weights[column] = np.log(rates[0]) - np.log(rates[1]) - absent
    return weights, float(absent.sum())


def _classifier(learn: Shown, synthetic: NDArray[np.bool_]) -> tuple[Floats, Floats, float, Floats, Floats]:
    """Fit ridge regression to -1 and 1, both sides weighing the same, by conjugate gradients.

    Hoerl and Kennard 1970; Hestenes and Stiefel 1952. Sixty steps are enough for a penalty of `PENALTY` on vectors of
    length 1; what a further step would change is far below the noise of a held-out score.
    """
    centre, scale = learn.style.mean(0), learn.style.std(0) + 1e-9
    dense = STYLE_WEIGHT * (learn.style - centre) / scale
    weight = np.where(synthetic, 0.5 / synthetic.sum(), 0.5 / (~synthetic).sum()) * learn.n
    mean = np.concatenate([_sum(learn, weight), weight @ dense]) / learn.n

    def forward(vector: Floats) -> Floats:
        return np.asarray(learn.dot(vector[:COLUMNS]) + dense @ vector[COLUMNS:] - float(mean @ vector))

    def back(values: Floats) -> Floats:
        total = np.concatenate([_sum(learn, values), values @ dense])
        return np.asarray(total - float(values.sum()) * mean)

    target = np.where(synthetic, 1.0, -1.0)
    solution = _conjugate(lambda vector: back(weight * forward(vector)) + PENALTY * vector, back(weight * target))
    return solution[:COLUMNS], STYLE_WEIGHT * solution[COLUMNS:], -float(mean @ solution), centre, scale


def _sum(learn: Shown, values: Floats) -> Floats:
    return np.asarray(np.bincount(learn.columns, learn.values * values[learn.documents], COLUMNS), np.float64)


def _conjugate(apply: Callable[[Floats], Floats], right: Floats, steps: int = 60) -> Floats:
    solution = np.zeros_like(right)
    residual, direction = right.copy(), right.copy()
    size = start = float(residual @ residual)
    for _ in range(steps):
        if size <= 1e-10 * start:
            break
        image = apply(direction)
        step = size / float(direction @ image)
        solution += step * direction
        residual -= step * image
        size, before = float(residual @ residual), size
        direction = residual + size / before * direction
    return solution


def _limited(items: Hashes, offsets: Offsets) -> tuple[Hashes, Offsets]:
    """Keep the first `MOST_WORDS` words and symbols of each document."""
    lengths = np.diff(offsets)
    place = np.arange(len(items)) - np.repeat(offsets[:-1], lengths)
    kept = np.minimum(lengths, MOST_WORDS)
    return items[place < MOST_WORDS], np.concatenate([[0], np.cumsum(kept)])


def _style(text: str) -> list[float]:
    """Return how a text is written: rates of marks, capitals, digits and long words, sizes of words and sentences.

    And how much it repeats itself within blocks of `BLOCK` words. All are means, so that long and short documents of
    one author agree on average.
    """
    found = _WORD.findall(text)[:MOST_WORDS]
    folded = [word.lower() for word in found]
    sizes = np.asarray([len(word) for word in found] or [0], np.float64)
    sentences = np.asarray([len(part.split()) for part in _SENTENCE_END.split(text) if part.strip()] or [0], np.float64)
    counts = [sum(text.count(mark) for mark in marks) for marks in _MARKS]
    counts += [sum(word[0].isupper() for word in found), sum(word.isdigit() for word in found)]
    counts += [int((sizes > LONG).sum()), len(text) - len(text.encode("ascii", "ignore"))]
    shape = [sizes.mean(), sizes.std(), np.log1p(sentences.mean()), np.log1p(sentences.std())]
    blocks = [folded[at : at + BLOCK] for at in range(0, max(len(folded) - BLOCK, 0) + 1, BLOCK)]
    repetition = np.mean([_repetition(block) for block in blocks], axis=0)
    return [*(count / max(len(found), 1) for count in counts), *shape, *repetition.tolist()]


def _repetition(block: list[str]) -> list[float]:
    """Return the shares of types, of words said once, of pairs, of the most frequent word, and Simpson's index."""
    n = max(len(block), 1)
    values = np.asarray(list(Counter(block).values()) or [0], np.float64)
    once, often = float((values == 1).sum()), float((values * (values - 1)).sum())
    return [len(values) / n, once / n, len(set(pairwise(block))) / n, float(values.max()) / n, often / n**2]
