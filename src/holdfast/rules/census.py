"""What is counted in every record, once, for all rules: origin, words by maker, normalised digest, domain."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.dataset import text_of
from holdfast.core.domain import domains
from holdfast.core.record import ORIGINS
from holdfast.core.text import digests, word_counts

COLUMNS = ("prompt", "response", "origin", "synthetic_fields", "fields")

REAL, SYNTHETIC, MIXED, UNKNOWN = range(4)


def census(table: pa.Table) -> pa.Table:
    """Return one row per record: `origin` (index into ORIGINS), `words`, `synthetic_words`, `d0`, `d1`, `domain`.

    By tokens a mixed record is counted exactly: the fields named as made are synthetic, the rest is real. A mixed
    record that does not say which fields were made counts as synthetic throughout.
    """
    prompt, response = word_counts(table.column("prompt")), word_counts(table.column("response"))
    origin = pc.index_in(table.column("origin"), pa.array(ORIGINS)).to_numpy().astype(np.int8)
    digest = digests(text_of(table))
    words = prompt + response
    synthetic = np.where(np.isin(origin, (SYNTHETIC, MIXED)), words, 0)
    for row in np.flatnonzero(origin == MIXED):
        made = set(table.column("synthetic_fields")[int(row)].as_py() or ())
        if made and made <= {"prompt", "response"}:
            synthetic[row] = ("prompt" in made) * prompt[row] + ("response" in made) * response[row]
    return pa.table(
        {
            "origin": origin,
            "words": words,
            "synthetic_words": synthetic,
            "d0": digest[:, 0],
            "d1": digest[:, 1],
            "domain": domains(table),
        }
    )
