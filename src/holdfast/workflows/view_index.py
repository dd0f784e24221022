"""The index of a view: one DuckDB file of what is asked for, beside the shards that hold the records whole.

A search reads the text column once and sorts nothing; everything else is small columns. Nothing that a request says
becomes part of a statement: values are parameters, names come from the tables below.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import orjson
import pyarrow as pa

from holdfast.core.dataset import Dataset, text_of
from holdfast.core.engine import Progress
from holdfast.core.reader import read
from holdfast.core.text import iter_shingles, word_counts
from holdfast.core.verdict import Finding

PAGE = 50
# Bytes that DuckDB may hold; it spills beside its file.
MEMORY = "1GB"
# Every record is known by its so many lowest shingle hashes (a bottom-k sketch, Broder 1997): two records of Jaccard
# similarity J share the lowest hash of their union with chance J, so that 16 miss a pair of 0.3 once in 300.
SKETCH = 16
SIZE, ALIKE = 3, 0.3
CANDIDATES, NEIGHBOURS = 100, 10
COLUMNS = ("id", "prompt", "response", "origin", "generator", "family", "cell", "checks", "fields")
# What a list can be narrowed by, each a column of `records`.
FACETS = ("state", "step", "reason", "origin", "generator", "family", "cell")
NONE = "(none)"
_TABLES = """
CREATE TABLE records (n BIGINT, part INTEGER, row BIGINT, id VARCHAR, state VARCHAR, step VARCHAR, reason VARCHAR,
  detail VARCHAR, origin VARCHAR, generator VARCHAR, family VARCHAR, cell VARCHAR, checks VARCHAR, words BIGINT,
  text VARCHAR);
CREATE TABLE verdicts (id VARCHAR, "check" VARCHAR, version VARCHAR, ok BOOLEAN, reason VARCHAR, score DOUBLE,
  evidence VARCHAR);
