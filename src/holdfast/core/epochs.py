"""The mark of a repeated real record: a check named `epoch-2`, `epoch-3` ... without a verdict, in its own provenance.

It decides nothing about the record, so that no rule takes it for verification, and it goes wherever the record goes.
A manifest beside the file could say the same only until the file is moved, merged or sharded.
"""

import re

import orjson

_MARK = re.compile(r'"epoch-(\d{1,4})":')


def marked(checks: str | None, epoch: int) -> str:
    """Return the checks of a record, JSON text, with the mark of its `epoch`, 2 or more."""
    known = orjson.loads(checks) if checks else {}
    return orjson.dumps(known | {f"epoch-{epoch}": None}).decode()


def epoch_of(checks: str | None) -> int:
    """Return which time a record is there by its mark: 1 where it has none."""
    found = _MARK.search(checks) if checks else None
    return int(found[1]) if found else 1
