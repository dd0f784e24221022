"""SQL check: the response is one query that runs on its record's tables and gives the rows that are right.

Runs on SQLite in memory, in a worker process: no file, no second database, no write by the candidate, bounded steps,
rows and memory. Rows are compared as a multiset, in order only where the reference query says ORDER BY. Without rows to
compare, or with a reference that gives none, a query that runs has shown little: undecided. Other dialects are not run.
"""

import math
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.verifiers.judging import Task, WorkerCheck
from holdfast.verifiers.workers import say
from holdfast.verifiers.written import Unwritten, written

VERSION = "1"
REASONS = (
    "same-rows", "no-answer", "not-unicode",
    "does-not-run", "not-a-query", "wrong-rows", "wrong-columns", "several-answers",
    "timeout", "memory", "too-large",  # decided
    "no-tables", "invalid-tables", "invalid-gold", "nothing-to-compare", "unsupported-dialect", "fault",  # undecided
)  # fmt: skip

# Where data sets keep the tables, the reference query and the rows expected, in the order they are believed.
TABLES = ("db_schema", "sql_context", "create_table", "schema", "context")
GOLD = ("gold_sql", "sql", "query", "gold", "answer", "solution")
_OWN = ("sql", "query", "answer", "solution")
ROWS = ("expected_rows", "expected_result")

# Steps of SQLite's machine, about two seconds of work; counted, so that the verdict does not depend on the machine.
MOST_STEPS = 20_000_000
_STEPS_AT_ONCE = 10_000
MOST_ROWS = 50_000
_LONGEST_VALUE = 1_000_000
_LONGEST_TEXT = 500_000

