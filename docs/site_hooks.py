"""What the site needs beyond the pages: a link to a file of the repository outside docs/ becomes its name.

The same pages are read in the repository, where such a link leads somewhere; on the site it would be dead.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Any

DOCS = Path(__file__).parent
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#:\s]+)(#[^)]*)?\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return the page with links that leave docs/ written as plain names."""
    folder = DOCS / PurePosixPath(page.file.src_uri).parent

    def plain(found: re.Match[str]) -> str:
        words, target = found[1], (folder / found[2]).resolve()
        if target.is_relative_to(DOCS) and target.suffix not in (".py", ""):
            return found[0]
        name = target.relative_to(DOCS.parent).as_posix() if target.is_relative_to(DOCS.parent) else found[2]
        return words if words.strip("`") == name else f"{words} (`{name}`)"

    return LINK.sub(plain, markdown)