CREATE TABLE rules (id VARCHAR, rule VARCHAR, severity VARCHAR, note VARCHAR, other VARCHAR);
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an entry: what became of its records, and at which step of a build."""

    path: Path
    state: str
    step: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What is said of the records elsewhere: findings of a report that name them, files of verdicts.

    `made` holds the generated records: they know where a record comes from that a later step wrote out without it.
    """

    findings: tuple[Finding, ...] = ()
    verdicts: tuple[Path, ...] = ()
    made: Path | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is narrowed by; '' is no limit. `verdict` is 'CHECK: accepted', `: refused` or `: undecided`."""

    words: str = ""
    rule: str = ""
    verdict: str = ""
    facets: Mapping[str, str] = field(default_factory=dict)
    page: int = 1


@dataclass(slots=True)
class Index:
    """An open index. `find`, `facet` and `record` answer the pages; `close` lets the file go."""

    parts: tuple[Part, ...]
    data: list[Dataset]
    base: duckdb.DuckDBPyConnection
    sketched: bool = False
    counted: dict[str, list[tuple[str, int]]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many records there are, in all parts."""
        return int(self._one("SELECT count(*) FROM records", []))

    def find(self, asked: Asked) -> tuple[int, list[dict[str, Any]]]:
        """Return how many records match, and one page of them in order, with the beginning of each text."""
        where, values = self._where(asked)
        columns = "n, id, state, reason, origin, generator, cell, words, text[:400] AS text"
        begin = (max(1, asked.page) - 1) * PAGE
        query = f"SELECT n FROM records {where} ORDER BY n"  # noqa: S608  # from our own tables
        matching = self.base.execute(query, values).fetchnumpy()["n"]
        query = f"SELECT {columns} FROM records WHERE n IN (SELECT unnest(?::BIGINT[])) ORDER BY n"  # noqa: S608  # as above
        return len(matching), self._rows(query, [matching[begin : begin + PAGE].tolist()])

    def facet(self, name: str, most: int = 200) -> list[tuple[str, int]]:
        """Return the values of a facet with their counts, the most frequent first; `NONE` stands for no value."""
        if name not in FACETS:
            raise ValueError(name)
        if name not in self.counted:
            query = (
                f"SELECT coalesce({name}, ?) AS value, count(*) AS amount FROM records GROUP BY 1 ORDER BY 2 DESC, 1"  # noqa: S608  # from our own tables
            )
            rows = self._rows(f"{query} LIMIT {most}", [NONE])
            self.counted[name] = [(row["value"], row["amount"]) for row in rows]
        return self.counted[name]

    def rules(self) -> list[tuple[str, int]]:
        """Return the rules that name records as evidence, with how many of them are here."""
        query = "SELECT rule, count(DISTINCT id) AS amount FROM rules GROUP BY 1 ORDER BY 2 DESC, 1"
        return [(row["rule"], row["amount"]) for row in self._rows(query, [])]

    def outcomes(self) -> list[str]:
        """Return what `Asked.verdict` may be, from the verdicts beside the records and the checks within them."""
        found = {(row["check"], row["ok"]) for row in self._rows('SELECT DISTINCT "check", ok FROM verdicts', [])}
        for text in self._checks():
            found |= set(orjson.loads(text).items())
        return sorted(f"{name}: {_word(ok)}" for name, ok in found)

    def record(self, n: int) -> dict[str, Any] | None:
        """Return one record whole: its row, its provenance, every verdict on it, and the rules it is evidence for."""
        rows = self._rows("SELECT * FROM records WHERE n = ?", [n])
        if not rows:
            return None
        [row] = rows
        [whole] = self.data[row["part"]].take([row["row"]]).to_pylist()
        verdicts = self._rows(
            'SELECT "check", version, ok, reason, score, evidence FROM verdicts WHERE id = ?', [row["id"]]
        )
        rules = self._rows("SELECT DISTINCT rule, severity, note, other FROM rules WHERE id = ?", [row["id"]])
        return {**row, "whole": whole, "file": str(self.parts[row["part"]].path), "verdicts": verdicts, "rules": rules}

    def named(self, name: str) -> int | None:
        """Return the number of the record of this id, the kept one where several have it; None for none."""
        rows = self._rows("SELECT n FROM records WHERE id = ? ORDER BY state <> 'kept', n LIMIT 1", [name])
        return rows[0]["n"] if rows else None

    def neighbours(self, n: int) -> list[dict[str, Any]]:
        """Return the records most similar to one, at least `ALIKE` by Jaccard of word 3-grams, the nearest first."""
        self.prepare()
        query = (
            "SELECT n, id, state, generator, text FROM records WHERE n IN (SELECT n FROM sketches WHERE hash IN "
            "(SELECT hash FROM sketches WHERE n = ?) AND n <> ? GROUP BY n ORDER BY count(*) DESC, n LIMIT ?)"
        )
        mine = self._rows("SELECT text FROM records WHERE n = ?", [n])
        if not mine:
            return []
        found = self._rows(query, [n, n, CANDIDATES])
        shared = _similar([mine[0]["text"], *(row["text"] for row in found)])
        alike = [{**row, "similarity": value} for row, value in zip(found, shared, strict=True)]
        near = [row for row in alike if row["similarity"] >= ALIKE]
        return sorted(near, key=lambda row: (-row["similarity"], row["n"]))[:NEIGHBOURS]

    def ids(self) -> set[str]:
        """Return the ids of the records that are in the set."""
        rows = self._rows("SELECT id FROM records WHERE state IN ('kept', 'given')", [])
        return {row["id"] for row in rows}

    def close(self) -> None:
        """Let the file go."""
        self.base.close()

    def _where(self, asked: Asked) -> tuple[str, list[Any]]:
        """Return the condition of a list and its parameters."""
        parts: list[str] = []
        values: list[Any] = []
        for name in FACETS:
            if asked.facets.get(name):
                parts.append(f"coalesce({name}, ?) = ?")
                values += [NONE, asked.facets[name]]
        if asked.words:
            parts.append("contains(lower(text), lower(?))")
            values.append(asked.words)
        if asked.rule:
            parts.append("id IN (SELECT id FROM rules WHERE rule = ?)")
            values.append(asked.rule)
        if asked.verdict:
            name, _, word = asked.verdict.rpartition(": ")
            ok = {"accepted": True, "refused": False}.get(word)
            inside = [text for text in self._checks() if orjson.loads(text).get(name, "absent") is ok]
            parts.append(
                '(id IN (SELECT id FROM verdicts WHERE "check" = ? AND ok IS NOT DISTINCT FROM ?::BOOLEAN) '
                "OR list_contains(?::VARCHAR[], checks))"
            )
            values += [name, ok, inside]
        return ("WHERE " + " AND ".join(parts) if parts else ""), values

    def _checks(self) -> list[str]:
        rows = self._rows("SELECT DISTINCT checks FROM records WHERE checks IS NOT NULL", [])
        return [row["checks"] for row in rows]

    def prepare(self) -> None:
        """Make the table that neighbours are found by, unless it is there: one pass over the texts."""
        if self.sketched:
            return
        self.base.execute("CREATE TABLE sketches (n BIGINT, hash UBIGINT)")
        first = 0
        for data in self.data:
            for table in data.tables(("prompt", "response")):
                _insert(self.base, "sketches", _sketches(table, first))
                first += table.num_rows
        self.sketched = True

    def _one(self, query: str, values: list[Any]) -> Any:
        row = self.base.execute(query, values).fetchone()
        return row[0] if row else None

    def _rows(self, query: str, values: list[Any]) -> list[dict[str, Any]]:
        found = self.base.execute(query, values)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def index(
    parts: tuple[Part, ...],
    room: Path,
    mapping: Mapping[str, str],
    beside: Beside = Beside(),
    progress: Progress | None = None,
) -> Index:
    """Return the index of these parts, made under `room`. Raises `InputError` for a file that cannot be read."""
    base = duckdb.connect(str(room / "index.duckdb"), config={"memory_limit": MEMORY, "threads": 2})
    base.execute(_TABLES)
    opened, first = [], 0
    for number, part in enumerate(parts):
        data = read([part.path], mapping=mapping, spool=room / f"part-{number}", progress=progress)
        for shard in data.shards:
            _insert(base, "records", _listed(shard.table(COLUMNS), part, (number, first + shard.first, shard.first)))
        opened.append(data)
        first += data.rows
    for path in beside.verdicts:
        _verdicts(base, path)
    if beside.made is not None and first:
        _origins(base, read([beside.made], mapping=mapping, spool=room / "made"))
    rows = [
        {"id": one.id, "rule": found.rule, "severity": found.severity, "note": one.note, "other": one.other}
        for found in beside.findings
        for one in found.evidence
    ]
    if rows:
        _insert(base, "rules", pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in rows[0]])))
    return Index(parts, opened, base)


