"""Themes: how many prompts are about the same thing, told by two words that they have in common.

A theme is a pair of content words ("climate, change"). The pair that most prompts have is the first theme, then the
pair that most of the other prompts have, and so on, so that a prompt is of one theme at most. Content words are all but
function words, the words of any request, and words of nearly all prompts (the task itself, "function" in a set of
programming tasks). Sentences that prompts share word for word are instructions and are left out. Only English prompts
can be judged, because the two lists are English. What the prompts mean is not looked at: two themes may be one in other
words.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.core.dataset import Dataset
from holdfast.core.text import digests, word_counts, words
from holdfast.dedup.exact import Indices

# Prompts looked at, drawn by seed: the share of a theme is then known to 1.6 points.
SAMPLE = 4_000
# The beginning of a prompt says what it is about; what follows is material.
FIRST_WORDS, FIRST_CHARS = 60, 1_000
# A word of fewer prompts than this share makes no theme, one of more is the task. Of the others the most frequent.
LEAST, TASK, MOST_WORDS = 0.01, 0.95, 300
SHORTEST = 3
_SENTENCE = re.compile(r"[.!?:;]\s|\n")
# Of English prose 40 to 50 % are these function words, of the prompts of the shared sets 30 to 50 %.
ENGLISH = 0.2

_FUNCTION_WORDS = """
a about above across after against all along also although am among an and another any are around as at be because
been before behind being below beneath beside between beyond both but by can could did do does doing done down
during each either else enough even ever every except few for from had has have having he her here hers him his how
however i if in inside into is it its just least less many may me might mine more most much must my near neither
never no none nor not now of off often on once one only onto or other our ours out outside over own per quite rather
re s same several shall she should since so some still such t than that the their theirs them then there these they
this those though through throughout to too toward towards two under unless until up upon us very via was we were
what when where whether which while who whom whose why will with within without would yes yet you your yours
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
_REQUEST_WORDS = """
answer answers based best calculate calculates come compute create describe determine different evaluate example
examples explain express final find first following generate get getting give given gives go going help input know
last let like list made make makes making name need needs new number output please problem problems provide question
questions response result results return returns rewrite said say says second sentence sentences show solution solve
state step steps suggest summarise summarize take takes task tell text thing things three time times total use used
uses using value values want wants way ways word words write
"""
REQUEST_WORDS = frozenset(_REQUEST_WORDS.split())


@dataclass(frozen=True, slots=True)
class Theme:
    """Two words, and the prompts (ascending positions) that have them and no earlier theme."""

    words: tuple[str, str]
    members: Indices


@dataclass(frozen=True, slots=True)
class Themes:
    """The themes of some prompts, largest first. `english` is the share of function words among their words."""

    prompts: int
    english: float
    themes: tuple[Theme, ...]

    @property
    def largest(self) -> int:
        """How many prompts the largest theme has."""
        return self.themes[0].members.size if self.themes else 0

    @property
    def effective(self) -> float:
        """Return how many equally frequent themes would make two prompts alike as often (Simpson 1949, unbiased).

        A prompt without a theme is like no other; infinite where no two are alike.
        """
        pairs = sum(theme.members.size * (theme.members.size - 1) for theme in self.themes)
        return self.prompts * (self.prompts - 1) / pairs if pairs else float("inf")


def distinct(data: Dataset, indices: Indices) -> Indices:
    """Return the first record of each prompt other than none among the records at ascending global indices."""
    rows, keys = [np.empty(0, np.int64)], [np.empty((0, 2), np.uint64)]
    for shard in data.shards:
        begin, end = np.searchsorted(indices, [shard.first, shard.first + shard.rows])
        if begin < end:
            prompts = shard.table(("prompt",)).column(0).take(pa.array(indices[begin:end] - shard.first))
            asked = np.flatnonzero(word_counts(prompts))
            rows.append(indices[begin:end][asked])
            keys.append(digests(prompts)[asked])
    _, first = np.unique(np.concatenate(keys), axis=0, return_index=True)
    return np.sort(np.concatenate(rows)[first])


def find(prompts: Sequence[str]) -> Themes:
    """Return the themes of prompts; the same for the same prompts, whatever their order."""
    said = _own_words(prompts)
    total = sum(map(len, said))
    english = sum(word in FUNCTION_WORDS for each in said for word in each) / total if total else 0.0
    has, names = _incidence(said)
    return Themes(len(prompts), english, tuple(_covered(has, names)))


def _own_words(prompts: Sequence[str]) -> list[list[str]]:
    """Return the first words of each prompt without the sentences that others have word for word: instructions."""
    sentences = [[tuple(words(part)) for part in _SENTENCE.split(prompt[:FIRST_CHARS])] for prompt in prompts]
    counts = Counter(sentence for each in sentences for sentence in set(each))
    shared = {sentence for sentence, count in counts.items() if count >= max(2, LEAST * len(prompts))}
    return [[word for part in each if part not in shared for word in part][:FIRST_WORDS] for each in sentences]


def _incidence(said: Sequence[Sequence[str]]) -> tuple[npt.NDArray[np.float32], list[str]]:
    """Return float32[prompts, words]: which prompt has which of the content words that may make a theme."""
    held = [{word for word in each if _is_content(word)} for each in said]
    counts = Counter(word for each in held for word in each)
    least, most = max(2, LEAST * len(said)), TASK * len(said)
    frequent = sorted((word for word, count in counts.items() if least <= count <= most), key=lambda w: (-counts[w], w))
    names = frequent[:MOST_WORDS]
    place = {word: number for number, word in enumerate(names)}
    has = np.zeros((len(said), len(names)), np.float32)
    for row, each in enumerate(held):
        has[row, [place[word] for word in each if word in place]] = 1
    return has, names


def _is_content(word: str) -> bool:
    return len(word) >= SHORTEST and not word.isdecimal() and word not in FUNCTION_WORDS and word not in REQUEST_WORDS


def _covered(has: npt.NDArray[np.float32], names: list[str]) -> list[Theme]:
    """Return the pairs of words in the order in which each covers most of the prompts that are left."""
    themes: list[Theme] = []
    least = max(2, LEAST * len(has))
    left = np.arange(len(has))
    while names and left.size:
        # Counts below 2 ** 24 are exact in float32.
        together = np.triu(has[left].T @ has[left], 1)
        one, other = divmod(int(together.argmax()), len(names))
        if together[one, other] < least:
            break
        covered = (has[left, one] > 0) & (has[left, other] > 0)
        themes.append(Theme((names[one], names[other]), left[covered]))
        left = left[~covered]
    return themes
