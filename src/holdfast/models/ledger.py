"""The ledger of a run: what was asked of whom, every request that went out for it, what came back, and what it cost.

One SQLite file that any client can read (docs/ledger.md). A request is written before it is sent and its answer before
anybody counts it, many in one commit. What was sent and never settled stays visible: it may have been charged for.
Clock times stand here and nowhere in the data.

Durability `process`: a commit survives the death of the program (WAL, synchronous=NORMAL). `power`: also that of the
machine (synchronous=FULL, one sync of the disk for each group).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from time import time
from typing import Any, Literal

from holdfast.core.durable import about_to
from holdfast.core.errors import MachineError, StoppedError, UsageError

FILE = "ledger.sqlite"
FORMAT = 1
# What SQLite calls a disk without room; the last is that of the file it shares with readers, enlarged at the start.
FULL = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_SHMSIZE")
# How charged: a request that failed before an answer may have been charged for, and nobody can tell.
Charged = Literal["yes", "no", "perhaps"]
SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE calls (
  id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, model TEXT NOT NULL, sample TEXT NOT NULL, most INTEGER,
  body BLOB NOT NULL, status INTEGER, answer BLOB
);
CREATE TABLE sends (
  id INTEGER PRIMARY KEY, call INTEGER NOT NULL REFERENCES calls, attempt INTEGER NOT NULL, sent_at REAL NOT NULL,
  settled_at REAL, status INTEGER, outcome TEXT, charged TEXT, served TEXT,
  input_tokens INTEGER, output_tokens INTEGER, reasoning_tokens INTEGER, cost REAL, batch TEXT
);
CREATE TABLE batches (id TEXT PRIMARY KEY, model TEXT NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
CREATE VIEW unsettled AS SELECT sends.id, calls.model, calls.sample, sends.attempt, sends.sent_at
  FROM sends JOIN calls ON calls.id = sends.call WHERE sends.settled_at IS NULL;
CREATE VIEW usage AS SELECT calls.model AS model, count(*) AS requests, coalesce(sum(input_tokens), 0) AS input_tokens,
  coalesce(sum(output_tokens), 0) AS output_tokens, coalesce(sum(cost), 0.0) AS cost,
  sum(settled_at IS NULL) AS unsettled, coalesce(sum(charged = 'perhaps'), 0) AS perhaps
  FROM sends JOIN calls ON calls.id = sends.call GROUP BY calls.model ORDER BY calls.model;
"""
_CALL = "INSERT INTO calls (id, key, model, sample, most, body) VALUES (?, ?, ?, ?, ?, ?)"
_SEND = "INSERT INTO sends (id, call, attempt, sent_at, batch) VALUES (?, ?, ?, ?, ?)"
_SETTLE = """UPDATE sends SET settled_at = ?, status = ?, outcome = ?, charged = ?, served = ?, input_tokens = ?,
  output_tokens = ?, reasoning_tokens = ?, cost = ? WHERE id = ?"""
