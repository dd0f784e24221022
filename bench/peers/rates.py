"""The tables of a contest of clients: one for each setting of the endpoint."""

from typing import Any

from bench.page import markdown

HEAD = [
    "",
    "prompts",
    "answers/s",
    "share of ideal",
    "answers/s, whole process",
    "us CPU per answer",
    "us CPU, whole process",
    "peak MiB",
    "most in flight",
    "calls per answer",
    "rows lost",
]


def settings(rows: list[dict[str, Any]]) -> str:
    """Return a table for each setting that the rows' keys end with, in their order."""
    names = dict.fromkeys(row["key"].rpartition("-")[2] for row in rows)
    return "\n\n".join(table(name, [row for row in rows if row["key"].endswith(f"-{name}")]) for name in names)


def table(name: str, rows: list[dict[str, Any]]) -> str:
    """Return the table of one setting below a line that says what it is."""
    told = next((row["answer"] for row in rows if "setting" in row["answer"]), None)
    said = f": {told['setting']}; ideal {told['ideal']:,.0f} answers/s" if told else ""
    return f"**{name}**{said}\n\n" + markdown([HEAD, *(shown(row, name) for row in rows)])


def shown(row: dict[str, Any], name: str) -> list[str]:
    """Return the cells of one client."""
    label, answer = row["label"].removesuffix(f", {name}"), row["answer"]
    if row["ended"] != "exit 0":
        return [label, f"{row['documents']:,}", f"failed: {row['ended']}", *[""] * (len(HEAD) - 3)]
    return [
        label,
        f"{row['documents']:,}",
        f"{answer['per_second']:,.0f}",
        f"{100 * answer['share']:.1f} %",
        f"{answer['per_second_whole']:,.0f}",
        f"{answer['us_cpu']:,}",
        f"{answer['us_cpu_whole']:,}",
        f"{row['peak_mebibytes']:,}",
        f"{answer['most_in_flight']:,}",
        f"{answer['calls']:.3f}",
        f"{answer['lost'] + answer['mixed']:,}",
    ]
