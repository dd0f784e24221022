"""Redact: every leak leaves the row, and nothing else in it changes."""

import json

from holdfast.core.dataset import table_of
from holdfast.core.record import Record
from holdfast.privacy.redact import redacted
from holdfast.privacy.scan import scan

MAIL = "jane.roe@northwind.co.uk"


def test_a_second_scan_finds_nothing():
    """What was redacted holds no leak any more, in the training text and in the user's own columns."""
    rows = [Record("a", f"from {MAIL}", "dear all"), Record("b", "", "plain", fields={"n": 1})]
    table = table_of(rows)
    clean = redacted(table, scan(table).column("index").to_pylist())
    assert (2, 0) == (clean.num_rows, scan(clean).num_rows)


def test_values_beside_a_leak_stay_exact():
    """Long integers, nesting and unicode survive the cleaning of their row."""
    fields = {"text": f"write to {MAIL}", "big": 12345678901234567890123456, "meta": {"by": [MAIL, "é"]}}
    table = redacted(table_of([Record("a", "", fields["text"], fields=fields)]), [0])
    row = json.loads(table.column("fields")[0].as_py())
    assert (fields["big"], ["<email>", "é"]) == (row["big"], row["meta"]["by"])


def test_rows_without_a_leak_are_untouched():
    """Byte for byte."""
    table = table_of([Record("a", "", "nothing here", fields={"x": 1.50})])
    assert table.column("fields").to_pylist() == redacted(table, []).column("fields").to_pylist()
