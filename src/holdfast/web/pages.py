"""What the pages of all servers share: templates that escape by themselves, and texts as they may be looked at."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from jinja2 import Environment, FunctionLoader, StrictUndefined

from holdfast.report import numbers
from holdfast.report.shown import one_line, visible
from holdfast.web.security import Reply

# Letters of one text that a page shows; a browser gets slow far above it, and nobody reads on.
MOST_SHOWN = 100_000
# A line that begins as programs do, or a fence: the text is set in letters of one width.
CODE = re.compile(r"^(```|def |class |import |from \w+ import |#include|function |SELECT |public )", re.MULTILINE)


def page(template: str, status: int = 200, /, cookies: Mapping[str, str] | None = None, **values: Any) -> Reply:
    """Return a template as a reply."""
    return Reply(_environment().get_template(template).render(**values), status, cookies=cookies or {})


def part(name: str) -> str:
    """The text of a file of the template folder; names come from our own tables only."""
    return files("holdfast.web").joinpath("templates", name).read_text(encoding="utf-8")


def shown(text: Any) -> str:
    """Return a text as it may be looked at: invisible and steering characters named, at most MOST_SHOWN letters."""
    words = str(text)
    cut = len(words) - MOST_SHOWN
    more = f"\n... {cut:,} more letters are not shown" if cut > 0 else ""
    return visible(words[:MOST_SHOWN].replace("\r\n", "\n")) + more


def flat(value: Any) -> str:
    """A value of any kind on one line; a cell, which is JSON, as its values."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return str(value)
    if value is None or value in ({}, []):
        return "\u2013"
    match value:
        case dict():
            return ", ".join(f"{name} {inner}" for name, inner in value.items())
        case list():
            return ", ".join(map(str, value))
    return str(value)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(part), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        shown=shown,
        code=lambda text: bool(CODE.search(text[:MOST_SHOWN])),
        line=lambda text, width=120: one_line(str(text), width),
        count=lambda amount: "" if amount is None else numbers.count(amount),
        value=numbers.value,
        interval=numbers.interval,
        cell=flat,
    )
    return environment
