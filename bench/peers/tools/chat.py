"""What the clients of the chat endpoint share: what they are asked, and where their rows go."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MODEL = "made-up"
# How often everybody may try one request where it can be said; the default of ours.
ATTEMPTS = 5
# No client is to slow itself down by a limit that this endpoint does not have: per minute.
UNLIMITED = 10_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """The prompts with their numbers, the folder for files, the base URL, and how many requests may be in flight."""

    prompts: list[tuple[int, str]]
    folder: Path
    url: str
    flying: int


def asked() -> Asked:
    """Return what the command line asks: FILE of prompts, FOLDER, number in flight, number of prompts, base URL."""
    path, folder, flying, count, url = sys.argv[1:6]
    with Path(path).open(encoding="utf-8") as lines:
        rows = [json.loads(line) for _, line in zip(range(int(count)), lines, strict=False)]
    return Asked([(row["id"], row["prompt"]) for row in rows], Path(folder), url, int(flying))


def answered(folder: Path, rows: Iterable[tuple[int, str | None]]) -> None:
    """Write (number, answer) for the judge, who counts what is missing."""
    with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
        for number, answer in rows:
            file.write(json.dumps({"id": number, "answer": answer}) + "\n")
