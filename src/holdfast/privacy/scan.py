"""The scan: every leak of a table of records, as a table. A pure kernel for `core.engine`.

One pass of RE2 over each text column finds the records that can hold a leak at all; Python looks only at those.
The result is the same as calling the finders on every text (a test holds the two together). Nothing of a leak but
its first two characters leaves the scan.
"""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.privacy import disguised, hidden, injection, personal, secrets
from holdfast.privacy.leaks import Compiled, Leak, compiled, find, masked

COLUMNS = ("prompt", "response", "extra")

SCHEMA = pa.schema(
    [
        ("index", pa.int64()),
        ("rule", pa.string()),
        ("kind", pa.string()),
        ("column", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("excerpt", pa.string()),
    ]
)

# One text can hold millions; a record is refused for the first, and these are plenty to show.
MOST_PER_TEXT = 100


# What is no secret is shown as it is, its beginning.
SHOWN: dict[str, Callable[[str], str]] = dict.fromkeys(
    ("look-alike-letters", "markup-comment", "injection", "role-tag"), lambda value: value[:80]
)
Row = tuple[int, str, str, str, int, int, str]

_BY_RULE: tuple[tuple[str, Compiled], ...] = (
    (personal.RULE, compiled(personal.RECOGNISERS)),
    (secrets.RULE, compiled(secrets.RECOGNISERS)),
)


def scan(table: pa.Table) -> pa.Table:
    """Return one row per leak: local row `index`, rule, kind, column, start and end in characters, masked excerpt.

    Ordered by index, column, rule and position. At most `MOST_PER_TEXT` leaks are listed per text and rule.
    Missing columns and null texts hold nothing.
    """
    rows = [row for name in COLUMNS if name in table.column_names for row in _column(table.column(name), name)]
    rows.sort(key=lambda row: (row[0], COLUMNS.index(row[3])))
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )


def _column(texts: pa.ChunkedArray, name: str) -> Iterator[Row]:
    for rule, recognisers in _BY_RULE:
        for index, text, chosen in _candidates(texts, recognisers):
            yield from _rows(index, name, text, find(rule, chosen, text))
    for index, text in _at(texts, _matching(texts, hidden.PREFILTER)):
        yield from _rows(index, name, text, list(islice(hidden.runs(text), MOST_PER_TEXT)))
    for index, text in _at(texts, _matching(texts, disguised.PREFILTER)):
        yield from _rows(index, name, text, list(islice(disguised.disguised(text), MOST_PER_TEXT)))
    for index, text in _at(texts, _matching(texts, injection.PREFILTER)):
        yield from _rows(index, name, text, list(injection.injections(text, MOST_PER_TEXT)))


def _candidates(texts: pa.ChunkedArray, recognisers: Compiled) -> Iterator[tuple[int, str, Compiled]]:
    """Yield each text that may hold a leak, with the recognisers whose prefilter it passed, in table order."""
    some = _matching(texts, "|".join(f"(?:{recogniser.prefilter})" for recogniser, _ in recognisers))
    few = texts.take(pa.array(some))
    passed = [pc.match_substring_regex(few, recogniser.prefilter).to_pylist() for recogniser, _ in recognisers]
    for place, (index, text) in enumerate(_at(texts, some)):
        yield index, text, tuple(pair for pair, hits in zip(recognisers, passed, strict=True) if hits[place])


def _matching(texts: pa.ChunkedArray, pattern: str) -> np.ndarray:
    hits = pc.fill_null(pc.match_substring_regex(texts, pattern), False)
    return np.flatnonzero(hits.to_numpy())


def _at(texts: pa.ChunkedArray, indices: np.ndarray) -> Iterator[tuple[int, str]]:
    for index in indices.tolist():
        yield index, texts[index].as_py()


def _rows(index: int, column: str, text: str, leaks: list[Leak]) -> Iterator[Row]:
    for leak in leaks[:MOST_PER_TEXT]:
        value = text[leak.start : leak.end]
        shown = SHOWN.get(leak.kind, hidden.shown if leak.rule == hidden.RULE else masked)(value)
        yield index, leak.rule, leak.kind, column, leak.start, leak.end, shown
