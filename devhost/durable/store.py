"""Instances, histories, messages and activities in SQLite; every step is one transaction.

The journal is a write-ahead log with `synchronous=NORMAL`: a commit is in the operating system's
hands before it returns, so a process that is killed at any point loses nothing it has committed.
Only a machine that loses power may lose its last commits, never the database's integrity. FULL
would keep those too, for 350 microseconds a commit in place of 19, while the blobs and the rest of
a laptop's state would be as old all the same.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from devhost.durable.history import Row, parse_stamp, stamp

_SCHEMA = """
CREATE TABLE IF NOT EXISTS instances (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL, input TEXT, output TEXT,
    custom_status TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    execution INTEGER NOT NULL, parent TEXT, parent_execution INTEGER, parent_event INTEGER);
CREATE TABLE IF NOT EXISTS executions (id INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TABLE IF NOT EXISTS history (
    instance TEXT NOT NULL, position INTEGER NOT NULL, row TEXT NOT NULL,
    PRIMARY KEY (instance, position));
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL, due_at TEXT NOT NULL,
    execution INTEGER, body TEXT NOT NULL, held INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS messages_due ON messages (due_at);
CREATE TABLE IF NOT EXISTS activities (
    id INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL, execution INTEGER NOT NULL,
    event_id INTEGER NOT NULL, name TEXT NOT NULL, input TEXT);
CREATE TABLE IF NOT EXISTS receipts (
    function TEXT NOT NULL, container TEXT NOT NULL, name TEXT NOT NULL, etag TEXT NOT NULL,
    failures INTEGER NOT NULL, state TEXT NOT NULL, PRIMARY KEY (function, container, name));
"""
_SCHEMA_VERSION = 2
LIVE = ("Pending", "Running", "Suspended")


class StoreVersionError(Exception):
    """The database was written by another version of this host."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """An orchestration instance; input, output and custom status are JSON text.

    `execution` is a number that no other execution of any instance has; `parent_execution` and
    `parent_event` say where a sub-orchestration's answer belongs.
    """

    id: str
    name: str
    status: str
    input: str | None
    output: str | None
    custom_status: str | None
    created_at: str
    updated_at: str
    execution: int
    parent: str | None = None
    parent_execution: int | None = None
    parent_event: int | None = None

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.status in LIVE


@dataclass(frozen=True, kw_only=True)
class QueuedActivity:
    """An activity that has to run; it stays until its answer is written."""

    id: int
    instance: str
    execution: int
    event_id: int
    name: str
    input: str | None


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What became of a blob's event: `done`, `failed` or `poison`, after so many failures."""

    etag: str
    failures: int
    state: str


_FIELDS = tuple(field.name for field in fields(Instance))
_PUT_INSTANCE = (
    f"INSERT OR REPLACE INTO instances ({', '.join(_FIELDS)}) "
    f"VALUES ({', '.join(f':{name}' for name in _FIELDS)})"
)


class Store:
    """One SQLite database, shared by all threads of the host."""

    def __init__(self, path: Path | str) -> None:
        """Open or create the database; ":memory:" keeps nothing. Raises StoreVersionError."""
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._lock = threading.RLock()
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._prepare(path)

    def _prepare(self, path: Path | str) -> None:
        tables = self._query("SELECT name FROM sqlite_master")
        version = self._query("PRAGMA user_version")[0][0]
        if tables and version != _SCHEMA_VERSION:
            raise StoreVersionError(
                f"{path} was written by another version of this host (layout {version}, this one "
                f"reads {_SCHEMA_VERSION}): move the state folder away and start again"
            )
        self._db.executescript(_SCHEMA)
        self._db.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[Store]:
        """Write all of it or nothing."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def find_instance(self, instance_id: str) -> Instance | None:
        """Return an instance, or None."""
        rows = self._query("SELECT * FROM instances WHERE id = ?", instance_id)
        return Instance(**dict(rows[0])) if rows else None

    def list_instances(self) -> list[Instance]:
        """Return all instances, oldest first."""
        rows = self._query("SELECT * FROM instances ORDER BY created_at, id")
        return [Instance(**dict(row)) for row in rows]

    def put_instance(self, instance: Instance) -> None:
        """Create or replace an instance."""
        self._execute(_PUT_INSTANCE, vars(instance))

    def new_execution(self) -> int:
        """Return a number that no execution had before."""
        return int(self._execute("INSERT INTO executions DEFAULT VALUES", ()).lastrowid or 0)

    def purge(self, instance_id: str) -> None:
        """Forget an instance and all that belongs to it."""
        self._execute("DELETE FROM instances WHERE id = ?", (instance_id,))
        self.clear(instance_id)

    def clear(self, instance_id: str) -> None:
        """Forget an instance's history, and what it waits for."""
        self._execute("DELETE FROM history WHERE instance = ?", (instance_id,))
        self.settle(instance_id)

    def settle(self, instance_id: str) -> None:
        """Forget an instance's messages and activities; its history stays."""
        for table in ("messages", "activities"):
            self._execute(f"DELETE FROM {table} WHERE instance = ?", (instance_id,))

    def history(self, instance_id: str) -> list[Row]:
        """Return the rows of an instance's present execution."""
        rows: list[Row] = json.loads(self.history_text(instance_id))
        return rows

    def history_text(self, instance_id: str) -> str:
        """Return the same as JSON text."""
        query = "SELECT row FROM history WHERE instance = ? ORDER BY position"
        return "[" + ", ".join(row["row"] for row in self._query(query, instance_id)) + "]"

    def append(self, instance_id: str, rows: list[Row], *, after: int | None = None) -> None:
        """Add rows to a history; `after` says how many it has, where that is known."""
        if after is None:
            query = "SELECT COUNT(*) AS n FROM history WHERE instance = ?"
            after = int(self._query(query, instance_id)[0]["n"])
        for position, row in enumerate(rows, after):
            values = (instance_id, position, json.dumps(row))
            self._execute("INSERT INTO history VALUES (?, ?, ?)", values)

    def send(
        self, instance_id: str, due_at: datetime, body: Row, *, execution: int | None = None
    ) -> None:
        """Queue a message for an instance; with `execution` it is for that one only."""
        values = (instance_id, stamp(due_at), execution, json.dumps(body))
        query = "INSERT INTO messages (instance, due_at, execution, body) VALUES (?, ?, ?, ?)"
        self._execute(query, values)

    def ready(self, now: datetime) -> list[str]:
        """Return the instances that have due messages, the longest waiting first."""
        query = "SELECT instance FROM messages WHERE due_at <= ? AND held = 0 "
        query += "GROUP BY instance ORDER BY MIN(id)"
        return [row["instance"] for row in self._query(query, stamp(now))]

    def due(self, instance_id: str, now: datetime) -> list[tuple[int, int | None, Row]]:
        """Return an instance's due messages that nobody holds: id, execution, body."""
        query = "SELECT * FROM messages WHERE instance = ? AND due_at <= ? AND held = 0 "
        query += "ORDER BY due_at, id"
        rows = self._query(query, instance_id, stamp(now))
        return [(row["id"], row["execution"], json.loads(row["body"])) for row in rows]

    def forget_message(self, message_id: int) -> None:
        """Remove a message that was taken in."""
        self._execute("DELETE FROM messages WHERE id = ?", (message_id,))

    def hold_message(self, message_id: int) -> None:
        """Put a message of a suspended instance aside."""
        self._execute("UPDATE messages SET held = 1 WHERE id = ?", (message_id,))

    def release_messages(self, instance_id: str) -> None:
        """Take up again what was put aside."""
        self._execute("UPDATE messages SET held = 0 WHERE instance = ?", (instance_id,))

    def next_due(self) -> datetime | None:
        """Return when the next message is due that nobody holds, or None."""
        query = "SELECT MIN(due_at) AS first FROM messages WHERE held = 0"
        first = self._query(query)[0]["first"]
        return parse_stamp(first) if first else None

    def queue_activity(
        self, instance_id: str, execution: int, event_id: int, name: str, text: str | None
    ) -> None:
        """Queue an activity."""
        query = (
            "INSERT INTO activities (instance, execution, event_id, name, input) "
            "VALUES (?, ?, ?, ?, ?)"
        )
        self._execute(query, (instance_id, execution, event_id, name, text))

    def activities(self, most: int = -1) -> list[QueuedActivity]:
        """Return the activities that have to run, the longest waiting first: at most so many."""
        rows = self._query("SELECT * FROM activities ORDER BY id LIMIT ?", most)
        return [QueuedActivity(**dict(row)) for row in rows]

    def forget_activity(self, activity_id: int) -> bool:
        """Remove an activity; whether it was still there."""
        query = "DELETE FROM activities WHERE id = ?"
        return self._execute(query, (activity_id,)).rowcount > 0

    def receipts(self, function: str, container: str) -> dict[str, Receipt]:
        """Return what a function made of a container's blobs, by their names."""
        query = "SELECT * FROM receipts WHERE function = ? AND container = ?"
        rows = self._query(query, function, container)
        return {
            row["name"]: Receipt(etag=row["etag"], failures=row["failures"], state=row["state"])
            for row in rows
        }

    def put_receipt(self, function: str, container: str, name: str, receipt: Receipt) -> None:
        """Note what became of a blob's event."""
        values = (function, container, name, receipt.etag, receipt.failures, receipt.state)
        self._execute("INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, ?, ?)", values)

    def _query(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def _execute(self, query: str, values: Any) -> sqlite3.Cursor:
        with self._lock:
            return self._db.execute(query, values)