_ANSWER = "UPDATE calls SET status = ?, answer = ?, most = ? WHERE id = ?"
_OPEN = """SELECT sends.batch, sends.id, call, key, attempt, length(body), most FROM sends JOIN calls ON calls.id = call
  WHERE settled_at IS NULL AND batch IS NOT NULL AND model = ? ORDER BY sends.id"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as the ledger knows it: its row, and the answer it has, as the wire brought it.

    `most` is the limit of tokens under which it was answered; None where there was none.
    """

    id: int
    most: int | None = None
    status: int | None = None
    answer: bytes | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """A request of a batch that is not settled: its number, its call and the call's key, attempts before, and size.

    `most` is its limit of tokens.
    """

    send: int
    call: int
    key: bytes
    attempt: int
    size: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one request. `answer` is kept where it is the last word on its call, and not sent for again."""

    send: int
    call: int
    status: int
    outcome: str
    charged: Charged
    served: str = ""
    tokens: tuple[int, int, int] = (0, 0, 0)
    cost: float | None = None
    answer: bytes | None = None
    most: int | None = None


class Ledger:
    """One open ledger, held by one writer. Rows given to it are on disk after the next `commit`, all or none."""

    def __init__(self, path: Path, durability: Literal["process", "power"] = "process") -> None:
        self.path = path
        # Calls and answers of the commit that is to come: they are found as those on disk are.
        self._new: dict[bytes, int] = {}
        self._answers: dict[int, Asked] = {}
        self._rows: dict[str, list[tuple[Any, ...]]] = {}
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            # One thread at a time uses the connection, not always the same one: a run may move to a worker thread.
            self._base = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
            self._open("FULL" if durability == "power" else "NORMAL")
            self._call = self._last("calls")
            self._send = self._last("sends")

    def _open(self, synchronous: str) -> None:
        """Take the file for this writer alone and make its tables where there are none."""
        try:
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute(f"PRAGMA synchronous = {synchronous}")
            if not self._base.execute("SELECT 1 FROM sqlite_master WHERE name = 'sends'").fetchone():
                about_to("make-ledger", self.path)
                # The name by which batches of this ledger are known again at a provider.
                about = f"INSERT INTO about VALUES ('format', '{FORMAT}'), ('run', '{token_hex(8)}');"  # noqa: S608  # ours
                self._base.executescript(f"BEGIN; {SCHEMA} {about} COMMIT;")
        except sqlite3.DatabaseError as error:
            self._base.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            remedy = "Restore it from a copy, or move it away: what it holds is then paid for again."
            raise UsageError(f"{self.path} is not a ledger: {error}.", remedy) from error

    def _last(self, table: str) -> int:
        return int(self._base.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0])  # noqa: S608  # ours

    def find(self, key: bytes) -> Asked | None:
        """Return what the ledger holds of a call, committed or not; None where it was never asked."""
        if (row := self._new.get(key)) is not None:
            return self._answers.get(row, Asked(row))
        with self._told():
            found = self._base.execute("SELECT id, most, status, answer FROM calls WHERE key = ?", (key,)).fetchone()
        return self._answers.get(found[0], Asked(*found)) if found else None

    def ask(self, key: bytes, model: str, sample: str, body: bytes, most: int | None) -> int:
        """Write down a call that was never asked before; return its number."""
        self._call += 1
        self._new[key] = self._call
        self._add(_CALL, (self._call, key, model, sample, most, body))
        return self._call

    def intend(self, call: int, attempt: int, batch: str | None = None) -> int:
        """Write down that a request is about to be sent; return its number. It may go out after the next commit.

        One that goes out with others carries the name of their set, until `note_batch` puts the batch in its place.
        """
        self._send += 1
        self._add(_SEND, (self._send, call, attempt, time(), batch))
        return self._send

    def settle(self, done: Settled) -> None:
        """Write down what became of a request, and the answer where there is one."""
        told = (done.status, done.outcome, done.charged, done.served, *done.tokens, done.cost, done.send)
        self._add(_SETTLE, (time(), *told))
        if done.answer is not None:
            self._add(_ANSWER, (done.status, done.answer, done.most, done.call))
            self._answers[done.call] = Asked(done.call, done.most, done.status, done.answer)

    def _add(self, statement: str, row: tuple[Any, ...]) -> None:
        self._rows.setdefault(statement, []).append(row)

    def commit(self) -> None:
        """Return when everything given so far is as durable as was asked for."""
        if not self._rows:
            return
        rows, self._rows = self._rows, {}
        with self._told():
            about_to("ledger-begin", self.path)
            self._base.execute("BEGIN IMMEDIATE")
            try:
                for statement in (_CALL, _SEND, _SETTLE, _ANSWER):
                    if statement in rows:
                        self._base.executemany(statement, rows[statement])
                about_to("ledger-commit", self.path)
                self._base.execute("COMMIT")
            except Exception:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise
            about_to("ledger-committed", self.path)
        self._new.clear()
        self._answers.clear()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query of one's own; tables and views are described in docs/ledger.md."""
        return self._base.execute(sql).fetchall()

    def usage(self) -> dict[str, dict[str, Any]]:
        """Return per model: requests, tokens, cost, and how many requests were never settled or perhaps charged."""
        rows = self._base.execute("SELECT * FROM usage")
        names = [column[0] for column in rows.description]
        return {row[0]: dict(zip(names[1:], row[1:], strict=True)) for row in rows}

    def perhaps(self) -> list[tuple[str, int, int | None]]:
        """Return (model, bytes of the request, limit of tokens) of each request that may have been charged for."""
        where = "sends.settled_at IS NULL OR sends.charged = 'perhaps'"
        query = f"SELECT calls.model, length(body), most FROM sends JOIN calls ON calls.id = sends.call WHERE {where}"  # noqa: S608
        return self._base.execute(query).fetchall()

    def unsettled(self) -> list[dict[str, Any]]:
        """Return the requests that were sent and never settled: each may have been charged for."""
        rows = self._base.execute("SELECT * FROM unsettled")
        names = [column[0] for column in rows.description]
        return [dict(zip(names, row, strict=True)) for row in rows]

    @property
    def run(self) -> str:
        """The name of this ledger, of its own: what it submits is labelled with it."""
        return str(self._base.execute("SELECT value FROM about WHERE name = 'run'").fetchone()[0])

    def open_batches(self, model: str) -> dict[str, list[Open]]:
        """Return the requests of a model in batches that are not collected, by batch, or by set where none is noted."""
        found: dict[str, list[Open]] = {}
        for batch, *rest in self._base.execute(_OPEN, (model,)):
            found.setdefault(batch, []).append(Open(*rest))
        return found

    def batches(self, model: str) -> dict[str, str]:
        """Return the provider's batches of a model with their last known state, collected or not."""
        return dict(self._base.execute("SELECT id, state FROM batches WHERE model = ?", (model,)))

    def note_batch(self, batch: str, model: str, state: str, name: str | None = None) -> None:
        """Write down the state of a provider's batch, at once: it stands before anybody waits for it.

        With the `name` of a set, the requests of that set are from now on those of the batch.
        """
        with self._told():
            about_to("ledger-batch", self.path)
            self._base.execute("BEGIN IMMEDIATE")
            self._base.execute("INSERT OR REPLACE INTO batches VALUES (?, ?, ?)", (batch, model, state))
            if name is not None:
                self._base.execute("UPDATE sends SET batch = ? WHERE batch = ? AND settled_at IS NULL", (batch, name))
            self._base.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what SQLite says of disk and lock into an error that says what to do."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorname in FULL:
                what = f"{self.path} cannot be written: {error}."
                raise StoppedError(what, "Free space and run the same command again.", "disk") from error
            if error.sqlite_errorname.startswith("SQLITE_BUSY"):
                raise UsageError(f"{self.path} is in use by another program.", "Wait for it, or close it.") from error
            raise MachineError(f"{self.path} cannot be used: {error}.", "Choose another --out.") from error

    def close(self) -> None:
        """Commit what is left and let the file go."""
        try:
            self.commit()
        finally:
            self._base.close()
