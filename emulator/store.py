"""Documents on disk: one SQLite table, written before anything is answered."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

_LOCK_SECONDS = 1


class InUseError(Exception):
    """Another process has the documents open."""


class Store:
    """Keeps JSON documents by kind and id; what was put is durable after `commit`.

    WAL with `synchronous=NORMAL` loses nothing when the process is killed at any moment. Only one
    process may have it open; `InUseError` says that another one has.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, check_same_thread=False, timeout=_LOCK_SECONDS)
        try:
            self._database.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            self._database.close()
            raise InUseError(f"{path} is in use: {error}") from error
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS documents"
            " (kind TEXT, id TEXT, body TEXT, PRIMARY KEY (kind, id))"
        )
        self._database.commit()

    def load(self, kind: str) -> dict[str, Any]:
        """Return all documents of a kind by id, in the order in which they were first put."""
        rows = self._database.execute(
            "SELECT id, body FROM documents WHERE kind = ? ORDER BY rowid", (kind,)
        )
        return {row[0]: json.loads(row[1]) for row in rows}

    def put(self, kind: str, id: str, body: Any) -> None:
        """Create or replace a document."""
        self._database.execute(
            "INSERT INTO documents VALUES (?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
            (kind, id, json.dumps(body)),
        )

    def commit(self) -> None:
        """Make everything put so far durable, in one step."""
        self._database.commit()

    def close(self) -> None:
        """Commit and let go of the file."""
        self._database.commit()
        self._database.close()
