"""XML, YAML, CSV, SQL and expressions: the routes to them, undecided cases, hostile answers in bounded time."""

import csv as csv_writer
import io
from dataclasses import replace

import pytest
import yaml as yaml_writer
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.verifiers import csv, regex, sql, xml, yaml
from holdfast.verifiers.written import Unwritten, written
from holdfast.workflows.checking import judge

TABLE = "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (2, 'y');"


def record(response: str, **fields: object) -> Record:
    """A record that answers with `response`."""
    return Record("r", "", response, fields=fields)


def said(verdict: Verdict) -> tuple[bool | None, str]:
    """The verdict in short."""
    return verdict.ok, verdict.reason


@pytest.mark.parametrize(
    ("fields", "response", "checks"),
    [
        ({"output_format": "xml"}, "<a/>", ["xml"]),
        ({"output_format": "yaml", "schema": {"type": "object"}}, "a: 1", ["yaml"]),
        ({"output_format": "tsv"}, "a\tb", ["csv"]),
        ({"schema": {"type": "object"}}, "{}", ["schema"]),
        ({"schema": TABLE, "sql": "SELECT 1"}, "SELECT a FROM t", ["sql"]),
        ({"must_match": ["a"]}, "a", ["regex"]),
        ({"positives": ["a passage"], "negatives": ["another"]}, "text", ["none"]),
        ({"format": "csv"}, "text", ["none"]),
        ({"schema": "star"}, "text", ["none"]),
    ],
)
def test_records_are_routed_by_their_data(fields: dict, response: str, checks: list[str]) -> None:
    """A record goes to the verifier whose data it carries, and columns that only look like it send it nowhere."""
    assert checks == [each.check for each in judge((), [record(response, **fields)])[0]]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("a", "a"),
        ("```\na\n```", "a\n"),
        ("x\n~~~xml\na\n~~~\ny", "a\n"),
        ("```xml\na\n```\n```python\nb\n```", "a\n"),
        ("````xml\n```\na\n```\n````", "```\na\n```\n"),
        ("```xml\nnever closed", "never closed"),
        ("<think>```xml\nno\n```</think>yes", "yes"),
    ],
)
def test_what_a_response_writes(response: str, expected: str) -> None:
    """The one block in the wanted language or in none, else all of it; thoughts are passed over."""
    assert expected == written(response, ("xml",))


def test_many_fences_are_read_in_one_pass() -> None:
    """Fences of every length that close nothing are several answers."""
    with pytest.raises(Unwritten, match="several-answers"):
        written("\n".join("`" * n for n in range(3, 1_400)), ("xml",))


def test_xml_is_bounded() -> None:
    """Nesting, entities that grow or read files, and lone surrogates end in a reason."""
    grows = "<!DOCTYPE x [" + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12)) + "]><x>&e11;</x>"
    assert (False, "entities") == said(xml.check(record(grows)))
    assert (False, "too-deep") == said(xml.check(record("<a>" * 300_000)))
    assert (False, "not-unicode") == said(xml.check(record("<a>\ud800</a>")))
    assert (True, "well-formed") == said(xml.check(record("<!DOCTYPE html><html><p>&amp;</p></html>")))
    assert (False, "entities") == said(xml.check(record('<!DOCTYPE x SYSTEM "file:///etc/passwd"><x>&y;</x>')))
    assert (False, "not-well-formed") == said(xml.check(record("<x>&y;</x>")))


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("[" * 5_000, "too-deep"),
        ("- " * 5_000 + "x", "too-deep"),
        ("&a [*a]", "aliases"),
        ("a: 2023-02-30", "not-yaml"),
        ("? [a, b]\n: c", "not-yaml"),
        ("!!bool maybe", "not-yaml"),
        ("!!timestamp soon", "not-yaml"),
        ("a: " + "9" * 5_000, "not-yaml"),
        ("x" * 300_000, "too-large"),
        ("just words", "only-text"),
    ],
)
def test_yaml_is_bounded(response: str, reason: str) -> None:
    """Depth, aliases, values that look right to the grammar alone and size end in a reason."""
    assert (False, reason) == said(yaml.check(record(response, output_format="yaml")))


def test_csv_of_one_column_is_any_text() -> None:
    """One column passes only where the record names it; NUL and huge cells do not end the run."""
    assert (False, "one-column") == said(csv.check(record("All good things")))
    assert (True, "valid") == said(csv.check(record("name\nAnn", csv_columns=["name"])))
    assert csv.check(record("a,b\n1,\0")).ok in (True, False)
    assert (False, "not-csv") == said(csv.check(record("a,b\n1," + "x" * 200_000)))
    assert (False, "wrong-rows") == said(csv.check(record("a,b\n1,2", csv_rows=2)))
    assert (True, "valid") == said(csv.check(record("a|b\n1|2", delimiter="|")))


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
def test_what_a_writer_of_csv_writes_passes(rows: list[tuple[str, str]]) -> None:
    """Whatever the cells hold, a written table is read, and one cell more is not."""
    file = io.StringIO()
    csv_writer.writer(file).writerows([("a", "b"), *rows])
    assert csv.check(record(file.getvalue(), csv_columns=["a", "b"])).ok is True
    assert "ragged" == csv.check(record(file.getvalue() + "x,y,z\n", csv_columns=["a", "b"])).reason


