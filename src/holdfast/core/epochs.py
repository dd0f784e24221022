"""The mark of a repeated real record: a check named `epoch-2`, `epoch-3` ... in its own provenance, which is true.

It says nothing about the worth of the record, and goes wherever the record goes: a manifest beside the file could say
the same only until the file is moved, merged or sharded. A mark without a verdict is none: tools that make one column
of all checks give every record the names of all others.
"""

import re

import orjson

PREFIX = "epoch-"
_MARK = re.compile(rf'"{PREFIX}(\d{{1,4}})":true')


def marked(checks: str | None, epoch: int) -> str:
    """Return the checks of a record, JSON text, with the mark of its `epoch`, 2 or more."""
    known = orjson.loads(checks) if checks else {}
    return orjson.dumps(known | {f"{PREFIX}{epoch}": True}).decode()


def epoch_of(checks: str | None) -> int:
    """Return which time a record is there by its mark: 1 where it has none."""
    found = _MARK.search(checks) if checks else None
    return int(found[1]) if found else 1
