"""Instances, histories, messages and activities in SQLite; every step is one transaction."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from devhost.durable.history import Row, parse_stamp, stamp

_SCHEMA = """
CREATE TABLE IF NOT EXISTS instances (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL, input TEXT, output TEXT,
    custom_status TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    execution INTEGER NOT NULL, parent TEXT, parent_event INTEGER);
CREATE TABLE IF NOT EXISTS history (
    instance TEXT NOT NULL, position INTEGER NOT NULL, row TEXT NOT NULL,
    PRIMARY KEY (instance, position));
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL, due_at TEXT NOT NULL,
    execution INTEGER, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS messages_due ON messages (due_at);
CREATE TABLE IF NOT EXISTS activities (
    id INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL, execution INTEGER NOT NULL,
    event_id INTEGER NOT NULL, name TEXT NOT NULL, input TEXT);
CREATE TABLE IF NOT EXISTS receipts (
    container TEXT NOT NULL, name TEXT NOT NULL, etag TEXT NOT NULL, failures INTEGER NOT NULL,
    state TEXT NOT NULL, PRIMARY KEY (container, name));
"""
LIVE = ("Pending", "Running", "Suspended")


@dataclass(frozen=True, kw_only=True)
class Instance:
    """An orchestration instance; input, output and custom status are JSON text."""

    id: str
    name: str
    status: str
    input: str | None
    output: str | None
    custom_status: str | None
    created_at: str
    updated_at: str
    execution: int
    parent: str | None
    parent_event: int | None

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


class Store:
    """One SQLite database, shared by all threads of the host."""

    def __init__(self, path: Path | str) -> None:
        """Open or create the database; ":memory:" keeps nothing."""
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._lock = threading.RLock()
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

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
                self.before_commit()
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            self.after_commit()

    def before_commit(self) -> None:
        """Do nothing; a test's store crashes here."""

    def after_commit(self) -> None:
        """Do nothing; a test's store crashes here."""

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
        values = {name: getattr(instance, name) for name in Instance.__dataclass_fields__}
        marks = ", ".join(f":{name}" for name in values)
        self._execute(f"INSERT OR REPLACE INTO instances VALUES ({marks})", values)

    def purge(self, instance_id: str) -> None:
        """Forget an instance and all that belongs to it."""
        self._execute("DELETE FROM instances WHERE id = ?", (instance_id,))
        self.clear(instance_id)

    def clear(self, instance_id: str) -> None:
        """Forget an instance's history, messages and activities."""
        for table in ("history", "messages", "activities"):
            self._execute(f"DELETE FROM {table} WHERE instance = ?", (instance_id,))

    def history(self, instance_id: str) -> list[Row]:
        """Return the rows of an instance's present execution."""
        query = "SELECT row FROM history WHERE instance = ? ORDER BY position"
        return [json.loads(row["row"]) for row in self._query(query, instance_id)]

    def append(self, instance_id: str, rows: list[Row]) -> None:
        """Add rows to a history."""
        query = "SELECT COALESCE(MAX(position), -1) AS last FROM history WHERE instance = ?"
        last = self._query(query, instance_id)[0]["last"]
        for position, row in enumerate(rows, last + 1):
            values = (instance_id, position, json.dumps(row))
            self._execute("INSERT INTO history VALUES (?, ?, ?)", values)

    def drop_history(self, instance_id: str) -> None:
        """Forget the rows of an execution that continued as new."""
        self._execute("DELETE FROM history WHERE instance = ?", (instance_id,))

    def send(
        self, instance_id: str, due_at: datetime, body: Row, *, execution: int | None = None
    ) -> None:
        """Queue a message for an instance; with `execution` it is for that one only."""
        values = (instance_id, stamp(due_at), execution, json.dumps(body))
        query = "INSERT INTO messages (instance, due_at, execution, body) VALUES (?, ?, ?, ?)"
        self._execute(query, values)

    def ready(self, now: datetime) -> list[str]:
        """Return the instances that have due messages, the longest waiting first."""
        query = "SELECT instance FROM messages WHERE due_at <= ? GROUP BY instance ORDER BY MIN(id)"
        return [row["instance"] for row in self._query(query, stamp(now))]

    def due(self, instance_id: str, now: datetime) -> list[tuple[int, int | None, Row]]:
        """Return an instance's due messages: id, execution, body."""
        query = "SELECT * FROM messages WHERE instance = ? AND due_at <= ? ORDER BY due_at, id"
        rows = self._query(query, instance_id, stamp(now))
        return [(row["id"], row["execution"], json.loads(row["body"])) for row in rows]

    def forget_message(self, message_id: int) -> None:
        """Remove a message that was taken in."""
        self._execute("DELETE FROM messages WHERE id = ?", (message_id,))

    def next_due(self) -> datetime | None:
        """Return when the next message is due, or None."""
        first = self._query("SELECT MIN(due_at) AS first FROM messages")[0]["first"]
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

    def activities(self) -> list[QueuedActivity]:
        """Return all activities that have to run."""
        rows = self._query("SELECT * FROM activities ORDER BY id")
        return [QueuedActivity(**dict(row)) for row in rows]

    def forget_activity(self, activity_id: int) -> bool:
        """Remove an activity; whether it was still there."""
        query = "DELETE FROM activities WHERE id = ?"
        return self._execute(query, (activity_id,)).rowcount > 0

    def receipt(self, container: str, name: str) -> tuple[str, int, str] | None:
        """Return what is known of a blob: ETag, failures so far, state."""
        query = "SELECT * FROM receipts WHERE container = ? AND name = ?"
        rows = self._query(query, container, name)
        return (rows[0]["etag"], rows[0]["failures"], rows[0]["state"]) if rows else None

    def put_receipt(self, container: str, name: str, etag: str, failures: int, state: str) -> None:
        """Note what became of a blob's event."""
        values = (container, name, etag, failures, state)
        self._execute("INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, ?)", values)

    def _query(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def _execute(self, query: str, values: Any) -> sqlite3.Cursor:
        with self._lock:
            return self._db.execute(query, values)
