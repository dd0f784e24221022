"""For people who write a check: show that it accepts gold answers and refuses named corruptions."""

from collections.abc import Iterable, Mapping

from holdfast.core.record import Record
from holdfast.core.verdict import Check


def check_verifier(
    check: Check, *, accepts: Iterable[Record] = (), refuses: Iterable[Record] | Mapping[str, Record] = ()
) -> None:
    """Assert that `check` passes every record of `accepts` and fails every record of `refuses`.

    `refuses` may name its records by what is wrong with them. An undecided verdict is a miss on either side. Raises
    `AssertionError` with the offending record, its verdict and the name of its corruption.
    """
    named = refuses if isinstance(refuses, Mapping) else {f"refuses[{n}]": record for n, record in enumerate(refuses)}
    wanted = [(f"accepts[{n}]", record, True) for n, record in enumerate(accepts)]
    wanted += [(name, record, False) for name, record in named.items()]
    if not wanted:
        raise AssertionError("check_verifier was given no records, so it shows nothing.")
    for name, record, ok in wanted:
        verdict = check(record)
        if verdict.ok is not ok:
            should = "accept" if ok else "refuse"
            raise AssertionError(f"{name}: the check should {should} this record.\n  {record}\n  {verdict}")
