"""Whether the readers of others accept what build and mix write.

    python -m bench.croissant

mlcroissant, huggingface_hub and datasets weigh 580 MB together and are wanted by nothing else, so that they are no part
of the development environment: they live in one of their own under .bench/environments. The tests hold the form of
croissant.json without them.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import rmtree
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.peers.environments import CARDS, ROOT, python_of
from holdfast.core.settings import load
from holdfast.workflows.build import build
from holdfast.workflows.init import init
from holdfast.workflows.mix import mix
from holdfast.workflows.mix_options import MixOptions

WORK = ROOT / ".bench" / "croissant"
ROWS = 40


def shapes() -> dict[str, list[dict[str, Any]]]:
    """Real rows of several shapes, each as many as the other."""
    turns = [
        [{"role": "user", "content": f"How many are {n} + {n}?"}, {"role": "assistant", "content": str(2 * n)}]
        for n in range(ROWS)
    ]
    return {
        "messages": [{"id": f"m{n}", "messages": each} for n, each in enumerate(turns)],
        "alpaca": [{"instruction": f"Add {n}", "input": str(n), "output": str(2 * n)} for n in range(ROWS)],
        "text": [{"text": f"Document number {n}.", "tags": ["a", str(n)], "score": n / 3} for n in range(ROWS)],
    }


def mixtures() -> dict[str, Path]:
    """Mix each shape with rows said to be synthetic: as JSONL, one as Parquet and one as CSV."""
    found = {}
    for name, rows in shapes().items():
        for form in ("jsonl", "parquet") if name != "alpaca" else ("jsonl", "parquet", "csv"):
            folder = WORK / f"{name}-{form}"
            folder.mkdir(parents=True)
            halves = {"real": rows[: ROWS // 2], "made": [{**row, "generator": "maker@2"} for row in rows[ROWS // 2 :]]}
            paths = {side: _written(folder / f"{side}.{form}", half) for side, half in halves.items()}
            mix([paths["real"]], [paths["made"]], folder / "out", MixOptions(max_synthetic=0.5))
            found[f"mix of {name}, {form}"] = folder / "out"
    return found


def _written(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
        path.write_text("\n".join(lines) + "\n", "utf-8")
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def quickstart() -> Path:
    """Build the quickstart and return its data set."""
    init(WORK / "quickstart")
    return build(load(WORK / "quickstart" / "holdfast.yaml")).folder / "dataset"


def failures(name: str, folder: Path, python: Path) -> int:
    """Print what each reader says of a data set; 1 where one refuses it or counts other records."""
    kept = json.loads((folder / "manifest.json").read_bytes())["counts"]["kept"]
    command = [str(python), str(Path(__file__).with_name("croissant_reader.py")), str(folder)]
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    result = subprocess.run(command, capture_output=True, text=True, env=quiet, check=False)
    if result.returncode:
        print(f"FAIL {name}: {result.stderr[-800:]}")
        return 1
    told = json.loads(result.stdout)
    found = told["croissant"]
    # In a CSV the nested column is text, which nobody's reader takes apart.
    origins = 0 if (folder / "train.csv").exists() else kept
    wrong = (kept, origins, kept, []) != (found["records"], found["with_origin"], told["rows"], found["errors"])
    print(f"{'FAIL' if wrong else 'ok  '} {name}: {kept} records; {json.dumps(told)}")
    return int(wrong)


def main() -> int:
    """Let the readers of others read a build and mixtures of several shapes and formats."""
    rmtree(WORK, ignore_errors=True)
    python = python_of(CARDS)
    places = {"build of the quickstart": quickstart()} | mixtures()
    return int(sum(failures(name, folder, python) for name, folder in places.items()) > 0)


if __name__ == "__main__":
    sys.exit(main())