@given(st.dictionaries(st.text(max_size=6), st.integers() | st.text(max_size=6) | st.none(), min_size=1, max_size=4))
def test_what_a_writer_of_yaml_writes_passes(value: dict) -> None:
    """Whatever the values are, a written document is read back as what it says."""
    text = yaml_writer.safe_dump(value, allow_unicode=False)
    checked = yaml.check(record(text, output_format="yaml", schema={"const": value}))
    assert (True, "valid") == said(checked)


@pytest.mark.parametrize(
    ("query", "fields", "expected"),
    [
        ("SELECT a FROM t", {"expected_rows": [[1], [2], [2]]}, (True, "same-rows")),
        ("SELECT a FROM t ORDER BY a DESC", {"expected_rows": [[1], [2], [2]]}, (True, "same-rows")),
        ("SELECT a FROM t ORDER BY a DESC", {"expected_rows": [[1], [2], [2]], "ordered": True}, (False, "wrong-rows")),
        ("SELECT DISTINCT a FROM t", {"expected_rows": [[1], [2], [2]]}, (False, "wrong-rows")),
        ("SELECT a FROM t WHERE a = 1", {"expected_rows": [{"a": 1}]}, (True, "same-rows")),
        ("SELECT count(*) FROM t", {"expected_rows": [3]}, (True, "same-rows")),
        ("SELECT a FROM t", {}, (None, "nothing-to-compare")),
        ("SELECT a FROM t WHERE a > 5", {"gold_sql": "SELECT a FROM t WHERE a > 9"}, (None, "nothing-to-compare")),
        ("SELECT a FROM t", {"gold_sql": "SELECT a FROM t WHERE a > 9"}, (False, "wrong-rows")),
        ("SELECT a FROM t", {"gold_sql": "SELECT z FROM t"}, (None, "invalid-gold")),
        ("SELECT a FROM t", {"gold_sql": "SELECT a FROM t", "sql_dialect": "mysql"}, (None, "unsupported-dialect")),
        ("SELECT a FROM t", {"sql": "SELECT a FROM t"}, (None, "nothing-to-compare")),
        ("SELECT 1e999, a FROM t", {"expected_rows": [[[], {}]]}, (False, "wrong-rows")),
    ],
)
def test_rows_are_compared(query: str, fields: dict, expected: tuple[bool | None, str]) -> None:
    """As a multiset, in order where the record or the reference says so; nothing to compare shows nothing."""
    assert expected == said(sql.check(record(query, db_schema=TABLE, **fields)))


def test_tables_that_do_not_run_are_not_the_candidates_fault() -> None:
    """Tables that are wrong, that reach outside or never end are undecided, and none at all too."""
    broken = "CREATE TABLE t (a); INSERT INTO u VALUES (1)"
    outside = "ATTACH '/tmp/holdfast-should-not-exist.db' AS o; CREATE TABLE o.t (a)"
    endless = "CREATE TABLE t AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    found = [said(sql.check(record("SELECT a FROM t", context=tables))) for tables in (broken, outside, endless)]
    assert [(None, "invalid-tables")] * 3 == found
    assert (None, "no-tables") == said(sql.check(record("SELECT 1")))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT load_extension('x')",
        "VACUUM INTO '/tmp/x.db'",
        "CREATE TABLE u AS SELECT 1",
        "INSERT INTO t VALUES (3, 'z') RETURNING a",
        "SELECT writefile('/tmp/x', 'x')",
        "BEGIN",
        "PRAGMA writable_schema = 1",
        "-- only a comment",
    ],
)
def test_a_query_only_reads(query: str) -> None:
    """Whatever would write, set or load is no query, and the next record is judged."""
    wrong, right = sql.check.batch(
        [record(query, db_schema=TABLE, gold_sql="SELECT 1"), record("SELECT 1", db_schema=TABLE, gold_sql="SELECT 1")]
    )
    assert wrong.ok is False
    assert wrong.reason in ("not-a-query", "does-not-run")
    assert right.ok is True


def test_expressions_that_explode_fail() -> None:
    """An expression that does not end on an example is wrong, and the one after it is judged."""
    endless = record("(a+)+b", must_match=["ab"], must_not_match=["a" * 40])
    found = [said(verdict) for verdict in regex.check.batch([endless, record("a+b", must_match=["aab"])])]
    assert [(False, "timeout"), (True, "matches")] == found


def test_expressions_as_people_write_them() -> None:
    """Delimiters with flags, quotes, search in place of a whole match, JavaScript's digits."""
    assert (True, "matches") == said(regex.check(record("/AB+/i", must_match=["abb"])))
    assert (True, "matches") == said(regex.check(record("`a/b`", must_match=["a/b"])))
    assert (False, "misses-positive") == said(regex.check(record("b", must_match=["abc"])))
    assert (True, "matches") == said(regex.check(record("b", must_match=["abc"], regex_mode="search")))
    arabic = record("\\d", must_match=["٣"])
    assert (True, "matches") == said(regex.check(arabic))
    javascript = replace(arabic, fields={**arabic.fields, "regex_flavour": "javascript"})
    assert (False, "misses-positive") == said(regex.check(javascript))
    assert (None, "unsupported-flavour") == said(regex.check(record("a", must_match=["a"], regex_flavour="pcre")))
    assert (True, "matches") == said(regex.check(record(".", must_match=["\ud800"])))
    assert (False, "not-unicode") == said(regex.check(record("\ud800", must_match=["a"])))
    assert (None, "no-examples") == said(regex.check(record("a")))
    assert (False, "not-a-pattern") == said(regex.check(record("a\nb", must_match=["a"])))
