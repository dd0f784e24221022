"""Apertium, a rule-based translator, as a local process kept warm (Debian: apertium and a package per language pair).

Its stages are started once per direction, without a shell, and speak the null-flush protocol: text, NUL, translation,
NUL. A direction that no package serves goes over one language between (French to English over Catalan). What takes
longer than its limit is killed and None. It translates word by word rules, so that its English is understood, not
read with pleasure (Forcada et al. 2011, "Apertium: a free/open-source platform for rule-based machine translation").
"""

import atexit
import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from shutil import which
from time import monotonic
from typing import IO

from holdfast.core.errors import MachineError, UsageError

MODES = Path("/usr/share/apertium/modes")
# Longer texts are cut: a paragraph tells as much about agreement as a chapter.
LONGEST = 4_000
# A paragraph takes some 10 ms; a thousand times that is a process that hangs.
LIMIT = 10.0
# Apertium's packages name languages by ISO 639-3, the older ones by 639-1.
CODES = {
    "en": "eng", "es": "spa", "fr": "fra", "ca": "cat", "it": "ita", "pt": "por", "gl": "glg", "oc": "oci", "ro": "ron",
    "ru": "rus", "uk": "ukr", "sv": "swe", "da": "dan", "nn": "nno", "nb": "nob", "af": "afr", "nl": "nld", "de": "deu",
}  # fmt: skip
_SHORT = {long: short for short, long in CODES.items()}
_SPECIAL = re.compile(r"([\[\]{}^$/\\@<>])")
_END = b".[][\n]\0"


@dataclass(slots=True)
class Direction:
    """One warm chain of processes from one language to another."""

    processes: list[subprocess.Popen[bytes]]

    @classmethod
    def start(cls, mode: Path) -> "Direction":
        """Start every stage of a mode file; the file is a pipe line of words and quoted paths, read, never run."""
        processes: list[subprocess.Popen[bytes]] = []
        given: int | IO[bytes] | None = subprocess.PIPE
        for stage in stages(mode.read_text(encoding="utf-8")):
            process = subprocess.Popen(  # noqa: S603  # a program of the installed package, no shell
                stage, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            if processes and processes[-1].stdout is not None:
                processes[-1].stdout.close()
            processes.append(process)
            given = process.stdout
        return cls(processes)

    def translate(self, text: str) -> str | None:
        """Return the translation of one text; None when the processes are gone or too slow, and then they are ended."""
        first, last = self.processes[0].stdin, self.processes[-1].stdout
        if first is None or last is None:
            return None
        try:
            first.write(_SPECIAL.sub(r"\\\1", text).encode("utf-8", "replace") + _END)
            first.flush()
        except BrokenPipeError:
            return None
        answer, deadline = b"", monotonic() + LIMIT
        while not answer.endswith(b"\0"):
            if not select([last], [], [], max(0.0, deadline - monotonic()))[0]:
                return None
            data = os.read(last.fileno(), 1 << 16)
            if not data:
                return None
            answer += data
        # Of a stage that died, what still comes is empty.
        return _plain(answer.decode("utf-8", "replace")) or None

    def end(self) -> None:
        """Kill every stage and wait for it."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None and not pipe.closed:
                    _shut(pipe)


@dataclass(slots=True)
class Apertium:
    """Translates lists of texts; the processes of a direction start with its first text and end with the program."""

    modes: Path = MODES
    running: dict[str, Direction] = field(default_factory=dict)

    def __post_init__(self) -> None:
        atexit.register(self.close)

    def __call__(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        """Translate texts. Raises `MachineError` without Apertium, `UsageError` for a pair that no package serves."""
        route = self.route(source, target)
        results: list[str | None] = list(texts)
        for name in route:
            results = [None if text is None else self._one(name, text) for text in results]
        return results

    def route(self, source: str, target: str) -> list[str]:
        """Return the modes to go through: one, or two over a language between."""
        if which("apertium") is None:
            raise MachineError("Apertium is not installed.", "apt install apertium apertium-eng-spa (or another pair)")
        modes = _directions(self.modes)
        if (source, target) in modes:
            return [modes[source, target]]
        between = [middle for start, middle in modes if start == source and (middle, target) in modes]
        if not between:
            known = ", ".join(sorted(f"{start}-{end}" for start, end in modes))
            raise UsageError(f"Apertium has no pair {source}-{target} here.", f"Known: {known}. Install a package.")
        return [modes[source, between[0]], modes[between[0], target]]

    def close(self) -> None:
        """End all processes; the next text starts them again."""
        while self.running:
            self.running.popitem()[1].end()

    def _one(self, name: str, text: str) -> str | None:
        if name not in self.running:
            self.running[name] = Direction.start(self.modes / f"{name}.mode")
        text = text[:LONGEST].replace("\0", " ")
        answer = self.running[name].translate(text) if text.strip() else text
        if answer is None:
            self.running.pop(name).end()
        return answer


def stages(mode: str) -> list[list[str]]:
    """Return the commands of a mode file with null flush, unknown words unmarked."""
    words = shlex.shlex(mode, posix=True, punctuation_chars="|")
    words.whitespace_split = True
    commands: list[list[str]] = [[]]
    for word in words:
        if word == "|":
            commands.append([])
        elif word != "$2":  # asks for ambiguity to be shown
            commands[-1].append("-n" if word == "$1" else word)
    return [[program, "-z", *rest] for program, *rest in commands]


def _directions(folder: Path) -> dict[tuple[str, str], str]:
    """Return the installed modes by their two languages, the first name where two packages have the same."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted(folder.glob("*.mode")):
        if pair := _pair(path.stem):
            found.setdefault(pair, path.stem)
    return found


def _pair(mode: str) -> tuple[str, str] | None:
    """Return the two languages of a mode in short codes; None for variants such as eng-cat_valencia."""
    parts = mode.split("-")
    if len(parts) != 2 or "_" in mode:
        return None
    return _SHORT.get(parts[0], parts[0]), _SHORT.get(parts[1], parts[1])


def _plain(answer: str) -> str:
    """Return the text of an answer without the mark that ended it and the escapes of the stream."""
    text = answer.rstrip("\0").removesuffix("[][\n]").removesuffix(".")
    return re.sub(r"\\(.)", r"\1", text).strip()


def _shut(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return  # closing flushes what a killed stage never read
