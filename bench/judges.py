"""What docs/judges.md says in numbers: two real models as judges under the probes, and corrections on votes of others.

    python -m bench.judges

The probes go to the two tiny models of examples/chat, served by llama.cpp on this machine (extra [local]); verdicts and
votes are PandaLM's and QA-Eval's in ../shared/data. Writes bench/results/judges.json.
"""

import gzip
import json
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from holdfast.core.settings import load
from holdfast.core.verdict import Measurement
from holdfast.stats.correction import Confusion, ppi_mean, rogan_gladen
from holdfast.stats.proportion import share
from holdfast.workflows.calibration import calibrate
from holdfast.workflows.judge import probe

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "multigen"
OUT = ROOT / "bench" / "results" / "judges.json"
RESAMPLES, LABELLED, JUDGED = 3000, 200, 2000
Bools = npt.NDArray[np.bool_]


def rows(name: str) -> list[dict[str, Any]]:
    """Return the rows of a file of the shared data."""
    return [json.loads(line) for line in gzip.decompress((DATA / f"{name}.jsonl.gz").read_bytes()).splitlines()]


def cases() -> dict[str, tuple[Bools, Bools, list[str]]]:
    """Return {name: (what people say, what the judge says, generators)}."""
    pairs, answers = rows("pandalm_human_pairs"), rows("qa_eval_nq")
    human = np.array([row["human_majority"] == 1 for row in pairs])
    makers = [row["generator_1"] for row in pairs]
    found = {name: (human, np.array([row[name] == "1" for row in pairs]), makers)
             for name in ("judge_gpt35", "judge_pandalm7b")}  # fmt: skip
    parts = [[part.strip().lower() for part in row["gold"].split("/")] for row in answers]
    said = [any(each in row["answer"].lower() for each in own) for row, own in zip(answers, parts, strict=True)]
    right = np.array([row["human_correct"] for row in answers])
    return found | {"qa_eval_inclusion": (right, np.array(said), [row["generator"] for row in answers])}


def covers(found: Measurement, truth: float) -> bool:
    """Tell whether an interval holds the truth."""
    return found.low is not None and found.high is not None and found.low <= truth <= found.high


def coverage(human: Bools, judge: Bools) -> dict[str, float]:
    """Return how often each interval holds the human rate, over resamples of labelled and judged records."""
    rng, truth, hits = np.random.default_rng(5), float(human.mean()), np.zeros(3)
    for _ in range(RESAMPLES):
        some, others = rng.integers(0, len(human), LABELLED), rng.integers(0, len(human), JUDGED)
        known, passed = Confusion.of(human[some].tolist(), judge[some].tolist()), int(judge[others].sum())
        people, said = human.astype(float), judge.astype(float)
        ppi = ppi_mean(people[some], said[some], said[others])
        hits += [covers(each, truth) for each in (rogan_gladen(passed, JUDGED, known), ppi, share(passed, JUDGED))]
    names = ("rogan_gladen", "ppi", "raw")
    return {"human": truth, "judge": float(judge.mean()), **dict(zip(names, (hits / RESAMPLES).tolist(), strict=True))}


def agreement(human: Bools, judge: Bools, makers: Sequence[str]) -> dict[str, Any]:
    """Return kappa and its lower bound by generator, and where the judge may reject."""
    names = [str(place) for place in range(len(human))]
    people, said = (dict(zip(names, map(bool, each), strict=True)) for each in (human, judge))
    found = calibrate(people, said, dict(zip(names, makers, strict=True)), 0.4)
    return {
        subset: {"kappa": each.kappa.value, "lower": each.lower, "n": each.kappa.n, "trusted": each.trusted}
        for subset, each in found.items()
    }


def serving(folder: Path) -> AbstractContextManager[dict[str, str]]:
    """Return what serves the two models of the chat example, made in `folder` if they are not there."""
    sys.path.insert(0, str(ROOT / "examples" / "chat"))
    found: AbstractContextManager[dict[str, str]] = import_module("serve").serving(folder)
    return found


def probed() -> list[dict[str, Any]]:
    """Return the probes of two real models."""
    with TemporaryDirectory() as room, serving(ROOT / ".bench" / "tiny_models") as addresses:
        folder = Path(room)
        (folder / "rubric.md").write_text("A good response does what the prompt asks, and is right.")
        models = {
            name: {"base_url": url, "model": name, "limits": {"concurrency": 8}} for name, url in addresses.items()
        }
        judge = {"model": list(models), "rubric": "rubric.md", "decoding": {"max_tokens": 16}}
        (folder / "holdfast.yaml").write_text(json.dumps({"version": 1, "models": models, "filters": {"judge": judge}}))
        return [asdict(each) for each in probe(load(folder / "holdfast.yaml"), folder / "out").judges]


def main() -> None:
    """Measure and write."""
    told: dict[str, Any] = {"resamples": RESAMPLES, "labelled": LABELLED, "judged": JUDGED, "cases": {}}
    for name, (human, judge, makers) in cases().items():
        told["cases"][name] = {"coverage": coverage(human, judge), "agreement": agreement(human, judge, makers)}
    told["probes"] = probed()
    OUT.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
