"""The view: who stands for a group of repeated records."""

from dataclasses import replace
from typing import Any

import pytest

from holdfast.core import exchange
from tests.rules.views import record, view


def checked(number: int, origin: Any, **checks: bool | None) -> Any:
    """A record with verdicts."""
    return replace(record(number, origin), checks=checks)


def test_real_then_verified_records_stand_for_a_group() -> None:
    """Origin decides first; of one origin a passed check beats none, and none beats a failed one."""
    rows = [
        checked(0, "synthetic", answer=True, form=False),
        checked(1, "synthetic"),
        checked(2, "synthetic", answer=True, form=None),
        checked(3, "real", answer=False),
        checked(4, "real"),
        checked(5, "unknown", answer=True),
        checked(6, "mixed", answer=True),
    ]
    assert [4, 3, 5, 6, 2, 1, 0] == view(rows).priority.argsort().tolist()


def test_what_filters_found_is_no_verification() -> None:
    """That a filter looked for duplicates makes a record no better than one that nobody looked at."""
    looked = checked(0, "synthetic", **{"near-duplicate": True, "exact-duplicate": True, "personal-data": False})
    assert 1 == len(set(view([looked, checked(1, "synthetic")]).priority.tolist()))


def test_many_records_have_the_exact_duplicates_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the size of a bucket equal records meet in buckets, and the same one stands for each group."""
    rows = [
        checked(number, origin) for number, origin in ((0, "synthetic"), (1, "real"), (2, "synthetic"), (3, "real"))
    ]
    rows = [*rows, *(replace(row, id=f"again-{row.id}") for row in rows)]
    few = view(rows).exact
    monkeypatch.setattr(exchange, "BUCKET_ROWS", 3)
    many = view(rows)
    assert (4, few.representative.tolist()) == (few.beyond, many.exact.representative.tolist())
    assert 3 == len(list((many.spool / "equal").glob("reduce-*")))
