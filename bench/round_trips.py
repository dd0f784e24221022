"""Does provenance survive other tools? A mixed set goes through each of them and back, and every record is compared.

    python -m bench.round_trips [--write]

pandas, polars and datasets each run in an environment of their own (bench/peers/environments.py), duckdb in ours: they
read the file, shuffle it, write it in every format they know, and Holdfast reads that. No option is set that a user in
a hurry would not set.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.peers.environments import python_of
from holdfast.core.reader import read
from holdfast.core.record import Record
from holdfast.core.scratch import scratch
from holdfast.core.writer import write_dataset
from holdfast.workflows.mix import mix
from holdfast.workflows.mix_options import MixOptions

RESULT = Path(__file__).parent / "results" / "round_trips.json"

# Each reads `source` and writes `target`, by their endings; sys.argv has both.
HEAD = "import sys; source, target = sys.argv[1:]; end = target.rpartition('.')[2]\n"
TOOLS = {
    "pandas": """
import pandas
if source.endswith("parquet"): frame = pandas.read_parquet(source)
elif source.endswith("csv"): frame = pandas.read_csv(source)
else: frame = pandas.read_json(source, lines=True)
frame = frame.sample(frac=1, random_state=7)
if end == "parquet": frame.to_parquet(target, index=False)
elif end == "csv": frame.to_csv(target, index=False)
else: frame.to_json(target, orient="records", lines=True)
""",
    "polars": """
import polars
if source.endswith("parquet"): frame = polars.read_parquet(source)
elif source.endswith("csv"): frame = polars.read_csv(source)
else: frame = polars.read_ndjson(source, infer_schema_length=None)
frame = frame.sample(fraction=1, shuffle=True, seed=7)
if end == "parquet": frame.write_parquet(target)
elif end == "arrow": frame.write_ipc(target)
elif end == "csv":
    nested = [name for name, kind in frame.schema.items() if kind == polars.Struct]
    lists = [name for name, kind in frame.schema.items() if kind == polars.List]
    frame.with_columns(polars.col(nested).struct.json_encode()).drop(lists).write_csv(target)
else: frame.write_ndjson(target)
""",
    "duckdb": """
import duckdb
read = "read_json_auto" if source.endswith("jsonl") else "read_csv" if source.endswith("csv") else "read_parquet"
form = {"parquet": "parquet", "csv": "csv, header", "jsonl": "json"}[end]
duckdb.sql(f"copy (select * from {read}('{source}') order by random()) to '{target}' (format {form})")
""",
    "datasets": """
import datasets, tempfile
kind = "parquet" if source.endswith("parquet") else "csv" if source.endswith("csv") else "json"
with tempfile.TemporaryDirectory() as cache:
    data = datasets.load_dataset(kind, data_files=source, split="train", cache_dir=cache).shuffle(seed=7)
    if end == "parquet": data.to_parquet(target)
    elif end == "csv": data.to_csv(target, index=False)
    elif end == "folder": data.save_to_disk(target)
    else: data.to_json(target)
""",
}
TARGETS = {
    "pandas": ("jsonl", "parquet", "csv"),
    "polars": ("jsonl", "parquet", "arrow", "csv"),
    "duckdb": ("jsonl", "parquet", "csv"),
    "datasets": ("jsonl", "parquet", "csv", "folder"),
}
COUNT = 60


def rows(side: str) -> list[dict[str, Any]]:
    """Return records that state everything a record may, each its own, and some that state little."""
    found = []
    for number in range(COUNT):
        question = (
            f"{side} question {number}: what is {number} and {number + 1}?\nMind the \u201cquotes\u201d, and, commas"
        )
        row: dict[str, Any] = {"id": f"{side}-{number}", "question": question, "answer": f"It is {2 * number + 1}."}
        row["holdfast"] = {"origin": "real", "source": "book", "licence": "mit"}
        if side == "made":
            row["holdfast"] = {
                "origin": "mixed" if number % 3 else "synthetic",
                "synthetic_fields": ["answer"] if number % 3 else [],
                "generator": f"maker-{number % 4}@{number % 2}",
                "family": "maker",
                "parents": [f"real-{number}", f"real-{number + 1}"] if number % 2 else [],
                "depth": 1 + number % 3,
                "seed": 2**40 + number if number % 5 else None,
                "cell": {"topic": "sums", "hard": str(number % 2)} if number % 2 else None,
                "decoding": {"temperature": 0.7, "stop": ["\n"]} if number % 4 else None,
                "checks": {"math": True, "novel": None} if number % 3 else {"code-tests": False},
            }
        found.append(row)
    return found


def write(folder: Path) -> list[Path]:
    """Mix such records and return the training set as JSON Lines, as Parquet and as CSV."""
    made = []
    for form in ("jsonl", "parquet", "csv"):
        files = [folder / f"{side}.jsonl" for side in ("real", "made")]
        for path in files:
            path.write_text("".join(json.dumps(row) + "\n" for row in rows(path.stem)))
        out = folder / form
        mix(files[:1], files[1:], out, MixOptions(max_synthetic=0.6))
        made.append(convert(out / "train.jsonl", folder / f"train.{form}"))
    return made


def convert(path: Path, target: Path) -> Path:
    """Write the records of a file in the format of another name."""
    with scratch() as spool:
        form: Any = target.suffix[1:]
        return write_dataset(target, read([path], spool=spool), form=form)


def told(record: Record) -> dict[str, Any]:
    """Return what must survive of a record; a check without a verdict is as none."""
    origin = record.provenance
    names = ("origin", "synthetic_fields", "source", "licence", "generator", "family", "parents", "depth", "seed")
    stated = {name: getattr(origin, name) for name in (*names, "cell", "decoding")}
    checks = {name: ok for name, ok in record.checks.items() if ok is not None}
    return {"id": record.id, **stated, "checks": checks, "digest": record.digest}


def records(path: Path) -> dict[str, dict[str, Any]]:
    """Return what is told of each record by the digest of its content."""
    with scratch() as spool:
        return {record.digest: told(record) for record in read([path], spool=spool).records()}


def lost(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> dict[str, int]:
    """Return how many records lost what; records that are gone or changed count as `digest`."""
    counted = {"digest": len(before.keys() ^ after.keys())}
    for digest in before.keys() & after.keys():
        for name, value in before[digest].items():
            counted[name] = counted.get(name, 0) + (after[digest][name] != value)
    return {name: count for name, count in counted.items() if count}


def sent(tool: str, source: Path, end: str) -> dict[str, Any]:
    """Send a file through a tool and return what was lost of it, or how the tool failed."""
    python = sys.executable if tool == "duckdb" else str(python_of(tool))
    target = source.with_name(f"{tool}-{source.suffix[1:]}.{end}")
    command = [python, "-c", HEAD + TOOLS[tool], str(source), str(target)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    row = {"tool": tool, "from": source.suffix[1:], "to": end}
    if done.returncode:
        return {**row, "failed": done.stderr.splitlines()[-1]}
    before = records(source)
    return {**row, "records": len(before), "lost": lost(before, records(target))}


def main() -> None:
    """Run every tool on every format, print what was lost, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the result in bench/results")
    given = parser.parse_args()
    table = []
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as room:
        for source in write(Path(room)):
            for tool, ends in TARGETS.items():
                for end in ends:
                    table.append(sent(tool, source, end))
                    print(json.dumps(table[-1]), flush=True)
    if given.write:
        RESULT.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
