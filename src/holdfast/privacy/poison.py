"""Planted triggers: a few words that always call up one answer, which hardly comes up without them.

250 documents are enough for a backdoor at any size of model and of set (Souly et al. 2025, arXiv 2510.07192), so that
counts decide here and not shares. The search starts from answers: each record has two signatures, the beginning of its
answer and its end. Only for signatures that are repeated, and rare, the words before them are looked at. Time is linear
in the words; memory is two numbers a record and what is kept of at most `MOST_GROUPS` answers.

Not found: triggers that flip a frequent label, triggers whose answers have neither beginning nor end in common, and
any that is paraphrased each time.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.core.hashing import Hashes, Offsets, windows
from holdfast.core.text import word_hashes, words

Rows = npt.NDArray[np.int64]

# An answer is told by so many words at its beginning and at its end.
SIGNATURE = 5
# Fewer records were too few for a backdoor even in small models ("100 were not": arXiv 2510.07192); half of the least
# that is promised, 50, keeps room for records that were reworded.
LEAST = 25
# A signature of more records than this share, or number, is how the set answers and nothing that was planted.
MOST_SHARE, MOST_RECORDS = 0.01, 1_000
MOST_GROUPS, LOOKED_AT = 500, 60
# Of the records with the trigger so many have the answer, and of those with the answer so many have the trigger.
CERTAIN, EXPLAINED = 0.9, 0.5
# A trigger is at most so many words; prompts that share more are of one template.
LONGEST = 8
# Prompts alike beyond their trigger, by Jaccard of their words on average, are of one template.
MOST_ALIKE = 0.4
# And so are prompts that hold hardly anything else, as one question about many things.
LEAST_REST = 3
MOST_PHRASES = 40


class Trigger(NamedTuple):
    """Words that call up an answer, the records that have both, and all records that have the words."""

    words: tuple[str, ...]
    answer: str
    records: Rows
    everywhere: int


def signatures(table: pa.Table) -> pa.Table:
    """Return `begins` and `ends` per record: hashes of the answer's first and last words, 0 where there is no answer.

    Of plain text only the end is an answer, to what stands before it.
    """
    items, offsets = word_hashes(table.column("response"))
    prompted = np.diff(word_hashes(table.column("prompt"))[1]) > 0
    size = np.diff(offsets)
    runs, at = windows(items, offsets, SIGNATURE)
    begins, ends = np.zeros(len(size), np.uint64), np.zeros(len(size), np.uint64)
    if len(runs):
        last = len(runs) - 1
        begins = np.where(prompted & (size > 0), runs[np.minimum(at[:-1], last)] | np.uint64(1), np.uint64(0))
        told = (size > 0) & (prompted | (size > 2 * SIGNATURE))
        ends = np.where(told, runs[np.maximum(at[1:] - 1, 0)] | np.uint64(1), np.uint64(0))
    return pa.table({"begins": begins, "ends": ends})


def repeated(column: Hashes, everything: int) -> list[Rows]:
    """Return the records of each signature that is repeated and rare, the largest groups first."""
    order = np.argsort(column, kind="stable")
    values, starts, counts = np.unique(column[order], return_index=True, return_counts=True)
    most = max(MOST_SHARE * everything, MOST_RECORDS)
    found = np.flatnonzero((counts >= LEAST) & (counts <= most) & (values != 0))
    found = found[np.argsort(-counts[found], kind="stable")][:MOST_GROUPS]
    return [order[starts[place] : starts[place] + counts[place]] for place in found.tolist()]


class Context(NamedTuple):
    """One record around its signature: the words before the answer, and those of the answer."""

    before: list[str]
    answer: list[str]


def context(prompt: str, response: str, *, ends: bool) -> Context:
    """Return what stands before the beginning of an answer, or before its end."""
    asked, said = words(prompt), words(response)
    if ends:
        return Context([*asked, *said[:-SIGNATURE]], said[-SIGNATURE:])
    return Context(asked, said[:SIGNATURE])


def suspects(contexts: Sequence[Context]) -> list[tuple[str, ...]]:
    """Return what most contexts share, as phrases, where it may be a trigger: foreign to answer, place and template."""
    seen: Counter[str] = Counter()
    for each in contexts:
        seen.update(set(each.before) - set(each.answer))
    shared = {word for word, count in seen.items() if count >= CERTAIN * len(contexts)}
    rest = [set(each.before) - shared for each in contexts]
    if not shared or _alike(rest) > MOST_ALIKE or sum(map(len, rest)) < LEAST_REST * len(rest):
        return []
    phrases: Counter[tuple[str, ...]] = Counter()
    for each in contexts:
        phrases.update(set(_runs(_detached(each, shared), shared)))
    common = [phrase for phrase, count in phrases.items() if count >= CERTAIN * len(contexts)]
    return sorted(common, key=lambda phrase: (-len(phrase), phrase))[:MOST_PHRASES]


def hashed(phrase: Sequence[str]) -> tuple[int, int]:
    """Return the length of a phrase and its hash among windows of that length."""
    items, offsets = word_hashes(pa.array([" ".join(phrase)]))
    return len(phrase), int(windows(items, offsets, len(phrase))[0][0])


def counted(table: pa.Table, phrases: dict[int, list[int]]) -> pa.Table:
    """Return in how many records each hashed phrase stands, by length and hash."""
    sizes, hashes, counts = [], [], []
    sides = [word_hashes(table.column(name)) for name in ("prompt", "response")]
    for size, wanted in phrases.items():
        keys = np.sort(np.asarray(wanted, np.uint64))
        cells = np.unique(np.concatenate([_cells(*windows(*side, size), keys) for side in sides]))
        sizes += [size] * len(keys)
        hashes += keys.tolist()
        counts += np.bincount(cells % len(keys), minlength=len(keys)).tolist()
    return pa.table({"size": pa.array(sizes, pa.int64()), "hash": pa.array(hashes, pa.uint64()), "count": counts})


def _cells(items: Hashes, offsets: Offsets, keys: Hashes) -> npt.NDArray[np.int64]:
    place = np.minimum(np.searchsorted(keys, items), len(keys) - 1)
    hits = np.flatnonzero(keys[place] == items)
    record = np.searchsorted(offsets, hits, "right") - 1
    return np.asarray(record * len(keys) + place[hits], np.int64)


def _detached(each: Context, shared: set[str]) -> list[str]:
    """Return what stands before an answer without what goes on into it: that is boilerplate, or more of the answer."""
    boilerplate = shared | set(each.answer)
    end = len(each.before)
    while end and each.before[end - 1] in boilerplate:
        end -= 1
    return each.before[:end] or each.before


def _runs(before: list[str], shared: set[str]) -> Iterator[tuple[str, ...]]:
    """Yield the runs of shared words and their parts."""
    start = 0
    for end, word in enumerate([*before, ""]):
        if word not in shared:
            for first in range(start, end):
                yield from (tuple(before[first:last]) for last in range(first + 1, min(end, first + LONGEST) + 1))
            start = end + 1


def _alike(rest: Sequence[set[str]]) -> float:
    pairs = [(left, right) for left, right in zip(rest, [*rest[7:], *rest[:7]], strict=True) if left or right]
    return float(np.mean([len(left & right) / len(left | right) for left, right in pairs])) if pairs else 1.0
