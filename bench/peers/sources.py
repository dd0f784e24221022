"""Text that is on every machine: Python functions, manual pages, package documentation, and the shared records.

Each function yields texts in a stable order; what is drawn from them is `corpora`'s part.
"""

import ast
import gzip
import json
import re
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WORDS = re.compile(r"(\s+)")
BLANK = re.compile(r"\n\s*\n")
# A line of a manual page that begins with one of these is an instruction to the formatter.
ROFF = (".", "'")
ROFF_MARKS = re.compile(r"\\(?:f[A-Z]|[&,/^|])")
MANUALS = Path("/usr/share/man")
DOCUMENTS = Path("/usr/share/doc")
# Pieces of longer documents end at the first blank line after so many characters.
PIECE = 650
# A function longer than this is cut: generated tables are no prose.
LONGEST = 8_000


def code(_: Path) -> Iterator[str]:
    """Yield every function and method of the standard library and of this environment's packages."""
    library, packages = Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))
    own = [path for path in sorted(library.rglob("*.py")) if "site-packages" not in path.parts]
    for path in [*own, *sorted(packages.rglob("*.py"))]:
        yield from functions(read(path))


def functions(source: str) -> Iterator[str]:
    """Yield the top-level functions and methods of a module; none where it does not parse."""
    with warnings.catch_warnings(action="ignore"):
        try:
            module = ast.parse(source)
        except (SyntaxError, ValueError):
            return
    lines = source.splitlines()
    open_nodes: list[Any] = list(reversed(module.body))
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, ast.ClassDef):
            open_nodes += reversed(node.body)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield "\n".join(lines[node.lineno - 1 : node.end_lineno])[:LONGEST]


def manuals(_: Path) -> Iterator[str]:
    """Yield pieces of the manual pages, formatting taken out, and of the package documentation."""
    for path in sorted(MANUALS.rglob("*.gz")):
        if path.is_file() and not path.is_symlink():
            lines = (line for line in read(path).splitlines() if not line.startswith(ROFF) or not line[1:2].isupper())
            yield from pieces(ROFF_MARKS.sub("", "\n".join(lines)).replace("\\-", "-"))
    for path in sorted(DOCUMENTS.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield from pieces(read(path))


def pieces(text: str) -> Iterator[str]:
    """Cut a text at blank lines into pieces of about `PIECE` characters."""
    piece = ""
    for paragraph in BLANK.split(text):
        piece = f"{piece}\n\n{paragraph}" if piece else paragraph
        if len(piece) >= PIECE:
            yield piece[:LONGEST]
            piece = ""
    if piece:
        yield piece


def instructions(data: Path) -> Iterator[str]:
    """Yield instructions with their answers, those of one set only, so that no held-out question is among them."""
    for row in rows_of(data / "instruct" / "gsm8k_train.jsonl.gz"):
        yield f"{row['question']}\n{row['solution']}"
    for row in rows_of(data / "multigen" / "self_instruct_8systems.jsonl.gz"):
        yield f"{row['instruction']}\n{row['input']}\n{row['response']}"


def records(data: Path) -> Iterator[dict[str, str | None]]:
    """Yield prompt, response, origin and generator of every instruction record of the shared data, file by file."""
    for name, prompt, response, generator in INSTRUCTION_FILES:
        for row in rows_of(data / f"{name}.jsonl.gz"):
            by = row.get(generator)
            yield {
                "prompt": "\n".join(str(row[key]) for key in prompt if row.get(key)),
                "response": answer(row[response]),
                "origin": "real" if by in HUMANS else "synthetic",
                "generator": None if by in HUMANS else by,
            }


# What stands for a human author; None where a file has no generators because people wrote all of it.
HUMANS = (None, "human")
INSTRUCTION_FILES = (
    ("instruct/gsm8k_train", ("question",), "solution", ""),
    ("instruct/nq_open_dev", ("question",), "answers", ""),
    ("instruct/oasst_subset", ("prompt",), "response", ""),
    ("instruct/seed_tasks", ("instruction", "input"), "output", ""),
    ("multigen/pandalm_human_pairs", ("instruction", "input"), "response_1", "generator_1"),
    ("multigen/pandalm_human_pairs", ("instruction", "input"), "response_2", "generator_2"),
    ("multigen/qa_eval_nq", ("question",), "answer", "generator"),
    ("multigen/self_instruct_8systems", ("instruction", "input"), "response", "generator"),
    ("verify/gsm8k_solutions_6systems", ("question",), "solution", "generator"),
    ("verify/humanevalpack_python", ("instruction",), "solution", ""),
    ("verify/ifeval_en_17models", ("prompt",), "response", "generator"),
    ("verify/mbpp_ref_and_mutants", ("text",), "solution", ""),
    ("parallel/pydocs_en_fr", ("source",), "target", ""),
)


def answer(value: Any) -> str:
    """Return a response as text; of several accepted ones the first."""
    return str(value[0] if isinstance(value, list) else value)


def questions(data: Path) -> list[str]:
    """Return the 1,319 test questions of GSM8K, each once: the held-out set of the decontamination."""
    rows = rows_of(data / "verify" / "gsm8k_solutions_6systems.jsonl.gz")
    return list(dict.fromkeys(row["question"] for row in rows))


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of one gzip-compressed file of JSON Lines."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def read(path: Path) -> str:
    """Return the text of a file, packed or not; nothing where it is no UTF-8 text."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text = data.decode()
    except (OSError, EOFError, ValueError):
        return ""
    return "" if "\0" in text else text
