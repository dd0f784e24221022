"""Evidence that records are real: what each says of itself, and when it was written. How sure one may be, and why.

A date before the first public chat model is the strongest evidence that a file itself can give; a label is as good as
whoever wrote it; the word of the person who reserves the records is what is left. None of them is a proof of the text.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from holdfast.core.dataset import Dataset

# ChatGPT was opened to the public on 30 November 2022 (OpenAI, "Introducing ChatGPT"). Text that was written before is
# not free of machines, but no one could make it by the million from a prompt.
PUBLIC_SINCE = "2022-11-30"
DATE_COLUMNS = ("date", "created", "created_at", "published", "published_at", "timestamp", "time", "year")
DATE = re.compile(r"^(?:19|20)\d\d(?:-[01]\d(?:-[0-3]\d)?)?")

SURE = {
    "dated": f"every record is dated before {PUBLIC_SINCE}",
    "labelled": "every record is labelled real in its own row",
    "declared": "some records say nothing of their origin: they are real by the word of whoever reserved them",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Per record: whether its own row says that it is real, and -1, 0, 1 for dated after, not dated, dated before."""

    labelled: npt.NDArray[np.bool_]
    dated: npt.NDArray[np.int8]

    def of(self, rows: np.ndarray) -> dict[str, Any]:
        """Return counts for some records, the grade (dated, labelled or declared) and what the grade means."""
        labelled, dated = self.labelled[rows], self.dated[rows]
        grade = "dated" if (dated == 1).all() else "labelled" if labelled.all() else "declared"
        return {
            "grade": grade,
            "because": SURE[grade],
            "labelled": int(labelled.sum()),
            "dated_before": int(np.count_nonzero(dated == 1)),
            "dated_after": int(np.count_nonzero(dated == -1)),
            "not_dated": int(np.count_nonzero(dated == 0)),
        }


def evidence(data: Dataset) -> Evidence:
    """Return the evidence in the rows themselves."""
    dated = [_dated(orjson.loads(text)) for table in data.tables(("fields",)) for text in table.column(0).to_pylist()]
    labelled = np.asarray(data.column("origin").to_pylist(), dtype=object) == "real"
    return Evidence(np.asarray(labelled, np.bool_), np.asarray(dated, np.int8))


def _dated(row: dict[str, Any]) -> int:
    """Return 1 for a row written before `PUBLIC_SINCE`, -1 for one written after, 0 where no date column tells.

    A year or month alone counts as its end.
    """
    for name in DATE_COLUMNS:
        found = DATE.match(str(row.get(name, "")))
        if found:
            whole = (found[0] + "-12-31"[len(found[0]) - 4 :])[:10]
            return 1 if whole < PUBLIC_SINCE else -1
    return 0
