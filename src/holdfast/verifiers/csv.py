"""CSV check: the response parses as RFC 4180 tables do, every row as wide as the first, with the columns wanted.

The separator is the record's `delimiter`, a tab for `output_format: tsv`, else a comma. Types of cells are not judged.
"""

import csv
import io
from typing import Any

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.verifiers.written import TextCheck, Unwritten, listed, wanted_format, written

VERSION = "1"
# The bound that Python's reader has by itself. It is one for the whole process, and others may have raised it.
LONGEST_CELL = 131_072
REASONS = (
    "valid", "no-answer", "not-unicode",
    "not-csv", "ragged", "one-column", "wrong-columns", "duplicate-column", "wrong-rows",
    "too-large", "several-answers",
)  # fmt: skip


def applies(record: Record) -> bool:
    """True when a record asks for CSV or TSV by name, or names the columns it wants."""
    return wanted_format(record.fields) in ("csv", "tsv") or listed(record.fields, "csv_columns") is not None


def judge(record: Record) -> Verdict:
    """Pass a table; raises `Unwritten` with the reason for anything else."""
    fields = record.fields
    rows = _rows(written(record.response, ("csv", "tsv")), _delimiter(fields))
    header = [name.strip() for name in rows[0]]
    columns = listed(fields, "csv_columns", "columns")
    if columns is not None and header != columns:
        raise Unwritten("wrong-columns", f"{', '.join(header)[:100]} in place of {', '.join(columns)[:100]}")
    if columns is None and len(header) < 2:
        raise Unwritten("one-column", "any text is a table of one column")
    if len(set(header)) < len(header):
        raise Unwritten("duplicate-column", ", ".join(header)[:200])
    wanted = fields.get("csv_rows")
    if isinstance(wanted, int) and wanted != len(rows) - 1:
        raise Unwritten("wrong-rows", f"{len(rows) - 1} in place of {wanted}")
    return Verdict(True, "valid", evidence={"columns": len(header), "rows": len(rows) - 1})


check = TextCheck(judge, VERSION)


def _delimiter(fields: Any) -> str:
    given = fields.get("delimiter")
    if isinstance(given, str) and len(given) == 1:
        return given
    return "\t" if wanted_format(fields) == "tsv" else ","


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """Return the rows, each as wide as the first; blank lines at the end are no rows."""
    reader = csv.reader(io.StringIO(text.strip("\r\n"), newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if rows and len(row) != len(rows[0]):
                raise Unwritten("ragged", f"line {reader.line_num}: {len(row)} cells in place of {len(rows[0])}")
            if max(map(len, row), default=0) > LONGEST_CELL:
                raise Unwritten("not-csv", f"line {reader.line_num}: a cell of more than {LONGEST_CELL:,} characters")
            rows.append(row)
    except csv.Error as error:
        raise Unwritten("not-csv", f"line {reader.line_num}: {error}") from None
    if not rows or not rows[0]:
        raise Unwritten("not-csv", "its first line is empty")
    return rows


def _example(response: str) -> Record:
    return Record(
        "example", "List them as CSV.", response, fields={"output_format": "csv", "csv_columns": ["name", "age"]}
    )


ACCEPTS = (
    _example("name,age\nAnn,31\nBo,7\n"),
    _example('name,age\r\n"Ann ""the"" Great, of X",31\r\n'),
    _example('```csv\nname,age\n"two\nlines",3\n```'),
)
REFUSES = {
    "cell too many": _example("name,age\nAnn,31,x\n"),
    "cell missing": _example("name,age\nAnn\n"),
    "comma not quoted": _example("name,age\nAnn, of X,31\n"),
    "quote never closed": _example('name,age\n"Ann,31\n'),
    "text behind a quote": _example('name,age\n"Ann"x,31\n'),
    "column misspelt": _example("name,years\nAnn,31\n"),
    "columns in another order": _example("age,name\n31,Ann\n"),
    "no header": _example("Ann,31\nBo,7\n"),
    "another separator": _example("name;age\nAnn;31\n"),
    "blank line inside": _example("name,age\n\nAnn,31\n"),
    "prose before it": _example("Here is the table.\nname,age\nAnn,31\n"),
    "empty": _example("\n"),
}
