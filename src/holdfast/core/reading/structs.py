"""Structs that became text on their way through a CSV: as JSON, as Python shows a dict, or as DuckDB shows a struct.

pandas and datasets write the second, `{'depth': 1.0, 'parents': array(['a'], dtype=object), 'seed': None}`; DuckDB
writes the third, `{'depth': 1, 'parents': [a, 'b, c'], 'seed': NULL}`, where a text is quoted only if it must be: there
a number is read as one inside `decoding` and as text elsewhere. Both are read as values, never run.
"""

import ast
import re
from typing import Any

import orjson

# Beyond this a text is not one of our columns; Python's parser would also take long over it.
LONGEST = 1_000_000
DEEPEST = 16
NUMERIC = "decoding"
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[^,\[\]{}'\"]*")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_QUOTED = re.compile(r"\s*'((?:[^'\\]|\\.)*)'\s*", re.DOTALL)


def read_text(text: str) -> Any:
    """Return the value that a text shows, or None where it is none of the three."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    if not text.startswith("{") or len(text) > LONGEST:
        return None
    for reader in (_python, _duckdb):
        try:
            value = reader(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, AttributeError):
            continue
        # "{}, {}" is a tuple to Python, and no struct.
        return value if isinstance(value, dict) else None
    return None


def _python(text: str) -> Any:
    return _value(ast.parse(text, mode="eval").body)


def _value(node: ast.expr) -> Any:
    """Return what a node shows. Raises ValueError for everything but plain values, numpy arrays and nan."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(part) for part in node.elts]
    if isinstance(node, ast.Dict):
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "array":
        return _value(node.args[0])
    if isinstance(node, ast.Name) and node.id == "nan":
        return None
    raise ValueError(f"{type(node).__name__} is no plain value")


def _duckdb(text: str) -> Any:
    value, end = _part(text, 0, (0, False))
    if text[end:].strip():
        raise ValueError("more text behind the struct")
    return value


def _part(text: str, at: int, inside: tuple[int, bool]) -> tuple[Any, int]:
    """Return the value that begins at a place, and where it ends; `inside` is its depth and whether in NUMERIC."""
    at = _behind_space(text, at)
    if inside[0] > DEEPEST:
        raise ValueError("too deep")
    if text[at : at + 1] in ("{", "["):
        return _collection(text, at, inside)
    quoted = _QUOTED.match(text, at)
    if quoted:
        return _ESCAPED.sub(r"\1", quoted[1]), quoted.end()
    word = _WORD.match(text, at)
    if word is None or not word[0].strip():
        raise ValueError(f"no value at {at}")
    return _plain(word[0].strip(), numbers=inside[1]), word.end()


def _collection(text: str, at: int, inside: tuple[int, bool]) -> tuple[Any, int]:
    close = "}" if text[at] == "{" else "]"
    found: list[Any] = []
    at += 1
    while text[at : at + 1] != close:
        name = None
        if close == "}":
            quoted = _QUOTED.match(text, at)
            if quoted is None or text[quoted.end() : quoted.end() + 1] != ":":
                raise ValueError(f"no name at {at}")
            name, at = _ESCAPED.sub(r"\1", quoted[1]), quoted.end() + 1
        value, at = _part(text, at, (inside[0] + 1, inside[1] or name == NUMERIC))
        found.append((name, value) if close == "}" else value)
        at += text[at : at + 1] == ","
        if at >= len(text):
            raise ValueError("the struct does not end")
        at = _behind_space(text, at)
    return (dict(found) if close == "}" else found), at + 1


def _behind_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _plain(word: str, *, numbers: bool) -> Any:
    known = {"NULL": None, "true": True, "false": False}
    if word in known:
        return known[word]
    if numbers and _NUMBER.fullmatch(word):
        return float(word) if any(mark in word for mark in ".eE") else int(word)
    return word
