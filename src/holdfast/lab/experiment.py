"""An experiment from a text to its answers: run it, write what it says, draw it.

Written to the folder: `results.json`, `lab.html` (pictures and tables in one file), `design.json` and `cells/`.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from holdfast.core.dataset import text_of
from holdfast.core.reader import read
from holdfast.core.rundir import only_writer, write_bytes, write_json
from holdfast.lab.answers import answers
from holdfast.lab.backend import find
from holdfast.lab.chain import run
from holdfast.lab.design import ARMS, LabOptions
from holdfast.lab.documents import SHIPPED_NAME, Text, shipped
from holdfast.report.lab_page import render

VERSION = 1
RESULTS, PAGE = "results.json", "lab.html"


def run_lab(files: Sequence[str | Path] = (), *, out: str | Path, options: LabOptions | None = None) -> dict[str, Any]:
    """Run generations of models on real text and return what became of them, as JSON-ready data.

    `files` are records in any format; without them the text that comes with the package. Afterwards `out` holds
    results.json, lab.html and the cells, from which the same call goes on or adds nothing. Raises UsageError for a text
    too small, arms a backend cannot tell apart or a folder of another experiment; StoppedError when a program fails.
    """
    given = options or LabOptions()
    folder = Path(out)
    text = Text(texts(files) if files else shipped(), given.length, given.most)
    backend = find(given.backend, text, given.device)
    with only_writer(folder):
        found = run(text, backend, given, folder)
        result = {
            "version": VERSION,
            "text": {
                "name": ", ".join(map(str, files)) or SHIPPED_NAME,
                "digest": text.digest,
                "tokens": text.tokens,
                "types": len(text.words),
                "documents": min(len(text.windows), given.most),
                "words_per_document": given.length,
            },
            "design": {**given.to_dict(), "loss": given.loss, "says": {arm: ARMS[arm] for arm in given.arms}},
            **answers(found, given),
        }
        write_json(folder / RESULTS, result)
        write_bytes(folder / PAGE, render(result).encode())
    return result


def texts(files: Sequence[str | Path]) -> list[str]:
    """Return the texts of all records: what is trained on, prompts included."""
    with TemporaryDirectory(prefix="holdfast-lab-") as spool:
        data = read(files, spool=Path(spool))
        return [text for table in data.tables() for text in text_of(table).to_pylist() if text]
