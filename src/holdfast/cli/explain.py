"""Explain a rule: what it is, why it matters, when it fires, what to do, and where it comes from."""

from dataclasses import dataclass
from typing import Annotated

import typer

from holdfast.cli import screen
from holdfast.cli.options import Json
from holdfast.workflows.explain import explain, summary


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast explain`."""

    rule: Annotated[
        str | None, typer.Argument(metavar="RULE", help="The slug of a rule; without it all rules are listed.")
    ] = None
    json: Json = False


def run(given: Options) -> int:
    """Print the page of a rule, or the list of all rules."""
    text = explain(given.rule, as_json=given.json) if given.rule else summary(as_json=given.json)
    # The page is Markdown; on a screen its marks for bold are in the way.
    screen.result(text if given.json else text.replace("**", ""))
    return 0
