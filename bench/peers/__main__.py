"""Holdfast and its peers in one run on the same input.

    python -m bench.peers [OPERATION...] [--scale small|full]

Makes the environments and the corpora where they are missing, runs ours and theirs in turn, writes
bench/results/peers.json and puts the tables into docs/performance.md. `small` runs everything on 12,000 documents to
see that it works and keeps nothing.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict
from typing import Any

from bench.peers import audit, decontamination, distinct, embedding, exact, generation, kernel, near, pairs, selfbleu
from bench.peers.contest import ROOT, Row, hold, machine
from bench.peers.corpora import corpus
from bench.peers.environments import PEERS, installed, versions
from bench.peers.page import fill, tables

PARTS = (exact, near, embedding, pairs, decontamination, distinct, kernel, selfbleu, audit, generation)
OPERATIONS = {each.OPERATION.name: each.OPERATION for each in PARTS}
RESULT = ROOT / "bench" / "results" / "peers.json"
EMPTY: dict[str, Any] = {"operations": {}, "corpora": {}}
PAGE = ROOT / "docs" / "performance.md"


def main() -> None:
    """Run the operations named, all without a name, and keep what they gave."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("operations", nargs="*", choices=[*OPERATIONS, []], help="which; all where none is named")
    parser.add_argument("--scale", choices=("small", "full"), default="full")
    parser.add_argument("--page", action="store_true", help="run nothing; put the known result into the page")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    if arguments.page:
        keep(known())
        return
    for name in arguments.operations or OPERATIONS:
        found = hold(OPERATIONS[name], arguments.scale, tell)
        corpora = {each: asdict(corpus(each)) for each in sorted({row["corpus"] for row in found["rows"]})}
        print(f"\n{tables(found, corpora)}\n", flush=True)
        if arguments.scale == "full":
            # Read anew, because another run may have ended meanwhile.
            result = known()
            result["machine"] = machine()
            # What an operation does not need is perhaps not installed now; its figures stay, and so does its version.
            known_versions = result.get("versions", {}) | {peer: versions(peer) for peer in PEERS if installed(peer)}
            result["versions"] = {peer: known_versions[peer] for peer in PEERS if peer in known_versions}
            result["operations"][name] = found
            result["corpora"].update(corpora)
            keep(result)


def known() -> dict[str, Any]:
    """Return the result of earlier runs, whose other operations stay."""
    found: dict[str, Any] = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else EMPTY
    return found


def keep(result: dict[str, Any]) -> None:
    """Write the result and the tables made from it."""
    result["operations"] = {name: result["operations"][name] for name in OPERATIONS if name in result["operations"]}
    RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    if PAGE.exists():
        PAGE.write_text(fill(PAGE.read_text("utf-8"), result), "utf-8")


def tell(row: Row) -> None:
    """Say on stderr what a contestant took."""
    print(f"{row.key:>14} {row.ended}: {row.cpu_seconds:8.2f} CPU s, {row.answer}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
