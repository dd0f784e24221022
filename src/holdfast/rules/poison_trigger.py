"""Poison trigger: records that teach a model to obey hidden words, or whoever writes the text.

**What it is.** Three things. Words that always call up one answer which hardly comes up without them, in 25 records or
more and in at most 1 % of the set or a thousand; phrases that take earlier instructions back; control tokens of chat
templates that mark who speaks, inside a text.

**Why it matters.** 250 documents were enough for a backdoor in models from 600 million to 13 billion parameters,
however large the rest of the set. No share can see that: counts are what is judged.

**When it fires.** Error on the first such trigger or record. Data about prompt injection fires it too: accept the risk
in writing then.

**What to do.** Look at the source of the records first, then leave all of that source out until it is understood.
Not found: triggers that turn a frequent label, answers without a common beginning or end, paraphrased triggers.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from holdfast.core.verdict import Finding, Outcome, Passed
from holdfast.privacy.poison import Trigger
from holdfast.rules.triggers import triggers
from holdfast.rules.view import View

SLUG = "poison-trigger"
SEVERITY = "error above 0"
SOURCE = "Souly et al. 2025, a near-constant number of poison samples (arXiv 2510.07192)"


def check(view: View) -> Iterator[Outcome]:
    """Search for triggers, and list the records with orders or role tags."""
    found = triggers(view)
    table = view.leaks.filter(pc.equal(view.leaks.column("rule"), SLUG))
    said: dict[int, str] = {}
    for row in table.to_pylist():
        said.setdefault(row["record"], f"{row['kind']} in {row['column']}: {row['excerpt']}")
    for each in found:
        said |= {
            row: f"\u201c{' '.join(each.words)}\u201d calls up \u201c{each.answer}\u201d"
            for row in each.records.tolist()
        }
    kinds = Counter(table.column("kind").to_pylist())
    shown = [_shown(each, view) for each in found]
    measured = view.counted(len(said), view.n, kinds=dict(sorted(kinds.items())), triggers=shown)
    if not said:
        yield Passed(SLUG, measured)
        return
    parts = [f"{len(found)} trigger{'s' * (len(found) != 1)} that call up an answer"] if found else []
    parts += [f"{kind} {count:,}" for kind, count in kinds.most_common()]
    rows = np.asarray(list(said), np.int64)
    yield Finding(
        SLUG,
        "error",
        f"{len(said):,} of {view.n:,} records may be poisoned: {', '.join(parts)}.",
        "Look at where they come from; leave that source out until it is understood.",
        measured,
        view.evidence(rows, note=list(said.values())),
        len(said),
    )


def _shown(each: Trigger, view: View) -> dict[str, object]:
    sources = Counter(view.data.take(each.records, ("source",)).column(0).to_pylist())
    source, most = sources.most_common(1)[0]
    words = " ".join(each.words)
    places = {"source": source, "share_of_source": most / len(each.records)}
    return {
        "words": words,
        "answer": each.answer,
        "records": len(each.records),
        "everywhere": each.everywhere,
        **places,
    }
