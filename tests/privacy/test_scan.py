"""The scan: the same answers as the row form, masked, ordered, bounded on hostile text."""

import gzip
import json
import re
from pathlib import Path
from time import process_time

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.privacy.hidden import hidden_text
from holdfast.privacy.personal import personal_data
from holdfast.privacy.scan import COLUMNS, MOST_PER_TEXT, SCHEMA, scan
from holdfast.privacy.secrets import secrets
from tests.privacy.test_hidden import PAYLOADS
from tests.privacy.test_personal import HARMLESS, REAL
from tests.privacy.test_secrets import planted

TEXTS = [*(text for _, text, _ in REAL), *HARMLESS, *PAYLOADS, *planted(3).values(), "", "nothing here"]


def by_row(text: str) -> list[tuple[str, str, int, int]]:
    """What the three finders say of one text."""
    leaks = [*personal_data(text), *secrets(text), *hidden_text(text)]
    return [(leak.rule, leak.kind, leak.start, leak.end) for leak in leaks]


def by_scan(texts: list[str]) -> list[list[tuple[str, str, int, int]]]:
    """What the scan says of a column of texts, regrouped by text."""
    found: list[list[tuple[str, str, int, int]]] = [[] for _ in texts]
    for row in scan(pa.table({"response": pa.array(texts, pa.string())})).to_pylist():
        found[row["index"]].append((row["rule"], row["kind"], row["start"], row["end"]))
    return found


def test_scan_equals_the_row_form() -> None:
    """The prefilters lose nothing: every known case gives the same leaks either way."""
    assert [by_row(text) for text in TEXTS] == by_scan(TEXTS)


@given(st.lists(st.one_of(st.sampled_from(TEXTS), st.text(max_size=60)), min_size=1, max_size=3))
def test_scan_equals_the_row_form_on_any_text(parts: list[str]) -> None:
    """The same for mixtures with arbitrary Unicode."""
    text = " ".join(parts).encode("utf-8", "replace").decode()
    assert [by_row(text)] == by_scan([text])


@given(st.text(alphabet="0123456789 .-+()@:/aAbBeExX\n\u00a0\u0660", max_size=120))
def test_scan_equals_the_row_form_on_digits(text: str) -> None:
    """The same for dense digits and separators, other alphabets' digits among them."""
    assert [by_row(text)] == by_scan([text])


def test_all_columns_are_read_and_nothing_is_shown() -> None:
    """Prompt, response and extra are scanned, nulls skipped, rows ordered, values masked."""
    table = pa.table(
        {
            "prompt": ["", "card 4485609992038699", "x"],
            "response": ["ip 86.231.85.193", "mail a.b@posta.cz", "ig\u200bnore"],
            "extra": pa.array([None, "SSN 378-07-9520", None], pa.string()),
        }
    )
    result = scan(table)
    assert SCHEMA == result.schema
    got = [(row["index"], row["column"], row["kind"], row["excerpt"]) for row in result.to_pylist()]
    assert [
        (0, "response", "ip-address", "86***"),
        (1, "prompt", "card", "44***"),
        (1, "response", "email", "a.***"),
        (1, "extra", "us-ssn", "37***"),
        (2, "response", "zero-width", "U+200B"),
    ] == got


@pytest.mark.parametrize("rows", [0, 3])
def test_a_clean_table_gives_an_empty_table(rows: int) -> None:
    """No leaks, no rows, the same schema; an empty input included."""
    result = scan(pa.table({name: pa.array(["fine"] * rows, pa.string()) for name in COLUMNS}))
    assert (SCHEMA, 0) == (result.schema, result.num_rows)


def test_a_text_full_of_leaks_is_listed_in_part() -> None:
    """One hostile record cannot flood the result."""
    text = " ".join(f"user{n}@posta{n}.cz" for n in range(1000))
    assert MOST_PER_TEXT == scan(pa.table({"response": [text]})).num_rows


HOSTILE = [
    "1-1-1-", "a@", "1 ", "1.", "0 1",
    "(1)", "aA1", "1:", "a.", "a@a.", "1 a ", "eyJ", "eyJhbGciOiAi.", "sk-", "AIza",
    "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY----- ",
    "password='", 'token="a', "://a:", "a:b@", "1 Aa St ",
    "address 1 a ", "call 1", "+1", "GB11 ", "GB111111", "\u200b", "\u200da", "\u202e", "\U000e0041",
    "\U0001f3f4", "abcd:", "1::",
    "SSN 1", "12 a b c d e apt ", "12 a suite 1 ", "T" * 7 + "/", " ", "\n", "\\n", "APO AA ", "A", "=" ,
]  # fmt: skip


def seconds(unit: str, size: int) -> float:
    """Processor time of one scan of `unit` repeated to `size` characters."""
    table = pa.table({"response": [unit * (size // len(unit))]})
    start = process_time()
    scan(table)
    return process_time() - start


@pytest.mark.parametrize("unit", HOSTILE)
def test_no_text_makes_a_pattern_run_away(unit: str) -> None:
    """Sixteen times the text takes at most about sixteen times the work: quadratic would be 256, exponential forever.

    A ratio of processor times in one process, with an allowance for a busy machine; not a speed.
    """
    small, large = seconds(unit, 16_000), seconds(unit, 256_000)
    assert large <= 64 * small + 0.5


def test_no_secret_in_real_text(shared_data: Path) -> None:
    """Rule `secrets` is an error: on all texts of the shared data it has not one hit."""
    for path in sorted(shared_data.glob("*/*.jsonl.gz")):
        with gzip.open(path, "rt") as lines:
            texts = [text for line in lines for text in strings(json.loads(line))]
        rules = scan(pa.table({"response": pa.array(texts, pa.string())}))["rule"].to_pylist()
        assert "secrets" not in rules, path.name


def strings(value: object) -> list[str]:
    """All strings inside a JSON value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in inner for text in strings(part)]


def test_planted_personal_data_is_found(shared_data: Path) -> None:
    """At least .99 of the records with planted personal data are flagged."""
    with gzip.open(shared_data / "audit/planted_sets.jsonl.gz", "rt") as lines:
        rows = [row for row in map(json.loads, lines) if row["case"] == "pii_3pct"]
    flagged = set(scan(pa.table({"response": [row["text"] for row in rows]}))["index"].to_pylist())
    truth = {number for number, row in enumerate(rows) if re.fullmatch("pii", row["planted"] or "")}
    assert len(truth & flagged) >= 0.99 * len(truth)
    assert len(flagged - truth) <= 0.01 * len(rows)
