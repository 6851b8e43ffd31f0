"""Records in storage: readable, and one conditional write at a time."""

from __future__ import annotations

import json

from activities.run_records import dump


def test_stored_document_has_a_line_for_each_field() -> None:
    """A person can read it, and it is JSON, whatever stands in it."""
    document = {"name": "Grüße", "job": {"id": "ftjob-1", "steps": [1, 2.5]}, "error": None}

    text = dump(document).decode()

    assert json.loads(text) == document
    assert text.splitlines()[1] == ' "name": "Grüße",'
    assert len(text.splitlines()) == 5
