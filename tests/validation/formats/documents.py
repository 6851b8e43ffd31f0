"""Report documents, with the findings that a test is about."""

from __future__ import annotations

import json
from typing import Any

from droptune.domain.dataset import Role
from droptune.domain.payload import Payload
from droptune.validation import BytesSource, ValidationRequest, validate
from droptune.validation.rules.fixtures import assistant, chat, user

LINES = tuple(chat(user(f"Question {n} {'word ' * n}"), assistant()) for n in range(60))


def a_document(*findings: dict[str, Any], verdict: str = "accept", **request: Any) -> Payload:
    """Return the report on sixty good examples, with other findings."""
    data = b"".join(json.dumps(line).encode() + b"\n" for line in LINES)
    source = BytesSource(name="training.jsonl", role=Role.TRAINING, data=data)
    asked = {"model": "gpt-4.1-mini", "n_epochs": 2} | request
    document = validate([source], request=ValidationRequest(**asked)).to_payload()
    return document | {"findings": list(findings), "verdict": verdict}


def a_finding(message: str = "line 3: it is wrong.", **changed: Any) -> dict[str, Any]:
    """Return a finding as documents have it."""
    return {
        "rule": "unknown-role",
        "severity": "error",
        "file": "training.jsonl",
        "line": 3,
        "path": None,
        "message": message,
        "fix": "Mend it.",
        "count": 1,
    } | changed
