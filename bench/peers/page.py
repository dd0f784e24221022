"""The result as Markdown: one table per operation and what was promised, between the markers of docs/performance.md."""

import re
from collections.abc import Callable
from typing import Any

from bench.page import filled, markdown
from bench.peers import rates

NAMED = re.compile(r"<!-- measured: ([\w-]+) -->")
NOTHING = "Not measured yet."
# Load of the machine from which on its wall times are no figures to quote: ours and its peers keep two cores busy.
BUSY = 3.0
# The package that gives an environment its version, where the two are called differently.
PACKAGES = {"faiss": "faiss-cpu", "lm-eval": "lm_eval", "curator": "bespokelabs-curator"}
# What an answer is called in the table; other fields stay in the JSON.
ANSWERS = (
    "beyond",
    "flagged",
    "recall",
    "precision",
    "inside",
    "pair_precision",
    "value",
    "further",
    "seconds",
    "measurements",
    "cosine",
    "pairs",
    "removed",
    "off_exact",
    "off_peer",
    "differs",
)


def fill(page: str, result: dict[str, Any]) -> str:
    """Return the page with every measured part replaced by that of the result."""
    parts = dict.fromkeys(NAMED.findall(page), NOTHING)
    parts |= {name: tables(operation, result["corpora"]) for name, operation in result["operations"].items()}
    parts["about"] = about(result)
    return filled(page, parts)


def about(result: dict[str, Any]) -> str:
    """Return the machine, the versions compared, and how many of the promises are kept."""
    here, versions = result["machine"], result["versions"]
    targets = [target for operation in result["operations"].values() for target in operation["targets"]]
    kept = sum(target["reached"] for target in targets)
    named = ", ".join(f"{name} {versions[name].get(PACKAGES.get(name, name), '')}".strip() for name in versions)
    processor = f"{here['processor']}, {', '.join(here['abilities'])}"
    peers = f"Peers, and what they run on: {named}."
    machine = f"Measured on {here['cores']} cores ({processor}), Python {here['python']}."
    return f"{machine}\n\n{peers}\n\n{kept} of {len(targets)} promises are kept; each stands below its table."


def tables(operation: dict[str, Any], corpora: dict[str, Any]) -> str:
    """Return the tables of an operation and the table of what was promised for it."""
    read = sorted({row["corpus"] for row in operation["rows"]})
    corpus = ", ".join(f"`{name}` ({corpora[name]['digest']})" for name in read if name in corpora)
    shape = SHAPES[operation.get("shape", "documents")]
    parts = [shape(operation["rows"]), f"Input: {corpus}.{busy(operation)}"]
    if operation["targets"]:
        promised = [["promised", "wanted", "measured", "whole process", "reached"]]
        promised += [
            [one["what"], one["wanted"], number(one["measured"]), number(one.get("measured_whole_process")), said(one)]
            for one in operation["targets"]
        ]
        parts.append(markdown(promised))
    return "\n\n".join([*parts, *operation["notes"]])


def per_document(rows: list[dict[str, Any]]) -> str:
    """Return the table of contestants that work on documents; the first of ours is what ratios are taken to."""
    first = next(row for row in rows if row["key"].startswith("ours"))
    head = [
        "",
        "documents",
        "CPU s",
        "CPU s, whole process",
        "wall s",
        "peak MiB",
        "us CPU per document",
        "times ours",
        "answer",
    ]
    return markdown([head, *(shown(row, first) for row in rows)])


def busy(operation: dict[str, Any]) -> str:
    """Say how much else the machine did, where it did much: wall times then say little, CPU seconds somewhat less."""
    load = operation.get("load", 0.0)
    return f" {load} processes wanted a core meanwhile: read the wall times with care." if load >= BUSY else ""


def shown(row: dict[str, Any], first: dict[str, Any]) -> list[str]:
    """Return the cells of one row; `first` is ours, to which the ratio is taken."""
    if row["ended"] != "exit 0":
        return [row["label"], f"{row['documents']:,}", *[""] * 6, f"failed: {row['ended']}"]
    each, mine = (1e6 * one["cpu_seconds"] / one["documents"] for one in (row, first))
    answer = ", ".join(
        f"{name.replace('_', ' ')} {number(row['answer'][name])}" for name in ANSWERS if name in row["answer"]
    )
    return [
        row["label"],
        f"{row['documents']:,}",
        f"{row['cpu_seconds']:.2f}",
        f"{row['whole_cpu_seconds']:.2f}",
        f"{row['wall_seconds']:.2f}",
        f"{row['peak_mebibytes']:,}",
        f"{each:.1f}",
        f"{each / mine:.2f}" if mine else "",
        answer,
    ]


def said(target: dict[str, Any]) -> str:
    """Yes or no."""
    return "yes" if target["reached"] else "**no**"


def number(value: Any) -> str:
    """A number as a reader wants it; a dash where there is none."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6f}".rstrip("0").rstrip(".")


SHAPES: dict[str, Callable[[list[dict[str, Any]]], str]] = {"documents": per_document, "rates": rates.settings}
