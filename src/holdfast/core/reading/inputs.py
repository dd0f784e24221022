"""Which files are meant: paths, globs and folders into files, and the format of each, found by content.

A folder is a Hugging Face `datasets` folder (save_to_disk), or holds data files. Of several splits only the
training split is read, and a note says so.
"""

import glob
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from holdfast.core.errors import InputError
from holdfast.core.objects import local, named
from holdfast.core.reading.delimited import delimiter_of
from holdfast.core.reading.jsonlines import BOM
from holdfast.core.reading.sources import head_of, kind_of, open_source, refuse_foreign

Format = Literal[
    "jsonl", "json", "objects", "csv", "text", "parquet", "arrow", "arrow-stream", "utf-16", "utf-32", "empty"
]

DATA_SUFFIXES = (".jsonl", ".ndjson", ".json", ".parquet", ".arrow", ".feather", ".csv", ".tsv", ".txt", ".gz", ".zst")
SIDE_FILES = ("state.json", "dataset_info.json", "dataset_dict.json", "metadata.json", "builder_config.json")
OTHER_SPLIT = re.compile(r"(^|[^a-z])(test|validation|valid|val|dev|eval)([^a-z]|$)")
TRAIN = re.compile(r"(^|[^a-z])train([^a-z]|$)")


@dataclass(frozen=True, slots=True)
class Found:
    """One file to read: the name it goes by, its format, the delimiter of a CSV, and what was decided about it."""

    path: Path
    name: str
    format: Format
    codec: str = "plain"
    delimiter: str = ","
    note: str = ""

    @property
    def label(self) -> str:
        """The format as it is shown: 'jsonl', 'jsonl.gz', 'tsv', 'parquet' ..."""
        base = {"arrow-stream": "arrow", "objects": "json"}.get(self.format, self.format)
        base = "tsv" if base == "csv" and self.delimiter == "\t" else base
        return base + {"gzip": ".gz", "zstd": ".zst"}.get(self.codec, "")


def find_inputs(paths: Sequence[str | Path]) -> list[Found]:
    """Return the files behind paths, globs and folders, in the order given.

    Raises `InputError` naming the first that is not there or holds nothing that can be read.
    """
    files: list[tuple[Path, str]] = []
    for path in paths:
        files += _expand(str(path))
    if not files:
        raise InputError("No input was given.", "Name one or more files, globs or folders.")
    paths_only = [path for path, _ in files]
    names = [path.name for path in paths_only]
    return [_look(path, note, path.name if names.count(path.name) == 1 else named(path)) for path, note in files]


def _expand(given: str) -> list[tuple[Path, str]]:
    path = local(given)
    if path.is_dir():
        return _folder(path)
    if path.exists():
        return [(path, "")]
    matches = sorted(glob.glob(given, recursive=True))  # noqa: PTH207 Path.glob refuses absolute patterns
    if not matches:
        raise InputError(f"{given}: there is no such file, and it matches none as a pattern.", "Check the path.")
    return [pair for match in matches for pair in _expand(match)]


def _folder(path: Path) -> list[tuple[Path, str]]:
    splits = _json(path / "dataset_dict.json").get("splits")
    if isinstance(splits, list) and splits:
        chosen = "train" if "train" in splits else str(splits[0])
        if Path(chosen).name != chosen:
            raise InputError(f"{path}/dataset_dict.json names the split {chosen!r}.", "A split is a folder name.")
        return [(file, f"only the split {chosen!r} of {splits} was read") for file, _ in _folder(path / chosen)]
    named = _json(path / "state.json").get("_data_files")
    if isinstance(named, list):
        names = [str(entry.get("filename")) for entry in named if isinstance(entry, dict)]
        return [(path / Path(name).name, "") for name in names]
    return _data_files(path)


def _data_files(path: Path) -> list[tuple[Path, str]]:
    files = [
        file
        for file in sorted(path.rglob("*"))
        if file.is_file()
        and file.name.lower().endswith(DATA_SUFFIXES)
        and file.name not in SIDE_FILES
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    if not files:
        raise InputError(f"{path}: the folder holds no data file.", f"Known endings: {', '.join(DATA_SUFFIXES)}.")
    short = {file: str(file.relative_to(path)).lower() for file in files}
    train = [file for file in files if TRAIN.search(short[file])]
    if train and any(OTHER_SPLIT.search(name) for name in short.values()):
        return [(file, f"only the train files of {path} were read") for file in train]
    return [(file, "") for file in files]


def _json(path: Path) -> dict[str, object]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _look(path: Path, note: str, name: str) -> Found:
    with open_source(path) as source:
        codec = source.codec
    head = head_of(path)
    kind = kind_of(head)
    if not head:
        return Found(path, name, "empty", codec, note=note)
    if kind != "text":
        if kind in ("gzip", "zstd"):
            raise InputError(f"{path} is compressed twice.", "Unpack it once.")
        if codec != "plain" and kind in ("parquet", "arrow", "arrow-stream"):
            raise InputError(f"{path} is {kind} inside {codec}.", "Unpack it; the format compresses by itself.")
        return Found(path, name, kind, codec, note=note)  # type: ignore[arg-type]
    refuse_foreign(path, head)
    form, delimiter = _text_format(path, head.removeprefix(BOM))
    return Found(path, name, form, codec, delimiter, note)


def _text_format(path: Path, head: bytes) -> tuple[Format, str]:
    """Return the format of text: by its first character, and by the file's ending where that says nothing."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    start = head.lstrip()[:1]
    first = head.lstrip().split(b"\n", 1)[0].rstrip()
    if start == b"[" and not {".csv", ".tsv", ".txt", ".jsonl", ".ndjson"} & set(suffixes):
        return "json", ","
    if start == b"[" and _holds_objects(head):
        return "json", ","
    if start == b"{" and not {".jsonl", ".ndjson"} & set(suffixes) and not _whole(first, head):
        return "objects", ","
    if start == b"{" or {".jsonl", ".ndjson", ".json"} & set(suffixes):
        return "jsonl", ","
    if {".txt", ".text", ".md"} & set(suffixes):
        return "text", ","
    delimiter = delimiter_of(head, tab=".tsv" in suffixes)
    if {".csv", ".tsv"} & set(suffixes) or delimiter:
        return "csv", delimiter or ("\t" if ".tsv" in suffixes else ",")
    return "text", ","


def _holds_objects(head: bytes) -> bool:
    return head.lstrip()[1:].lstrip()[:1] == b"{"


def _whole(first: bytes, head: bytes) -> bool:
    """True when the first line looks like a whole object, or is too long to tell."""
    return first.endswith(b"}") or b"\n" not in head.strip() or len(first) > len(head) // 2
