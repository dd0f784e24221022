"""Write what the documentation repeats from the code, so that the two cannot differ.

The options of each verb go between the marks of docs/verbs/*.md; the JSON Schema of holdfast.yaml becomes
docs/holdfast.schema.json. The sentences around them are written by hand.

python docs/generate_reference.py
"""

import json
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_type_hints

from holdfast.cli.app import VERBS
from holdfast.core.settings import schema

DOCS = Path(__file__).parent
SCHEMA = DOCS / "holdfast.schema.json"
MARKED = re.compile(r"(?<=<!-- options -->\n\n).*?(?=\n<!-- end -->)", re.DOTALL)


def page(verb: str) -> Path:
    """Return where the page of a verb lies."""
    return DOCS / "verbs" / f"{verb}.md"


def options(verb: str) -> str:
    """Return the options of a verb as a table: name, what it means, default."""
    given = import_module(f"holdfast.cli.{verb.replace('-', '_')}").Options
    hints = get_type_hints(given, include_extras=True)
    rows = [_row(each.name, hints[each.name], each.default) for each in fields(given)]
    return "\n".join(["| option | meaning | default |", "|---|---|---|", *rows, ""])


def _row(name: str, hint: Any, default: Any) -> str:
    kind, *metadata = get_args(hint) if hasattr(hint, "__metadata__") else (hint,)
    info = metadata[0] if metadata else None
    shown = ", ".join(f"`{each}`" for each in _names(name, info))
    meaning = " ".join([info.help if info else "", *_choices(kind), *_repeats(kind, info)]).strip()
    return f"| {shown} | {meaning} | {_default(default)} |"


def _names(name: str, info: Any) -> list[str]:
    if type(info).__name__ == "ArgumentInfo":
        return [info.metavar]
    # Beside a default of the dataclass, typer keeps the first spelling of an option where its default would stand.
    written = [each for each in (info.default, *(info.param_decls or ())) if str(each).startswith("-")] if info else []
    names = written or [f"--{name.replace('_', '-')}"]
    return [f"{each} {info.metavar}" if info and info.metavar else each for each in names]


def _choices(kind: Any) -> Iterator[str]:
    for each in (kind, *get_args(kind)):
        if isinstance(each, type) and issubclass(each, StrEnum):
            yield f"One of {', '.join(each)}."


def _repeats(kind: Any, info: Any) -> Iterator[str]:
    if "list[" in str(kind) and type(info).__name__ == "OptionInfo" and "Repeatable" not in info.help:
        yield "Repeatable."


def _default(value: Any) -> str:
    if value is MISSING:
        return "required"
    return "" if value is None or value is False or value == "" else f"`{value}`"


def with_options(verb: str, text: str) -> str:
    """Return the page of a verb with its options between the marks."""
    return MARKED.sub(lambda _: options(verb), text)


def settings_schema() -> str:
    """Return the JSON Schema of holdfast.yaml as the file holds it."""
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema()}, indent=2) + "\n"


if __name__ == "__main__":
    for verb in VERBS:
        page(verb).write_text(with_options(verb, page(verb).read_text("utf-8")), "utf-8")
    SCHEMA.write_text(settings_schema(), "utf-8")
