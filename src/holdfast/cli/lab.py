"""Train generations of models on your text and see what a share of synthetic data does to it.

Without FILES: a text that comes with the package, a small model, under a minute, no key and no GPU.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from holdfast.cli import screen
from holdfast.cli.options import Json, Out
from holdfast.core.errors import UsageError
from holdfast.lab.design import ARMS, DEFAULT_ARMS, DEFAULT_DOSES, LabOptions
from holdfast.lab.experiment import PAGE, RESULTS, run_lab
from holdfast.lab.laws import table, verify
from holdfast.models.ngram_sample import Decoding
from holdfast.report.lab_page import headline, sentences, table_lines


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast lab`."""

    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILES", help="Real text in any format; without it the shipped text.")
    ] = None
    out: Out = Path("lab")
    backend: Annotated[
        str,
        typer.Option(metavar="NAME", help="ngram, transformer, causal:FOLDER or command:PROGRAM (docs/verbs/lab.md)."),
    ] = "ngram"
    device: Annotated[str, typer.Option(metavar="NAME", help="Where torch trains: cpu, cuda.")] = "cpu"
    arms: Annotated[str, typer.Option(metavar="NAMES", help=f"Comma-separated: {', '.join(ARMS)}.")] = ",".join(
        DEFAULT_ARMS
    )
    doses: Annotated[str, typer.Option(metavar="SHARES", help="Synthetic shares, comma-separated, as 0.1,0.5.")] = (
        ",".join(f"{dose:g}" for dose in DEFAULT_DOSES)
    )
    generations: Annotated[int, typer.Option(min=1, metavar="N", help="Generations after the first model.")] = 10
    seeds: Annotated[int, typer.Option(min=1, metavar="N", help="Repeats; intervals are over them.")] = 5
    loss: Annotated[
        float, typer.Option(metavar="SHARE", help="Rise of perplexity on real text that is still accepted.")
    ] = 0.1
    temperature: Annotated[float, typer.Option(metavar="T", help="Of drawing text.")] = 1.0
    top_p: Annotated[float, typer.Option(metavar="P", help="Mass of the nucleus that text is drawn from.")] = 1.0
    best_of: Annotated[int, typer.Option(metavar="N", help="Documents drawn for each that is kept.")] = 1
    documents: Annotated[int, typer.Option(min=200, metavar="N", help="Documents of the text used, at most.")] = 2500
    length: Annotated[int, typer.Option(min=2, metavar="N", help="Tokens of a document.")] = 50
    verify_laws: Annotated[
        bool, typer.Option("--verify-laws", help="Check the published laws of collapse instead; exit 1 if one fails.")
    ] = False
    json: Json = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False


def run(given: Options) -> int:
    """Run the experiment and say what came out of it, or check the laws."""
    if given.verify_laws:
        return _laws(given)
    with screen.progress(quiet=given.quiet) as progress:
        options = LabOptions(
            backend=given.backend,
            device=given.device,
            arms=_names(given.arms),
            doses=_shares(given.doses),
            generations=given.generations,
            seeds=given.seeds,
            decoding=Decoding(given.temperature, given.top_p, given.best_of),
            loss=given.loss,
            length=given.length,
            most=given.documents,
            progress=progress,
        )
        result = run_lab(given.files or (), out=given.out, options=options)
    if given.json:
        screen.result(orjson.dumps(result, option=orjson.OPT_INDENT_2).decode())
        return 0
    screen.result(headline(result))
    for line in sentences(result):
        screen.result(line)
    for line in _table(("arm", "loss", "95% interval", "net value", "over time"), table_lines(result)):
        screen.result(line)
    screen.result(f"files in {given.out}: {RESULTS}, {PAGE}")
    return 0


def _laws(given: Options) -> int:
    with screen.progress(quiet=given.quiet) as progress:
        laws = verify(progress=progress)
    failed = [law for law in laws if not law.ok]
    if given.json:
        found = {"version": 1, "ok": not failed, "laws": [law.to_dict() for law in laws]}
        screen.result(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return 1 if failed else 0
    for line in table(laws):
        screen.result(line)
    screen.result(f"{len(laws) - len(failed)} of {len(laws)} laws hold")
    return 1 if failed else 0


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(sorted({float(part) for part in text.split(",") if part.strip()}))
    except ValueError:
        raise UsageError(f"--doses {text!r} are not numbers.", "For example --doses 0.1,0.3,0.5.") from None


def _table(header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    """Return rows as aligned columns."""
    every = [header, *rows]
    widths = [max(len(row[place]) for row in every) for place in range(len(header))]
    aligned = [
        "  ".join(cell.ljust(width) if place in (0, 4) else cell.rjust(width) for place, (cell, width) in
                  enumerate(zip(row, widths, strict=True)))
        for row in every
    ]  # fmt: skip
    return [line.rstrip() for line in aligned]