def _origins(base: duckdb.DuckDBPyConnection, made: Dataset) -> None:
    """Fill in where records come from that say nothing of it, by their id among the generated ones."""
    names = ("origin", "generator", "family", "cell")
    base.execute("CREATE TEMP TABLE made (id VARCHAR, origin VARCHAR, generator VARCHAR, family VARCHAR, cell VARCHAR)")
    for table in made.tables(("id", *names)):
        _insert(base, "made", table)
    sets = ", ".join(f"{name} = made.{name}" for name in names)
    base.execute(f"UPDATE records SET {sets} FROM made WHERE records.id = made.id AND records.origin = 'unknown'")  # noqa: S608  # from our own tables


def _verdicts(base: duckdb.DuckDBPyConnection, path: Path) -> None:
    base.execute(
        "INSERT INTO verdicts SELECT * FROM read_json(?, format = 'newline_delimited', columns = {id: 'VARCHAR', "
        "\"check\": 'VARCHAR', version: 'VARCHAR', ok: 'BOOLEAN', reason: 'VARCHAR', score: 'DOUBLE', "
        "evidence: 'VARCHAR'})",
        [str(path)],
    )


def _listed(table: pa.Table, part: Part, place: tuple[int, int, int]) -> pa.Table:
    """Return the rows of `records` for one shard; `place` is the part, and the first n and row of the shard."""
    number, first, row = place
    rows = table.num_rows
    texts = text_of(table)
    reasons, details = _reasons(table) if part.state not in ("kept", "given") else ([None] * rows, [None] * rows)
    columns = {
        "n": pa.array(np.arange(first, first + rows)),
        "part": pa.array(np.full(rows, number, np.int32)),
        "row": pa.array(np.arange(row, row + rows)),
        "id": table.column("id"),
        "state": pa.array([part.state] * rows, pa.string()),
        "step": pa.array([part.step or None] * rows, pa.string()),
        "reason": pa.array(reasons, pa.string()),
        "detail": pa.array(details, pa.string()),
        **{name: table.column(name) for name in ("origin", "generator", "family", "cell", "checks")},
        "words": pa.array(word_counts(texts)),
        "text": texts,
    }
    return pa.table(columns)


