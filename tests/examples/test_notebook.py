"""The notebook runs from top to bottom, without a kernel: its cells are code like any other."""

import ast
import json
from typing import Any

from tests.contracts.source import ROOT

NOTEBOOK = ROOT / "examples" / "notebook" / "audit.ipynb"


def run(cells: list[str]) -> list[Any]:
    """Run the cells one after the other; return the value of each cell's last expression, None where it is none."""
    known: dict[str, Any] = {}
    shown = []
    for source in cells:
        tree = ast.parse(source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), known)
        shown.append(eval(compile(ast.Expression(last.value), "cell", "eval"), known) if last is not None else None)
    return shown


def test_every_cell_runs_and_shows_what_the_text_says() -> None:
    """The report shows itself as a page in a frame without scripts, the table has intervals, the share is 0.85."""
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    assert (4, []) == (notebook["nbformat"], [cell for cell in notebook["cells"] if cell.get("outputs")])
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    _, report, numbers, share, _ = run(cells)
    page = report._repr_html_()
    assert (True, False, True) == (page.startswith("<iframe sandbox "), "<script" in page, "Does not pass" in page)
    assert ["name", "value", "low", "high", "n", "verdict"] == numbers.column_names
    assert 6 == numbers.num_rows
    assert 0.85 == share
