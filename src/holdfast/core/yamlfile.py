"""A YAML file written by a person, read safely: its values, and on which line each of them stands."""

from pathlib import Path
from typing import Any

import yaml

from holdfast.core.errors import UsageError

# What is said of the settings of another version.
ONE_VERSION = "this Holdfast reads version 1 (write it and mend what is named then; CHANGELOG.md says what changed)"

# A settings file is written by a person: anything larger, or with more aliases, is a mistake or an attack.
LARGEST_FILE = 1_000_000
MOST_ALIASES = 100


def parse(path: Path) -> tuple[yaml.Node | None, dict[str, Any]]:
    """Return the nodes of a YAML file and its values. Any mistake is one `UsageError` with file, line and remedy."""
    text = _text(path)
    try:
        if sum(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)) > MOST_ALIASES:
            raise UsageError(f"{path} has more than {MOST_ALIASES} YAML aliases.", "Write the values out.")
        node = yaml.compose(text, yaml.SafeLoader)
        _refuse_doubled(path, node)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise UsageError(f"{path}{place}: not valid YAML: {error.problem}.", "Mend the line and run again.") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not valid YAML: {error}.", "Mend the file and run again.") from None
    if not isinstance(values, dict):
        raise UsageError(f"{path}: settings are keys and values.", "Start from `holdfast init`.")
    return node, values


def _refuse_doubled(path: Path, node: yaml.Node | None) -> None:
    """Raise `UsageError` for a key given twice: YAML would keep the last and drop the other without a word."""
    waiting, done = [node], set()
    while waiting:
        here = waiting.pop()
        if id(here) in done:  # an alias leads back to its anchor
            continue
        done.add(id(here))
        if isinstance(here, yaml.SequenceNode):
            waiting += here.value
        elif isinstance(here, yaml.MappingNode):
            keys = [key for key, _ in here.value if isinstance(key, yaml.ScalarNode)]
            names = [key.value for key in keys]
            if twice := next((key for at, key in enumerate(keys) if key.value in names[:at]), None):
                place = f"{path}:{twice.start_mark.line + 1}"
                raise UsageError(f"{place}: the key {twice.value!r} is there twice.", "Keep one of them.")
            waiting += [value for _, value in here.value]


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", "Give a path with -c.") from None
    if len(data) > LARGEST_FILE:
        raise UsageError(f"{path} has {len(data)} bytes, more than {LARGEST_FILE}.", "Is this a settings file?")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: byte {error.start} is not UTF-8.", "Save the file as UTF-8.") from None


def locate(node: yaml.Node | None, place: list[Any]) -> int:
    """Return the line of the value that the keys of `place` lead to, or of the last one that is there."""
    line = 1 if node is None else node.start_mark.line + 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