def _reasons(table: pa.Table) -> tuple[list[str | None], list[str | None]]:
    """Return why each row was not kept, as the verb wrote it, and what it wrote beside that."""
    rows = [orjson.loads(text or "{}") for text in table.column("fields").to_pylist()]
    details = [row.get("holdfast_detail") for row in rows]
    told = [None if each is None else orjson.dumps(each).decode() for each in details]
    return [row.get("holdfast_reason") for row in rows], told


def _sketches(table: pa.Table, first: int) -> pa.Table:
    """Return (n, hash) for the lowest `SKETCH` shingle hashes of each record."""
    numbers, hashes = [np.empty(0, np.int64)], [np.empty(0, np.uint64)]
    at = first
    for shingles, offsets in iter_shingles(text_of(table), SIZE):
        sizes = np.diff(offsets)
        owner = np.repeat(np.arange(len(sizes)), sizes)
        # The lowest of many are among those below a bound that three times as many are expected under: less to sort.
        low = shingles.astype(np.float64) * np.repeat(sizes, sizes) <= 2.0**64 * 3 * SKETCH
        owner, found = owner[low], shingles[low]
        order = np.lexsort((found, owner))
        owner, low = owner[order], found[order]
        fresh = np.ones(len(low), np.bool_)
        fresh[1:] = (owner[1:] != owner[:-1]) | (low[1:] != low[:-1])
        owner, low = owner[fresh], low[fresh]
        rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
        numbers.append(owner[rank < SKETCH] + at)
        hashes.append(low[rank < SKETCH])
        at += len(sizes)
    return pa.table({"n": np.concatenate(numbers), "hash": np.concatenate(hashes)})


def _similar(texts: list[str]) -> list[float]:
    """Return the Jaccard similarity of the first text to each of the others, over word 3-grams."""
    sets = []
    for found, offsets in iter_shingles(pa.chunked_array([pa.array(texts, pa.large_string())]), SIZE):
        sets += [set(part.tolist()) for part in np.split(found, offsets[1:-1])]
    mine = sets[0]
    return [len(mine & other) / (len(mine | other) or 1) for other in sets[1:]]


def _insert(base: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    base.register("given", rows)
    try:
        base.execute(f"INSERT INTO {name} SELECT * FROM given")  # noqa: S608  # from our own tables
    finally:
        base.unregister("given")


def _word(ok: bool | None) -> str:
    return "undecided" if ok is None else "accepted" if ok else "refused"
