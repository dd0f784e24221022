"""A program of one's own as the lab's model: files in, files out, no shell.

`command:PROGRAM ARGUMENTS` is split as a shell would and run three times a generation, with these added:

    fit --train FILE [--train FILE ...] --model DIR --seed N        the stages in order; leaves its model in DIR
    sample --model DIR --count N --words N --out FILE --seed N --temperature T --top-p P
    nll --model DIR --text FILE --out FILE

Texts are JSON lines {"text": ...}; `sample` writes at least N of them with the given number of words each, `nll`
one JSON line {"nats": ...} per text in order: the nats of the whole text. Anything but exit code 0 stops the run.
"""

import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from weakref import finalize

import numpy as np
import orjson
from numpy.typing import NDArray

from holdfast.core.errors import InputError, StoppedError, UsageError
from holdfast.core.rundir import write_bytes
from holdfast.lab.documents import Documents, Text
from holdfast.models.ngram_sample import Decoding

# The last of what a failed program said, in characters.
SAID = 600
# Nats per word beyond which a perplexity is no number any more (the exponential of 709 is the largest float).
MOST_NATS = 300.0


@dataclass(frozen=True, slots=True)
class Program:
    """The words that start the program."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, line: str) -> "Program":
        """Split a command line. Raises UsageError where a shell would not understand it."""
        try:
            words = tuple(shlex.split(line))
        except ValueError as error:
            raise UsageError(f"{line!r} is no command: {error}.", "Write it as for a shell.") from error
        if not words:
            raise UsageError("command: names no program.", "Write command:./train.py or similar.")
        return cls(words)

    def run(self, *more: str | Path | float) -> None:
        """Run it. Raises UsageError when there is no such program, StoppedError when it fails."""
        try:
            done = subprocess.run([*self.words, *map(str, more)], capture_output=True, text=True, check=False)  # noqa: S603  # the user's own program, no shell
        except OSError as error:
            raise UsageError(f"{self.words[0]} cannot be started: {error.strerror}.", "Give its path.") from error
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-SAID:]
            what = f"{shlex.join(self.words)} {more[0]} ended with {done.returncode}: {said or 'it said nothing'}"
            raise StoppedError(what, "Mend it and run the same command again: finished cells are kept.")


@dataclass(frozen=True, slots=True, weakref_slot=True)
class CommandModel:
    """What the program left in its folder; the folder goes when the model does."""

    program: Program
    text: Text
    folder: Path

    def sample(self, count: int, decoding: Decoding, seed: int) -> Documents:
        """Return `count` documents drawn by `seed`. Raises InputError for fewer."""
        out = self.folder / "sample.jsonl"
        length = self.text.length
        self.program.run(
            "sample", "--model", self.folder, "--count", count, "--words", length, "--out", out, "--seed", seed,
            "--temperature", decoding.temperature, "--top-p", decoding.top_p,
        )  # fmt: skip
        found = self.text.read(str(value) for value in values(out, "text"))
        if len(found) < count:
            raise InputError(f"sample wrote {len(found)} of {count} windows of {length} words.", "Write more text.")
        return found[:count]

    def nll(self, documents: Documents) -> NDArray[np.float64]:
        """Return nats per word for each document. Raises InputError when they are not as many."""
        folder = self.folder
        write_texts(folder / "text.jsonl", self.text.written(documents))
        self.program.run("nll", "--model", folder, "--text", folder / "text.jsonl", "--out", folder / "nll.jsonl")
        found = values(folder / "nll.jsonl", "nats")
        most = MOST_NATS * documents.shape[1]
        wrong = [one for one in found if type(one) not in (int, float) or not 0 <= one <= most]
        if wrong or len(found) != len(documents):
            such = f", one of them {wrong[0]!r:.40}" if wrong else ""
            what = f"nll wrote {len(found)} lines for {len(documents)} texts{such}."
            raise InputError(what, f"Write the nats of each text, 0 to {most:,.0f}, one a line.")
        return np.asarray(np.array(found, np.float64) / documents.shape[1])


def fit(program: Program, text: Text, stages: Sequence[Documents], seed: int) -> CommandModel:
    """Let the program train on the stages, each a file."""
    folder = Path(mkdtemp(prefix="holdfast-lab-"))
    model = CommandModel(program, text, folder)
    finalize(model, shutil.rmtree, folder, ignore_errors=True)
    paths = [folder / f"train{place}.jsonl" for place in range(len(stages))]
    for path, stage in zip(paths, stages, strict=True):
        write_texts(path, text.written(stage))
    flags = [part for path in paths for part in ("--train", path)]
    program.run("fit", *flags, "--model", folder, "--seed", seed)
    return model


def write_texts(path: Path, texts: Sequence[str]) -> None:
    """Write texts as JSON lines."""
    write_bytes(path, b"".join(orjson.dumps({"text": text}, option=orjson.OPT_APPEND_NEWLINE) for text in texts))


def values(path: Path, key: str) -> list[Any]:
    """Return one value per JSON line. Raises InputError where the file is not so."""
    try:
        return [orjson.loads(line)[key] for line in path.read_bytes().splitlines() if line.strip()]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(f"{path.name} does not hold lines with {key!r}: {error}.", "See docs/verbs/lab.md.") from error
