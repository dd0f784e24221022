"""Write docs/rules.md from the pages of the rules (their docstrings), so that the two cannot differ.

python docs/generate_rules.py
"""

from pathlib import Path

from holdfast.rules import catalogue

PAGE = Path(__file__).with_name("rules.md")
HEAD = """# Rules

Every rule that `holdfast audit` asks, in the order in which a report speaks. `holdfast explain SLUG` prints the same
page in the terminal. Made by `docs/generate_rules.py` from the rules themselves.

"""


def rules() -> str:
    """Return the whole page: a table of all rules, then each rule's own page."""
    rows = [f"| [{slug}](#{slug}) | {catalogue.module(slug).SEVERITY} |" for slug in catalogue.SLUGS]
    table = "\n".join(["| rule | severity |", "|---|---|", *rows])
    return f"{HEAD}{table}\n\n" + "\n".join(f"#{catalogue.page(slug)}" for slug in catalogue.SLUGS)


if __name__ == "__main__":
    PAGE.write_text(rules(), "utf-8")
