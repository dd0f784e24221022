"""Tables in Markdown, and their places on the pages: between `<!-- measured: NAME -->` and `<!-- end -->`."""

import re
from collections.abc import Mapping

PART = re.compile(r"(<!-- measured: ([^\n]+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def markdown(rows: list[list[str]]) -> str:
    """Return rows as a Markdown table; the first is its head."""
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def filled(page: str, parts: Mapping[str, str]) -> str:
    """Return the page with each measured part that `parts` names replaced by it; the others stay."""
    return PART.sub(lambda found: put(found, parts), page)


def put(found: re.Match[str], parts: Mapping[str, str]) -> str:
    """Return one measured part between its marks, new where `parts` has it."""
    begin, name, end = found.groups()
    return f"{begin}\n{parts[name]}\n\n{end}" if name in parts else found[0]
