"""Decontamination: training documents against the 1,319 questions of GSM8K's test set, some planted (`leaks`).

The peers look for 13 words in a row. Ours looks for 13, 10 and 8 in the same pass and by its own rules, so it flags
more; Python sets are measured for 13 alone and for all three. Recall is per planted form; what is flagged beyond the
planted documents is shown as `further` (real contamination and false alarms alike: no tool's word is truth there).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import parquet

from bench.peers.contest import Contestant, Operation, Target
from bench.peers.corpora import corpus
from bench.peers.leaks import FORMS, PLAIN

ALL = ("13", "10", "8")


def contestants(scale: str) -> list[Contestant]:
    """Python and polars on everything, Janitor on a quarter, datatrove on a twentieth."""
    large, middle = ("leak12k", "leak12k") if scale == "small" else ("leak", "leak60k")
    few = 1 if scale == "full" else 3
    return [
        Contestant("ours", "Holdfast, 13, 10 and 8 words", large, "decontamination"),
        Contestant("ours-cold", "Holdfast, start-up and compile included", large, "decontamination", cold=True, runs=1),
        Contestant("sets", "Python sets, 13 words", large, "decontaminate_python", "xxhash", ("13",), runs=few),
        Contestant(
            "sets-all", "Python sets, 13, 10 and 8 words", large, "decontaminate_python", "xxhash", ALL, runs=few
        ),
        Contestant("polars", "polars semi-join, 13 words", large, "decontaminate_polars", "polars", runs=few),
        Contestant("janitor", "lm-eval Janitor, 13 words", middle, "decontaminate_janitor", "lm-eval", runs=1),
        Contestant("datatrove", "datatrove, 13 words", "leak12k", "decontaminate_datatrove", "datatrove", runs=1),
    ]


def judge(contestant: Contestant, folder: Path) -> Mapping[str, Any]:
    """Return the recall of each planted form, of all plain forms together, and the documents flagged beside them."""
    flagged = np.fromfile(folder / "flagged.bin", np.int64)
    forms = parquet.read_table(corpus(contestant.corpus).truth)["form"].to_numpy()
    found = np.zeros(len(forms), np.bool_)
    found[flagged] = True
    recalls = {form: round(float(found[forms == number].mean()), 4) for number, form in enumerate(FORMS)}
    plain = (forms >= 0) & (forms < len(PLAIN))
    return {
        "recall": round(float(found[plain].mean()), 4),
        "recall_n": int(plain.sum()),
        "forms": recalls,
        "further": int(found[forms < 0].sum()),
    }


OPERATION = Operation(
    "decontamination",
    "Decontamination against 1,319 held-out questions",
    contestants,
    (
        Target("ours", "sets", 5.0, "wall"),
        Target("ours", "sets", 2.5),
        Target("ours", "sets-all", 5.0, "wall"),
        Target("ours", "sets-all", 2.5),
        Target("ours", "janitor", 25.0),
        Target("ours", "datatrove", 100.0),
        Target("ours", field="recall", least=1.0),
    ),
    judge,
)
