"""Check a built site: every link and part of a page is there, and nothing is asked of another host.

python docs/check_site.py site
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Elements that a browser loads by itself; a link of an <a> is followed by a person only.
LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src")}
STYLE = re.compile(r"url\(\s*[\"']?(https?:)?//|@import")


class Page(HTMLParser):
    """The addresses and the anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep every address, and every id."""
        for name, value in attrs:
            if name in ("src", "href") and value:
                self.found.append((tag, name, value))
            if name in ("id", "name") and value:
                self.anchors.add(value)


def faults(site: Path) -> list[str]:
    """Return what is wrong with the site, each with its page; empty for a good one."""
    pages = {path: Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
    found = [fault for path, page in pages.items() for fault in _of(path, page, pages)]
    styles = [path for path in sorted(site.rglob("*.css")) if STYLE.search(path.read_text("utf-8"))]
    return found + [f"{path.relative_to(site)}: asks another host" for path in styles]


def _of(path: Path, page: Page, pages: dict[Path, Page]) -> list[str]:
    wrong = []
    for tag, name, value in page.found:
        parts = urlsplit(value)
        if parts.scheme in ("data", "mailto", "javascript"):
            continue
        if parts.netloc or parts.scheme:
            # A canonical or similar link names an address and loads nothing, but the site has none to name.
            wrong += [f"{path.name}: <{tag}> asks {value}"] if (tag, name) in LOADED else []
            continue
        target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
        if path.name == "404.html" or parts.path.startswith("/"):
            continue  # the page for addresses that are not there is written for the root of a host
        if target.is_dir():
            target /= "index.html"
        if not target.exists():
            wrong.append(f"{path.name}: {value} leads nowhere")
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
            wrong.append(f"{path.name}: {value} has no such place")
    return wrong


if __name__ == "__main__":
    said = faults(Path(sys.argv[1]).resolve())
    sys.stdout.write("".join(f"{fault}\n" for fault in said))
    sys.exit(bool(said))