_QUERY = re.compile(r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*(?:select|with|values)\b", re.IGNORECASE | re.DOTALL)
_CREATES = re.compile(r"\bcreate\s+(?:temp(?:orary)?\s+)?table\b", re.IGNORECASE)
_READS = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
_NEVER = (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA, sqlite3.SQLITE_CREATE_VTABLE)


def applies(record: Record) -> bool:
    """True when a record carries tables and its response is to be SQL: a reference query, rows, or SQL by its look."""
    fields = record.fields
    asked = _gold(record) is not None or any(name in fields for name in ROWS) or "```sql" in record.response.lower()
    return _tables(fields) is not None and (asked or _QUERY.match(record.response) is not None)


def _tables(fields: Mapping[str, Any]) -> str | None:
    for name in TABLES:
        value = fields.get(name)
        if isinstance(value, str) and _CREATES.search(value):
            return value
    return None


def _gold(record: Record) -> str | None:
    for name in GOLD:
        value = record.fields.get(name)
        if isinstance(value, str) and _QUERY.match(value):
            # A column that is the response itself is no reference: agreeing with it would prove nothing.
            if name in _OWN and value.strip() == record.response.strip():
                continue
            return value
    return None


def _prepare(record: Record) -> Verdict | Task:
    fields = record.fields
    dialect = str(fields.get("sql_dialect") or fields.get("dialect") or "sqlite").lower()
    if dialect not in ("sqlite", "sqlite3", "sql", "ansi"):
        return Verdict(None, "unsupported-dialect", evidence={"dialect": dialect[:40]})
    tables = _tables(fields)
    if tables is None:
        return Verdict(None, "no-tables")
    rows = next((fields[name] for name in ROWS if isinstance(fields.get(name), list)), None)
    query = written(record.response, ("sql", "sqlite", "sqlite3"))
    if len(query) > _LONGEST_TEXT or len(tables) > _LONGEST_TEXT:
        raise Unwritten("too-large", f"at most {_LONGEST_TEXT:,} characters of SQL are run")
    return {
        "tables": tables,
        "query": query,
        "gold": _gold(record) or "",
        "rows": None if rows is None else [_row(row) for row in rows],
        "ordered": fields.get("ordered") is True,
    }


def _row(row: Any) -> list[Any]:
    return list(row.values()) if isinstance(row, dict) else list(row) if isinstance(row, list) else [row]


check = WorkerCheck("sql", _prepare, VERSION, blames=True)


def judged(task: Task) -> Verdict:
    """Judge one query on its tables; called in a worker."""
    database = _Database()
    try:
        database.fill(task["tables"])
    except (sqlite3.Error, sqlite3.Warning) as error:
        return Verdict(None, "invalid-tables", evidence={"note": str(error)[:200]})
    rows, ordered = task["rows"], task["ordered"]
    if rows is None and task["gold"]:
        try:
            rows = database.ask(task["gold"])
        except (sqlite3.Error, sqlite3.Warning) as error:
            return Verdict(None, "invalid-gold", evidence={"note": str(error)[:200]})
        ordered = ordered or "order by" in _outermost(task["gold"])
    say({"stage": "candidate"})
    return _compared(_answered(database, task["query"]), rows, ordered)


def _answered(database: "_Database", query: str) -> list[Sequence[Any]]:
    """Run the candidate's query; raises `Unwritten` with the reason why it gives no rows."""
    try:
        return database.ask(query)
    except (sqlite3.Error, sqlite3.Warning) as error:
        note = str(error)[:200]
        if "one statement" in note:
            raise Unwritten("several-answers", note) from None
        if "not authorized" in note or "prohibited" in note:
            raise Unwritten("not-a-query", note) from None
        if "interrupted" in note:
            raise Unwritten("timeout", f"more than {MOST_STEPS:,} steps") from None
        raise Unwritten("does-not-run", note) from None


def _compared(given: list[Sequence[Any]], gold: Sequence[Sequence[Any]] | None, ordered: bool) -> Verdict:
    if not gold:
        note = "no rows to compare" if gold is None else "the right result is empty, as that of many wrong queries"
        if gold is not None and given:
            return Verdict(False, "wrong-rows", evidence={"rows": len(given), "expected": 0})
        return Verdict(None, "nothing-to-compare", evidence={"note": f"it runs; {note}"})
    if given and len(given[0]) != len(gold[0]):
        return Verdict(False, "wrong-columns", evidence={"columns": len(given[0]), "expected": len(gold[0])})
    have, want = [_key(row) for row in given], [_key(row) for row in gold]
    same = have == want if ordered else Counter(have) == Counter(want)
    evidence = {"rows": len(have), "expected": len(want), "ordered": ordered}
    return Verdict(same, "same-rows" if same else "wrong-rows", evidence=evidence)


def _key(row: Sequence[Any]) -> tuple[Any, ...]:
    """Return a row as values that compare: numbers by nine digits, bytes and text as they are."""
    return tuple(_value(value) for value in row)


def _value(value: Any) -> Any:
    if isinstance(value, float) and math.isfinite(value):
        return float(f"{value:.9g}")
    if isinstance(value, int) and abs(value) < 2**53:
        return float(value)
    return str(value) if isinstance(value, list | dict) else value


def _outermost(query: str) -> str:
    """Return a query without what stands in brackets or quotes, in lower case and single spaces."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"|--[^\n]*", " ", query.lower())
    while bare != (inner := re.sub(r"\([^()]*\)", " ", bare)):
        bare = inner
    return " ".join(bare.split())


class _Database:
    """An empty database in memory that can do nothing but hold tables and answer queries."""

    def __init__(self) -> None:
        self._link = sqlite3.connect(":memory:", isolation_level=None)
        for limit, most in (
            (sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE),
            (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
            (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200),
            (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
        ):
            self._link.setlimit(limit, most)
        # 256 MB; sorting and temporary tables stay in memory too.
        self._link.executescript("PRAGMA hard_heap_limit = 268435456; PRAGMA temp_store = MEMORY;")
        self._steps = 0
        self._link.set_progress_handler(self._count, _STEPS_AT_ONCE)

    def _count(self) -> int:
        self._steps += _STEPS_AT_ONCE
        return int(self._steps > MOST_STEPS)

    def _allow(self, allowed: Callable[[int], bool]) -> None:
        def answer(action: int, _: str | None, name: str | None, *__: str | None) -> int:
            ok = allowed(action) and name not in ("load_extension", "fts3_tokenizer", "edit", "readfile", "writefile")
            return sqlite3.SQLITE_OK if ok else sqlite3.SQLITE_DENY

        self._steps = 0
        self._link.set_authorizer(answer)

    def fill(self, tables: str) -> None:
        """Run the record's own CREATE and INSERT statements. Raises `sqlite3.Error` where they do not run."""
        self._allow(lambda action: action not in _NEVER)
        self._link.executescript(tables)

    def ask(self, query: str) -> list[Sequence[Any]]:
        """Return the rows of one query that only reads. Raises `sqlite3.Error`, or `Unwritten` for too many rows."""
        self._allow(lambda action: action in _READS)
        cursor = self._link.execute(query.strip().rstrip(";").strip())
        if cursor.description is None:
            raise Unwritten("not-a-query", "it gives no rows")
        rows: list[Sequence[Any]] = cursor.fetchmany(MOST_ROWS + 1)
        if len(rows) > MOST_ROWS:
            raise Unwritten("too-large", f"more than {MOST_ROWS:,} rows")
        return rows


_SHOP = """
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL);
INSERT INTO item VALUES (1, 'pen', 1.5), (2, 'book', 12.0), (3, 'lamp', 30.25), (4, 'cup', NULL);
"""


def _example(response: str, gold: str = "SELECT name FROM item WHERE price > 10") -> Record:
    return Record("example", "Which items cost more than 10?", response, fields={"db_schema": _SHOP, "gold_sql": gold})


ACCEPTS = (
    _example("select i.name from item as i where i.price > 10;"),
    _example("Here is the query:\n```sql\nSELECT name FROM item WHERE id IN (3, 2)\n```"),
    _example("WITH dear AS (SELECT * FROM item WHERE price > 10) SELECT name FROM dear ORDER BY name DESC"),
    _example("SELECT SUM(price) / 3 FROM item", "SELECT AVG(price) FROM item"),
    _example("SELECT name FROM item ORDER BY price DESC", "SELECT name FROM item ORDER BY price DESC"),
)
REFUSES = {
    "condition turned": _example("SELECT name FROM item WHERE price < 10"),
    "boundary moved": _example("SELECT name FROM item WHERE price > 12"),
    "column too many": _example("SELECT name, price FROM item WHERE price > 10"),
    "another column": _example("SELECT id FROM item WHERE price > 10"),
    "rows twice": _example("SELECT name FROM item WHERE price > 10 UNION ALL SELECT 'book'"),
    "order lost": _example("SELECT name FROM item ORDER BY price", "SELECT name FROM item ORDER BY price DESC"),
    "table misspelt": _example("SELECT name FROM items WHERE price > 10"),
    "grammar": _example("SELEC name FROM item"),
    "prose": _example("All items but the pen."),
    "empty": _example(""),
    "writes": _example("DELETE FROM item"),
    "two statements": _example("SELECT name FROM item WHERE price > 10; DROP TABLE item"),
    "second database": _example("ATTACH '/tmp/other.db' AS other"),
    "setting": _example("PRAGMA table_info(item)"),
    "does not end": _example("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"),
    "too many rows": _example(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 90000) SELECT x FROM n"
    ),
    "too much memory": _example("SELECT zeroblob(900000000)"),
}
